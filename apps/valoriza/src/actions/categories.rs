//! Creating, changing and deleting categories.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Change, Conflict, Error, check_version};
use crate::db::{Constraint, Tx};
use crate::domain::category::{Category, DEFAULTS, Draft, Kind};
use crate::domain::member::{Caller, Role};
use crate::domain::violation::Violation;
use crate::store::{budgets, categories, knowledge, outbox, review};

/// The whole tree is read to check one write and to roll up a summary.
const CATEGORIES_MAX: usize = 1_000;

pub async fn create(tx: &mut Tx, by: &Caller, draft: Draft) -> Result<Category, Error> {
    by.require(Role::Member)?;
    let tree = categories::lock_tree(tx, by.tenant).await?;
    tree.check(None, &draft)?;
    if tree.is_taken(None, &draft) {
        return Err(Error::Conflict(Conflict::CategoryNameTaken));
    }
    if tree.len() >= CATEGORIES_MAX {
        return Err(Error::Conflict(Conflict::LimitReached));
    }
    let category = new(draft, by.now);
    categories::insert(tx, by.tenant, std::slice::from_ref(&category)).await?;
    outbox::insert(tx, by, "category.created", &json!({ "category_id": category.id })).await?;
    knowledge::changed(tx, by.tenant).await?;
    Ok(category)
}

fn new(draft: Draft, now: Timestamp) -> Category {
    Category {
        id: Uuid::now_v7(),
        parent_id: draft.parent_id,
        name: draft.name,
        kind: draft.kind,
        color: draft.color,
        icon: draft.icon,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Gives a new tenant the categories most people in Brazil need.
pub async fn create_defaults(tx: &mut Tx, tenant: Uuid, now: Timestamp) -> Result<Vec<Category>, Error> {
    let mut created = Vec::new();
    for it in DEFAULTS {
        let draft = |name: &str, parent_id, icon| Draft {
            name: name.to_owned(),
            kind: it.kind,
            parent_id,
            color: it.color.to_owned(),
            icon,
        };
        let root = new(draft(it.name, None, Some(it.icon.to_owned())), now);
        let root_id = root.id;
        created.push(root);
        created.extend(it.children.iter().map(|name| new(draft(name, Some(root_id), None), now)));
    }
    categories::insert(tx, tenant, &created).await?;
    Ok(created)
}

pub async fn update(tx: &mut Tx, by: &Caller, id: Uuid, change: Change) -> Result<Category, Error> {
    by.require(Role::Member)?;
    let tree = categories::lock_tree(tx, by.tenant).await?;
    let present = categories::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(change.if_match, present.version)?;
    let draft = Draft::read(change.over(present.editable()))?;
    tree.check(Some(id), &draft)?;
    if tree.is_taken(Some(id), &draft) {
        return Err(Error::Conflict(Conflict::CategoryNameTaken));
    }
    if draft.kind == Kind::Income && budgets::any_of_category(tx, by.tenant, id).await? {
        return Err(Violation::new("kind", "has_budgets", "só categorias de despesa têm orçamento").into());
    }
    let category = categories::update(tx, by.tenant, id, &draft).await?;
    outbox::insert(tx, by, "category.updated", &json!({ "category_id": id })).await?;
    knowledge::changed(tx, by.tenant).await?;
    Ok(category)
}

pub async fn delete(tx: &mut Tx, by: &Caller, id: Uuid, if_match: Option<i64>) -> Result<(), Error> {
    by.require(Role::Owner)?;
    categories::lock_tree(tx, by.tenant).await?;
    let present = categories::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, present.version)?;
    review::forget_suggestions(tx, by.tenant, id).await?;
    match categories::delete(tx, by.tenant, id).await {
        Err(error) if error.violates(Constraint::ForeignKey) => {
            return Err(Error::Conflict(Conflict::CategoryInUse));
        }
        outcome => outcome?,
    }
    outbox::insert(tx, by, "category.deleted", &json!({ "category_id": id })).await?;
    knowledge::changed(tx, by.tenant).await?;
    Ok(())
}
