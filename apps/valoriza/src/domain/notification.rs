//! Notifications: what happened that somebody of the tenant should see.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::budget::Budget;
use super::form::Form;
use super::money::reais;
use super::review::IDS_MAX;
use super::violation::Violation;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationKind)]
pub enum Kind {
    Budget,
    Automation,
    Import,
    Report,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Automation => "automation",
            Self::Import => "import",
            Self::Report => "report",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the kind: it is not a kind of notification")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        let all = [Self::Budget, Self::Automation, Self::Import, Self::Report];
        all.into_iter().find(|it| it.as_str() == text).ok_or(NotAKind)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Notification {
    pub id: Uuid,
    pub kind: Kind,
    pub title: String,
    pub text: String,
    /// A page of the user interface.
    pub link: Option<String>,
    pub read_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// The import all that is told of came by: taking it back takes this back too.
    #[serde(skip)]
    pub import_id: Option<Uuid>,
}

impl Notification {
    pub fn new(kind: Kind, title: String, text: String, link: Option<String>, now: Timestamp) -> Self {
        Self { id: Uuid::now_v7(), kind, title, text, link, read_at: None, created_at: now, import_id: None }
    }
}

/// Which notifications were read.
#[derive(Debug)]
pub enum Which {
    All,
    These(Vec<Uuid>),
}

/// The body as documented; [`Which`] is what it is read into.
#[derive(ToSchema)]
pub struct ReadBody {
    /// At most 200; not together with `all`.
    #[schema(required = false, max_items = 200)]
    pub ids: Vec<Uuid>,
    #[schema(required = false)]
    pub all: bool,
}

impl Which {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let ids = form.ids("ids", IDS_MAX);
        let all = form.optional_flag("all").unwrap_or(false);
        if form.is_fine() && all != ids.is_empty() {
            form.reject("ids", "required", "diga quais, ou all: true");
        }
        form.finish(if all { Self::All } else { Self::These(ids) })
    }
}

/// What a budget tells about, in percent of its amount.
pub const ALERTS: [i64; 2] = [80, 100];

/// Which of [`ALERTS`] a budget has reached.
pub fn reached(budget: &Budget) -> impl Iterator<Item = i64> {
    let (spent, amount) = (i128::from(budget.spent_cents), i128::from(budget.amount_cents));
    ALERTS.into_iter().filter(move |percent| spent * 100 >= amount * i128::from(*percent))
}

/// Title and text of the alert of a budget of the category called `category`.
pub fn budget_alert(budget: &Budget, category: &str, percent: i64) -> (String, String) {
    let title = if percent >= 100 {
        format!("Orçamento de {category} estourado")
    } else {
        format!("{percent}% do orçamento de {category}")
    };
    let (spent, amount) = (reais(budget.spent_cents), reais(budget.amount_cents));
    (title, format!("Em {} foram gastos {spent} de {amount}.", budget.month.in_words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_come_at_80_and_at_100_percent() {
        let check = |spent_cents, expected: &[i64]| {
            let budget = Budget {
                id: Uuid::nil(),
                category_id: Uuid::nil(),
                month: "2026-11".parse().unwrap(),
                amount_cents: 1_000,
                spent_cents,
                left_cents: 0,
                version: 1,
                created_at: Timestamp::UNIX_EPOCH,
                updated_at: Timestamp::UNIX_EPOCH,
            };
            assert_eq!(reached(&budget).collect::<Vec<_>>(), expected, "{spent_cents}");
        };
        check(-50, &[]);
        check(799, &[]);
        check(800, &[80]);
        check(999, &[80]);
        check(1_000, &[80, 100]);
    }
}
