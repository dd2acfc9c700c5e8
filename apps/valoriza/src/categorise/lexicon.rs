//! Merchants and words everybody knows.
//!
//! Our own lists are in this source. Brands of name-suggestion-index (BSD-3-Clause) come in at run time from the
//! file `apps/valoriza/lexicon` builds; without it only those brands are missing.

mod merchants;
mod words;

use std::collections::HashMap;

use super::descriptor::{Descriptor, Direction};
use super::shared::Shared;
use crate::domain::category::Kind;
use crate::domain::text::fold;
use merchants::MERCHANTS;
use words::WORDS;
pub use words::Weight;

/// What kind of knowledge a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knowledge {
    Word(Weight),
    Merchant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    category: Shared,
    knowledge: Knowledge,
}

/// What was found in a wording.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub category: Shared,
    pub knowledge: Knowledge,
    /// The name or word as it stands in the wording.
    pub found: String,
    /// Another category had about as much for it.
    pub disputed: bool,
}

/// Names and words with their shared categories.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    phrases: HashMap<(Kind, String), Entry>,
    /// Beginnings of words: any ending goes.
    stems: HashMap<(Kind, String), Entry>,
}

/// No phrase has more words.
const PHRASE_WORDS_MAX: usize = 5;
/// Shorter beginnings are those of too many words.
const STEM_CHARS_MIN: usize = 3;
/// A word glued to a name ("PADARIADONABENTA") is recognised from this length.
const GLUED_CHARS_MIN: usize = 6;
/// Hits this close to the best dispute it.
const DISPUTE: i32 = 1;

impl Lexicon {
    /// What this source holds alone.
    pub fn builtin() -> Self {
        let mut lexicon = Self::default();
        for (category, names) in MERCHANTS {
            let category = Shared::named(category).expect("a default category, as a test says");
            for name in *names {
                lexicon.add(name, Entry { category, knowledge: Knowledge::Merchant });
            }
        }
        for (category, weight, words) in WORDS {
            let category = Shared::named(category).expect("a default category, as a test says");
            for word in *words {
                lexicon.add(word, Entry { category, knowledge: Knowledge::Word(*weight) });
            }
        }
        lexicon
    }

    /// Adds brands from the text of lexicon/dist/brands.tsv (name, category); says how many were new.
    /// Lines that are not of that form are left out: a damaged file costs brands, nothing else.
    pub fn add_brands(&mut self, tsv: &str) -> usize {
        let before = self.phrases.len();
        for line in tsv.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let (Some(name), Some(category)) = (fields.next(), fields.next()) else { continue };
            let Some(category) = Shared::named(category) else { continue };
            let name = Descriptor::read(name, -1).payee;
            if name.len() >= STEM_CHARS_MIN {
                self.add(&name, Entry { category, knowledge: Knowledge::Merchant });
            }
        }
        self.phrases.len() - before
    }

    /// What is there first stays, unless a merchant comes where there was a word.
    fn add(&mut self, phrase: &str, entry: Entry) {
        let phrase = fold(phrase);
        let kind = entry.category.kind();
        let put = |map: &mut HashMap<(Kind, String), Entry>, phrase: &str| {
            let old = map.entry((kind, phrase.to_owned())).or_insert(entry);
            if entry.knowledge > old.knowledge {
                *old = entry;
            }
        };
        match phrase.strip_suffix('*') {
            Some(stem) => put(&mut self.stems, stem),
            None => put(&mut self.phrases, &phrase),
        }
    }

    /// How many names and words it knows.
    pub fn len(&self) -> usize {
        self.phrases.len() + self.stems.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The best hit in a wording. Money that came in is looked for among incomes alone, and so the other way.
    pub fn find(&self, descriptor: &Descriptor) -> Option<Hit> {
        let words: Vec<&str> = descriptor.model_text().split(' ').filter(|it| !it.is_empty()).collect();
        let kind = match descriptor.direction {
            Direction::In => Kind::Income,
            Direction::Out => Kind::Expense,
        };
        let mut hits: Vec<(i32, Hit)> = Vec::new();
        for start in 0..words.len() {
            for end in start + 1..=words.len().min(start + PHRASE_WORDS_MAX) {
                let phrase = words[start..end].join(" ");
                if let Some(entry) = self.entry(kind, &phrase) {
                    let score = score(entry.knowledge, start, end - start, phrase.len());
                    let Entry { category, knowledge } = entry;
                    hits.push((score, Hit { category, knowledge, found: phrase, disputed: false }));
                }
            }
        }
        let best = hits.iter().enumerate().max_by_key(|(at, hit)| (hit.0, std::cmp::Reverse(*at)))?.0;
        let (score, hit) = hits.swap_remove(best);
        let disputed = hits.iter().any(|(other, it)| score - other <= DISPUTE && it.category != hit.category);
        Some(Hit { disputed, ..hit })
    }

    fn entry(&self, kind: Kind, phrase: &str) -> Option<Entry> {
        let key = |text: &str| (kind, text.to_owned());
        if let Some(entry) = self.phrases.get(&key(phrase)) {
            return Some(*entry);
        }
        if phrase.contains(' ') {
            return None;
        }
        // Longest beginning first: "pizzaria" before "piz".
        let ends: Vec<usize> = phrase.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        ends.iter().rev().filter(|end| **end >= STEM_CHARS_MIN).find_map(|end| {
            let start = &phrase[..*end];
            let stem = self.stems.get(&key(start)).copied();
            let glued = || {
                let entry = self.phrases.get(&key(start)).filter(|_| *end >= GLUED_CHARS_MIN)?;
                (entry.knowledge == Knowledge::Word(Weight::Trade))
                    .then_some(Entry { knowledge: Knowledge::Word(Weight::Usual), ..*entry })
            };
            stem.or_else(glued)
        })
    }

    /// All it knows, for the model to learn from: phrase, category, knowledge; always in the same order.
    pub(super) fn entries(&self) -> Vec<(&str, Shared, Knowledge)> {
        let all = self.phrases.iter().chain(&self.stems);
        let mut entries: Vec<_> =
            all.map(|((_, phrase), entry)| (phrase.as_str(), entry.category, entry.knowledge)).collect();
        entries.sort_unstable();
        entries
    }
}

