//! Registering, coming in, staying in, leaving.

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::json;
use uuid::Uuid;

use super::{Conflict, Error, Unauthenticated, categories};
use crate::auth::{REFRESH_DAYS, Secret};
use crate::db::{Constraint, Tx};
use crate::domain::member::{Caller, Membership, Registration, Role, Tenant, User};
use crate::store::refresh_tokens::RefreshToken;
use crate::store::{outbox, refresh_tokens, users};

/// How long a token that was exchanged may be presented again, as long as what it was exchanged for was not used.
///
/// The answer of an exchange may be lost with the page that asked (a reload) or with the network; its client has
/// only the old token then, and must not be taken for a thief. Half a minute outlasts a reload or a retry. It
/// costs little: whoever stole a token and is the second to present it revokes the successor its owner has, and
/// the owner's next exchange gives the theft away.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// Who a session is of, where they may do what, and the token that renews it.
#[derive(Debug)]
pub struct Opened {
    pub user: User,
    pub tenant: Tenant,
    pub role: Role,
    pub refresh_token: Secret,
}

/// Creates a user, their tenant, its first owner and its categories.
pub async fn register(
    tx: &mut Tx,
    registration: &Registration,
    password_hash: &str,
    now: Timestamp,
    trace_id: String,
) -> Result<(User, Tenant), Error> {
    let user =
        User { id: Uuid::now_v7(), name: registration.name.clone(), email: registration.email.clone() };
    let tenant = Tenant { id: Uuid::now_v7(), name: registration.tenant_name.clone() };
    match users::insert(tx, &user, password_hash, now).await {
        Err(error) if error.violates(Constraint::Unique) => {
            return Err(Error::Conflict(Conflict::EmailTaken));
        }
        outcome => outcome?,
    }
    users::insert_tenant(tx, &tenant, now).await?;
    users::insert_membership(tx, tenant.id, user.id, Role::Owner, now).await?;
    categories::create_defaults(tx, tenant.id, now).await?;
    let by = Caller { user: user.id, tenant: tenant.id, role: Role::Owner, now, trace_id };
    outbox::insert(tx, &by, "user.registered", &json!({ "user_id": user.id })).await?;
    Ok((user, tenant))
}

/// Opens a session of `user` in the tenant they have been in for longest.
pub async fn open(tx: &mut Tx, user: User, now: Timestamp) -> Result<Opened, Error> {
    let membership = users::memberships(tx, user.id).await?.into_iter().next().ok_or(Error::Forbidden)?;
    let lineage = Lineage { family_id: Uuid::now_v7(), predecessor_id: None };
    renew(tx, user, membership, lineage, now).await
}

/// Exchanges a refresh token for a new one of the same family. Within [`LEEWAY`] it may be presented again while
/// its successor is unused, and gets another one in its place.
///
/// Any other token used twice was stolen, from whoever used it first or second: the family is revoked, for which
/// the caller must commit even though this fails with [`Unauthenticated::TokenReused`].
pub async fn refresh(tx: &mut Tx, token: &Secret, now: Timestamp) -> Result<Opened, Error> {
    let bad = Error::Unauthenticated(Unauthenticated::BadToken);
    let Some(found) = refresh_tokens::find(tx, &token.hash()).await? else {
        return Err(bad);
    };
    if found.expires_at < now {
        return Err(bad);
    }
    if !refresh_tokens::spend(tx, found.id, now).await?
        && !refresh_tokens::replace_successor(tx, &found, now - LEEWAY, now).await?
    {
        refresh_tokens::revoke_family(tx, found.family_id, now).await?;
        return Err(Error::Unauthenticated(Unauthenticated::TokenReused));
    }
    let user = users::find(tx, found.user_id).await?;
    let memberships = users::memberships(tx, found.user_id).await?;
    let membership = memberships.into_iter().find(|it| it.tenant_id == found.tenant_id);
    match (user, membership) {
        (Some(user), Some(membership)) => {
            let lineage = Lineage { family_id: found.family_id, predecessor_id: Some(found.id) };
            renew(tx, user, membership, lineage, now).await
        }
        _ => Err(bad),
    }
}

/// Where a token comes from.
struct Lineage {
    family_id: Uuid,
    predecessor_id: Option<Uuid>,
}

async fn renew(
    tx: &mut Tx,
    user: User,
    membership: Membership,
    lineage: Lineage,
    now: Timestamp,
) -> Result<Opened, Error> {
    let secret = Secret::random().map_err(Error::Internal)?;
    let token = RefreshToken {
        id: Uuid::now_v7(),
        family_id: lineage.family_id,
        predecessor_id: lineage.predecessor_id,
        user_id: user.id,
        tenant_id: membership.tenant_id,
        expires_at: now + (24 * REFRESH_DAYS).hours(),
    };
    refresh_tokens::insert(tx, &token, &secret.hash(), now).await?;
    let tenant = Tenant { id: membership.tenant_id, name: membership.tenant_name };
    Ok(Opened { user, tenant, role: membership.role, refresh_token: secret })
}

/// Revokes the token's family. Doing it again, or with an unknown token, changes nothing.
pub async fn close(tx: &mut Tx, token: &Secret, now: Timestamp) -> Result<(), Error> {
    if let Some(found) = refresh_tokens::find(tx, &token.hash()).await? {
        refresh_tokens::revoke_family(tx, found.family_id, now).await?;
    }
    Ok(())
}
