//! Says of each row which category it would get.

use std::sync::Arc;

use uuid::Uuid;

use super::super::super::Worker;
use super::super::super::knowledge::Loaded;
use super::Outcome;
use crate::actions::Error;
use crate::categorise::Input;
use crate::domain::categorised::Suggestion;
use crate::domain::import::{Row, RowStatus, Statement};

/// Asks the engine about every row that can be imported, away from the threads that wait for the database. It
/// answers 5,000 to 50,000 a second (docs/evidence/categorisation.md), so that a long statement takes a second or two.
pub(super) async fn run(
    worker: &Worker,
    loaded: Arc<Loaded>,
    mut outcome: Outcome,
) -> Result<Outcome, Error> {
    let knowledge = Arc::clone(&worker.knowledge);
    let suggested = tokio::task::spawn_blocking(move || {
        for row in &mut outcome.rows {
            row.suggestion = input(row, &outcome.statements).and_then(|input| {
                let decision = knowledge.engine.decide(&input, &loaded.tenant);
                decision.choice.as_ref().or(decision.suggestion()).map(Suggestion::of)
            });
        }
        outcome
    });
    suggested.await.map_err(|error| Error::Internal(error.into()))
}

/// A row as the transaction it would be. Without an account only those automations fit it that want none.
fn input<'a>(row: &'a Row, statements: &[Statement]) -> Option<Input<'a>> {
    if row.status == RowStatus::Invalid {
        return None;
    }
    let statement = usize::try_from(row.statement).ok().and_then(|index| statements.get(index));
    Some(Input {
        description: &row.description,
        amount_cents: row.amount_cents?,
        account_id: statement.and_then(|it| it.account_id).unwrap_or(Uuid::nil()),
        date: row.date?,
    })
}
