//! What a tenant's facts add to the shared model: a correction of its scores, over the tenant's own categories.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::features::Features;
use super::softmax;

/// Sparse: n-grams of the tenant's facts, one column per category they were about.
#[derive(Debug, Clone, Default)]
pub struct Personal {
    classes: Vec<Uuid>,
    rows: HashMap<u32, Vec<f32>>,
}

/// How far one fact moves the scores, in logits.
const STEP: f32 = 1.5;
/// A fact that is expected with this chance teaches nothing: most facts repeat what is known.
const KNOWN: f32 = 0.9;
/// What the shared model thinks of a category it has no name for.
const UNKNOWN: f32 = 0.002;

impl Personal {
    /// `shared`: how likely the shared model finds each of the tenant's categories.
    pub fn predict(&self, features: &Features, shared: &[(Uuid, f32)]) -> Vec<(Uuid, f32)> {
        let mut categories: Vec<Uuid> = shared.iter().map(|it| it.0).collect();
        let mut scores: Vec<f32> = shared.iter().map(|it| it.1.max(UNKNOWN).ln()).collect();
        let places: Vec<usize> = self
            .classes
            .iter()
            .map(|class| {
                categories.iter().position(|it| it == class).unwrap_or_else(|| {
                    categories.push(*class);
                    scores.push(UNKNOWN.ln());
                    categories.len() - 1
                })
            })
            .collect();
        for (bucket, value) in features.entries() {
            for (weight, place) in self.rows.get(bucket).into_iter().flatten().zip(&places) {
                scores[*place] += value * weight;
            }
        }
        softmax(&mut scores);
        categories.into_iter().zip(scores).collect()
    }

    /// Moves towards one fact: a single step, so that learning one by one and all at once are the same.
    pub fn learn(&mut self, features: &Features, category: Uuid, shared: &[(Uuid, f32)]) {
        let chances = self.predict(features, shared);
        let chance = |wanted: Uuid| chances.iter().find(|it| it.0 == wanted).map_or(0.0, |it| it.1);
        if chance(category) >= KNOWN {
            return;
        }
        for (class, _) in chances.iter().filter(|it| it.1 > super::NEGLIGIBLE || it.0 == category) {
            if !self.classes.contains(class) {
                self.classes.push(*class);
            }
        }
        let gradient: Vec<f32> = self
            .classes
            .iter()
            .map(|class| STEP * (f32::from(u8::from(*class == category)) - chance(*class)))
            .collect();
        for (bucket, value) in features.entries() {
            let row = self.rows.entry(*bucket).or_default();
            row.resize(gradient.len(), 0.0);
            for (weight, step) in row.iter_mut().zip(&gradient) {
                *weight += step * value;
            }
        }
    }
}
