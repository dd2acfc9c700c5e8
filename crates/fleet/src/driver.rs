//! The process driver: runs instances as commands on this machine.
//!
//! [`Driver::start`] gives an instance a port and a task that lives as long as its process:
//!
//! ```text
//!   spawn guard ─► starting ──probe ok──► ready ──probes fail──► sick ─┐
//!                     │ exit, timeout       │ exit                     │ controller: Stop
//!                     ▼                     ▼                          ▼
//!                   Event::Gone ◄──────────────────── SIGTERM, grace, SIGKILL
//! ```
//!
//! The task reports [`Event`]s; what follows from them is decided in [`crate::policy`].

mod launch;
mod output;
mod ports;
mod probe;
mod report;

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use mare_manifest::model::Health;
use mare_scaling::InstanceId;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::{guard, orphans};
pub use launch::find_program;
use launch::{Launched, launch};
pub use output::{Line, Sink, Stream};
use ports::{Port, Ports};
pub use report::Failure;

/// After SIGKILL everything is gone in milliseconds; a process stuck in the kernel is given up after this.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// How to run one service's instances.
#[derive(Clone, Debug)]
pub struct Command {
    pub service: Arc<str>,
    /// Program and arguments with `$PORT` still in them.
    pub words: Vec<mare_manifest::model::Text>,
    /// On top of the inherited environment; may hold `$PORT` too.
    pub environment: Vec<(String, mare_manifest::model::Text)>,
    pub folder: PathBuf,
    pub health: Health,
    pub grace: Duration,
}

/// What happens to an instance.
#[derive(Debug)]
pub struct Event {
    pub service: Arc<str>,
    pub id: InstanceId,
    pub what: Happened,
}

#[derive(Debug)]
pub enum Happened {
    /// The guard runs; its process id.
    Spawned(u32),
    Ready(SocketAddr),
    /// Liveness probes failed; the reason.
    Sick(String),
    /// Its processes have all ended.
    Gone {
        lived: Duration,
        failure: Option<Failure>,
    },
}

/// Starts instances on this machine.
#[derive(Clone, Debug)]
pub struct Driver {
    /// The program and arguments that run the guard: `mare __guard`.
    pub guard: (PathBuf, Vec<String>),
    pub sink: Sink,
    pub events: mpsc::Sender<Event>,
    ports: Ports,
}

impl Driver {
    pub fn new(guard: (PathBuf, Vec<String>), sink: Sink, events: mpsc::Sender<Event>) -> Self {
        guard::become_subreaper();
        Self { guard, sink, events, ports: Ports::default() }
    }

    /// Runs one instance until its process has gone. Cancelling `stop` asks it to end.
    pub async fn run(self, command: Arc<Command>, id: InstanceId, stop: CancellationToken) {
        let started = Instant::now();
        let failure = self.live(&command, id, &stop).await.err();
        self.tell(&command, id, Happened::Gone { lived: started.elapsed(), failure }).await;
    }

    async fn live(&self, command: &Command, id: InstanceId, stop: &CancellationToken) -> Result<(), Failure> {
        let port = self.ports.take().ok_or(Failure::NoPort)?;
        let launched = launch(self, command, id, port.number())?;
        self.tell(command, id, Happened::Spawned(launched.guard)).await;
        let mut running = Running { started: Instant::now(), port, launched, status: None };
        let ended = tokio::select! {
            ended = running.watch(self, command, id) => ended,
            () = stop.cancelled() => Ended::Asked,
        };
        running.end(command, ended).await
    }

    /// The controller outlives its instances; once it is gone there is nobody to tell.
    async fn tell(&self, command: &Command, id: InstanceId, what: Happened) {
        let _ = self.events.send(Event { service: Arc::clone(&command.service), id, what }).await;
    }
}

/// Why an instance's time is over.
enum Ended {
    /// The controller asked for it.
    Asked,
    /// The guard ended by itself.
    Exited,
    /// It was not ready in time; what the last probe saw.
    Unready(String),
}

struct Running {
    started: Instant,
    port: Port,
    launched: Launched,
    status: Option<ExitStatus>,
}

impl Running {
    /// Returns when the process has ended or never became ready; reports everything before that.
    async fn watch(&mut self, driver: &Driver, command: &Command, id: InstanceId) -> Ended {
        let (guard, address) = (self.launched.guard, self.port.address());
        let watching = async {
            let mut startup = probe::Startup::new(command, guard, address);
            if timeout(command.health.startup, startup.ready()).await.is_err() {
                return startup.give_up().await;
            }
            driver.tell(command, id, Happened::Ready(address)).await;
            // Who is sick gets no more requests while it ends; neither must a stranger on its port.
            let why = match startup.belongs_to_instance().await {
                Ok(()) => probe::until_sick(&command.health, address).await,
                Err(stranger) => stranger,
            };
            driver.tell(command, id, Happened::Sick(why)).await;
            // Whoever was told cancels `stop`.
            std::future::pending().await
        };
        tokio::select! {
            status = self.launched.child.wait() => {
                self.status = status.ok();
                Ended::Exited
            }
            last_seen = watching => Ended::Unready(last_seen),
        }
    }

    async fn end(mut self, command: &Command, ended: Ended) -> Result<(), Failure> {
        let lived = self.started.elapsed();
        if !matches!(ended, Ended::Exited) {
            self.terminate(command.grace).await;
        }
        // A guard that was killed did not clear up.
        if self.status.is_none_or(|status| status.signal().is_some()) {
            // What this user may not kill (sudo) is not waited for.
            let _ = timeout(KILL_WAIT, tokio::task::spawn_blocking(orphans::sweep)).await;
        }
        let tail = self.launched.output.finish().await;
        match ended {
            Ended::Asked => Ok(()),
            Ended::Exited => Err(Failure::exited(command, self.status, lived, tail)),
            Ended::Unready(last_seen) => Err(Failure::unready(command, &last_seen, tail)),
        }
    }

    /// SIGTERM, grace, SIGKILL. Leaves `status` empty if not even that ended the guard in time.
    async fn terminate(&mut self, grace: Duration) {
        self.launched.ask_to_stop().await;
        if let Ok(status) = timeout(grace, self.launched.child.wait()).await {
            self.status = status.ok();
            return;
        }
        self.launched.kill_all();
        if let Ok(status) = timeout(KILL_WAIT, self.launched.child.wait()).await {
            self.status = status.ok();
            return;
        }
        // A guard that hangs. Without it the instance dies too, and the rest is swept up.
        let _ = self.launched.child.start_kill();
        if let Ok(status) = timeout(KILL_WAIT, self.launched.child.wait()).await {
            self.status = status.ok();
        }
    }
}