/// Names of merchants come first, then the trade; the first word of a business says more than the others, and a
/// phrase more than a word. A short name inside a longer one is probably another's.
fn score(knowledge: Knowledge, start: usize, words: usize, chars: usize) -> i32 {
    let first = i32::from(start == 0);
    let more = i32::try_from(words.min(PHRASE_WORDS_MAX) - 1).unwrap_or(0);
    let base = match knowledge {
        Knowledge::Merchant if words > 1 || (start == 0 && chars >= 4) => 11,
        Knowledge::Merchant if start == 0 || chars >= 6 => 8,
        Knowledge::Merchant => 4,
        Knowledge::Word(Weight::Trade) => 9,
        Knowledge::Word(Weight::Usual) => 5,
        Knowledge::Word(Weight::Hint) => 2,
    };
    base + first + more
}

/// Tells whether a word names a trade, so that who bears it is no person.
pub fn is_business_word(word: &str) -> bool {
    let is = |known: &str| match known.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => known == word,
    };
    WORDS.iter().any(|(_, weight, words)| *weight == Weight::Trade && words.iter().any(|known| is(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_named_is_a_default_one_and_nothing_is_said_twice() {
        let lexicon = Lexicon::builtin();
        assert!(lexicon.len() > 2_000, "{}", lexicon.len());
        let mut seen: HashMap<(Kind, &str), &str> = HashMap::new();
        for (category, names) in MERCHANTS {
            for name in *names {
                let kind = Shared::named(category).unwrap().kind();
                assert_eq!(fold(name), *name);
                assert_eq!(seen.insert((kind, name), category), None, "{name}");
            }
        }
    }

    #[track_caller]
    fn check(description: &str, expected: Option<&str>) {
        let cents = if description.starts_with('+') { 1 } else { -1 };
        let hit = Lexicon::builtin().find(&Descriptor::read(description, cents));
        assert_eq!(hit.as_ref().map(|it| it.category.name()), expected, "{description}: {hit:?}");
    }

    #[test]
    fn merchants_before_words_and_the_longest_wins() {
        check("UBER *EATS", Some("Delivery"));
        check("UBER *TRIP", Some("Aplicativos"));
        check("PADARIA DO ZE", Some("Padaria"));
        check("DROGARIA IPIRANGA", Some("Farmácia"));
        check("POSTO IPIRANGA", Some("Combustível"));
        check("CLINICA VETERINARIA X", Some("Veterinário"));
        check("AUTO ESCOLA X", Some("Cursos"));
        check("PAG*padariadobairro", Some("Padaria"));
        check("KAZUO E FILHOS", None);
        check("+ PADARIA DO ZE", None); // money that came in
        check("+ FREELA", Some("Freelance"));
    }

    #[test]
    fn brands_are_added_and_bad_lines_are_left_out() {
        let mut lexicon = Lexicon::builtin();
        let tsv = "# licence\nPadoca Zás\tPadaria\tBR\nsem categoria\nX\tNada\n\tPadaria\nassai\tCompras\n";
        assert_eq!(lexicon.add_brands(tsv), 1);
        let hit = |text| lexicon.find(&Descriptor::read(text, -1)).unwrap();
        assert_eq!(hit("PADOCA ZÁS").category.name(), "Padaria");
        assert_eq!(hit("ASSAI").category.name(), "Supermercado");
    }
}
