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
    /// Trained when first needed: 136 ms and 9 MB in a release build, about 2 s in a debug one.
    model: OnceLock<Model>,
    sources: &'static [Source],
}

/// Who is asked after the user's rules, in this order.
pub const CASCADE: &[Source] =
    &[Source::Memory, Source::Structure, Source::Neighbours, Source::Lexicon, Source::Model];

/// What shared knowledge has to say about a person's Pix is a guess at best.
const PRIVATE: f32 = 0.4;

impl Engine {
    pub fn new(lexicon: Lexicon) -> Self {
        Self::with(lexicon, CASCADE)
    }

    /// With some sources only, to measure what each is worth.
    pub fn with(lexicon: Lexicon, sources: &'static [Source]) -> Self {
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
        if self.sources.contains(&Source::Model) && !tenant.memory.has_heard(fact, &tenant.facts) {
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
        let structural = self.sources.contains(&Source::Structure);
        let structure = Structure::of(&descriptor, &tenant.people).filter(|_| structural);
        let asked = Asked { input, descriptor: &descriptor, features: &features, vector: &vector, structure };
        let rule = rules::find(&tenant.rules, input).filter(|it| tenant.categories.has(it.category_id));
        let mut choices: Vec<Choice> = rule.into_iter().map(by_rule).collect();
        let mut choice = choices.first().cloned();
        for source in self.sources {
            if choice.is_some() {
                break;
            }
            let found = self.ask(*source, &asked, tenant);
            choice = found.first().filter(|it| tenant.threshold.admits(it.confidence)).cloned();
            choices.extend(found);
        }
        let alternatives = alternatives(choices, choice.as_ref());
        Decision { choice, alternatives, vector, descriptor, structure }
    }

    /// What one source has to say, the likeliest first. Private movements are not for shared knowledge, nor for
    /// neighbours: two people of one first name have nothing in common.
    fn ask(&self, source: Source, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
        match source {
            Source::Memory => remembered(asked, tenant).into_iter().collect(),
            Source::Structure => structural(asked, tenant).into_iter().collect(),
            Source::Neighbours if !asked.is_private() => near(asked, tenant).into_iter().collect(),
            Source::Lexicon if !asked.is_private() => self.listed(asked, tenant).into_iter().collect(),
            Source::Model if !asked.is_transfer() => self.modelled(asked, tenant),
            Source::User | Source::Rule | Source::Neighbours | Source::Lexicon | Source::Model => Vec::new(),
        }
    }

    fn listed(&self, asked: &Asked<'_>, tenant: &Tenant) -> Option<Choice> {
        let Hit { category, knowledge, found, disputed } = self.lexicon.find(asked.descriptor)?;
        let category_id = tenant.categories.id(category)?;
        let category = tenant.categories.name(category_id).to_owned();
        let evidence = match knowledge {
            Knowledge::Merchant => Evidence::Merchant { name: found.to_uppercase(), category },
            Knowledge::Word(_) => Evidence::Word { word: found, category },
        };
        let confidence = threshold::lexicon(knowledge, disputed);
        Some(Choice { category_id, confidence, source: Source::Lexicon, evidence })
    }

    fn modelled(&self, asked: &Asked<'_>, tenant: &Tenant) -> Vec<Choice> {
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

    fn is_transfer(&self) -> bool {
        self.structure.is_some_and(Structure::is_transfer)
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

fn remembered(asked: &Asked<'_>, tenant: &Tenant) -> Option<Choice> {
    let knows = |id| tenant.categories.has(id);
    let recall = tenant.memory.recall(asked.descriptor, &tenant.facts, knows)?;
    Some(Choice {
        category_id: recall.category_id,
        confidence: threshold::memory(recall.times, recall.share),
        source: Source::Memory,
        evidence: Evidence::Memory {
            payee: asked.descriptor.model_text().to_owned(),
            category: tenant.categories.name(recall.category_id).to_owned(),
            times: recall.times,
        },
    })
}

fn structural(asked: &Asked<'_>, tenant: &Tenant) -> Option<Choice> {
    let Some(Structure::Means { what, category }) = asked.structure else { return None };
    Some(Choice {
        category_id: tenant.categories.id(category)?,
        confidence: threshold::STRUCTURE,
        source: Source::Structure,
        evidence: Evidence::Structure { what, text: asked.descriptor.text.clone() },
    })
}

fn near(asked: &Asked<'_>, tenant: &Tenant) -> Option<Choice> {
    let query = Query {
        vector: asked.vector,
        direction: asked.descriptor.direction,
        amount_cents: asked.input.amount_cents,
    };
    let vote = neighbours::vote(&query, &tenant.facts, |id| tenant.categories.has(id))?;
    Some(Choice {
        category_id: vote.category_id,
        confidence: threshold::neighbours(vote.strength),
        source: Source::Neighbours,
        evidence: Evidence::Neighbours {
            nearest: vote.nearest,
            category: tenant.categories.name(vote.category_id).to_owned(),
            count: vote.count,
        },
    })
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
