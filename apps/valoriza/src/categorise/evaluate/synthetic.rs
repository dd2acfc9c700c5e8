//! Invented users with habits: where they buy, how their bank words it, what they call it. Synthetic: it shows how
//! learning works, not how good the engine is on real statements.

mod vocabulary;

use fastrand::Rng;
use jiff::ToSpan;
use jiff::civil::Date;

use super::super::shared::Shared;
use super::sample::{Sample, Truth};
use vocabulary::{BRANDS, CITIES, FIRST, LAST, MONTHLY, NAMES, TRADES, Trade};

const START: Date = Date::constant(2025, 1, 1);
/// Of a hundred merchants, how many have a name that says nothing, and how many are chains.
const OPAQUE: u32 = 35;
const CHAINS: u32 = 20;
/// Of a hundred merchants, how many a user files elsewhere than others would.
const QUIRKS: u32 = 8;
/// Of a hundred movements, how many are Pix with people.
const PEOPLE: u32 = 12;
/// Of a hundred movements with people, how many are with somebody for the only time.
const STRANGERS: u32 = 30;
/// Of a hundred purchases, how many are somewhere new.
const NOVELTY: u32 = 12;

/// Movements of a user in a month, the bills among them.
const PER_MONTH: usize = 60;

/// How a bank words a purchase.
#[derive(Debug, Clone, Copy)]
enum Style {
    Sentence,
    Short,
    Card,
    Machine,
}

struct Merchant {
    name: String,
    category: Shared,
    cents: (i64, i64),
}

/// Users' movements, each user's in the order of time.
pub(super) fn generate(rng: &mut Rng, users: usize, movements: usize) -> Vec<Sample> {
    (0..users).flat_map(|user| User::new(rng, user).live(rng, movements)).collect()
}

struct User {
    number: usize,
    style: Style,
    city: &'static str,
    merchants: Vec<Merchant>,
    people: Vec<Merchant>,
}

fn pick<'a, T>(rng: &mut Rng, among: &'a [T]) -> &'a T {
    &among[rng.usize(..among.len())]
}

fn person(rng: &mut Rng) -> String {
    format!("{} {} {}", pick(rng, FIRST), pick(rng, LAST), pick(rng, LAST))
}

fn category(name: &str) -> Shared {
    Shared::named(name).expect("a default category, as a test says")
}

/// A category of the same kind, any.
fn other(rng: &mut Rng, of: Shared) -> Shared {
    let same: Vec<Shared> = Shared::all().filter(|it| it.kind() == of.kind()).collect();
    *pick(rng, &same)
}

fn merchant(rng: &mut Rng) -> Merchant {
    let weights: u32 = TRADES.iter().map(|it| it.weight).sum();
    let mut at = rng.u32(..weights);
    let trade: &Trade = TRADES
        .iter()
        .find(|it| {
            let here = at < it.weight;
            at = at.saturating_sub(it.weight);
            here
        })
        .unwrap_or(&TRADES[0]);
    let roll = rng.u32(..100);
    let brands = BRANDS.iter().find(|it| it.0 == trade.category).map_or(&[][..], |it| it.1);
    let name = if roll < OPAQUE {
        format!("{} {}", pick(rng, NAMES), pick(rng, LAST)).to_uppercase()
    } else if roll < OPAQUE + CHAINS && !brands.is_empty() {
        (*pick(rng, brands)).to_owned()
    } else {
        format!("{} {}", pick(rng, trade.words), pick(rng, NAMES))
    };
    let usual = category(trade.category);
    let category = if rng.u32(..100) < QUIRKS { other(rng, usual) } else { usual };
    Merchant { name, category, cents: trade.cents }
}

impl User {
    fn new(rng: &mut Rng, number: usize) -> Self {
        let styles = [Style::Sentence, Style::Short, Style::Card, Style::Machine];
        let people = (0..8)
            .map(|_| {
                let names = [
                    "Aluguel",
                    "Salão e barbearia",
                    "Manutenção da casa",
                    "Filhos",
                    "Presentes",
                    "Outras despesas",
                ];
                let category = category(pick::<&str>(rng, &names));
                Merchant { name: person(rng).to_uppercase(), category, cents: (3_000, 40_000) }
            })
            .collect();
        Self {
            number,
            style: *pick(rng, &styles),
            city: pick::<&str>(rng, CITIES),
            merchants: (0..30).map(|_| merchant(rng)).collect(),
            people,
        }
    }

