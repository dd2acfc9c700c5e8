//! What the user said about exactly this payee.

use std::collections::HashMap;

use uuid::Uuid;

use super::descriptor::{Descriptor, Direction};
use super::tenant::Fact;

/// Facts by payee and by CNPJ, as places in the tenant's list, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    by_payee: HashMap<(Direction, String), Vec<usize>>,
    by_cnpj: HashMap<(Direction, String), Vec<usize>>,
}

/// What memory has to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recall {
    pub category_id: Uuid,
    /// How often the user said this category of it.
    pub times: usize,
    /// This category's part of what was said, the latest weighing most; 0 to 1.
    pub share: f32,
}

/// Of what was said about a payee only this many count, the latest first.
const HEARD_MAX: usize = 8;
/// What each older statement weighs beside the next newer one: two equal ones outweigh a newer one that differs,
/// but not when a person corrects the same payee twice in a row.
const FADE: f32 = 0.8;

impl Memory {
    /// `at`: the fact's place in the list; facts are added oldest first.
    pub fn add(&mut self, at: usize, fact: &Fact) {
        if !fact.payee.is_empty() {
            self.by_payee.entry((fact.direction, fact.payee.clone())).or_default().push(at);
        }
        if let Some(cnpj) = &fact.cnpj {
            self.by_cnpj.entry((fact.direction, cnpj.clone())).or_default().push(at);
        }
    }

    /// Tells whether the same was said of the same payee before.
    pub fn has_heard(&self, fact: &Fact, facts: &[Fact]) -> bool {
        let places = self.by_payee.get(&(fact.direction, fact.payee.clone()));
        places
            .into_iter()
            .flatten()
            .any(|at| facts.get(*at).is_some_and(|it| it.category_id == fact.category_id))
    }

    /// What was said about the payee of `descriptor`: under its CNPJ, else under its name.
    /// `knows` tells whether a category is still there.
    pub fn recall(
        &self,
        descriptor: &Descriptor,
        facts: &[Fact],
        knows: impl Fn(Uuid) -> bool,
    ) -> Option<Recall> {
        let direction = descriptor.direction;
        let by_cnpj = descriptor.cnpj.as_ref().and_then(|cnpj| self.by_cnpj.get(&(direction, cnpj.clone())));
        let places = by_cnpj.or_else(|| self.by_payee.get(&(direction, descriptor.payee.clone())))?;
        let mut said: Vec<(Uuid, f32, usize)> = Vec::new();
        let mut weight = 1.0;
        let mut total = 0.0;
        let latest = places.iter().rev().filter_map(|at| facts.get(*at)).filter(|it| knows(it.category_id));
        for fact in latest.take(HEARD_MAX) {
            match said.iter_mut().find(|it| it.0 == fact.category_id) {
                Some(it) => (it.1, it.2) = (it.1 + weight, it.2 + 1),
                None => said.push((fact.category_id, weight, 1)),
            }
            total += weight;
            weight *= FADE;
        }
        // The first of equals is the one said last.
        let best = said.into_iter().reduce(|best, it| if it.1 > best.1 { it } else { best })?;
        Some(Recall { category_id: best.0, times: best.2, share: best.1 / total })
    }
}
