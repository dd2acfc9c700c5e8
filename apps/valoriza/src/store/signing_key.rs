//! The key that signs access tokens: one row, shared by all instances.

use jiff::Timestamp;

use crate::db::{Error, FromRow, Row, Statement, Tx};

pub struct SigningKey {
    pub kid: String,
    /// The private key.
    pub seed: Vec<u8>,
}

impl FromRow for SigningKey {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { kid: row.get("kid")?, seed: row.get("seed")? })
    }
}

/// Offers `candidate` and returns the key in force: of all offered at once, the first.
pub async fn settle(tx: &mut Tx, candidate: &SigningKey, now: Timestamp) -> Result<SigningKey, Error> {
    let statement = Statement::new(
        "INSERT INTO signing_keys (slot, kid, seed, created_at) VALUES (1, $1, $2, $3) ON CONFLICT (slot) DO NOTHING",
    );
    tx.execute(statement.bind(candidate.kid.as_str()).bind(candidate.seed.clone()).bind(now)).await?;
    tx.one(Statement::new("SELECT kid, seed FROM signing_keys WHERE slot = 1")).await
}
