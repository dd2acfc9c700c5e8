//! The cascade.

use std::sync::OnceLock;

use uuid::Uuid;

use super::decision::{ALTERNATIVES_MAX, Choice, Decision, Evidence, Input, Source};
use super::descriptor::Descriptor;
use super::features::{self, Features};
use super::lexicon::{Hit, Knowledge, Lexicon};
use super::memory::Memory;
use super::model::{Model, Personal};
use super::neighbours::{self, Query};
use super::rules;
use super::shared::Categories;
use super::structure::Structure;
use super::tenant::{FACTS_MAX, Fact, Known, Tenant};
use super::{threshold, vector};
use crate::domain::text::fold;

/// Shared knowledge, the same for all tenants; made once per process.
#[derive(Debug)]
pub struct Engine {
    lexicon: Lexicon,
    /// Trained when first needed: 0.1 s in a release build, seconds in a debug one.
    model: OnceLock<Model>,
    sources: Sources,
}

/// Which sources are asked; all, but where their worth is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources {
    pub memory: bool,
    pub structure: bool,
    pub neighbours: bool,
    pub lexicon: bool,
    pub model: bool,
}

impl Sources {
    pub const ALL: Self =
        Self { memory: true, structure: true, neighbours: true, lexicon: true, model: true };
    pub const NONE: Self =
        Self { memory: false, structure: false, neighbours: false, lexicon: false, model: false };
}

/// What shared knowledge has to say about a person's Pix is a guess at best.
const PRIVATE: f32 = 0.4;

impl Engine {
    pub fn new(lexicon: Lexicon) -> Self {
        Self::with(lexicon, Sources::ALL)
    }

    pub fn with(lexicon: Lexicon, sources: Sources) -> Self {
        Self { lexicon, model: OnceLock::new(), sources }
    }

    fn model(&self) -> &Model {
        self.model.get_or_init(|| Model::train(&self.lexicon))
    }

    /// Trains the shared model now instead of at the first question; says how many n-grams it knows.
    pub fn warm(&self) -> usize {
        self.model().rows()
    }

    /// Makes what the store knows of a tenant ready to decide with.
    pub fn tenant(&self, known: Known) -> Tenant {
        let Known { categories, rules, mut facts, people, threshold } = known;
        facts.sort_by_key(Fact::order);
        facts.drain(..facts.len().saturating_sub(FACTS_MAX));
        let words = |name: &String| fold(name).split_whitespace().map(str::to_owned).collect();
        let people = people.iter().map(words).collect();
        let (memory, personal) = (Memory::default(), Personal::default());
        let mut tenant = Tenant { categories, rules, threshold, people, facts, memory, personal };
        self.relearn(&mut tenant);
        tenant
    }

    /// Learns one more fact at once: the same as having made the tenant with it.
    pub fn learn(&self, tenant: &mut Tenant, fact: Fact) {
        let latest = tenant.facts.last().is_none_or(|last| last.order() < fact.order());
        if latest && tenant.facts.len() < FACTS_MAX {
            tenant.facts.push(fact);
            self.take_in(tenant, tenant.facts.len() - 1);
        } else {
            tenant.facts.push(fact);
            tenant.facts.sort_by_key(Fact::order);
            tenant.facts.drain(..tenant.facts.len().saturating_sub(FACTS_MAX));
            self.relearn(tenant);
        }
    }

    /// Takes a fact back: the same as never having heard it.
    pub fn forget(&self, tenant: &mut Tenant, id: Uuid) {
        tenant.facts.retain(|it| it.id != id);
        self.relearn(tenant);
    }

    fn relearn(&self, tenant: &mut Tenant) {
        tenant.memory = Memory::default();
        tenant.personal = Personal::default();
        for at in 0..tenant.facts.len() {
            self.take_in(tenant, at);
        }
    }

    /// Takes in the fact at a place, all before it being known.
    fn take_in(&self, tenant: &mut Tenant, at: usize) {
        let fact = &tenant.facts[at];
        // What repeats itself is memory's; the model is to learn what payees have in common.
        if self.sources.model && !tenant.memory.has_heard(fact, &tenant.facts) {
            let descriptor = Descriptor::read(&fact.text, fact.amount_cents);
            let features = features::of(&descriptor, fact.amount_cents);
            let shared = self.chances(&descriptor, &features, &tenant.categories);
            tenant.personal.learn(&features, fact.category_id, &shared);
        }
        tenant.memory.add(at, fact);
    }

