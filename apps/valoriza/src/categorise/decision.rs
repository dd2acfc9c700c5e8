//! What the engine is asked and what it answers.

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::descriptor::Descriptor;
use super::structure::Structure;

/// A movement of money to be categorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<'a> {
    /// As the bank worded it; cleaned here, never kept raw.
    pub description: &'a str,
    /// Negative: money out.
    pub amount_cents: i64,
    pub account_id: Uuid,
    pub date: Date,
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CategorisedBy)]
pub enum Source {
    /// A person, by hand. The engine itself never answers this.
    User,
    /// An automation of the user's.
    Rule,
    /// The same payee was categorised before.
    Memory,
    /// The bank's wording says what it is.
    Structure,
    /// Similar transactions of the same tenant.
    Neighbours,
    /// A merchant or word everybody knows.
    Lexicon,
    /// The linear model.
    Model,
}

impl Source {
    pub const ALL: [Self; 7] =
        [Self::User, Self::Rule, Self::Memory, Self::Structure, Self::Neighbours, Self::Lexicon, Self::Model];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Rule => "rule",
            Self::Memory => "memory",
            Self::Structure => "structure",
            Self::Neighbours => "neighbours",
            Self::Lexicon => "lexicon",
            Self::Model => "model",
        }
    }

    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Why: what people are shown, in their words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    Rule { name: String },
    Memory { payee: String, category: String, times: usize },
    Structure { what: &'static str, text: String },
    Neighbours { nearest: String, category: String, count: usize },
    Merchant { name: String, category: String },
    Word { word: String, category: String },
    Model { text: String, category: String },
}

impl Evidence {
    /// The sentence shown to people, in Portuguese.
    pub fn reason(&self) -> String {
        match self {
            Self::Rule { name } => format!("Pela sua automação “{name}”"),
            Self::Memory { payee, category, times: 1 } => {
                format!("Porque você categorizou {} como {category}", payee.to_uppercase())
            }
            Self::Memory { payee, category, times } => {
                format!("Porque você categorizou {} como {category} {times} vezes", payee.to_uppercase())
            }
            Self::Structure { what, text } => format!("{what} pelo texto {}", text.to_uppercase()),
            Self::Neighbours { nearest, category, count: 1 } => {
                format!("Parecido com {}, que você categorizou como {category}", nearest.to_uppercase())
            }
            Self::Neighbours { nearest, category, count } => {
                format!(
                    "Parecido com {} e mais {}, que você categorizou como {category}",
                    nearest.to_uppercase(),
                    count - 1
                )
            }
            Self::Merchant { name, category } => format!("{name} costuma ser {category}"),
            Self::Word { word, category } => format!("“{}” costuma ser {category}", word.to_uppercase()),
            Self::Model { text, category } => format!("“{}” lembra {category}", text.to_uppercase()),
        }
    }
}

/// A category with who says so and how sure they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub category_id: Uuid,
    /// The share of such answers that were right where it was measured, 0 to 1.
    pub confidence: f32,
    pub source: Source,
    pub evidence: Evidence,
}

/// How many further categories are offered.
pub const ALTERNATIVES_MAX: usize = 3;

#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What may be applied without asking. None: ask, and offer the first alternative.
    pub choice: Option<Choice>,
    /// What else it could be, likeliest first, at most [`ALTERNATIVES_MAX`], without `choice`.
    pub alternatives: Vec<Choice>,
    /// Where it is among all wordings; see [`super::vector`].
    pub vector: Vec<f32>,
    pub descriptor: Descriptor,
    /// What the wording alone says about it.
    pub structure: Option<Structure>,
}

impl Decision {
    /// What to propose where it was not sure enough to apply it.
    pub fn suggestion(&self) -> Option<&Choice> {
        if self.choice.is_some() { None } else { self.alternatives.first() }
    }

    /// Tells whether it is money moved between the user's own accounts, which no category fits.
    pub fn is_transfer(&self) -> bool {
        self.structure.is_some_and(Structure::is_transfer)
    }
}
