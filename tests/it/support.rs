//! Starts mare, talks to it, and looks at the processes around it.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HOST;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// A wait that takes longer has failed; generous because the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at something that cannot be waited for otherwise.
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) const PROBE: &str = env!("CARGO_BIN_EXE_probe-service");

/// Inherited by every process a mare of ours starts, with a value of its own per mare.
const MARK: &str = "HOUSE_TEST_MARK";

/// The platform under test, built once.
pub(crate) fn mare_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("mare"))
}

/// Builds the program of another package, which cargo does not do for tests.
pub(crate) fn build(package: &str) -> PathBuf {
    let folder = Path::new(PROBE).parent().expect("a folder").to_owned();
    let mut cargo = std::process::Command::new(env!("CARGO"));
    // Both programs at once, as the Makefile builds them: one alone has fewer features, and all would be built again.
    cargo.args(["build", "--quiet", "--package", "mare", "--package", "valoriza"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    // What cargo and the test runner set for this test would make build scripts run again, and all that follows.
    let ours = |name: &String| {
        name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" || name == "RUSTC_BOOTSTRAP"
    };
    std::env::vars().map(|(name, _)| name).filter(ours).for_each(|name| {
        cargo.env_remove(name);
    });
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(status.success(), "{package} does not build");
    folder.join(package)
}

/// Looks until `look` sees something; panics with `what` when it never does.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// Bounds anything else that is awaited.
pub(crate) async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    timeout(PATIENCE, wait).await.unwrap_or_else(|_elapsed| panic!("waited in vain for {what}"))
}

/// A folder with a `mare.toml` in it.
pub(crate) struct Folder {
    temp: TempDir,
    mark: String,
}

impl Folder {
    pub(crate) fn new(manifest: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let temp = tempfile::Builder::new().prefix("house").tempdir().expect("a folder");
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Self { temp, mark };
        folder.write("mare.toml", &manifest.replace("{probe}", PROBE));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("writes");
    }

    /// `mare` with these arguments, run here, killed when dropped.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(mare_program(), arguments)
    }

    fn command_of(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env(MARK, &self.mark)
            .env_remove("MARE_LOG")
            .env_remove("DATABASE_URL");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a verb to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        let output = within("a verb to end", self.command(arguments).output()).await.expect("runs");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Living processes that a mare started here, itself included.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let wanted = format!("{MARK}={}", self.mark);
        Process::all().filter(|process| process.has_variable(&wanted)).collect()
    }

    pub(crate) async fn until_nothing_runs(&self) {
        let _: () = until("no process is left", async || self.processes().is_empty().then_some(())).await;
    }
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Checks the exit code and that standard error, or else standard output, holds every text.
    pub(crate) fn check(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in texts {
            assert!(self.stderr.contains(text) || self.stdout.contains(text), "no {text:?} in {self:#?}");
        }
    }
}

/// One process as /proc shows it.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) state: char,
    pub(crate) words: String,
}

impl Process {
    pub(crate) fn all() -> impl Iterator<Item = Process> {
        let entries = std::fs::read_dir("/proc").expect("Linux").flatten();
        entries.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?))
    }

    fn read(pid: u32) -> Option<Process> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        Some(Process { pid, parent, state, words: String::from_utf8_lossy(&words).replace('\0', " ") })
    }

    /// False for a zombie, whose environment is gone.
    fn has_variable(&self, wanted: &str) -> bool {
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
    }

    pub(crate) fn is_guard(&self) -> bool {
        self.words.contains("__guard")
    }
}

/// Sends a signal to one process that a test of ours started.
pub(crate) fn send_signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("not zero");
    let _ = rustix::process::kill_process(pid, signal);
}

pub(crate) fn kill(pid: u32) {
    send_signal(pid, rustix::process::Signal::KILL);
}

