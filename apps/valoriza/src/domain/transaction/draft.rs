//! What a client writes to record a transaction or to change one.

use jiff::civil::Date;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::automation::read_tags;
use super::super::form::Form;
use super::super::money::AMOUNT_CENTS_MAX;
use super::super::text::{DESCRIPTION, NOTES};
use super::super::violation::Violation;
use super::{Kind, Transaction};

const SPLITS_MIN: usize = 2;
/// A supermarket receipt split item by item has fewer.
const SPLITS_MAX: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct SplitDraft {
    pub category_id: Option<Uuid>,
    /// Not 0, with the sign of the whole.
    pub amount_cents: i64,
    pub description: Option<String>,
}

/// The body as documented; [`Draft`] is what it is read into.
#[derive(ToSchema)]
pub struct TransactionBody {
    /// Of a transfer: where the money leaves.
    pub account_id: Uuid,
    pub date: Date,
    #[schema(max_length = 200)]
    pub description: String,
    /// Of a transfer: the amount moved, positive.
    pub amount_cents: i64,
    #[schema(max_length = 2000)]
    pub notes: Option<String>,
    pub category_id: Option<Uuid>,
    /// None, or two and more that sum to the amount.
    #[schema(required = false)]
    pub splits: Vec<SplitDraft>,
    /// Not of a transfer.
    #[schema(required = false, max_items = 20)]
    pub tags: Vec<String>,
    #[schema(required = false)]
    pub kind: Kind,
    /// Of a transfer: where the money goes.
    pub transfer_account_id: Option<Uuid>,
}

#[derive(Debug, Clone)]
pub enum Draft {
    Normal(Normal),
    Transfer(Transfer),
}

/// Income or expense.
#[derive(Debug, Clone)]
pub struct Normal {
    pub account_id: Uuid,
    pub date: Date,
    pub description: String,
    pub notes: Option<String>,
    pub amount_cents: i64,
    pub category_id: Option<Uuid>,
    pub splits: Vec<SplitDraft>,
    pub tags: Vec<String>,
}

/// Money moved between two accounts of the tenant.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub from: Uuid,
    pub to: Uuid,
    pub edit: TransferEdit,
}

/// What may change about a transfer.
#[derive(Debug, Clone)]
pub struct TransferEdit {
    pub date: Date,
    pub description: String,
    pub notes: Option<String>,
    /// The amount moved, positive.
    pub amount_cents: i64,
}

impl Draft {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        match form.optional_choice("kind", "normal ou transfer").unwrap_or(Kind::Normal) {
            Kind::Normal => Normal::read(form).map(Self::Normal),
            Kind::Transfer => Transfer::read(form).map(Self::Transfer),
        }
    }
}

impl Normal {
    fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        if form.optional_id("transfer_account_id").is_some() {
            form.reject(
                "transfer_account_id",
                "not_a_transfer",
                "só existe em transferências (kind: transfer)",
            );
        }
        let normal = Self {
            account_id: form.id("account_id"),
            date: form.date("date"),
            description: form.text("description", DESCRIPTION),
            notes: form.optional_text("notes", NOTES),
            amount_cents: read_amount(&mut form, "amount_cents"),
            category_id: form.optional_id("category_id"),
            splits: form.list("splits", SPLITS_MAX, read_split),
            tags: read_tags(&mut form),
        };
        normal.check_splits(&mut form);
        form.finish(normal)
    }

    /// Reads a change of a normal transaction; `form` has the present values behind it.
    pub fn read_edit(mut form: Form) -> Result<Self, Vec<Violation>> {
        keep_kind(&mut form, Kind::Normal);
        Self::read(form)
    }

    /// Splits are none, or several that sum to the amount, all with its sign.
    fn check_splits(&self, form: &mut Form) {
        if self.splits.is_empty() || !form.is_fine() {
            return;
        }
        if self.category_id.is_some() {
            form.reject("category_id", "split", "uma transação dividida tem categorias só nas divisões");
        }
        if self.splits.len() < SPLITS_MIN {
            form.reject("splits", "too_few", "deve ter pelo menos duas divisões");
        }
        for (position, split) in self.splits.iter().enumerate() {
            if split.amount_cents.signum() != self.amount_cents.signum() {
                let field = format!("splits.{position}.amount_cents");
                form.reject(&field, "wrong_sign", "deve ter o sinal do valor da transação");
            }
        }
        // At most 50 times AMOUNT_CENTS_MAX: far from overflowing.
        let sum: i64 = self.splits.iter().map(|split| split.amount_cents).sum();
        if sum != self.amount_cents {
            let message = format!("somam {sum}, e não {} centavos", self.amount_cents);
            form.reject("splits", "sum_differs", message);
        }
    }
}

fn read_split(form: &mut Form) -> SplitDraft {
    // A client that sends back what it read sends the ids too; splits are replaced as a whole.
    form.optional_id("id");
    SplitDraft {
        category_id: form.optional_id("category_id"),
        amount_cents: read_amount(form, "amount_cents"),
        description: form.optional_text("description", DESCRIPTION),
    }
}

/// An amount, which is never 0.
fn read_amount(form: &mut Form, field: &str) -> i64 {
    let before = form.violations();
    let amount = form.cents(field, AMOUNT_CENTS_MAX);
    if amount == 0 && form.violations() == before {
        form.reject(field, "zero", "não pode ser zero");
    }
    amount
}

