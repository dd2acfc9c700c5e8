//! Who is compared: the engine, parts of it, and what others do.

mod baselines;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::super::decision::Source;
use super::super::engine::{CASCADE, Engine};
use super::super::lexicon::Lexicon;
use super::super::tenant::{Fact, Known, Tenant};
use super::sample::{self, Answer, Sample, Truth};
use baselines::{Bayes, LastOfPayee, Majority};

/// A way to categorise.
#[derive(Debug)]
pub struct System {
    pub name: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Majority,
    LastOfPayee,
    Bayes,
    Engine(Box<Engine>),
}

/// A system that learnt from some samples.
pub(super) enum Learner<'a> {
    Majority(Majority),
    LastOfPayee(LastOfPayee),
    Bayes(Bayes),
    Engine(&'a Engine, Box<Tenant>, usize),
}

/// The name of the whole engine in all tables.
pub(super) const ALL: &str = "valoriza";
pub(super) const NO_LEXICON: &str = "valoriza without lexicon";

/// The engine, its parts, and the baselines.
pub(super) fn all(lexicon: &Lexicon) -> Vec<System> {
    use Source::{Lexicon as Listed, Memory, Model, Neighbours, Structure};
    let part =
        |name, sources| System { name, kind: Kind::Engine(Box::new(Engine::with(lexicon.clone(), sources))) };
    let bare = Engine::new(Lexicon::default());
    vec![
        System { name: "majority", kind: Kind::Majority },
        System { name: "last category of payee", kind: Kind::LastOfPayee },
        System { name: "naive Bayes", kind: Kind::Bayes },
        part("rules only (structure + lexicon)", &[Structure, Listed]),
        part("only structure", &[Structure]),
        part("only memory", &[Memory]),
        part("only neighbours", &[Neighbours]),
        part("only lexicon", &[Listed]),
        part("only linear model", &[Model]),
        part("without memory", &[Structure, Neighbours, Listed, Model]),
        part("without neighbours", &[Memory, Structure, Listed, Model]),
        part("without linear model", &[Memory, Structure, Neighbours, Listed]),
        System { name: NO_LEXICON, kind: Kind::Engine(Box::new(bare)) },
        part(ALL, CASCADE),
    ]
}

/// What a user who says what a sample is teaches; `number` tells it from others.
pub(super) fn fact(sample: &Sample, number: usize) -> Option<Fact> {
    let Truth::Is(category) = sample.truth else { return None };
    let at = sample.date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Fact::of(Uuid::from_u128(number as u128), &sample.input(), sample::id(category), at))
}

impl System {
    /// Tells whether it is somebody else's way.
    pub(super) fn is_baseline(&self) -> bool {
        match self.kind {
            Kind::Majority | Kind::LastOfPayee | Kind::Bayes => true,
            Kind::Engine(_) => false,
        }
    }

    /// Learns from a user's samples, in the order of time.
    pub(super) fn learner(&self, train: &[&Sample]) -> Learner<'_> {
        let mut learner = match &self.kind {
            Kind::Majority => Learner::Majority(Majority::default()),
            Kind::LastOfPayee => Learner::LastOfPayee(LastOfPayee::default()),
            Kind::Bayes => Learner::Bayes(Bayes::default()),
            Kind::Engine(engine) => {
                let known = Known { categories: sample::categories(), ..Known::default() };
                Learner::Engine(engine, Box::new(engine.tenant(known)), 0)
            }
        };
        for sample in train {
            learner.learn(sample);
        }
        learner
    }
}

impl Learner<'_> {
    /// Hears what the user says a sample is.
    pub(super) fn learn(&mut self, sample: &Sample) {
        let Truth::Is(category) = sample.truth else { return };
        match self {
            Self::Majority(it) => it.learn(category),
            Self::LastOfPayee(it) => it.learn(sample, category),
            Self::Bayes(it) => it.learn(sample, category),
            Self::Engine(engine, tenant, count) => {
                *count += 1;
                if let Some(fact) = fact(sample, *count) {
                    engine.learn(tenant, fact);
                }
            }
        }
    }

    pub(super) fn answer(&self, sample: &Sample) -> Answer {
        match self {
            Self::Majority(it) => it.answer(),
            Self::LastOfPayee(it) => it.answer(sample),
            Self::Bayes(it) => it.answer(sample),
            Self::Engine(engine, tenant, _) => {
                let decision = engine.decide(&sample.input(), tenant);
                let first = decision.choice.as_ref().or(decision.suggestion());
                Answer {
                    category: first.and_then(|it| sample::shared(it.category_id)),
                    confidence: first.map_or(0.0, |it| it.confidence),
                    applied: decision.choice.is_some(),
                    source: first.map_or("none", |it| it.source.as_str()),
                }
            }
        }
    }
}
