//! What the shared model learns from: the lexicon's names and words, put as businesses put them.

use fastrand::Rng;

use super::super::descriptor::Descriptor;
use super::super::features::{self, Features};
use super::super::lexicon::{Knowledge, Lexicon, Weight};
use super::super::shared::Shared;
use super::super::structure;
use crate::domain::category::Kind;

pub(super) struct Example {
    pub features: Features,
    pub category: Shared,
}

/// What stands beside the word in the names of businesses and says nothing about them.
const FILLERS: &[&str] = &[
    "sao jose",
    "santa maria",
    "central",
    "do bairro",
    "silva",
    "avenida",
    "nova era",
    "bom jesus",
    "irmaos lima",
    "do carlos",
    "da ana",
    "primavera",
    "brasil",
    "ideal",
    "do vale",
    "sol nascente",
    "santo antonio",
    "boa vista",
    "uniao",
    "alvorada",
    "moderna",
    "do centro",
    "santos",
    "dois irmaos",
    "estrela",
    "progresso",
    "oliveira",
    "imperial",
    "da serra",
    "bela vista",
    "popular",
    "vitoria",
    "real",
    "do povo",
    "jardim",
    "ouro verde",
    "paulista",
    "mineira",
    "do nordeste",
    "nossa senhora",
];
/// A movement's usual size; the model is not to learn amounts from what has none.
const CENTS: [i64; 6] = [1_500, 4_000, 8_000, 15_000, 30_000, 90_000];

/// The same lexicon and seed give the same examples, in the same order.
pub(super) fn examples(lexicon: &Lexicon, rng: &mut Rng) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut add = |rng: &mut Rng, text: &str, category: Shared| {
        let cents = CENTS[rng.usize(..CENTS.len())];
        let cents = if category.kind() == Kind::Income { cents } else { -cents };
        let features = features::of(&Descriptor::read(text, cents), cents);
        examples.push(Example { features, category });
    };
    for (phrase, category, knowledge) in lexicon.entries() {
        let turns = match knowledge {
            Knowledge::Merchant => 0,
            Knowledge::Word(Weight::Trade) => 3,
            Knowledge::Word(Weight::Usual) => 2,
            Knowledge::Word(Weight::Hint) => 1,
        };
        add(rng, phrase, category);
        for turn in 0..turns {
            let filler = FILLERS[rng.usize(..FILLERS.len())];
            // The last turn cuts the word short, as banks do.
            let cut = if turn == 2 { cut(phrase) } else { phrase };
            let text = if turn == 1 { format!("{filler} {cut}") } else { format!("{cut} {filler}") };
            add(rng, &text, category);
        }
    }
    for (text, category) in structure::wordings() {
        add(rng, &text, category);
    }
    rng.shuffle(&mut examples);
    examples
}

/// Without its last third, of words long enough to be recognised so.
fn cut(phrase: &str) -> &str {
    if phrase.len() < 8 || !phrase.is_ascii() { phrase } else { phrase[..phrase.len() * 2 / 3].trim_end() }
}
