//! Makes the reports that were asked for, and asks for those of every month.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Event, Worker};
use crate::actions::{self, Error};
use crate::clock;
use crate::db::Tx;
use crate::domain::calendar::{Month, today};
use crate::domain::category::Tree;
use crate::domain::member::{Caller, Role};
use crate::domain::notification::{Kind, Notification};
use crate::domain::page::Slice;
use crate::domain::report::{BudgetLine, Content, Format, LINES_MAX, Report, Status};
use crate::domain::summary::Source;
use crate::store::{budgets, categories, notifications, reports, summary as sums, users};

/// Budgets a report shows: as many as there may be categories.
const BUDGETS_MAX: usize = 1_000;

/// Tenants asked for in one transaction.
const TENANTS: i64 = 100;

/// A file larger than this is not kept; [`LINES_MAX`] of the longest lines come to a quarter more.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

pub(super) async fn handle(worker: &Worker, event: &Event) -> Result<(), Error> {
    let id = event.id_of("report_id")?;
    let now = clock::now();
    let mut snapshot = worker.db.snapshot().await?;
    let report = reports::find(&mut snapshot, event.tenant, id).await?;
    let Some(report) = report.filter(|it| it.status == Status::Queued) else { return Ok(()) };
    let content = read(&mut snapshot, event.tenant, report.month, now).await?;
    drop(snapshot);
    let files = match content {
        Some(content) => render(content).await?,
        None => None,
    };
    let mut tx = worker.db.write().await?;
    end(&mut tx, event.tenant, &report, files, now).await?;
    Ok(tx.commit().await?)
}

/// Everything the report says; nothing if it would be too long.
async fn read(tx: &mut Tx, tenant: Uuid, month: Month, now: Timestamp) -> Result<Option<Content>, Error> {
    let tree = categories::tree(tx, tenant).await?;
    let rows = i64::try_from(LINES_MAX + 1).expect("some thousand");
    let rows = reports::lines(tx, tenant, month, rows).await?;
    if rows.len() > LINES_MAX {
        return Ok(None);
    }
    let lines = rows.into_iter().map(|mut it| {
        it.line.category = it.category_id.map(|id| path(&tree, id));
        it.line
    });
    let lines = lines.collect();
    let movements = budgets::movements(tx, tenant, month, month).await?;
    let planned = budgets::list(tx, tenant, Some(month), &Slice { limit: BUDGETS_MAX, after: None }).await?;
    let mut planned: Vec<BudgetLine> = planned
        .into_iter()
        .map(|mut budget| {
            budget.measure(&movements, &tree);
            let (amount_cents, spent_cents) = (budget.amount_cents, budget.spent_cents);
            BudgetLine { category: path(&tree, budget.category_id), amount_cents, spent_cents }
        })
        .collect();
    planned.sort_by(|a, b| a.category.cmp(&b.category));
    let source = Source {
        month,
        lines: sums::lines(tx, tenant, month.previous(), month).await?,
        tree,
        balance_cents: sums::balance(tx, tenant).await?,
        uncategorised_count: sums::uncategorised(tx, tenant, month).await?,
    };
    let tenant_name = users::tenant_name(tx, tenant).await?;
    Ok(Some(Content { tenant_name, made_at: now, summary: source.summarise(), budgets: planned, lines }))
}

/// A category's name with those above it, such as "Moradia > Energia".
fn path(tree: &Tree, id: Uuid) -> String {
    let mut names: Vec<&str> = tree.path(id).map(|it| it.name.as_str()).collect();
    names.reverse();
    names.join(" > ")
}

/// Both files; nothing if one would be too large.
async fn render(content: Content) -> Result<Option<[(Format, Vec<u8>); 2]>, Error> {
    let rendered = tokio::task::spawn_blocking(move || {
        [Format::Html, Format::Csv].map(|format| (format, content.render(format)))
    });
    let files = rendered.await.map_err(|error| Error::Internal(error.into()))?;
    Ok(files.iter().all(|(_, bytes)| bytes.len() <= FILE_BYTES_MAX).then_some(files))
}

async fn end(
    tx: &mut Tx,
    tenant: Uuid,
    report: &Report,
    files: Option<[(Format, Vec<u8>); 2]>,
    now: Timestamp,
) -> Result<(), Error> {
    let status = if files.is_some() { Status::Ready } else { Status::Failed };
    // Somebody else was faster.
    if !reports::end(tx, tenant, report.id, status, now).await? {
        return Ok(());
    }
    for (format, bytes) in files.into_iter().flatten() {
        reports::keep_file(tx, tenant, report.id, format, bytes).await?;
    }
    let month = report.month.in_words();
    let (title, text) = match status {
        Status::Ready => ("Relatório pronto", format!("O relatório de {month} está pronto.")),
        Status::Queued | Status::Failed => (
            "Relatório não pôde ser feito",
            format!("O relatório de {month} teria mais de {LINES_MAX} linhas."),
        ),
    };
    let link = Some("/relatorios".to_owned());
    let notification = Notification::new(Kind::Report, title.to_owned(), text, link, now);
    Ok(notifications::insert(tx, tenant, &notification).await?)
}

/// Asks for last month's report of every tenant that moved money in it. Asked again, it goes on where it was
/// interrupted. Those it asked for are in `changed` even if it fails.
pub(super) async fn monthly(
    worker: &Worker,
    now: Timestamp,
    changed: &mut BTreeSet<Uuid>,
) -> Result<(), Error> {
    let month = Month::of(today(now)).previous();
    let mut after = Uuid::nil();
    loop {
        let tenants = reports::tenants_with(&mut worker.db.snapshot().await?, month, after, TENANTS).await?;
        let Some(last) = tenants.last() else { return Ok(()) };
        after = *last;
        let mut tx = worker.db.write().await?;
        for tenant in tenants {
            let trace_id = Uuid::now_v7().simple().to_string();
            let by = Caller { user: Uuid::nil(), tenant, role: Role::Member, now, trace_id };
            if actions::reports::schedule(&mut tx, &by, month).await? {
                changed.insert(tenant);
            }
        }
        tx.commit().await?;
    }
}
