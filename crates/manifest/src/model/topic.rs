//! Events: `[topics.NAME]` and `[subscriptions.NAME]`.

use super::queue::Queue;

/// `[topics.NAME]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topic {
    pub outbox: Option<Outbox>,
    /// The attribute whose values take turns.
    pub fair: Option<String>,
}

/// `outbox = { … }` of a topic: the table an application writes its events into.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    /// A key in [`super::Manifest::databases`].
    pub database: String,
    /// A plain name, perhaps with a schema in front.
    pub table: String,
}

/// `[subscriptions.NAME]`
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// A key in [`super::Manifest::topics`].
    pub topic: String,
    /// Wants messages whose attribute `topic` fits one of these; all if there are none.
    pub only: Vec<Pattern>,
    /// Its own queue, which has a target.
    pub queue: Queue,
}

/// The name of a subscription's queue.
pub fn queue_of(subscription: &str) -> String {
    format!("subscription-{subscription}")
}

/// `order.paid`, or `order.*`: whatever begins with `order.`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(String);

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn fits(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == self.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_is_any_rest() {
        let check = |pattern, name, expected| {
            assert_eq!(Pattern::new(pattern).fits(name), expected, "{pattern} {name}");
        };
        check("order.paid", "order.paid", true);
        check("order.paid", "order.paids", false);
        check("order.*", "order.paid", true);
        check("order.*", "order", false);
        check("*", "", true);
    }
}