    fn live(mut self, rng: &mut Rng, movements: usize) -> Vec<Sample> {
        let mut samples = Vec::with_capacity(movements);
        let mut month: Vec<Option<usize>> =
            (0..PER_MONTH).map(|at| Some(at).filter(|it| *it < MONTHLY.len())).collect();
        for at in 0..movements {
            if at % PER_MONTH == 0 {
                rng.shuffle(&mut month);
            }
            let months = i32::try_from(at / PER_MONTH).unwrap_or(0);
            let day = i32::try_from(at % PER_MONTH / 2).unwrap_or(0).min(27);
            let date = START.saturating_add(months.months()).saturating_add(day.days());
            let sample = match month[at % PER_MONTH] {
                Some(bill) => self.monthly(rng, &MONTHLY[bill], date),
                None if rng.u32(..100) < PEOPLE => self.pix(rng, date),
                None => self.purchase(rng, date),
            };
            samples.push(sample);
        }
        samples
    }

    fn monthly(&self, rng: &mut Rng, of: &(&str, &str, i64), date: Date) -> Sample {
        let (wording, name, cents) = *of;
        let description = wording.replace("{dd}", &format!("{:02}/{:02}", date.day(), date.month()));
        let amount_cents = cents * rng.i64(90..=110) / 100;
        let truth = Truth::Is(category(name));
        Sample { user: self.number, merchant: wording.to_owned(), description, amount_cents, date, truth }
    }

    fn pix(&self, rng: &mut Rng, date: Date) -> Sample {
        let (name, category) = if rng.u32(..100) < STRANGERS {
            (person(rng).to_uppercase(), other(rng, category("Outras despesas")))
        } else {
            let known = pick(rng, &self.people);
            (known.name.clone(), known.category)
        };
        let (day, month, cents) = (date.day(), date.month(), rng.i64(2_000..60_000));
        let description = match self.style {
            Style::Sentence => format!(
                "Transferência enviada pelo Pix - {name} - •••.{}.{}-•• - BANCO EXEMPLO (0999) Agência: 1 Conta: {}-0",
                rng.u32(100..999),
                rng.u32(100..999),
                rng.u32(10_000..99_999)
            ),
            Style::Short => {
                format!("PIX TRANSF {}{day:02}/{month:02}", name.chars().take(10).collect::<String>())
            }
            Style::Card => format!("PIX ENVIADO {name}"),
            Style::Machine => format!(
                "Pix - Enviado - {day:02}/{month:02} {:02}:{:02} {name}",
                rng.u32(..24),
                rng.u32(..60)
            ),
        };
        Sample {
            user: self.number,
            merchant: name,
            description,
            amount_cents: -cents,
            date,
            truth: Truth::Is(category),
        }
    }

    fn purchase(&mut self, rng: &mut Rng, date: Date) -> Sample {
        if rng.u32(..100) < NOVELTY {
            self.merchants.push(merchant(rng));
        }
        // The square favours the first ones: a few places are gone to often.
        let roll = rng.f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the length")]
        let place = (roll * roll * self.merchants.len() as f64) as usize;
        let bought = &self.merchants[place.min(self.merchants.len() - 1)];
        let cents = rng.i64(bought.cents.0..=bought.cents.1);
        Sample {
            user: self.number,
            merchant: bought.name.clone(),
            description: self.word(rng, &bought.name, date),
            amount_cents: -cents,
            date,
            truth: Truth::Is(bought.category),
        }
    }

    fn word(&self, rng: &mut Rng, name: &str, date: Date) -> String {
        let number = rng.u32(1..2_000);
        match self.style {
            Style::Sentence => format!("Compra no débito - {name}"),
            Style::Short => {
                let cut: String = name.chars().take(18).collect();
                format!("RSHOP-{cut}-{:02}/{:02}", date.day(), date.month())
            }
            Style::Card if rng.u32(..10) == 0 => {
                format!("PARC {:02}/10 {name} {} BRA", rng.u32(1..=10), self.city)
            }
            Style::Card => format!("COMPRA CARTAO {name} {} BRA", self.city),
            Style::Machine => match rng.u32(..4) {
                0 => format!("PAG*{}", name.split(' ').map(title).collect::<String>()),
                1 => format!("MP*{}", name.replace(' ', "")),
                2 => format!("{name} LJ {number}"),
                _ => name.to_owned(),
            },
        }
    }
}

/// "PADARIA" as "Padaria".
fn title(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().into_iter().chain(chars.flat_map(char::to_lowercase)).collect()
}
