//! Automations: what to do with transactions that are like this.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::Form;
use super::money::AMOUNT_CENTS_MAX;
use super::text::{DESCRIPTION, Lines, NAME, Rule};
use super::transaction::Transaction;
use super::violation::Violation;
use crate::categorise::{Direction, Input, When as Matcher};

/// Of one transaction or automation.
pub const TAGS_MAX: usize = 20;
pub const TAG: Rule = Rule { chars_max: 30, lines: Lines::One };

/// Positions are small numbers; a client that moves things around may leave gaps.
const POSITION_MAX: i64 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Automation {
    pub id: Uuid,
    pub name: String,
    pub enabled: bool,
    /// The first that matches gives the category; tags and notifications come from all that match.
    pub position: i64,
    pub when: When,
    pub then: Then,
    /// How many transactions it has met.
    pub matched: i64,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a transaction must be like; parts left out do not matter, but one at least must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AutomationWhen)]
pub struct When {
    /// Occurs in the description, whatever its case and accents.
    #[schema(max_length = 200)]
    pub text: Option<String>,
    pub account_id: Option<Uuid>,
    pub direction: Option<Direction>,
    /// Bounds of the amount without its sign, inclusive.
    pub min_cents: Option<i64>,
    pub max_cents: Option<i64>,
}

/// What is done then: at least one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AutomationThen)]
pub struct Then {
    pub category_id: Option<Uuid>,
    #[schema(required = false, max_items = 20)]
    pub tags: Vec<String>,
    #[schema(required = false)]
    pub notify: bool,
}

impl When {
    /// Tells whether a transaction is like this; transfers never are.
    pub fn matches(&self, transaction: &Transaction) -> bool {
        transaction.transfer_id.is_none() && self.matcher().matches(&transaction.input())
    }

    /// As the engine's rules have it, so that both mean the same.
    pub fn matcher(&self) -> Matcher {
        Matcher {
            text: self.text.clone(),
            account_id: self.account_id,
            direction: self.direction,
            min_cents: self.min_cents,
            max_cents: self.max_cents,
        }
    }

    /// Reads the part of `form` called `when`.
    pub fn read(form: &mut Form) -> Self {
        form.object("when", |when| {
            let read = Self {
                text: when.optional_text("text", DESCRIPTION),
                account_id: when.optional_id("account_id"),
                direction: when.optional_choice::<Side>("direction", "in ou out").map(|it| it.0),
                min_cents: read_bound(when, "min_cents"),
                max_cents: read_bound(when, "max_cents"),
            };
            if read == Self::default() && when.is_fine() {
                when.reject("", "required", "diga ao menos uma condição");
            }
            if read.min_cents.zip(read.max_cents).is_some_and(|(least, most)| least > most) {
                when.reject("max_cents", "out_of_range", "deve ser pelo menos o mínimo");
            }
            read
        })
    }
}

/// A bound of an amount without its sign.
fn read_bound(form: &mut Form, field: &str) -> Option<i64> {
    let cents = form.optional_cents(field, AMOUNT_CENTS_MAX);
    if cents.is_some_and(|cents| cents < 0) {
        form.reject(field, "out_of_range", "é o valor sem sinal: zero ou mais");
    }
    cents
}

/// A direction as text.
struct Side(Direction);

impl std::str::FromStr for Side {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Direction::find(text).map(Self).ok_or(())
    }
}

impl Then {
    fn read(form: &mut Form) -> Self {
        form.object("then", |then| {
            let read = Self {
                category_id: then.optional_id("category_id"),
                tags: read_tags(then),
                notify: then.optional_flag("notify").unwrap_or(false),
            };
            if read == Self::default() && then.is_fine() {
                then.reject("", "required", "diga ao menos uma coisa a fazer");
            }
            read
        })
    }
}

/// Tags in the order written, each once.
pub fn read_tags(form: &mut Form) -> Vec<String> {
    let mut tags = form.texts("tags", TAGS_MAX, TAG);
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

/// What a client writes, to create as to change.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = AutomationDraft)]
pub struct Draft {
    #[schema(max_length = 80)]
    pub name: String,
    /// Left out: true.
    #[schema(required = false)]
    pub enabled: bool,
    /// Left out: after all others.
    pub position: Option<i64>,
    pub when: When,
    pub then: Then,
}

impl Draft {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let draft = Self {
            name: form.text("name", NAME),
            enabled: form.optional_flag("enabled").unwrap_or(true),
            position: form.optional_cents("position", POSITION_MAX),
            when: When::read(&mut form),
            then: Then::read(&mut form),
        };
        form.finish(draft)
    }
}

impl Automation {
    /// What a client may write, with its present values.
    pub fn editable(&self) -> Map<String, Value> {
        let value = json!({
            "name": self.name, "enabled": self.enabled, "position": self.position, "when": self.when,
            "then": self.then,
        });
        value.as_object().cloned().unwrap_or_default()
    }
}

impl Transaction {
    /// What the engine and the automations look at.
    pub fn input(&self) -> Input<'_> {
        Input {
            description: &self.description,
            amount_cents: self.amount_cents,
            account_id: self.account_id,
            date: self.date,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(body: Value) -> Vec<(String, &'static str)> {
        let outcome = Draft::read(Form::new(body));
        outcome.err().unwrap_or_default().into_iter().map(|it| (it.field, it.code)).collect()
    }

    #[test]
    fn an_automation_has_a_condition_and_a_consequence() {
        let check = |when: Value, then: Value, expected: &[(&str, &'static str)]| {
            let expected: Vec<_> =
                expected.iter().map(|(field, code)| ((*field).to_owned(), *code)).collect();
            assert_eq!(mistakes(json!({ "name": "x", "when": when, "then": then })), expected);
        };
        let (when, then) = (json!({ "text": "uber" }), json!({ "notify": true }));
        check(when.clone(), then.clone(), &[]);
        check(json!({}), then.clone(), &[("when", "required")]);
        check(json!(null), then.clone(), &[("when", "required")]);
        check(json!({ "text": "" }), then.clone(), &[("when.text", "required")]);
        check(json!({ "min_cents": 2, "max_cents": 1 }), then.clone(), &[("when.max_cents", "out_of_range")]);
        check(json!({ "min_cents": -1 }), then.clone(), &[("when.min_cents", "out_of_range")]);
        check(json!({ "direction": "up" }), then.clone(), &[("when.direction", "invalid")]);
        check(when.clone(), json!({}), &[("then", "required")]);
        check(when.clone(), json!({ "tags": ["a", 1] }), &[("then.tags.1", "wrong_type")]);
        check(when, json!({ "tag": "a", "notify": true }), &[("then.tag", "unknown_field")]);
    }

    #[test]
    fn tags_are_kept_once() {
        let mut form = Form::new(json!({ "tags": [" viagem", "casa", "viagem"] }));
        assert_eq!(read_tags(&mut form), ["viagem", "casa"]);
    }
}