    /// What `description` is for this tenant. The same question always gets the same answer.
    pub fn decide(&self, input: &Input<'_>, tenant: &Tenant) -> Decision {
        let descriptor = Descriptor::read(input.description, input.amount_cents);
        let features = features::of(&descriptor, input.amount_cents);
        let vector = vector::project(&features);
        let structure = Structure::of(&descriptor, &tenant.people).filter(|_| self.sources.structure);
        let asked = Asked { input, descriptor: &descriptor, features: &features, vector: &vector, structure };
        let rule = rules::find(&tenant.rules, input).filter(|it| tenant.categories.has(it.category_id));
        let mut choices: Vec<Choice> = rule.into_iter().map(by_rule).collect();
        let mut choice = choices.first().cloned();
        // What follows is asked only until one is sure enough, but for the model when people are to choose.
        let sources: [fn(&Self, &Asked<'_>, &Tenant) -> Vec<Choice>; 5] =
            [Self::remembered, Self::structural, Self::near, Self::listed, Self::modelled];
        for ask in sources {
            if choice.is_some() {
                break;
            }
            let found = ask(self, &asked, tenant);
            choice = found.first().filter(|it| tenant.threshold.admits(it.confidence)).cloned();
            choices.extend(found);
        }
        let alternatives = alternatives(choices, choice.as_ref());
        Decision { choice, alternatives, vector, descriptor, structure }
    }

    fn remembered(&self, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
        let knows = |id| tenant.categories.has(id);
        let recall =
            tenant.memory.recall(asked.descriptor, &tenant.facts, knows).filter(|_| self.sources.memory);
        let choice = recall.map(|it| Choice {
            category_id: it.category_id,
            confidence: threshold::memory(it.times, it.share),
            source: Source::Memory,
            evidence: Evidence::Memory {
                payee: asked.descriptor.model_text().to_owned(),
                category: tenant.categories.name(it.category_id).to_owned(),
                times: it.times,
            },
        });
        choice.into_iter().collect()
    }

    fn structural(&self, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
        let Some(Structure::Means { what, category }) = asked.structure else { return Vec::new() };
        let choice = tenant.categories.id(category).map(|category_id| Choice {
            category_id,
            confidence: threshold::STRUCTURE,
            source: Source::Structure,
            evidence: Evidence::Structure { what, text: asked.descriptor.text.clone() },
        });
        choice.into_iter().collect()
    }

    fn near(&self, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
        if asked.is_private() || !self.sources.neighbours {
            return Vec::new();
        }
        let query = Query {
            vector: asked.vector,
            direction: asked.descriptor.direction,
            amount_cents: asked.input.amount_cents,
        };
        let vote = neighbours::vote(&query, &tenant.facts, |id| tenant.categories.has(id));
        let choice = vote.map(|it| Choice {
            category_id: it.category_id,
            confidence: threshold::neighbours(it.strength),
            source: Source::Neighbours,
            evidence: Evidence::Neighbours {
                nearest: it.nearest,
                category: tenant.categories.name(it.category_id).to_owned(),
                count: it.count,
            },
        });
        choice.into_iter().collect()
    }

    fn listed(&self, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
        if asked.is_private() || !self.sources.lexicon {
            return Vec::new();
        }
        let choice = self.lexicon.find(asked.descriptor).and_then(|hit| {
            let category_id = tenant.categories.id(hit.category)?;
            let category = tenant.categories.name(category_id).to_owned();
            let Hit { knowledge, found, disputed, .. } = hit;
            let evidence = match knowledge {
                Knowledge::Merchant => Evidence::Merchant { name: found.to_uppercase(), category },
                Knowledge::Word(_) => Evidence::Word { word: found, category },
            };
            let confidence = threshold::lexicon(knowledge, disputed);
            Some(Choice { category_id, confidence, source: Source::Lexicon, evidence })
        });
        choice.into_iter().collect()
    }

    fn modelled(&self, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
        if asked.structure.is_some_and(Structure::is_transfer) || !self.sources.model {
            return Vec::new();
        }
        let shared = self.chances(asked.descriptor, asked.features, &tenant.categories);
        let mut chances = tenant.personal.predict(asked.features, &shared);
        chances.retain(|(id, _)| tenant.categories.has(*id));
        chances.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let worth = if asked.is_private() { PRIVATE } else { 1.0 };
        chances
            .into_iter()
            .take(ALTERNATIVES_MAX)
            .map(|(category_id, chance)| Choice {
                category_id,
                confidence: threshold::model(chance) * worth,
                source: Source::Model,
                evidence: Evidence::Model {
                    text: asked.descriptor.model_text().to_owned(),
                    category: tenant.categories.name(category_id).to_owned(),
                },
            })
            .collect()
    }

    /// How likely the shared model finds each category the tenant has; shared ones it lacks count for what it
    /// has instead.
    fn chances(
        &self,
        descriptor: &Descriptor,
        features: &Features,
        categories: &Categories,
    ) -> Vec<(Uuid, f32)> {
        let mut chances: Vec<(Uuid, f32)> = Vec::new();
        for (shared, chance) in self.model().predict(descriptor, features) {
            let Some(id) = categories.id(shared) else { continue };
            match chances.iter_mut().find(|it| it.0 == id) {
                Some(it) => it.1 += chance,
                None => chances.push((id, chance)),
            }
        }
        chances
    }
}

/// A question, with what was made of it.
struct Asked<'a> {
    input: &'a Input<'a>,
    descriptor: &'a Descriptor,
    features: &'a Features,
    vector: &'a [f32],
    structure: Option<Structure>,
}

impl Asked<'_> {
    fn is_private(&self) -> bool {
        self.structure.is_some_and(Structure::is_private)
    }
}

fn by_rule(rule: &rules::Rule) -> Choice {
    Choice {
        category_id: rule.category_id,
        confidence: 1.0,
        source: Source::Rule,
        evidence: Evidence::Rule { name: rule.name.clone() },
    }
}

/// Each category once, the likeliest first, without the one chosen.
fn alternatives(mut choices: Vec<Choice>, chosen: Option<&Choice>) -> Vec<Choice> {
    choices.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut best: Vec<Choice> = Vec::with_capacity(ALTERNATIVES_MAX);
    for choice in choices {
        let there = best.iter().chain(chosen).any(|it| it.category_id == choice.category_id);
        if !there && best.len() < ALTERNATIVES_MAX {
            best.push(choice);
        }
    }
    best
}

#[cfg(test)]
mod tests;
