//! Reads. Each sees one moment of the database, however many statements it takes, and returns what clients see.

pub mod automations;
pub mod review;

use uuid::Uuid;

use crate::actions::{Conflict, Error};
use crate::db::Db;
use crate::domain::account::Account;
use crate::domain::budget::Budget;
use crate::domain::calendar::Month;
use crate::domain::category::Category;
use crate::domain::import::{Import, Row, RowStatus, Status};
use crate::domain::member::{Membership, User};
use crate::domain::notification::Notification;
use crate::domain::page::{DateAndId, Page, Place, Slice};
use crate::domain::report::{Format, Report};
use crate::domain::summary::{Source, Summary};
use crate::domain::transaction::{Filter, Transaction};
use crate::store::{
    accounts, budgets, categories, imports as uploads, notifications, reports, summary as sums, transactions,
    users,
};

pub async fn me(db: &Db, user: Uuid) -> Result<(User, Vec<Membership>), Error> {
    let tx = &mut db.snapshot().await?;
    let memberships = users::memberships(tx, user).await?;
    let user = users::find(tx, user).await?.ok_or(Error::NotFound)?;
    Ok((user, memberships))
}

pub async fn account(db: &Db, tenant: Uuid, id: Uuid) -> Result<Account, Error> {
    accounts::find(&mut db.snapshot().await?, tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn accounts(db: &Db, tenant: Uuid, slice: Slice<Uuid>) -> Result<Page<Account>, Error> {
    let rows = accounts::list(&mut db.snapshot().await?, tenant, &slice).await?;
    Ok(slice.page(rows, |it| it.id))
}

pub async fn category(db: &Db, tenant: Uuid, id: Uuid) -> Result<Category, Error> {
    categories::find(&mut db.snapshot().await?, tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn categories(db: &Db, tenant: Uuid, slice: Slice<Uuid>) -> Result<Page<Category>, Error> {
    let rows = categories::list(&mut db.snapshot().await?, tenant, &slice).await?;
    Ok(slice.page(rows, |it| it.id))
}

pub async fn transaction(db: &Db, tenant: Uuid, id: Uuid) -> Result<Transaction, Error> {
    transactions::find(&mut db.snapshot().await?, tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn transactions(
    db: &Db,
    tenant: Uuid,
    filter: &Filter,
    slice: Slice<DateAndId>,
) -> Result<Page<Transaction>, Error> {
    let rows = transactions::list(&mut db.snapshot().await?, tenant, filter, &slice).await?;
    Ok(slice.page(rows, Transaction::place))
}

pub async fn budget(db: &Db, tenant: Uuid, id: Uuid) -> Result<Budget, Error> {
    let tx = &mut db.snapshot().await?;
    let mut budget = budgets::find(tx, tenant, id).await?.ok_or(Error::NotFound)?;
    let tree = categories::tree(tx, tenant).await?;
    budget.measure(&budgets::movements(tx, tenant, budget.month, budget.month).await?, &tree);
    Ok(budget)
}

pub async fn budgets(
    db: &Db,
    tenant: Uuid,
    month: Option<Month>,
    slice: Slice<Uuid>,
) -> Result<Page<Budget>, Error> {
    let tx = &mut db.snapshot().await?;
    let rows = budgets::list(tx, tenant, month, &slice).await?;
    let mut page = slice.page(rows, |it| it.id);
    let months = || page.items.iter().map(|it| it.month);
    if let (Some(first), Some(last)) = (months().min(), months().max()) {
        let tree = categories::tree(tx, tenant).await?;
        let movements = budgets::movements(tx, tenant, first, last).await?;
        for budget in &mut page.items {
            budget.measure(&movements, &tree);
        }
    }
    Ok(page)
}

pub async fn import(db: &Db, tenant: Uuid, id: Uuid) -> Result<Import, Error> {
    uploads::find(&mut db.snapshot().await?, tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn imports(db: &Db, tenant: Uuid, slice: Slice<Uuid>) -> Result<Page<Import>, Error> {
    let rows = uploads::list(&mut db.snapshot().await?, tenant, &slice).await?;
    Ok(slice.page(rows, |it| it.id))
}

/// Rows of an import; none while its file is being read.
pub async fn import_rows(
    db: &Db,
    tenant: Uuid,
    id: Uuid,
    status: Option<RowStatus>,
    slice: Slice<Place>,
) -> Result<Page<Row>, Error> {
    let tx = &mut db.snapshot().await?;
    let import = uploads::find(tx, tenant, id).await?.ok_or(Error::NotFound)?;
    if import.status == Status::Parsing {
        return Ok(slice.page(Vec::new(), |it: &Row| Place(it.index)));
    }
    let mut rows = uploads::rows::list(tx, id, status, &slice).await?;
    let tree = categories::tree(tx, tenant).await?;
    for row in &mut rows {
        // A category may have gone since it was proposed.
        row.suggestion = row.suggestion.take().filter(|it| tree.get(it.category_id).is_some());
    }
    Ok(slice.page(rows, |it| Place(it.index)))
}

pub async fn summary(db: &Db, tenant: Uuid, month: Month) -> Result<Summary, Error> {
    let tx = &mut db.snapshot().await?;
    let source = Source {
        month,
        lines: sums::lines(tx, tenant, month.previous(), month).await?,
        tree: categories::tree(tx, tenant).await?,
        balance_cents: sums::balance(tx, tenant).await?,
        uncategorised_count: sums::uncategorised(tx, tenant, month).await?,
    };
    Ok(source.summarise())
}

pub async fn notifications(db: &Db, tenant: Uuid, slice: Slice<Uuid>) -> Result<Page<Notification>, Error> {
    let rows = notifications::list(&mut db.snapshot().await?, tenant, &slice).await?;
    Ok(slice.page(rows, |it| it.id))
}

/// How many notifications nobody has read.
pub async fn unread(db: &Db, tenant: Uuid) -> Result<i64, Error> {
    Ok(notifications::unread(&mut db.snapshot().await?, tenant).await?)
}

pub async fn report(db: &Db, tenant: Uuid, id: Uuid) -> Result<Report, Error> {
    reports::find(&mut db.snapshot().await?, tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn reports(db: &Db, tenant: Uuid, slice: Slice<Uuid>) -> Result<Page<Report>, Error> {
    let rows = reports::list(&mut db.snapshot().await?, tenant, &slice).await?;
    Ok(slice.page(rows, |it| it.id))
}

/// A report and one of its files.
pub async fn report_file(
    db: &Db,
    tenant: Uuid,
    id: Uuid,
    format: Format,
) -> Result<(Report, Vec<u8>), Error> {
    let tx = &mut db.snapshot().await?;
    let report = reports::find(tx, tenant, id).await?.ok_or(Error::NotFound)?;
    let bytes = reports::file(tx, tenant, id, format).await?;
    Ok((report, bytes.ok_or(Error::Conflict(Conflict::ReportNotReady))?))
}
