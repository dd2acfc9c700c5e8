use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;

use super::super::rules::{Rule, When};
use super::super::shared::Shared;
use super::super::threshold::Threshold;
use super::*;
use crate::domain::category::{DEFAULTS, Node};

/// Training takes a second in a debug build; all tests share one.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(Lexicon::builtin()));

/// Every default category, and one of the tenant's own.
fn categories() -> Categories {
    let mut nodes = Vec::new();
    let mut add = |name: &str, kind, parent_id| {
        let id = Uuid::from_u128(nodes.len() as u128 + 1);
        nodes.push(Node { id, parent_id, name: name.to_owned(), kind, color: String::new() });
        id
    };
    for default in DEFAULTS {
        let id = add(default.name, default.kind, None);
        for child in default.children {
            add(child, default.kind, Some(id));
        }
    }
    add("Sítio", crate::domain::category::Kind::Expense, None);
    Categories::new(&nodes)
}

fn id(name: &str) -> Uuid {
    categories().id(Shared::named(name).unwrap()).unwrap()
}

fn own() -> Uuid {
    Uuid::from_u128(Shared::count() as u128 + 1)
}

fn known() -> Known {
    Known { categories: categories(), people: vec!["Ana Souza".to_owned()], ..Known::default() }
}

fn input(description: &str, amount_cents: i64) -> Input<'_> {
    Input { description, amount_cents, account_id: Uuid::nil(), date: date(2026, 11, 21) }
}

fn fact(number: u128, description: &str, cents: i64, category: Uuid) -> Fact {
    let at = Timestamp::from_second(1_700_000_000 + i64::try_from(number).unwrap() * 86_400).unwrap();
    Fact::of(Uuid::from_u128(number), &input(description, cents), category, at)
}

#[track_caller]
fn check(tenant: &Tenant, description: &str, cents: i64, expected: Option<(&str, Source, &str)>) {
    let decision = ENGINE.decide(&input(description, cents), tenant);
    let said = decision.choice.as_ref().map(|it| {
        let name = tenant.categories.name(it.category_id).to_owned();
        (name, it.source, it.evidence.reason())
    });
    let expected = expected.map(|(name, source, reason)| (name.to_owned(), source, reason.to_owned()));
    assert_eq!(said, expected, "{description}: {decision:#?}");
}

#[test]
fn without_facts_shared_knowledge_decides_or_asks() {
    let tenant = ENGINE.tenant(known());
    let check = |description, cents, expected| check(&tenant, description, cents, expected);
    check(
        "TARIFA PACOTE SERVICOS",
        -2_950,
        Some(("Tarifas bancárias", Source::Structure, "Tarifa bancária pelo texto TARIFA PACOTE SERVICOS")),
    );
    check("IFD*LOJA X", -4_000, Some(("Delivery", Source::Lexicon, "IFOOD costuma ser Delivery")));
    check("PADARIA DO LARGO", -900, Some(("Padaria", Source::Lexicon, "“PADARIA” costuma ser Padaria")));
    check("PIX ENVIADO CARLA DIAS", -9_000, None);
    check("KAZUO E FILHOS", -9_000, None);
    let own = ENGINE.decide(&input("PIX ENVIADO ANA SOUZA", -100), &tenant);
    assert!(own.is_transfer() && own.choice.is_none() && own.suggestion().is_none());
}

#[test]
fn what_the_user_said_comes_before_what_everybody_knows() {
    let delivery = id("Delivery");
    let facts = (1..=3).map(|number| fact(number, "PIX ENVIADO CARLA DIAS", -9_000, own()));
    let more =
        [fact(4, "IFD*LOJA X", -4_000, id("Restaurantes")), fact(5, "KAZUO E FILHOS", -9_000, delivery)];
    let tenant = ENGINE.tenant(Known { facts: facts.chain(more).collect(), ..known() });
    let check = |description, cents, expected| check(&tenant, description, cents, expected);
    check(
        "Pix - Enviado - 01/12 10:00 Carla Dias",
        -100,
        Some(("Sítio", Source::Memory, "Porque você categorizou CARLA DIAS como Sítio 3 vezes")),
    );
    check(
        "IFOOD *OUTRA LOJA",
        -100,
        Some(("Restaurantes", Source::Memory, "Porque você categorizou IFOOD como Restaurantes")),
    );
    check("PIX RECEBIDO CARLA DIAS", 100, None); // the other way
}

#[test]
fn a_cnpj_is_remembered_under_any_name() {
    let facts = vec![fact(1, "PIX LOJA AZUL 11.222.333/0001-81", -100, own())];
    let tenant = ENGINE.tenant(Known { facts, ..known() });
    let decision = ENGINE.decide(&input("PGTO AZUL COMERCIO 11222333000181", -100), &tenant);
    assert_eq!(decision.choice.map(|it| it.category_id), Some(own()));
}