fn keep_kind(form: &mut Form, present: Kind) {
    if form.optional_choice("kind", "normal ou transfer").is_some_and(|kind: Kind| kind != present) {
        form.reject("kind", "immutable", "o tipo não pode mudar");
    }
}

impl Transfer {
    fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        refuse_categories(&mut form);
        let transfer = Self {
            from: form.id("account_id"),
            to: form.id("transfer_account_id"),
            edit: TransferEdit::read_fields(&mut form),
        };
        if transfer.edit.amount_cents < 0 {
            form.reject("amount_cents", "not_positive", "deve ser o valor transferido, maior que zero");
        }
        if transfer.from == transfer.to && form.is_fine() {
            form.reject("transfer_account_id", "same_account", "deve ser outra conta");
        }
        form.finish(transfer)
    }
}

impl TransferEdit {
    fn read_fields(form: &mut Form) -> Self {
        Self {
            date: form.date("date"),
            description: form.text("description", DESCRIPTION),
            notes: form.optional_text("notes", NOTES),
            amount_cents: read_amount(form, "amount_cents"),
        }
    }

    /// Reads a change of one side of a transfer; `form` has the present values behind it.
    ///
    /// The amount is what was moved: either sign will do, because the direction cannot change.
    pub fn read_edit(mut form: Form, present: &Transaction) -> Result<Self, Vec<Violation>> {
        keep_kind(&mut form, Kind::Transfer);
        refuse_categories(&mut form);
        let accounts =
            [("account_id", Some(present.account_id)), ("transfer_account_id", present.transfer_account_id)];
        for (field, account) in accounts {
            if form.optional_id(field).is_some_and(|id| Some(id) != account) {
                form.reject(field, "immutable", "as contas de uma transferência não podem mudar");
            }
        }
        let mut edit = Self::read_fields(&mut form);
        edit.amount_cents = edit.amount_cents.abs();
        form.finish(edit)
    }
}

fn refuse_categories(form: &mut Form) {
    if form.optional_id("category_id").is_some() {
        form.reject("category_id", "transfer", "transferências não têm categoria");
    }
    if !form.list("splits", SPLITS_MAX, read_split).is_empty() {
        form.reject("splits", "transfer", "transferências não têm divisões");
    }
    if !read_tags(form).is_empty() {
        form.reject("tags", "transfer", "transferências não têm etiquetas");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn body(amount: i64, splits: &[i64]) -> Value {
        let splits: Vec<Value> = splits.iter().map(|amount| json!({ "amount_cents": amount })).collect();
        json!({
            "account_id": Uuid::nil(), "date": "2026-11-21", "description": "PIX", "amount_cents": amount,
            "splits": splits,
        })
    }

    fn mistakes(body: Value) -> Vec<(String, &'static str)> {
        Draft::read(Form::new(body))
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|it| (it.field, it.code))
            .collect()
    }

    #[test]
    fn splits_are_several_of_the_same_sign_and_sum_to_the_amount() {
        let check = |amount, splits: &[i64], expected: &[(&str, &'static str)]| {
            let expected: Vec<_> =
                expected.iter().map(|(field, code)| ((*field).to_owned(), *code)).collect();
            assert_eq!(mistakes(body(amount, splits)), expected, "{splits:?}");
        };
        check(-100, &[], &[]);
        check(-100, &[-60, -40], &[]);
        check(-100, &[-100], &[("splits", "too_few")]);
        check(-100, &[-60, -41], &[("splits", "sum_differs")]);
        check(-100, &[-150, 50], &[("splits.1.amount_cents", "wrong_sign")]);
        check(-100, &[-100, 0], &[("splits.1.amount_cents", "zero")]);
        check(0, &[], &[("amount_cents", "zero")]);
    }

    #[test]
    fn transfers_have_two_accounts_a_positive_amount_and_no_category() {
        let id = Uuid::from_u128(1);
        let check = |change: Value, expected: &[&str]| {
            let mut body = body(100, &[]);
            body["kind"] = json!("transfer");
            body["transfer_account_id"] = json!(id);
            for (field, value) in change.as_object().unwrap() {
                body[field] = value.clone();
            }
            let fields: Vec<_> = mistakes(body).into_iter().map(|it| it.0).collect();
            assert_eq!(fields, expected);
        };
        check(json!({}), &[]);
        check(json!({ "amount_cents": -100 }), &["amount_cents"]);
        check(json!({ "transfer_account_id": Uuid::nil() }), &["transfer_account_id"]);
        check(json!({ "transfer_account_id": null }), &["transfer_account_id"]);
        check(json!({ "category_id": id }), &["category_id"]);
        check(json!({ "splits": [{ "amount_cents": 1 }] }), &["splits"]);
    }

    proptest! {
        #[test]
        fn splits_that_sum_are_accepted(parts in prop::collection::vec(1i64..1_000_000, 2..50), out: bool) {
            let parts: Vec<i64> = parts.into_iter().map(|part| if out { -part } else { part }).collect();
            prop_assert_eq!(mistakes(body(parts.iter().sum(), &parts)), vec![]);
        }

        #[test]
        fn splits_that_do_not_sum_are_refused(parts in prop::collection::vec(1i64..1_000_000, 2..50), off in 1i64..9) {
            let amount = parts.iter().sum::<i64>() + off;
            prop_assert_eq!(mistakes(body(amount, &parts)), vec![("splits".to_owned(), "sum_differs")]);
        }
    }
}
