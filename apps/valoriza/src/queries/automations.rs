//! Automations, and what they would match.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::actions::Error;
use crate::db::Db;
use crate::domain::automation::{Automation, When};
use crate::domain::page::{Page, PositionAndId, Slice};
use crate::domain::text::fold;
use crate::domain::transaction::{Filter, Transaction};
use crate::store::{automations, transactions};

pub async fn one(db: &Db, tenant: Uuid, id: Uuid) -> Result<Automation, Error> {
    automations::find(&mut db.snapshot().await?, tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn list(db: &Db, tenant: Uuid, slice: Slice<PositionAndId>) -> Result<Page<Automation>, Error> {
    let rows = automations::list(&mut db.snapshot().await?, tenant, &slice).await?;
    Ok(slice.page(rows, |it| PositionAndId { position: it.position, id: it.id }))
}

/// What an automation would meet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    pub count: usize,
    /// The newest.
    pub items: Vec<Transaction>,
}

/// How many are shown, how many are looked at, the newest first, and how many are read at once.
const SHOWN_MAX: usize = 20;
const LOOKED_AT_MAX: usize = 50_000;
const CHUNK: usize = 1_000;

pub async fn preview(db: &Db, tenant: Uuid, when: &When) -> Result<Preview, Error> {
    let tx = &mut db.snapshot().await?;
    let filter = candidates(when);
    let mut preview = Preview { count: 0, items: Vec::new() };
    let mut after = None;
    for _ in 0..LOOKED_AT_MAX / CHUNK {
        let chunk = transactions::list(tx, tenant, &filter, &Slice { limit: CHUNK, after }).await?;
        let more = chunk.len() > CHUNK;
        // The row beyond the limit comes again as the first of the next chunk.
        let chunk = &chunk[..chunk.len().min(CHUNK)];
        after = chunk.last().map(Transaction::place);
        let matching = || chunk.iter().filter(|it| when.matches(it));
        preview.count += matching().count();
        preview.items.extend(matching().take(SHOWN_MAX - preview.items.len()).cloned());
        if !more {
            break;
        }
    }
    Ok(preview)
}

/// What the database can tell of what `when` matches: all of it, and some more, such as text in the notes.
pub fn candidates(when: &When) -> Filter {
    let q = when.text.as_deref().map(|text| fold(text).trim().to_owned());
    Filter { account_id: when.account_id, q, ..Filter::default() }
}
