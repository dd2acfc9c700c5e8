//! Statements that were uploaded, confirmed or taken back.
//!
//! Each takes several short transactions, so that no other writer waits long behind a large file. Every one of
//! them first locks the import in the state the step is for: a worker that was killed, or is late, or runs
//! beside another one, finds what is left to do and nothing else. Only the last one claims the event.

mod abandoned;
mod commit;
mod parse;
mod undo;

use super::{Event, Worker};
use crate::actions::Error;

pub(super) use abandoned::forget as forget_abandoned;

/// Rows handled in one transaction.
const CHUNK: i64 = 500;

pub(super) async fn handle(worker: &Worker, event: &Event) -> Result<(), Error> {
    match event.topic.as_str() {
        "import.uploaded" => parse::run(worker, event).await,
        "import.confirmed" => commit::run(worker, event).await,
        "import.undone" => undo::run(worker, event).await,
        _ => Ok(()),
    }
}
