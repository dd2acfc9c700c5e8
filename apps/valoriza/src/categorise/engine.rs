//! The cascade.

use jiff::Timestamp;
use uuid::Uuid;

use super::decision::{Choice, Decision, Evidence, Input, Source};
use super::descriptor::Descriptor;
use super::lexicon::Lexicon;
use super::memory::Memory;
use super::model::Personal;
use super::structure::Structure;
use super::tenant::{FACTS_MAX, Fact, Known, Tenant};
use super::{features, rules, vector};
use crate::domain::text::fold;

/// Shared knowledge, the same for all tenants; made once per process.
#[derive(Debug)]
pub struct Engine {
    #[expect(dead_code, reason = "the next commit reads it")]
    lexicon: Lexicon,
}

impl Engine {
    pub fn new(lexicon: Lexicon) -> Self {
        Self { lexicon }
    }

    /// Makes what the store knows of a tenant ready to decide with.
    pub fn tenant(&self, known: Known) -> Tenant {
        let Known { categories, rules, mut facts, people, threshold } = known;
        facts.sort_by_key(Fact::order);
        facts.drain(..facts.len().saturating_sub(FACTS_MAX));
        let memory = Memory::new(&facts);
        let people =
            people.iter().map(|name| fold(name).split_whitespace().map(str::to_owned).collect()).collect();
        Tenant { categories, rules, threshold, people, facts, memory, personal: Personal::default() }
    }

    /// Learns from one more fact at once; the same as having made the tenant with it.
    pub fn learn(&self, tenant: &mut Tenant, fact: Fact) {
        let at = tenant.facts.partition_point(|it| it.order() < fact.order());
        tenant.facts.insert(at, fact);
        tenant.memory = Memory::new(&tenant.facts);
    }

    /// Takes a fact back; the same as never having heard it.
    pub fn forget(&self, tenant: &mut Tenant, id: Uuid) {
        tenant.facts.retain(|it| it.id != id);
        tenant.memory = Memory::new(&tenant.facts);
    }

    /// What `learn` takes, of a movement the user gave `category_id`.
    pub fn fact(&self, id: Uuid, input: &Input<'_>, category_id: Uuid, at: Timestamp) -> Fact {
        Fact::of(id, input, category_id, at)
    }

    pub fn decide(&self, input: &Input<'_>, tenant: &Tenant) -> Decision {
        let descriptor = Descriptor::read(input.description, input.amount_cents);
        let vector = vector::project(&features::of(&descriptor, input.amount_cents));
        let structure = Structure::of(&descriptor, &tenant.people);
        let choice = rules::find(&tenant.rules, input).map(|rule| Choice {
            category_id: rule.category_id,
            confidence: 1.0,
            source: Source::Rule,
            evidence: Evidence::Rule { name: rule.name.clone() },
        });
        Decision { choice, alternatives: Vec::new(), vector, descriptor, structure }
    }
}
