//! Transactions and imports: what an import is compared with, what it made, and how that is taken back.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use uuid::Uuid;

use super::rows::push_list;
use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::text::fold;
use crate::domain::transaction::{Kind, Transaction};
use crate::statement::matching::Known;

/// Values or rows of one statement; see [`super::rows`].
const BATCH: usize = 50;

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            date: row.parse("date")?,
            amount_cents: row.get("amount_cents")?,
            identity: row.get("import_identity")?,
        })
    }
}

/// An account's transactions from one day to another, oldest first. Transfers are among them: the statement
/// has their side too. Parts of split ones are not: the statement has the whole.
pub async fn known(
    tx: &mut Tx,
    tenant: Uuid,
    account: Uuid,
    from: Date,
    to: Date,
) -> Result<Vec<Known>, Error> {
    let statement = Statement::new(
        "SELECT id, date, amount_cents, import_identity FROM transactions
         WHERE tenant_id = $1 AND account_id = $2 AND date >= $3 AND date <= $4 ORDER BY date, id",
    );
    tx.all(statement.bind(tenant).bind(account).bind(from).bind(to)).await
}

struct Named {
    id: Uuid,
    identity: String,
}

impl FromRow for Named {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { id: row.get("id")?, identity: row.get("import_identity")? })
    }
}

/// The transactions that have one of these identities.
pub async fn imported(
    tx: &mut Tx,
    tenant: Uuid,
    identities: &[&str],
) -> Result<BTreeMap<String, Uuid>, Error> {
    let mut found = BTreeMap::new();
    for batch in identities.chunks(BATCH) {
        let mut statement = Statement::new(
            "SELECT id, import_identity FROM transactions WHERE tenant_id = $1 AND import_identity IN (",
        )
        .bind(tenant);
        push_list(&mut statement, batch.iter().copied());
        statement.push(")");
        found.extend(tx.all::<Named>(statement).await?.into_iter().map(|it| (it.identity, it.id)));
    }
    Ok(found)
}

/// An account's balance at the end of the day before `day`; nothing if it has no transactions before.
pub async fn balance_before(
    tx: &mut Tx,
    tenant: Uuid,
    account: Uuid,
    day: Date,
) -> Result<Option<i64>, Error> {
    let statement = Statement::new(
        "SELECT CAST(a.opening_balance_cents + SUM(t.amount_cents) AS BIGINT) AS n
         FROM accounts a JOIN transactions t ON t.tenant_id = a.tenant_id AND t.account_id = a.id
         WHERE a.tenant_id = $1 AND a.id = $2 AND t.date < $3 GROUP BY a.id, a.opening_balance_cents",
    );
    tx.optional(statement.bind(tenant).bind(account).bind(day)).await
}

/// What an insert really made.
pub struct Made {
    pub account_id: Uuid,
    pub amount_cents: i64,
}

impl FromRow for Made {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { account_id: row.get("account_id")?, amount_cents: row.get("amount_cents")? })
    }
}

/// A transaction to be made of a row.
pub struct New {
    pub transaction: Transaction,
    pub identity: String,
}

/// Inserts transactions of the import `import` but for those whose identity is taken, and says which it did.
pub async fn insert(tx: &mut Tx, tenant: Uuid, import: Uuid, rows: &[New]) -> Result<Vec<Made>, Error> {
    let mut made = Vec::new();
    for batch in rows.chunks(BATCH) {
        let mut statement = Statement::new(
            "INSERT INTO transactions (id, tenant_id, account_id, date, description, search, amount_cents, currency,
                kind, version, created_at, updated_at, import_id, import_identity) VALUES ",
        );
        statement.push_rows(batch.iter().map(|New { transaction: it, identity }| {
            [
                it.id.into(),
                tenant.into(),
                it.account_id.into(),
                it.date.into(),
                it.description.as_str().into(),
                fold(&format!("{}\n", it.description)).into(),
                it.amount_cents.into(),
                it.currency.as_str().into(),
                Kind::Normal.as_str().into(),
                it.version.into(),
                it.created_at.into(),
                it.updated_at.into(),
                import.into(),
                identity.as_str().into(),
            ]
        }));
        statement.push(
            " ON CONFLICT (tenant_id, import_identity) WHERE import_identity IS NOT NULL DO NOTHING
              RETURNING account_id, amount_cents",
        );
        made.extend(tx.all(statement).await?);
    }
    Ok(made)
}

