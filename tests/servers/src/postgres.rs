//! A PostgreSQL server in a temporary folder.
//!
//! It listens on a Unix socket in that folder only, so there is no port to be taken.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use crate::watched::{End, Watched};

const HOW_TO_INSTALL: &str = "install it, for example with `apt-get install postgresql`, \
    or put initdb, postgres and createdb in PATH";

/// Names the socket; nothing listens on TCP.
const PORT: &str = "5432";

/// For what need not survive a crash.
const FORGETFUL: &[&str] =
    &["fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB"];

pub struct Postgres {
    watched: Watched,
    binaries: Binaries,
    databases: AtomicU32,
}

impl Postgres {
    /// The server of this test process, started by whoever asks first.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The server of this test process that has pgvector, started by whoever asks first.
    pub fn shared_with_vectors() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_of(Binaries::with_vectors(), FORGETFUL))
    }

    /// Starts a server and returns once it accepts connections. What it writes need not reach the disk.
    pub fn start() -> Self {
        Self::start_of(Binaries::find(), FORGETFUL)
    }

    /// Starts a server that keeps its promises, for measurements: PostgreSQL's own defaults.
    pub fn start_durable() -> Self {
        Self::start_of(Binaries::find(), &[])
    }

    fn start_of(binaries: Binaries, settings: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("mare-postgres-").tempdir().expect("make a folder").keep();
        if let Some(user) = binaries.user {
            chown(&folder, Some(user.uid), Some(user.gid)).expect("give the folder to the server's user");
        }
        binaries.init(&folder);
        let words = binaries.server(&folder, settings);
        let watched = Watched::start(folder, End::Quit, &words, "ready to accept connections");
        Self { watched, binaries, databases: AtomicU32::new(0) }
    }

    /// Creates an empty database and returns its URL.
    pub fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut createdb = self.binaries.command("createdb");
        run(createdb.arg("-h").arg(self.folder()).args([
            "-p",
            PORT,
            "-U",
            "postgres",
            "-T",
            "template0",
            &name,
        ]));
        format!("postgres://postgres@localhost:{PORT}/{name}?host={}", self.folder().display())
    }

    /// Stops the server as a crash would; returns once it has ended.
    pub fn stop(&self) {
        self.watched.stop();
    }

    /// Starts it again, and returns once it accepts connections.
    pub fn start_again(&self) {
        self.watched.start_again();
        let is_ready = self.binaries.words("pg_isready").join(" ");
        let folder = self.folder().display();
        // A minute is longer than any recovery of what a test wrote.
        let wait = format!(
            "for i in $(seq 1200); do {is_ready} -q -h {folder} -p {PORT} && exit; sleep 0.05; done; exit 1"
        );
        run(Command::new("sh").args(["-c", &wait]));
    }

    /// Creates an empty database whose owner may do nothing else, and returns the URL by which the owner uses it.
    pub fn modest_database(&self) -> String {
        let url = self.fresh_database();
        let (name, _) = url.rsplit_once('?').expect("the folder");
        let name = name.rsplit('/').next().expect("the database");
        let role = format!("CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}");
        run(self.binaries.command("psql").args([&url, "-q", "-c", &role]));
        url.replacen("postgres@", &format!("{name}@"), 1)
    }

    /// The process the server is a descendant of.
    pub fn id(&self) -> u32 {
        self.watched.id()
    }

    /// The folder all of the server is in.
    pub fn folder(&self) -> &Path {
        self.watched.folder()
    }
}

/// Where PostgreSQL's programs are and as whom they run.
struct Binaries {
    folder: PathBuf,
    /// Set when we are root, as whom the server refuses to run.
    user: Option<User>,
}

