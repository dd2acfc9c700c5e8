//! What is known of one tenant.

use jiff::Timestamp;
use uuid::Uuid;

use super::decision::Input;
use super::descriptor::{Descriptor, Direction};
use super::memory::Memory;
use super::model::Personal;
use super::rules::Rule;
use super::shared::Categories;
use super::threshold::Threshold;
use super::{features, vector};

/// How many facts a tenant's knowledge is made of; the store gives the newest ones.
pub const FACTS_MAX: usize = 5_000;

/// That a person gave a movement its category. All a tenant taught is a list of these: the memory, the neighbours
/// and the personal part of the model follow from it, so taking one back is leaving it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Of the correction or the transaction it came from; unique.
    pub id: Uuid,
    /// [`Descriptor::text`]
    pub text: String,
    /// [`Descriptor::payee`]
    pub payee: String,
    pub cnpj: Option<String>,
    pub direction: Direction,
    /// As of the movement: negative is out.
    pub amount_cents: i64,
    pub category_id: Uuid,
    /// When it was said.
    pub at: Timestamp,
    /// The movement's vector, [`vector::DIMENSIONS`] long.
    pub vector: Vec<f32>,
}

impl Fact {
    pub fn of(id: Uuid, input: &Input<'_>, category_id: Uuid, at: Timestamp) -> Self {
        let descriptor = Descriptor::read(input.description, input.amount_cents);
        let vector = vector::project(&features::of(&descriptor, input.amount_cents));
        Self {
            id,
            text: descriptor.text,
            payee: descriptor.payee,
            cnpj: descriptor.cnpj,
            direction: descriptor.direction,
            amount_cents: input.amount_cents,
            category_id,
            at,
            vector,
        }
    }

    pub(super) fn order(&self) -> (Timestamp, Uuid) {
        (self.at, self.id)
    }
}

/// What the store knows of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub categories: Categories,
    /// Those that set a category and are enabled, in the user's order.
    pub rules: Vec<Rule>,
    /// In any order; those beyond the newest [`FACTS_MAX`] are left out.
    pub facts: Vec<Fact>,
    /// Names of the tenant's members: money to or from them is a transfer.
    pub people: Vec<String>,
    pub threshold: Threshold,
}

/// Knowledge of a tenant, ready to decide with; made by [`super::Engine::tenant`].
#[derive(Debug, Clone)]
pub struct Tenant {
    pub(super) categories: Categories,
    pub(super) rules: Vec<Rule>,
    pub(super) threshold: Threshold,
    /// Folded words of each name.
    pub(super) people: Vec<Vec<String>>,
    /// Oldest first.
    pub(super) facts: Vec<Fact>,
    pub(super) memory: Memory,
    pub(super) personal: Personal,
}

impl Tenant {
    /// What it was taught, oldest first.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    pub fn categories(&self) -> &Categories {
        &self.categories
    }

    pub fn threshold(&self) -> Threshold {
        self.threshold
    }
}