/// A running `mare up`; killed when dropped, and its guards end the rest.
pub(crate) struct Mare {
    pub(crate) child: Child,
    pub(crate) pid: u32,
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) folder: Folder,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Mare {
    /// Starts the manifest and waits until it says that it is ready.
    pub(crate) async fn up(manifest: &str) -> Self {
        let mare = Self::launch(Folder::new(manifest), &[], &[]).await;
        mare.stdout.until("is ready at").await;
        mare
    }

    /// Starts the manifest in `folder` and waits until it listens.
    pub(crate) async fn launch(folder: Folder, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let ports = ["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        Self::started(folder, mare_program(), &[&ports, arguments].concat(), variables).await
    }

    /// Starts a program that becomes `mare up`.
    pub(crate) async fn started(
        folder: Folder,
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = folder.command_of(program, arguments);
        let mut child = command.envs(variables.iter().copied()).spawn().expect("mare starts");
        let pid = child.id().expect("it runs");
        let stdout = Lines::read(child.stdout.take().expect("piped"));
        let stderr = Lines::read(child.stderr.take().expect("piped"));
        let path = folder.path().join(".mare/running.json");
        let running = until("mare listens", async || {
            let ended = child.try_wait().expect("ours");
            assert!(ended.is_none(), "mare ended: {ended:?} {:?} {:?}", stderr.all(), stdout.all());
            let running: Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
            (running["pid"] == pid).then_some(running)
        });
        let running = running.await;
        let address = |name: &str| running[name].as_str().expect("text").parse().expect("an address");
        let (public, admin) = (address("public"), address("admin"));
        Self { child, pid, public, admin, folder, stdout, stderr }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.public, path).await
    }

    /// GET that must succeed; its body.
    pub(crate) async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    pub(crate) async fn status(&self) -> Value {
        let answer = get(self.admin, "/api/status").await;
        serde_json::from_str(&answer.body).expect("JSON")
    }

    pub(crate) async fn service(&self, name: &str) -> Service {
        let status = self.status().await;
        let services = status["services"].as_array().expect("a list");
        Service(services.iter().find(|one| one["name"] == name).cloned().unwrap_or_default())
    }

    /// Waits for a state of a service, and returns it.
    pub(crate) async fn until(&self, name: &str, what: &str, is: impl Fn(&Service) -> bool) -> Service {
        let look = async || {
            let service = self.service(name).await;
            is(&service).then_some(service)
        };
        until(what, look).await
    }

    pub(crate) fn terminate(&self) {
        send_signal(self.pid, rustix::process::Signal::TERM);
    }

    /// Waits for the end; the exit code, if no signal ended it.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        within("mare to end", self.child.wait()).await.expect("ours").code()
    }

    /// SIGTERM, then nothing may be left.
    pub(crate) async fn stop(mut self) {
        self.terminate();
        assert_eq!(self.exit_code().await, Some(0), "{:?}", self.stderr.all());
        self.folder.until_nothing_runs().await;
    }
}

impl Drop for Mare {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("mare wrote:\n{}\n{}", self.stdout.all().join("\n"), self.stderr.all().join("\n"));
        }
    }
}

/// One service of `/api/status`.
#[derive(Debug, Default)]
pub(crate) struct Service(pub(crate) Value);

impl Service {
    pub(crate) fn instances(&self) -> Vec<Value> {
        self.0["instances"].as_array().cloned().unwrap_or_default()
    }

    /// Those in a state.
    pub(crate) fn count(&self, state: &str) -> usize {
        self.instances().iter().filter(|one| one["state"] == state).count()
    }

    pub(crate) fn failure(&self) -> String {
        self.0["last_failure"]["message"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn failures(&self) -> u64 {
        self.0["failures"].as_u64().unwrap_or(0)
    }
}

/// The lines a process has written so far.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub(crate) fn read(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let lines = Self::default();
        let written = lines.clone();
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                written.0.lock().expect("no panic").push(line);
            }
        });
        lines
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.all().iter().any(|line| line.contains(text))
    }

    /// Waits for a line that holds `text`.
    pub(crate) async fn until(&self, text: &str) -> String {
        let look = async || self.all().into_iter().find(|line| line.contains(text));
        until(&format!("a line says {text:?}"), look).await
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address)).await.expect("mare accepts");
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("shakes hands");
        tokio::spawn(connection);
        Self { address, sender }
    }

    /// Sends a request; its headers may replace `Host`.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> hyper::Result<Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header(HOST, self.address.to_string());
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Full::from(body.to_owned())).expect("a request");
        within("a connection", self.sender.ready()).await?;
        within("an answer", self.sender.send_request(request)).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> hyper::Result<Answer> {
        whole(self.send(Method::GET, path, &[], "").await?).await
    }
}

pub(crate) async fn whole(response: Response<Incoming>) -> hyper::Result<Answer> {
    let (parts, body) = response.into_parts();
    let body = within("a body", body.collect()).await?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// Sends one request on a connection of its own.
pub(crate) async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let response = Connection::open(address).await.send(method, path, headers, body).await;
    whole(response.expect("an answer")).await.expect("a body")
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, Method::GET, path, &[], "").await
}
