//! Children of the benchmark, which never outlive it.

use std::ffi::OsStr;
use std::fs::{File, read_to_string};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// After SIGTERM, before SIGKILL.
const GRACE: Duration = Duration::from_secs(10);
/// Within this a child must be ready.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// A process in a group of its own. Dropping it kills the group, so nginx's workers go with their master.
pub(crate) struct Process {
    name: String,
    child: Child,
    group: Pid,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `folder/name.log`.
    pub(crate) fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = command.spawn().with_context(|| format!("failed to start {name}"))?;
        let group =
            child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("the child has no id")?;
        Ok(Self { name: name.to_owned(), child, group, log })
    }

    pub(crate) fn id(&self) -> u32 {
        self.group.as_raw_nonzero().get().cast_unsigned()
    }

    /// Waits until somebody listens on `port`.
    pub(crate) async fn listens(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            self.is_still_starting(deadline)?;
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits for a line with `text` in what it prints.
    pub(crate) async fn prints(&mut self, text: &str) -> Result<()> {
        let deadline = Instant::now() + START;
        while !read_to_string(&self.log)?.lines().any(|line| line.contains(text)) {
            self.is_still_starting(deadline)?;
            sleep(POLL).await;
        }
        Ok(())
    }

    fn is_still_starting(&mut self, deadline: Instant) -> Result<()> {
        let ended = self.child.try_wait()?;
        if ended.is_none() && Instant::now() < deadline {
            return Ok(());
        }
        let output = read_to_string(&self.log)?;
        let tail: Vec<&str> = output.lines().rev().take(20).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        match ended {
            Some(status) => bail!("{} ended while it started ({status}):\n{tail}", self.name),
            None => bail!("{} was not ready within {START:?}:\n{tail}", self.name),
        }
    }

    /// Asks it to end, and makes it.
    pub(crate) async fn stop(mut self) {
        // It may have ended already; then there is nobody to tell.
        let _ = kill_process(self.group, Signal::TERM);
        if timeout(GRACE, self.child.wait()).await.is_err() {
            eprintln!("{} did not end within {GRACE:?} of SIGTERM and is killed", self.name);
        }
        // Dropping it kills what is left of its group.
    }

    /// Kills it and waits until it is gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody may be left in it. Its number is not given to others while there is, nor so soon after.
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

/// Ports nobody listens on, as the kernel chose them, all different. Somebody could take one before it is used;
/// then its user fails to start and says so.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// The binary `name` from PATH or one of the folders that Debian keeps out of users' PATH.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut candidates = folders.map(|folder| folder.join(name));
    candidates.find(|candidate| candidate.is_file()).with_context(|| {
        format!("{name} is not installed: apt-get install {name} (Debian's package of that name)")
    })
}

pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.kill_on_drop(true);
    command
}
