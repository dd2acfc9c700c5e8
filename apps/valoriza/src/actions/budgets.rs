//! Setting, changing and deleting budgets.

use serde_json::json;
use uuid::Uuid;

use super::{Change, Conflict, Error, check_version};
use crate::db::{self, Constraint, Tx};
use crate::domain::budget::{Budget, Draft};
use crate::domain::category::{Kind, Tree};
use crate::domain::member::{Caller, Role};
use crate::domain::violation::Violation;
use crate::store::{budgets, categories, outbox};

pub async fn create(tx: &mut Tx, by: &Caller, draft: Draft) -> Result<Budget, Error> {
    by.require(Role::Member)?;
    // Locked, so that the category cannot become income meanwhile.
    let tree = categories::lock_tree(tx, by.tenant).await?;
    check_category(&tree, &draft)?;
    let budget = Budget {
        id: Uuid::now_v7(),
        category_id: draft.category_id,
        month: draft.month,
        amount_cents: draft.amount_cents,
        spent_cents: 0,
        left_cents: 0,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    budgets::insert(tx, by.tenant, &budget).await.map_err(taken)?;
    outbox::insert(tx, by, "budget.created", &json!({ "budget_id": budget.id })).await?;
    measured(tx, by.tenant, budget, &tree).await
}

pub async fn update(tx: &mut Tx, by: &Caller, id: Uuid, change: Change) -> Result<Budget, Error> {
    by.require(Role::Member)?;
    let tree = categories::lock_tree(tx, by.tenant).await?;
    let present = budgets::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(change.if_match, present.version)?;
    let draft = Draft::read(change.over(present.editable()))?;
    check_category(&tree, &draft)?;
    let budget = budgets::update(tx, by.tenant, id, &draft).await.map_err(taken)?;
    outbox::insert(tx, by, "budget.updated", &json!({ "budget_id": id })).await?;
    measured(tx, by.tenant, budget, &tree).await
}

pub async fn delete(tx: &mut Tx, by: &Caller, id: Uuid, if_match: Option<i64>) -> Result<(), Error> {
    by.require(Role::Member)?;
    let present = budgets::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, present.version)?;
    budgets::delete(tx, by.tenant, id).await?;
    outbox::insert(tx, by, "budget.deleted", &json!({ "budget_id": id })).await?;
    Ok(())
}

fn check_category(tree: &Tree, draft: &Draft) -> Result<(), Violation> {
    match tree.get(draft.category_id).map(|node| node.kind) {
        None => Err(Violation::unknown("category_id")),
        Some(Kind::Income) => {
            Err(Violation::new("category_id", "not_an_expense", "deve ser uma categoria de despesa"))
        }
        Some(Kind::Expense) => Ok(()),
    }
}

fn taken(error: db::Error) -> Error {
    if error.violates(Constraint::Unique) {
        Error::Conflict(Conflict::BudgetExists)
    } else {
        Error::Db(error)
    }
}

async fn measured(tx: &mut Tx, tenant: Uuid, mut budget: Budget, tree: &Tree) -> Result<Budget, Error> {
    let movements = budgets::movements(tx, tenant, budget.month, budget.month).await?;
    budget.measure(&movements, tree);
    Ok(budget)
}
