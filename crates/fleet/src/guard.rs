//! `mare __guard`: the small supervisor every instance runs under.
//!
//! It exists so that nothing an instance ever spawned survives the instance, and nothing survives mare. It is a
//! subreaper, so children that were orphaned on purpose (double fork, setsid) end up under it. Its standard
//! input is a pipe from mare: `t` asks the instance to stop, the end of the pipe (mare said so, or died) kills
//! everything. If the guard itself is killed, the kernel kills its child (PDEATHSIG), and mare, a subreaper
//! too, finds and kills the rest (`orphans.rs`).
//!
//! PDEATHSIG fires when the spawning *thread* ends, which here is the main thread of the guard.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, exit};
use std::sync::Arc;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::proc;

/// The byte on standard input that passes SIGTERM on.
pub(crate) const TERMINATE: u8 = b't';

/// The instance's command could not be run; the shell's convention.
pub(crate) const CANNOT_RUN: i32 = 127;

/// Runs `words` until it ends or standard input does; never returns. Call it before any thread exists.
///
/// Exits with the command's status, 128 + signal if a signal ended it, [`CANNOT_RUN`] if it never ran.
pub fn main(words: &[OsString]) -> ! {
    become_subreaper();
    let Some((program, arguments)) = words.split_first() else {
        eprintln!("mare: the guard was given no command");
        exit(CANNOT_RUN);
    };
    outlive_signals();
    let mut command = Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null());
    detach(&mut command);
    let child = match command.spawn() {
        Ok(child) => Pid::from_child(&child),
        Err(error) => {
            // Its name may hold a value that nobody may see; who reads this knows the service.
            eprintln!("mare: cannot run the command: {error}");
            exit(CANNOT_RUN);
        }
    };
    std::thread::spawn(move || obey(child));
    let status = reap_until(child);
    kill_descendants();
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

/// Only mare ends an instance, through the pipe. A supervisor that signals every process at once (systemd's default)
/// must not: the guard's end would cut the requests that mare is draining.
///
/// Handlers rather than `SIG_IGN`, because the instance would inherit that.
fn outlive_signals() {
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::default()) {
            eprintln!("mare: the guard cannot hold out against signal {signal}: {error}");
        }
    }
}

/// Carries out what mare says on standard input.
fn obey(child: Pid) {
    let mut byte = [0];
    // Unlike `read`, this goes on when a signal interrupts it.
    while std::io::stdin().read_exact(&mut byte).is_ok() {
        if byte[0] == TERMINATE {
            let _ = kill_process_group(child, Signal::TERM);
        }
    }
    // The main thread sees the child end, and clears up whatever else there is.
    let _ = kill_process_group(child, Signal::KILL);
    let _ = kill_process(child, Signal::KILL);
}

/// Reaps whoever ends, orphans included, until `child` has ended.
fn reap_until(child: Pid) -> ExitStatus {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => return ExitStatus::from_raw(status.as_raw()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_no_child) => return ExitStatus::from_raw(0),
        }
    }
}

/// Ends when no descendant is left: every round kills all there are and then waits for at least one to end.
/// A process that forks faster than this kills would keep it busy; its children cost it its own time slice.
pub(crate) fn kill_descendants() {
    loop {
        for pid in proc::descendants(std::process::id()) {
            proc::kill(pid);
        }
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_no_child) => return,
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) fn become_subreaper() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        eprintln!("mare: cannot become a subreaper, orphans of instances may survive: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn become_subreaper() {}

/// Gives the command a session of its own (see `orphans.rs`), and so a process group, and ties it to this thread.
#[expect(unsafe_code, reason = "a session and PDEATHSIG can only be had between fork and exec")]
fn detach(command: &mut Command) {
    let parent = rustix::process::getpid();
    let set = move || {
        rustix::process::setsid()?;
        die_with(parent)
    };
    // SAFETY: the closure makes three system calls; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(set) };
}

#[cfg(target_os = "linux")]
fn die_with(parent: Pid) -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the signal was set.
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(std::io::ErrorKind::NotFound.into()) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_: Pid) -> std::io::Result<()> {
    Ok(())
}
