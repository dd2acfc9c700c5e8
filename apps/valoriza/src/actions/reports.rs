//! Asking for reports, which the worker makes.

use serde_json::json;
use uuid::Uuid;

use super::Error;
use crate::db::Tx;
use crate::domain::calendar::Month;
use crate::domain::member::{Caller, Role};
use crate::domain::report::{Draft, Report, Status};
use crate::store::reports::Wanted;
use crate::store::{outbox, reports};

/// A new one pushes out the oldest: ten years of months, and as many again.
const REPORTS_KEPT: i64 = 240;

pub async fn request(tx: &mut Tx, by: &Caller, draft: Draft) -> Result<Report, Error> {
    by.require(Role::Member)?;
    let report = new(by, draft.month);
    reports::insert(tx, by.tenant, &report, Wanted::Asked).await?;
    queue(tx, by, &report).await?;
    Ok(report)
}

/// Asks for the report of a month unless the schedule did before; says whether it did now.
pub async fn schedule(tx: &mut Tx, by: &Caller, month: Month) -> Result<bool, Error> {
    let report = new(by, month);
    if !reports::insert(tx, by.tenant, &report, Wanted::Scheduled).await? {
        return Ok(false);
    }
    queue(tx, by, &report).await?;
    Ok(true)
}

fn new(by: &Caller, month: Month) -> Report {
    Report { id: Uuid::now_v7(), month, status: Status::Queued, created_at: by.now, ready_at: None }
}

async fn queue(tx: &mut Tx, by: &Caller, report: &Report) -> Result<(), Error> {
    reports::prune(tx, by.tenant, REPORTS_KEPT).await?;
    Ok(outbox::insert(tx, by, "report.requested", &json!({ "report_id": report.id })).await?)
}
