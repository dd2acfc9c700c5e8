//! What the user said once and for all: automations, as far as they set categories.

use uuid::Uuid;

use super::decision::Input;
use super::descriptor::Direction;
use crate::domain::text::fold;

/// What a transaction must be like. Absent parts do not matter; with none at all everything matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Occurs in the description, accents and case aside.
    pub text: Option<String>,
    pub account_id: Option<Uuid>,
    pub direction: Option<Direction>,
    /// Bounds of the amount without its sign, inclusive.
    pub min_cents: Option<i64>,
    pub max_cents: Option<i64>,
}

impl When {
    pub fn matches(&self, input: &Input<'_>) -> bool {
        let cents = input.amount_cents.unsigned_abs();
        let is = |bound: i64| bound.unsigned_abs();
        self.account_id.is_none_or(|id| id == input.account_id)
            && self.direction.is_none_or(|direction| direction == Direction::of(input.amount_cents))
            && self.min_cents.is_none_or(|least| cents >= is(least))
            && self.max_cents.is_none_or(|most| cents <= is(most))
            && self.text.as_ref().is_none_or(|text| fold(input.description).contains(fold(text).trim()))
    }
}

/// An automation that sets a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: Uuid,
    pub name: String,
    pub when: When,
    pub category_id: Uuid,
}

/// The first rule that matches; they come in the user's order, disabled ones left out.
pub fn find<'a>(rules: &'a [Rule], input: &Input<'_>) -> Option<&'a Rule> {
    rules.iter().find(|rule| rule.when.matches(input))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_that_is_there_must_match() {
        let input = Input {
            description: "PÃO DE AÇÚCAR LJ 12",
            amount_cents: -5_000,
            account_id: Uuid::from_u128(1),
            date: jiff::civil::date(2026, 11, 21),
        };
        let check = |when: When, expected| assert_eq!(when.matches(&input), expected, "{when:?}");
        let text = |text: &str| Some(text.to_owned());
        check(When::default(), true);
        check(When { text: text("pao de acucar"), ..When::default() }, true);
        check(When { text: text(" Açúcar "), ..When::default() }, true);
        check(When { text: text("padaria"), ..When::default() }, false);
        check(When { account_id: Some(Uuid::from_u128(2)), ..When::default() }, false);
        check(When { direction: Some(Direction::Out), ..When::default() }, true);
        check(When { direction: Some(Direction::In), ..When::default() }, false);
        check(When { min_cents: Some(5_000), max_cents: Some(5_000), ..When::default() }, true);
        check(When { min_cents: Some(5_001), ..When::default() }, false);
        check(When { text: text("acucar"), max_cents: Some(4_999), ..When::default() }, false);
    }

    #[test]
    fn the_first_that_matches_wins() {
        let rule = |id, text: &str| Rule {
            id: Uuid::from_u128(id),
            name: text.to_owned(),
            when: When { text: Some(text.to_owned()), ..When::default() },
            category_id: Uuid::from_u128(9),
        };
        let rules = [rule(1, "uber eats"), rule(2, "uber"), rule(3, "u")];
        let input = Input {
            description: "UBER *TRIP",
            amount_cents: -1,
            account_id: Uuid::nil(),
            date: jiff::civil::date(2026, 1, 1),
        };
        assert_eq!(find(&rules, &input).map(|it| it.id), Some(Uuid::from_u128(2)));
    }
}
