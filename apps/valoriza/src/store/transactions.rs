//! Transactions and their splits.

mod mark;
mod write;

use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::categorised::{Categorised, Confidence};
use crate::domain::page::{DateAndId, Slice};
use crate::domain::transaction::{Filter, Split, Transaction};
use crate::store::suggestion;

pub use mark::mark;
pub use write::{delete, delete_splits, insert, insert_splits, lock, lock_transfer, update};

/// Its splits are read apart.
impl FromRow for Transaction {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            account_id: row.get("account_id")?,
            date: row.parse("date")?,
            description: row.get("description")?,
            notes: row.get("notes")?,
            amount_cents: row.get("amount_cents")?,
            currency: row.parse("currency")?,
            category_id: row.get("category_id")?,
            kind: row.parse("kind")?,
            transfer_id: row.get("transfer_id")?,
            transfer_account_id: row.get("transfer_account_id")?,
            splits: Vec::new(),
            tags: row.json("tags")?,
            categorised: read_categorised(row)?,
            suggestion: suggestion::read(row)?,
            import_id: row.get("import_id")?,
            version: row.get("version")?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
        })
    }
}

fn read_categorised(row: &Row) -> Result<Option<Categorised>, Error> {
    if row.get::<Option<String>>("category_source")?.is_none() {
        return Ok(None);
    }
    Ok(Some(Categorised {
        source: row.parse("category_source")?,
        confidence: Confidence::from_stored(row.get("category_confidence")?),
        reason: row.get("category_reason")?,
        decided_at: row.instant("categorised_at")?,
    }))
}

/// A split and the transaction it is of.
struct SplitOf {
    transaction_id: Uuid,
    split: Split,
}

impl FromRow for SplitOf {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            transaction_id: row.get("transaction_id")?,
            split: Split {
                id: row.get("id")?,
                category_id: row.get("category_id")?,
                amount_cents: row.get("amount_cents")?,
                description: row.get("description")?,
            },
        })
    }
}

/// True of transactions `t` that lack a category, as a whole or in one of their splits.
pub const IS_UNCATEGORISED: &str = "(t.kind = 'normal' AND t.category_id IS NULL AND (NOT t.is_split OR EXISTS (
    SELECT 1 FROM splits s WHERE s.tenant_id = t.tenant_id AND s.transaction_id = t.id AND s.category_id IS NULL)))";

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Transaction>, Error> {
    let statement = Statement::new("SELECT * FROM transactions WHERE tenant_id = $1 AND id = $2");
    let Some(transaction) = tx.optional(statement.bind(tenant).bind(id)).await? else {
        return Ok(None);
    };
    let mut found = [transaction];
    read_splits(tx, tenant, &mut found).await?;
    let [transaction] = found;
    Ok(Some(transaction))
}

/// Those of `ids` the tenant has, in no order; some hundred at a time.
pub async fn of_ids(tx: &mut Tx, tenant: Uuid, ids: &[Uuid]) -> Result<Vec<Transaction>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement =
        Statement::new("SELECT * FROM transactions WHERE tenant_id = $1 AND id IN (").bind(tenant);
    statement.push_list(ids.iter().copied()).push(")");
    let mut transactions = tx.all(statement).await?;
    read_splits(tx, tenant, &mut transactions).await?;
    Ok(transactions)
}

/// Those an import brought, in order of id.
pub async fn of_import(
    tx: &mut Tx,
    tenant: Uuid,
    import: Uuid,
    slice: &Slice<Uuid>,
) -> Result<Vec<Transaction>, Error> {
    let mut statement = Statement::new("SELECT * FROM transactions WHERE tenant_id = $1 AND import_id = $2")
        .bind(tenant)
        .bind(import);
    if let Some(after) = slice.after {
        statement.push(" AND id > ").push_bind(after);
    }
    statement.push(" ORDER BY id LIMIT ").push_bind(slice.rows());
    let mut transactions = tx.all(statement).await?;
    read_splits(tx, tenant, &mut transactions).await?;
    Ok(transactions)
}

/// Newest first.
pub async fn list(
    tx: &mut Tx,
    tenant: Uuid,
    filter: &Filter,
    slice: &Slice<DateAndId>,
) -> Result<Vec<Transaction>, Error> {
    let mut statement = if let Some(category) = filter.category_id {
        Statement::new(
            "WITH RECURSIVE branch (id) AS (
                SELECT id FROM categories WHERE tenant_id = $1 AND id = $2
                UNION ALL
                SELECT c.id FROM categories c JOIN branch b ON c.parent_id = b.id WHERE c.tenant_id = $1
             ) SELECT t.* FROM transactions t WHERE t.tenant_id = $1
               AND (t.category_id IN (SELECT id FROM branch) OR (t.is_split AND EXISTS (
                   SELECT 1 FROM splits s WHERE s.tenant_id = t.tenant_id AND s.transaction_id = t.id
                     AND s.category_id IN (SELECT id FROM branch))))",
        )
        .bind(tenant)
        .bind(category)
    } else {
        Statement::new("SELECT t.* FROM transactions t WHERE t.tenant_id = $1").bind(tenant)
    };
    push_filter(&mut statement, filter);
    if let Some(after) = slice.after {
        statement
            .push(" AND (t.date, t.id) < (")
            .push_bind(after.date)
            .push(", ")
            .push_bind(after.id)
            .push(")");
    }
    statement.push(" ORDER BY t.date DESC, t.id DESC LIMIT ").push_bind(slice.rows());
    let mut transactions = tx.all(statement).await?;
    read_splits(tx, tenant, &mut transactions).await?;
    Ok(transactions)
}

fn push_filter(statement: &mut Statement, filter: &Filter) {
    if let Some(account) = filter.account_id {
        statement.push(" AND t.account_id = ").push_bind(account);
    }
    if let Some(from) = filter.from {
        statement.push(" AND t.date >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        statement.push(" AND t.date <= ").push_bind(to);
    }
    if let Some(q) = &filter.q {
        statement.push(" AND t.search LIKE ").push_bind(containing(q)).push(" ESCAPE '!'");
    }
    if filter.uncategorised {
        statement.push(" AND ").push(IS_UNCATEGORISED);
    }
}

/// The pattern of text that contains `q`, whose own `%` and `_` stand for themselves.
fn containing(q: &str) -> String {
    let escaped = q.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

/// Reads the splits of `transactions`; few have any.
async fn read_splits(tx: &mut Tx, tenant: Uuid, transactions: &mut [Transaction]) -> Result<(), Error> {
    let mut statement = Statement::new(
        "SELECT s.transaction_id, s.id, s.category_id, s.amount_cents, s.description
         FROM splits s WHERE s.tenant_id = $1 AND s.transaction_id IN (",
    )
    .bind(tenant);
    // A transaction with a category has no splits, and neither has a transfer.
    let candidates = transactions.iter().filter(|it| it.category_id.is_none() && it.transfer_id.is_none());
    let candidates: Vec<Uuid> = candidates.map(|it| it.id).collect();
    if candidates.is_empty() {
        return Ok(());
    }
    statement.push_list(candidates).push(") ORDER BY s.transaction_id, s.position");
    for SplitOf { transaction_id, split } in tx.all::<SplitOf>(statement).await? {
        if let Some(owner) = transactions.iter_mut().find(|it| it.id == transaction_id) {
            owner.splits.push(split);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(containing("100%_a!"), "%100!%!_a!!%");
    }
}
