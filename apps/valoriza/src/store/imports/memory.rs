//! What is remembered from one statement to the next: whose it is, and how an unknown table is read.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::import::SourceKey;
use crate::statement::Mapping;

pub async fn account_of(tx: &mut Tx, tenant: Uuid, source: &SourceKey) -> Result<Option<Uuid>, Error> {
    let statement = Statement::new(
        "SELECT account_id AS id FROM statement_accounts WHERE tenant_id = $1 AND bank = $2 AND number = $3",
    );
    tx.optional(statement.bind(tenant).bind(source.bank.as_str()).bind(source.number.as_str())).await
}

pub async fn remember_account(
    tx: &mut Tx,
    tenant: Uuid,
    source: &SourceKey,
    account: Uuid,
) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO statement_accounts (tenant_id, bank, number, account_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, bank, number) DO UPDATE SET account_id = excluded.account_id",
    );
    let statement =
        statement.bind(tenant).bind(source.bank.as_str()).bind(source.number.as_str()).bind(account);
    tx.execute(statement).await.map(drop)
}

struct Remembered {
    signature: String,
    mapping: Mapping,
}

impl FromRow for Remembered {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { signature: row.get("signature")?, mapping: row.json("mapping")? })
    }
}

/// The mappings of a tenant by the signature of their tables; at most one for each of its accounts.
pub async fn mappings(tx: &mut Tx, tenant: Uuid) -> Result<HashMap<String, Mapping>, Error> {
    let statement = Statement::new(
        "SELECT signature, mapping FROM csv_mappings WHERE tenant_id = $1 ORDER BY account_id",
    );
    let rows: Vec<Remembered> = tx.all(statement.bind(tenant)).await?;
    Ok(rows.into_iter().map(|it| (it.signature, it.mapping)).collect())
}

/// The mapping last used for an account.
pub async fn mapping_of(
    tx: &mut Tx,
    tenant: Uuid,
    account: Uuid,
) -> Result<Option<(String, Mapping)>, Error> {
    let statement = Statement::new("SELECT * FROM csv_mappings WHERE tenant_id = $1 AND account_id = $2");
    let found: Option<Remembered> = tx.optional(statement.bind(tenant).bind(account)).await?;
    Ok(found.map(|it| (it.signature, it.mapping)))
}

pub async fn remember_mapping(
    tx: &mut Tx,
    tenant: Uuid,
    account: Uuid,
    signature: &str,
    mapping: &Mapping,
) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO csv_mappings (tenant_id, account_id, signature, mapping) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, account_id)
         DO UPDATE SET signature = excluded.signature, mapping = excluded.mapping",
    );
    let statement = statement.bind(tenant).bind(account).bind(signature).bind(json!(mapping).to_string());
    tx.execute(statement).await.map(drop)
}
