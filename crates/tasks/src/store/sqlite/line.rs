//! What waits for the writer, and whether its last batch is on the disk.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::WAITING_MAX;
use super::writer::Command;
use crate::store::Error;

#[derive(Default)]
pub(super) struct Line {
    state: Mutex<State>,
    /// For the writer, the only one who waits.
    news: Condvar,
}

#[derive(Default)]
struct State {
    commands: VecDeque<Command>,
    /// The last batch is on its way to the disk.
    is_syncing: bool,
    /// A batch did not reach the disk, and nobody knows what else of the log did not: nothing is written any more.
    is_broken: bool,
    is_closed: bool,
}

impl Line {
    pub(super) fn push(&self, command: Command) -> Result<(), Error> {
        let mut state = self.state.lock();
        if state.is_closed || state.commands.len() >= WAITING_MAX {
            return Err(Error::Busy);
        }
        state.commands.push_back(command);
        drop(state);
        self.news.notify_one();
        Ok(())
    }

    /// What an answer led to comes before all else. They are fewer than were answered.
    pub(super) fn push_first(&self, command: Command) {
        self.state.lock().commands.push_front(command);
        self.news.notify_one();
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.news.notify_one();
    }

    pub(super) fn begin_sync(&self) {
        self.state.lock().is_syncing = true;
    }

    pub(super) fn end_sync(&self, is_done: bool) {
        let mut state = self.state.lock();
        state.is_syncing = false;
        state.is_broken |= !is_done;
        drop(state);
        self.news.notify_one();
    }

    pub(super) fn broken(&self) -> Option<Error> {
        let broken = || Error::Database("its log could not be synced; restart mare".to_owned());
        self.state.lock().is_broken.then(broken)
    }

    /// The first command of a batch; waits for it. `None`: there will be none.
    pub(super) fn first(&self) -> Option<Command> {
        let mut state = self.state.lock();
        loop {
            if let Some(command) = state.commands.pop_front() {
                return Some(command);
            }
            // An answer may still lead to something.
            if state.is_closed && !state.is_syncing {
                return None;
            }
            self.news.wait(&mut state);
        }
    }

    /// Another one for the batch, if it has room; waits, but no longer than the batch before is on its way to the disk,
    /// for then this one can follow it.
    pub(super) fn next(&self, has_room: bool) -> Option<Command> {
        let mut state = self.state.lock();
        loop {
            if has_room && let Some(command) = state.commands.pop_front() {
                return Some(command);
            }
            if !state.is_syncing {
                return None;
            }
            self.news.wait(&mut state);
        }
    }
}
