//! Refresh tokens, each good for one exchange; those made from one login are a family, each but the first the
//! successor of the one it was given for.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};

#[derive(Debug, Clone)]
pub struct RefreshToken {
    pub id: Uuid,
    pub family_id: Uuid,
    /// The token it was given for.
    pub predecessor_id: Option<Uuid>,
    pub user_id: Uuid,
    pub tenant_id: Uuid,
    pub expires_at: Timestamp,
}

impl FromRow for RefreshToken {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            family_id: row.get("family_id")?,
            predecessor_id: row.get("predecessor_id")?,
            user_id: row.get("user_id")?,
            tenant_id: row.get("tenant_id")?,
            expires_at: row.instant("expires_at")?,
        })
    }
}

pub async fn insert(tx: &mut Tx, token: &RefreshToken, hash: &[u8], now: Timestamp) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO refresh_tokens (id, family_id, predecessor_id, user_id, tenant_id, hash, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let statement = statement
        .bind(token.id)
        .bind(token.family_id)
        .bind(token.predecessor_id)
        .bind(token.user_id)
        .bind(token.tenant_id)
        .bind(hash.to_vec())
        .bind(token.expires_at)
        .bind(now);
    tx.execute(statement).await.map(drop)
}

pub async fn find(tx: &mut Tx, hash: &[u8]) -> Result<Option<RefreshToken>, Error> {
    let statement = Statement::new("SELECT * FROM refresh_tokens WHERE hash = $1");
    tx.optional(statement.bind(hash.to_vec())).await
}

/// Marks the token used. Says no if it was already, or its family revoked: of several that try, one gets a yes.
pub async fn spend(tx: &mut Tx, id: Uuid, now: Timestamp) -> Result<bool, Error> {
    let statement = Statement::new(
        "UPDATE refresh_tokens SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL",
    );
    Ok(tx.execute(statement.bind(id).bind(now)).await? == 1)
}

/// Makes way for another successor of a token that was used after `since`: says whether the one it had was still
/// unused, and revokes it. Presented later, the revoked one is a token used twice.
///
/// The token itself is locked first, so that of several that ask for another successor each sees the one before.
pub async fn replace_successor(
    tx: &mut Tx,
    token: &RefreshToken,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    let lock = Statement::new(
        "UPDATE refresh_tokens SET used_at = used_at WHERE id = $1 AND used_at > $2 AND revoked_at IS NULL",
    );
    if tx.execute(lock.bind(token.id).bind(since)).await? == 0 {
        return Ok(false);
    }
    let unused = Statement::new(
        "UPDATE refresh_tokens SET revoked_at = $3
         WHERE family_id = $1 AND predecessor_id = $2 AND used_at IS NULL AND revoked_at IS NULL",
    );
    Ok(tx.execute(unused.bind(token.family_id).bind(token.id).bind(now)).await? == 1)
}

/// Revokes every token of a family.
///
/// On PostgreSQL an UPDATE that waited for a renewal does not see the token that renewal added, so it is
/// repeated until none is left. It ends: whoever renews holds the row of the token they present, and once
/// that is revoked here nobody else can renew by it.
pub async fn revoke_family(tx: &mut Tx, family: Uuid, now: Timestamp) -> Result<(), Error> {
    let statement = Statement::new(
        "UPDATE refresh_tokens SET revoked_at = $2 WHERE family_id = $1 AND revoked_at IS NULL",
    )
    .bind(family)
    .bind(now);
    while tx.execute(statement.clone()).await? > 0 {}
    Ok(())
}

/// Deletes at most `rows` tokens that expired before `now` and says how many.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp, rows: i64) -> Result<u64, Error> {
    let statement = Statement::new(
        "DELETE FROM refresh_tokens WHERE id IN (SELECT id FROM refresh_tokens WHERE expires_at < $1 LIMIT $2)",
    );
    tx.execute(statement.bind(now).bind(rows)).await
}
