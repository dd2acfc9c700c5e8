//! Making, changing, deleting automations, and applying them to the past.

use serde_json::json;
use uuid::Uuid;

use super::{Change, Conflict, Error, check_version};
use crate::db::Tx;
use crate::domain::automation::{Automation, Draft};
use crate::domain::member::{Caller, Role};
use crate::domain::violation::Violation;
use crate::store::{accounts, automations, categories, knowledge, outbox};

/// All of them are looked at for every transaction.
const AUTOMATIONS_MAX: i64 = 200;

pub async fn create(tx: &mut Tx, by: &Caller, draft: Draft) -> Result<Automation, Error> {
    by.require(Role::Member)?;
    check_references(tx, by.tenant, &draft).await?;
    if automations::count(tx, by.tenant).await? >= AUTOMATIONS_MAX {
        return Err(Error::Conflict(Conflict::LimitReached));
    }
    let position = match draft.position {
        Some(position) => position,
        None => automations::next_position(tx, by.tenant).await?,
    };
    let automation = Automation {
        id: Uuid::now_v7(),
        name: draft.name,
        enabled: draft.enabled,
        position,
        when: draft.when,
        then: draft.then,
        matched: 0,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    automations::insert(tx, by.tenant, &automation).await?;
    finish(tx, by, "automation.created", automation.id).await?;
    Ok(automation)
}

pub async fn update(tx: &mut Tx, by: &Caller, id: Uuid, change: Change) -> Result<Automation, Error> {
    by.require(Role::Member)?;
    let present = automations::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(change.if_match, present.version)?;
    let draft = Draft::read(change.over(present.editable()))?;
    check_references(tx, by.tenant, &draft).await?;
    automations::update(tx, by.tenant, id, &draft).await?;
    finish(tx, by, "automation.updated", id).await?;
    automations::find(tx, by.tenant, id).await?.ok_or(Error::NotFound)
}

pub async fn delete(tx: &mut Tx, by: &Caller, id: Uuid, if_match: Option<i64>) -> Result<(), Error> {
    by.require(Role::Member)?;
    let present = automations::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, present.version)?;
    automations::delete(tx, by.tenant, id).await?;
    finish(tx, by, "automation.deleted", id).await
}

/// Asks the worker to do with the past what the automation does with what comes.
pub async fn apply(tx: &mut Tx, by: &Caller, id: Uuid) -> Result<Automation, Error> {
    by.require(Role::Member)?;
    let automation = automations::find(tx, by.tenant, id).await?.ok_or(Error::NotFound)?;
    if !automation.enabled {
        return Err(Error::Conflict(Conflict::AutomationDisabled));
    }
    outbox::insert(tx, by, "automation.applied", &json!({ "automation_id": id })).await?;
    Ok(automation)
}

async fn check_references(tx: &mut Tx, tenant: Uuid, draft: &Draft) -> Result<(), Error> {
    let mut violations = Vec::new();
    if let Some(account) = draft.when.account_id
        && accounts::find(tx, tenant, account).await?.is_none()
    {
        violations.push(Violation::unknown("when.account_id"));
    }
    if let Some(category) = draft.then.category_id
        && categories::find(tx, tenant, category).await?.is_none()
    {
        violations.push(Violation::unknown("then.category_id"));
    }
    if violations.is_empty() { Ok(()) } else { Err(violations.into()) }
}

async fn finish(tx: &mut Tx, by: &Caller, topic: &'static str, id: Uuid) -> Result<(), Error> {
    outbox::insert(tx, by, topic, &json!({ "automation_id": id })).await?;
    Ok(knowledge::changed(tx, by.tenant).await?)
}
