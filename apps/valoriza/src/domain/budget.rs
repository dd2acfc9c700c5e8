//! Budgets: how much a category may cost in a month.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar::Month;
use super::category::Tree;
use super::form::Form;
use super::money::AMOUNT_CENTS_MAX;
use super::violation::Violation;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Budget {
    pub id: Uuid,
    pub category_id: Uuid,
    #[schema(value_type = String, pattern = r"^\d{4}-\d{2}$")]
    pub month: Month,
    pub amount_cents: i64,
    /// What left for the category and those below it, less what came back.
    pub spent_cents: i64,
    pub left_cents: i64,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What one category, itself alone, moved in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    pub month: Month,
    pub category_id: Uuid,
    pub amount_cents: i64,
}

impl Budget {
    /// What a client may write, with its present values.
    pub fn editable(&self) -> Map<String, Value> {
        let value = json!({ "category_id": self.category_id, "month": self.month, "amount_cents": self.amount_cents });
        value.as_object().cloned().unwrap_or_default()
    }

    /// Fills in what was spent, from all movements of its month.
    pub fn measure(&mut self, movements: &[Movement], tree: &Tree) {
        let below = |id: Uuid| tree.path(id).any(|node| node.id == self.category_id);
        let moved: i64 = movements
            .iter()
            .filter(|it| it.month == self.month && below(it.category_id))
            .map(|it| it.amount_cents)
            .sum();
        self.spent_cents = -moved;
        self.left_cents = self.amount_cents - self.spent_cents;
    }
}

#[derive(Debug, Clone, ToSchema)]
#[schema(as = BudgetDraft)]
pub struct Draft {
    /// An expense category.
    pub category_id: Uuid,
    #[schema(value_type = String, pattern = r"^\d{4}-\d{2}$")]
    pub month: Month,
    #[schema(minimum = 1)]
    pub amount_cents: i64,
}

impl Draft {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let category_id = form.id("category_id");
        let month = form.month("month");
        let before = form.violations();
        let amount_cents = form.cents("amount_cents", AMOUNT_CENTS_MAX);
        if amount_cents <= 0 && form.violations() == before {
            form.reject("amount_cents", "not_positive", "deve ser maior que zero");
        }
        form.finish(Self { category_id, month, amount_cents })
    }
}
