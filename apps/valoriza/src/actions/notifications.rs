//! Marking notifications as read. A tenant's members share them, so one reads for all.

use uuid::Uuid;

use super::Error;
use crate::db::Tx;
use crate::domain::member::{Caller, Role};
use crate::domain::notification::Which;
use crate::store::notifications;

/// Returns how many are left unread.
pub async fn read(tx: &mut Tx, by: &Caller, which: &Which) -> Result<i64, Error> {
    by.require(Role::Member)?;
    let ids: Option<&[Uuid]> = match which {
        Which::All => None,
        Which::These(ids) => Some(ids),
    };
    notifications::read(tx, by.tenant, ids, by.now).await?;
    Ok(notifications::unread(tx, by.tenant).await?)
}
