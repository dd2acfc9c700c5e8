use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use mare_scaling::InstanceId;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};

use super::output::Output;
use super::{Command, Driver, Failure};
use crate::guard;

/// A guard with its instance, just spawned.
pub(super) struct Launched {
    pub(super) child: Child,
    /// The guard's process id.
    pub(super) guard: u32,
    pub(super) output: Output,
    control: Option<ChildStdin>,
}

impl Launched {
    /// Has the guard pass SIGTERM on. A guard that is gone needs no asking.
    pub(super) async fn ask_to_stop(&mut self) {
        if let Some(control) = &mut self.control {
            let _ = control.write_all(&[guard::TERMINATE]).await;
        }
    }

    /// Closing the pipe makes the guard kill everything.
    pub(super) fn kill_all(&mut self) {
        self.control = None;
    }
}

pub(super) fn launch(
    driver: &Driver,
    command: &Command,
    id: InstanceId,
    port: u16,
) -> Result<Launched, Failure> {
    let instance: Arc<str> = format!("{}-{id}", command.service).into();
    let words: Vec<String> = command.words.iter().map(|word| word.with_port(port)).collect();
    let name = words.first().cloned().unwrap_or_default();
    let shown = command.words.first().map(ToString::to_string).unwrap_or_default();
    let program = find_program(&name, &command.folder).ok_or(Failure::NotFound { program: shown.clone() })?;

    let (guard, arguments) = &driver.guard;
    let mut spawn = tokio::process::Command::new(guard);
    spawn.args(arguments).arg("--").arg(program).args(&words[1..]);
    spawn.current_dir(&command.folder).process_group(0);
    spawn.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What belongs to mare or to another service must not leak in from our own environment.
    for (name, _) in std::env::vars_os() {
        if name == "DATABASE_URL" || name == "PORT" || name.to_string_lossy().starts_with("MARE_") {
            spawn.env_remove(name);
        }
    }
    spawn.envs(command.environment.iter().map(|(name, value)| (name, value.with_port(port))));
    spawn.env("PORT", port.to_string()).env("HOST", "127.0.0.1").env("MARE_SERVICE", &*command.service);
    spawn.env("MARE_INSTANCE", &*instance);

    let mut child = spawn.spawn().map_err(|source| Failure::CannotRun { program: shown, source })?;
    let guard = child.id().expect("a child that was not waited for has a pid");
    let output = Output::read(&mut child, &command.service, &instance, &driver.sink);
    Ok(Launched { control: child.stdin.take(), child, guard, output })
}

/// Looks for a program as the manifest promises: a path as it is, else in `PATH`, else in the manifest's folder.
pub fn find_program(name: &str, folder: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        let path = folder.join(name);
        return path.is_file().then_some(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&path).chain([folder.to_path_buf()]).map(|dir| dir.join(name));
    candidates.into_iter().find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
