//! Categories: a tree of what money came from or went to.

mod defaults;
mod tree;

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::Form;
use super::text::{Lines, NAME, Rule};
use super::violation::Violation;

pub use defaults::{DEFAULTS, Default as DefaultCategory};
pub use tree::{DEPTH_MAX, Node, Tree};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CategoryKind)]
pub enum Kind {
    Income,
    #[default]
    Expense,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the kind: it is neither income nor expense")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        [Self::Income, Self::Expense].into_iter().find(|it| it.as_str() == text).ok_or(NotAKind)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Category {
    pub id: Uuid,
    pub parent_id: Option<Uuid>,
    pub name: String,
    pub kind: Kind,
    /// `#rrggbb`
    pub color: String,
    /// One emoji.
    pub icon: Option<String>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Category {
    /// What a client may write, with its present values.
    pub fn editable(&self) -> Map<String, Value> {
        let value = json!({
            "name": self.name, "kind": self.kind, "parent_id": self.parent_id, "color": self.color,
            "icon": self.icon,
        });
        value.as_object().cloned().unwrap_or_default()
    }
}

/// What a client writes, to create as to change.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = CategoryDraft)]
pub struct Draft {
    #[schema(max_length = 80)]
    pub name: String,
    pub kind: Kind,
    pub parent_id: Option<Uuid>,
    #[schema(required = false)]
    pub color: String,
    pub icon: Option<String>,
}

const GREY: &str = "#64748b";
/// The longest emoji in Unicode 17, a family with skin tones, has ten characters.
const ICON: Rule = Rule { chars_max: 10, lines: Lines::One };

impl Draft {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let draft = Self {
            name: form.text("name", NAME),
            kind: form.choice("kind", "income ou expense"),
            parent_id: form.optional_id("parent_id"),
            color: form
                .optional_choice("color", "uma cor no formato #rrggbb")
                .unwrap_or(Color(GREY.to_owned()))
                .0,
            icon: form.optional_text("icon", ICON),
        };
        if draft
            .icon
            .as_ref()
            .is_some_and(|icon| icon.chars().any(|c| c.is_alphabetic() || c.is_whitespace()))
        {
            form.reject("icon", "invalid", "deve ser um emoji");
        }
        form.finish(draft)
    }
}

struct Color(String);

impl FromStr for Color {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('#').ok_or(())?;
        let valid = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| Self(text.to_lowercase())).ok_or(())
    }
}
