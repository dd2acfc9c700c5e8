//! Accounts: where money is.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::Form;
use super::money::{AMOUNT_CENTS_MAX, Currency};
use super::text::NAME;
use super::violation::Violation;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountKind)]
pub enum Kind {
    #[default]
    Checking,
    Savings,
    CreditCard,
    Cash,
    Investment,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Checking, Self::Savings, Self::CreditCard, Self::Cash, Self::Investment];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Savings => "savings",
            Self::CreditCard => "credit_card",
            Self::Cash => "cash",
            Self::Investment => "investment",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the kind: it is not a kind of account")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(NotAKind)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    pub id: Uuid,
    pub name: String,
    pub kind: Kind,
    pub currency: Currency,
    pub opening_balance_cents: i64,
    /// Opening balance plus all transactions.
    pub balance_cents: i64,
    pub archived: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Account {
    /// What a client may write, with its present values.
    pub fn editable(&self) -> Map<String, Value> {
        let value = json!({
            "name": self.name, "kind": self.kind, "opening_balance_cents": self.opening_balance_cents,
            "archived": self.archived,
        });
        value.as_object().cloned().unwrap_or_default()
    }
}

/// What a client writes to open an account.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = AccountDraft)]
pub struct Draft {
    #[schema(max_length = 80)]
    pub name: String,
    pub kind: Kind,
    #[schema(required = false)]
    pub currency: Currency,
    #[schema(required = false)]
    pub opening_balance_cents: i64,
}

/// What a client may change; the currency is not among it, because the transactions have it too.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = AccountEdit)]
pub struct Edit {
    #[schema(max_length = 80)]
    pub name: String,
    pub kind: Kind,
    pub opening_balance_cents: i64,
    pub archived: bool,
}

const KINDS: &str = "checking, savings, credit_card, cash ou investment";

impl Draft {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let draft = Self {
            name: form.text("name", NAME),
            kind: form.choice("kind", KINDS),
            currency: form.optional_choice("currency", "BRL, EUR ou USD").unwrap_or_default(),
            opening_balance_cents: form
                .optional_cents("opening_balance_cents", AMOUNT_CENTS_MAX)
                .unwrap_or(0),
        };
        form.finish(draft)
    }
}

impl Edit {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let edit = Self {
            name: form.text("name", NAME),
            kind: form.choice("kind", KINDS),
            opening_balance_cents: form.cents("opening_balance_cents", AMOUNT_CENTS_MAX),
            archived: form.flag("archived"),
        };
        form.finish(edit)
    }
}
