//! Movements whose category is known.

use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::super::decision::Input;
use super::super::shared::{Categories, Shared};
use crate::domain::category::{DEFAULTS, Node};

/// The right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    Is(Shared),
    /// Nobody can know from the text: to ask is right.
    Unknowable,
    /// Money between the owner's accounts: to ask is right.
    Transfer,
}

#[derive(Debug, Clone)]
pub struct Sample {
    pub user: usize,
    /// Who is at the other end, the same for all its wordings.
    pub merchant: String,
    pub description: String,
    pub amount_cents: i64,
    pub date: Date,
    pub truth: Truth,
}

impl Sample {
    pub fn input(&self) -> Input<'_> {
        Input {
            description: &self.description,
            amount_cents: self.amount_cents,
            account_id: Uuid::nil(),
            date: self.date,
        }
    }
}

/// Where the files' movements are said to have happened; nothing depends on it.
const DAY: Date = Date::constant(2026, 11, 21);

/// Reads a file of ours: description, cents, category.
pub(super) fn read(tsv: &str) -> Vec<Sample> {
    let lines = tsv.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let sample = |line: &str| {
        let mut fields = line.split('\t');
        let (description, cents, category) = (fields.next()?, fields.next()?, fields.next()?);
        let truth = match category {
            "?" => Truth::Unknowable,
            "transfer" => Truth::Transfer,
            name => Truth::Is(Shared::named(name)?),
        };
        Some(Sample {
            user: 0,
            merchant: description.to_owned(),
            description: description.to_owned(),
            amount_cents: cents.parse().ok()?,
            date: DAY,
            truth,
        })
    };
    lines.map(|line| sample(line).expect("our own file, as a test says")).collect()
}

/// The id a shared category has here.
pub(super) fn id(shared: Shared) -> Uuid {
    Uuid::from_u128(shared.index() as u128 + 1)
}

pub(super) fn shared(id: Uuid) -> Option<Shared> {
    Shared::all().nth(usize::try_from(id.as_u128()).ok()?.checked_sub(1)?)
}

/// A tenant that has the default categories.
pub(super) fn categories() -> Categories {
    let mut nodes: Vec<Node> = Vec::new();
    for default in DEFAULTS {
        let mut add = |name: &str, parent_id| {
            let id = Uuid::from_u128(nodes.len() as u128 + 1);
            let (name, color) = (name.to_owned(), String::new());
            nodes.push(Node { id, parent_id, name, kind: default.kind, color });
            id
        };
        let parent = add(default.name, None);
        for child in default.children {
            add(child, Some(parent));
        }
    }
    Categories::new(&nodes)
}

/// What a system made of one sample.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Answer {
    #[serde(skip)]
    pub category: Option<Shared>,
    pub confidence: f32,
    /// Whether it would be applied without asking.
    pub applied: bool,
    pub source: &'static str,
}
