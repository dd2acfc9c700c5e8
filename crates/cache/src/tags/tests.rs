use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Purge(Vec<u8>),
    PurgeAll,
    /// A fill begins whose entry will have these tags.
    Fill(Vec<u8>),
}

/// The purges and fills of a run, in order: an entry is dead once a later step purges it.
fn is_ended_after(steps: &[Step], fill: usize, tags: &[u8]) -> bool {
    steps[fill + 1..].iter().any(|step| match step {
        Step::Purge(purged) => purged.iter().any(|tag| tags.contains(tag)),
        Step::PurgeAll => true,
        Step::Fill(_) => false,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tags = || vec(0_u8..8, 0..4);
    let step = prop_oneof![
        4 => tags().prop_map(Step::Purge),
        1 => Just(Step::PurgeAll),
        4 => tags().prop_map(Step::Fill),
    ];
    vec(step, 0..60)
}

fn named(tags: &[u8]) -> Vec<Tag> {
    tags.iter().map(|&tag| Tag([tag; 16])).collect()
}

/// Runs the steps, and compares every entry with the naive model after each of them.
fn run(steps: &[Step], records_max: usize, compare: impl Fn(bool, bool) -> bool) {
    let mut purges = Purges::new(records_max);
    let mut entries: Vec<(usize, u64, &[u8])> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Purge(tags) => drop(purges.purge(&named(tags))),
            Step::PurgeAll => drop(purges.purge_all()),
            Step::Fill(tags) => entries.push((index, purges.last(), tags)),
        }
        for (fill, number, tags) in &entries {
            let ended = is_ended_after(&steps[..=index], *fill, tags);
            let is_live = purges.is_live(*number, &named(tags));
            assert!(compare(is_live, ended), "the entry of step {fill} after step {index}: {is_live}");
        }
        assert!(purges.len() <= records_max.min(purges.order.len()), "records are bounded");
        assert!(purges.order.len() <= records_max, "their order is bounded");
    }
}

proptest! {
    /// With room for all records, exactly those entries live that the model says.
    #[test]
    fn an_entry_lives_until_one_of_its_tags_is_purged(steps in steps()) {
        run(&steps, 1000, |is_live, ended| is_live != ended);
    }

    /// With little room, entries may die early, but none outlives a purge.
    #[test]
    fn forgetting_a_purge_never_revives_an_entry(steps in steps(), records_max in 0_usize..6) {
        run(&steps, records_max, |is_live, ended| !(is_live && ended));
    }

    /// What begins now is never ended by what was forgotten.
    #[test]
    fn a_new_fill_is_live_whatever_was_purged(steps in steps(), records_max in 0_usize..6) {
        let mut purges = Purges::new(records_max);
        for step in &steps {
            match step {
                Step::Purge(tags) => drop(purges.purge(&named(tags))),
                Step::PurgeAll => drop(purges.purge_all()),
                Step::Fill(tags) => assert!(purges.is_live(purges.last(), &named(tags))),
            }
        }
    }
}

#[test]
fn different_things_have_different_tags() {
    let subject = crate::service::Subject([b'a'; 32]);
    let all = [
        Tag::named("a"),
        Tag::named("b"),
        Tag::path("a"),
        Tag::address("a", ""),
        Tag::address("", "a"),
        Tag::address("a", "/b"),
        Tag::address("a/", "b"),
        Tag::subject(&subject),
        Tag::named(&"a".repeat(32)),
    ];
    let mut different = all.to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), all.len());
}

#[test]
fn spellings_of_a_path_are_purged_together() {
    assert_eq!(Tag::path("/caf%C3%A9/%7Eana"), Tag::path("/café/~ana"));
    assert_ne!(Tag::path("/a"), Tag::path("/A"));
}