#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Binaries {
    fn find() -> Self {
        let folder = Self::installed().next().unwrap_or_else(|| {
            panic!("PostgreSQL is needed by this test and was not found: {HOW_TO_INSTALL}")
        });
        Self { folder, user: is_root().then(unprivileged) }
    }

    /// One that has pgvector: the system's, else the one `make vectors` puts beside what cargo builds.
    fn with_vectors() -> Self {
        let test = env::current_exe().expect("a test has a path");
        let target = test.ancestors().nth(3).expect("target/PROFILE/deps/TEST");
        let made = target.join("vectors/pgserver/pginstall/bin");
        let mut folders = Self::installed().chain([made]);
        let folder = folders.find(|folder| has_vectors(folder)).unwrap_or_else(|| {
            panic!("a PostgreSQL with pgvector is needed by this test: run `make vectors`")
        });
        Self { folder, user: is_root().then(unprivileged) }
    }

    /// Debian's own folders, the newest first, come before PATH, whose `postgres` may be a wrapper.
    fn installed() -> impl Iterator<Item = PathBuf> {
        let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
            .unwrap_or_default();
        versions.sort_by_key(|folder| {
            let version = folder.parent().and_then(Path::file_name).and_then(|it| it.to_str());
            std::cmp::Reverse(version.and_then(|it| it.parse::<u32>().ok()))
        });
        let path = env::var_os("PATH").unwrap_or_default();
        let path: Vec<PathBuf> = env::split_paths(&path).collect();
        let is_whole =
            |folder: &PathBuf| ["initdb", "postgres", "createdb"].iter().all(|it| folder.join(it).is_file());
        versions.into_iter().chain(path).filter(is_whole)
    }

    /// A command that runs `program` as the server's user.
    fn command(&self, program: &str) -> Command {
        let mut words = self.words(program).into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    fn words(&self, program: &str) -> Vec<String> {
        let program = self.folder.join(program).display().to_string();
        match self.user {
            None => vec![program],
            Some(User { uid, gid }) => {
                let words =
                    ["setpriv", &format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups"];
                words.into_iter().map(str::to_owned).chain([program]).collect()
            }
        }
    }

    fn init(&self, folder: &Path) {
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(folder.join("data"));
        // Nothing here must survive, so nothing needs to reach the disk.
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        run(&mut initdb);
    }

    fn server(&self, folder: &Path, settings: &[&str]) -> Vec<String> {
        let sockets = format!("unix_socket_directories={}", folder.display());
        let always = ["listen_addresses=", &sockets, "max_connections=200"];
        let mut words = self.words("postgres");
        words.extend([
            "-D".to_owned(),
            folder.join("data").display().to_string(),
            "-p".to_owned(),
            PORT.to_owned(),
        ]);
        words.extend(always.iter().chain(settings).flat_map(|it| ["-c".to_owned(), (*it).to_owned()]));
        words
    }
}

/// Whether the server whose programs are in `folder` has pgvector.
fn has_vectors(folder: &Path) -> bool {
    let version = folder.parent().and_then(Path::file_name).unwrap_or_default();
    let debian = Path::new("/usr/share/postgresql").join(version).join("extension");
    [folder.join("../share/postgresql/extension"), debian]
        .iter()
        .any(|it| it.join("vector.control").is_file())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// The user `postgres`, else `nobody`.
fn unprivileged() -> User {
    let users = fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some(User { uid: numbers.next()?.ok()?, gid: numbers.next()?.ok()? })
    };
    find("postgres").or_else(|| find("nobody")).expect("running as root, a user postgres or nobody is needed")
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("start {command:?}: {error}: {HOW_TO_INSTALL}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_dropped_server_leaves_nothing_behind() {
        let server = Postgres::start();
        let url = server.fresh_database();
        let folder = server.folder().to_owned();
        assert!(url.contains(folder.to_str().unwrap()));
        assert!(folder.join(format!(".s.PGSQL.{PORT}")).exists());
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn a_stopped_server_comes_back_with_its_databases() {
        let server = Postgres::start();
        let url = server.fresh_database();
        server.stop();
        assert!(UnixStream::connect(server.folder().join(format!(".s.PGSQL.{PORT}"))).is_err());
        server.start_again();
        run(server.binaries.command("psql").args([&url, "-c", "SELECT 1"]));
        let folder = server.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn each_database_is_another() {
        let server = Postgres::shared();
        assert_ne!(server.fresh_database(), server.fresh_database());
    }
}
