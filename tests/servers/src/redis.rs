//! A Redis server in a temporary folder. It keeps nothing on disk: started again, it is empty.

use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::watched::{End, Watched};

const HOW_TO_INSTALL: &str =
    "install it, for example with `apt-get install redis-server`, or put redis-server and redis-cli in PATH";

/// Of the first server of a process; the next ones follow.
const PORT: u16 = 6379;

pub struct Redis {
    watched: Watched,
    host: String,
    port: u16,
}

impl Redis {
    /// The server of this test process, started by whoever asks first. For those who use names of their own and never
    /// stop it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server and returns once it accepts connections.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with further options, such as `--maxmemory`, `4mb`.
    pub fn start_with(options: &[&str]) -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        for program in ["redis-server", "redis-cli"] {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            assert!(
                found.is_ok_and(|status| status.success()),
                "Redis is needed by this test and {program} was not found: {HOW_TO_INSTALL}"
            );
        }
        let folder = tempfile::Builder::new().prefix("mare-redis-").tempdir().expect("make a folder").keep();
        let (host, port) = (host(), PORT + COUNT.fetch_add(1, Ordering::Relaxed));
        let mut words: Vec<String> =
            ["redis-server", "--save", "", "--appendonly", "no"].map(str::to_owned).into();
        let own =
            [("--bind", host.clone()), ("--port", port.to_string()), ("--dir", folder.display().to_string())];
        words.extend(own.into_iter().flat_map(|(name, value)| [name.to_owned(), value]));
        // The log is how its start is seen; standard output is nobody's.
        words.extend(["--logfile", "/dev/stderr"].iter().chain(options).map(|word| (*word).to_owned()));
        let watched = Watched::start(folder, End::Kill, &words, "Ready to accept connections");
        Self { watched, host, port }
    }

    pub fn url(&self) -> String {
        format!("redis://{}:{}", self.host, self.port)
    }

    /// Kills the server (-9), stopped or not; returns once it has ended.
    pub fn stop(&self) {
        self.watched.stop();
    }

    /// Starts it again, empty, and returns once it accepts connections.
    pub fn start_again(&self) {
        self.watched.start_again();
        // A minute is longer than any start of an empty server.
        let wait = format!(
            "for i in $(seq 3000); do [ \"$({} ping 2>/dev/null)\" = PONG ] && exit; sleep 0.02; done; exit 1",
            self.client()
        );
        let waited = Command::new("sh").args(["-c", &wait]).status();
        assert!(waited.is_ok_and(|status| status.success()), "redis-server did not start again");
    }

    /// Stops it in the middle of whatever it does (SIGSTOP): connections stay, and nothing is answered.
    pub fn pause(&self) {
        self.watched.pause();
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.watched.resume();
    }

    /// Runs a command of `redis-cli` and returns what it says.
    pub fn run(&self, words: &[&str]) -> String {
        let mut client = Command::new("redis-cli");
        client.args(["-h", &self.host, "-p", &self.port.to_string(), "--raw"]).args(words);
        let output = client.output().expect("run redis-cli");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// The folder all of the server is in.
    pub fn folder(&self) -> &Path {
        self.watched.folder()
    }

    fn client(&self) -> String {
        format!("redis-cli -h {} -p {}", self.host, self.port)
    }
}

/// A loopback address that no other process has: Redis cannot choose a free port itself, and it must come back under
/// the same one. Ids of processes have 22 bits at most; 128 and above is where nobody else is by habit.
fn host() -> String {
    let [_, high, middle, low] = process::id().to_be_bytes();
    format!("127.{}.{middle}.{low}", 128 | high & 0x3F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_server_leaves_nothing_behind_even_if_it_stood_still() {
        let server = Redis::start();
        let folder = server.folder().to_owned();
        server.pause();
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn a_stopped_server_comes_back_empty_and_is_another() {
        let server = Redis::start();
        let run_id = |server: &Redis| {
            server.run(&["info", "server"]).lines().find(|it| it.starts_with("run_id")).map(str::to_owned)
        };
        let before = run_id(&server);
        server.run(&["set", "a", "b"]);
        server.stop();
        server.start_again();
        assert_eq!(server.run(&["get", "a"]), "");
        assert_ne!(run_id(&server), before);
    }

    #[test]
    fn one_that_stands_still_goes_on_as_it_was() {
        let server = Redis::start();
        server.run(&["set", "a", "b"]);
        server.pause();
        server.resume();
        assert_eq!(server.run(&["get", "a"]), "b");
    }
}
