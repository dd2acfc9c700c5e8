//! What to do when a guard was killed and could not clear up itself.
//!
//! mare is a subreaper, so what a guard leaves behind becomes mare's child. Guards run in mare's session, and each
//! starts its instance in a new one, which nothing below it can leave for mare's. So a child of mare in another
//! session is an orphan, and that can be told of a dead one too, which must still be reaped.

use rustix::process::{Pid, WaitOptions, waitpid};

use crate::proc;

/// Kills and reaps what guards that are gone left behind. Blocks until it is gone.
///
/// This process must be a subreaper. Ends because each round kills all that was found, and those processes
/// cannot fork any more; what they forked before shows up in the next round.
pub(crate) fn sweep() {
    let Some(session) = proc::session(std::process::id()) else { return };
    loop {
        let processes = proc::Processes::read();
        let orphans: Vec<u32> = processes.children_outside(std::process::id(), session).collect();
        if orphans.is_empty() {
            return;
        }
        for pid in orphans.iter().flat_map(|pid| processes.below(*pid)) {
            proc::kill(pid);
        }
        for pid in orphans {
            proc::kill(pid);
            // Another sweep may have been quicker.
            let _ = waitpid(i32::try_from(pid).ok().and_then(Pid::from_raw), WaitOptions::empty());
        }
    }
}