/// Refuses the included rows of a statement whose account is gone.
pub async fn refuse(tx: &mut Tx, import: Uuid, statement: i64, places: Range<i64>) -> Result<(), Error> {
    let refused = Statement::new(
        "UPDATE import_rows SET status = 'invalid', include = FALSE, reason = 'a conta não existe mais'
         WHERE import_id = $1 AND statement = $2 AND position >= $3 AND position < $4 AND include",
    );
    tx.execute(refused.bind(import).bind(statement).bind(places.start).bind(places.end)).await.map(drop)
}

/// Tells the included rows of `places` which transaction was made of them; a row of which
/// none was, because somebody imported the same meanwhile, becomes a duplicate.
pub async fn settle(tx: &mut Tx, tenant: Uuid, import: Uuid, places: Range<i64>) -> Result<(), Error> {
    let made = Statement::new(
        "UPDATE import_rows SET transaction_id = (SELECT t.id FROM transactions t WHERE t.tenant_id = $1
             AND t.import_identity = import_rows.identity AND t.import_id = $2)
         WHERE import_id = $2 AND position >= $3 AND position < $4 AND include",
    );
    tx.execute(made.bind(tenant).bind(import).bind(places.start).bind(places.end)).await?;
    let raced = Statement::new(
        "UPDATE import_rows SET status = 'duplicate', include = FALSE, reason = 'já importado'
         WHERE import_id = $1 AND position >= $2 AND position < $3 AND include AND transaction_id IS NULL",
    );
    tx.execute(raced.bind(import).bind(places.start).bind(places.end)).await.map(drop)
}

/// A transaction an import made, beside the row it was made of.
pub struct Taken {
    pub id: Uuid,
    pub position: i64,
    /// The row's, and so the account it was made in.
    pub statement: i64,
    pub account_id: Uuid,
    pub amount_cents: i64,
    /// Still what the row says, wherever it was moved, and nothing was written to it. Its category does not
    /// count: giving one is not editing the statement.
    pub is_as_made: bool,
}

impl FromRow for Taken {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            position: row.get("position")?,
            statement: row.get("statement")?,
            account_id: row.get("account_id")?,
            amount_cents: row.get("amount_cents")?,
            is_as_made: row.get("is_as_made")?,
        })
    }
}

/// Transactions the import made of rows before `before`, last first, at most `rows`.
pub async fn made_before(
    tx: &mut Tx,
    tenant: Uuid,
    import: Uuid,
    before: i64,
    rows: i64,
) -> Result<Vec<Taken>, Error> {
    let statement = Statement::new(
        "SELECT t.id, r.position, r.statement, t.account_id, t.amount_cents,
                (t.date = r.date AND t.amount_cents = r.amount_cents AND t.description = r.description
                 AND t.notes IS NULL AND NOT t.is_split AND t.kind = 'normal') AS is_as_made
         FROM import_rows r JOIN transactions t ON t.tenant_id = $1 AND t.id = r.transaction_id AND t.import_id = $2
         WHERE r.import_id = $2 AND r.position < $3 ORDER BY r.position DESC LIMIT $4",
    );
    tx.all(statement.bind(tenant).bind(import).bind(before).bind(rows)).await
}

/// Deletes transactions an import made; its rows forget them.
pub async fn delete(tx: &mut Tx, tenant: Uuid, import: Uuid, ids: &[Uuid]) -> Result<(), Error> {
    for batch in ids.chunks(BATCH) {
        let mut statement =
            Statement::new("DELETE FROM transactions WHERE tenant_id = $1 AND id IN (").bind(tenant);
        push_list(&mut statement, batch.iter().copied());
        statement.push(")");
        tx.execute(statement).await?;
        let mut statement = Statement::new(
            "UPDATE import_rows SET transaction_id = NULL WHERE import_id = $1 AND transaction_id IN (",
        )
        .bind(import);
        push_list(&mut statement, batch.iter().copied());
        statement.push(")");
        tx.execute(statement).await?;
    }
    Ok(())
}

/// How many transactions an import made that are there.
pub async fn count(tx: &mut Tx, tenant: Uuid, import: Uuid) -> Result<i64, Error> {
    let statement =
        Statement::new("SELECT COUNT(*) AS n FROM transactions WHERE tenant_id = $1 AND import_id = $2");
    tx.one(statement.bind(tenant).bind(import)).await
}