#[test]
fn of_contradictory_statements_the_majority_counts_and_of_equal_ones_the_latest() {
    let [a, b] = [id("Delivery"), id("Restaurantes")];
    let check = |said: &[Uuid], expected| {
        let facts = said.iter().enumerate().map(|(at, it)| fact(at as u128 + 1, "KAZUO", -1, *it)).collect();
        let tenant = ENGINE.tenant(Known { facts, ..known() });
        let asked = ENGINE.decide(&input("KAZUO", -1), &tenant);
        let first = asked.choice.as_ref().or(asked.suggestion()).map(|it| it.category_id);
        assert_eq!(first, Some(expected), "{said:?}");
    };
    check(&[a, b], b);
    check(&[b, a], a);
    check(&[a, a, b], a);
    check(&[a, a, b, b], b);
}

#[test]
fn a_category_that_is_gone_is_not_answered() {
    let gone = Uuid::from_u128(999);
    let rules = vec![Rule { id: gone, name: "x".to_owned(), when: When::default(), category_id: gone }];
    let facts = vec![fact(1, "KAZUO", -1, gone)];
    let tenant = ENGINE.tenant(Known { rules, facts, ..known() });
    let decision = ENGINE.decide(&input("KAZUO", -1), &tenant);
    assert!(decision.choice.iter().chain(&decision.alternatives).all(|it| it.category_id != gone));
}

const WORDS: &[&str] = &[
    "PADARIA ESTRELA",
    "KAZUO",
    "IFD*LOJA",
    "PIX ENVIADO CARLA DIAS",
    "MERCADO AZUL",
    "POSTO 7",
    "XYZ 123",
    "TARIFA TED",
    "NOVA ERA",
    "PIX",
    "",
];

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let one = (0..WORDS.len(), -50_000_i64..50_000, 1_u128..60);
    prop::collection::vec(one, 0..12).prop_map(|all| {
        let facts = all.into_iter().enumerate();
        facts
            .map(|(at, (word, cents, category))| {
                fact(at as u128 + 1, WORDS[word], cents, Uuid::from_u128(category))
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn deciding_is_deterministic_and_confidences_are_probabilities(facts in facts(), word in 0..WORDS.len(), cents in -9_000_i64..9_000) {
        let mut shuffled = facts.clone();
        shuffled.reverse();
        let [one, other] = [facts, shuffled].map(|facts| {
            ENGINE.decide(&input(WORDS[word], cents), &ENGINE.tenant(Known { facts, ..known() }))
        });
        prop_assert_eq!(&one, &other);
        prop_assert!(one.alternatives.len() <= ALTERNATIVES_MAX);
        for choice in one.choice.iter().chain(&one.alternatives) {
            prop_assert!((0.0..=1.0).contains(&choice.confidence));
        }
        prop_assert!(one.choice.iter().all(|it| Threshold::default().admits(it.confidence)));
    }

    #[test]
    fn learning_then_taking_back_restores_the_decision(facts in facts(), word in 0..WORDS.len(), at in 0_u128..40, category in 1_u128..60) {
        let mut tenant = ENGINE.tenant(Known { facts, ..known() });
        let asked = input(WORDS[word], -100);
        let before = ENGINE.decide(&asked, &tenant);
        let new = Fact { id: Uuid::from_u128(1_000), ..fact(at, WORDS[word], -100, Uuid::from_u128(category)) };
        ENGINE.learn(&mut tenant, new.clone());
        let all = tenant.facts().to_vec();
        prop_assert_eq!(ENGINE.decide(&asked, &tenant), ENGINE.decide(&asked, &ENGINE.tenant(Known { facts: all, ..known() })));
        ENGINE.forget(&mut tenant, new.id);
        prop_assert_eq!(ENGINE.decide(&asked, &tenant), before);
    }

    #[test]
    fn a_users_rule_always_wins(facts in facts(), word in 0..WORDS.len(), category in 1_u128..60) {
        let category_id = Uuid::from_u128(category);
        let rules = vec![Rule { id: Uuid::nil(), name: "minha".to_owned(), when: When::default(), category_id }];
        let tenant = ENGINE.tenant(Known { rules, facts, ..known() });
        let choice = ENGINE.decide(&input(WORDS[word], -100), &tenant).choice.unwrap();
        prop_assert_eq!((choice.category_id, choice.source, choice.confidence), (category_id, Source::Rule, 1.0));
    }
}
