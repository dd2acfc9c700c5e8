use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Place, Turns};

/// The due tasks of a queue, indexed so that the one of least [`super::Rank`] is found without looking at the rest.
#[derive(Debug, Default)]
pub struct Ready {
    levels: BTreeMap<Reverse<i16>, Level>,
    turns: Turns,
    len: usize,
}

/// The due tasks of one priority.
#[derive(Debug, Default)]
struct Level {
    keys: HashMap<Arc<str>, Key>,
    /// Every key once, by when it was served and by its first task.
    order: BTreeSet<(u64, Place, Arc<str>)>,
}

/// The due tasks of one fairness key; at least one.
#[derive(Debug)]
struct Key {
    turn: u64,
    places: BTreeSet<Place>,
}

impl Ready {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn insert(&mut self, priority: i16, key: &Arc<str>, place: Place) {
        let level = self.levels.entry(Reverse(priority)).or_default();
        let turn = match level.take(key) {
            Some(mut known) => {
                self.len += usize::from(known.places.insert(place));
                level.give(key, known);
                return;
            }
            None => self.turns.of(priority, key),
        };
        level.give(key, Key { turn, places: BTreeSet::from([place]) });
        self.len += 1;
    }

    /// Whether it was there.
    pub fn remove(&mut self, priority: i16, key: &Arc<str>, place: Place) -> bool {
        let Some(level) = self.levels.get_mut(&Reverse(priority)) else { return false };
        let Some(mut known) = level.take(key) else { return false };
        let was_there = known.places.remove(&place);
        self.len -= usize::from(was_there);
        level.give(key, known);
        self.drop_if_empty(priority);
        was_there
    }

    /// Takes out the next task; its key has had its turn.
    pub fn pop(&mut self) -> Option<Place> {
        let mut first = self.levels.first_entry()?;
        let Reverse(priority) = *first.key();
        let level = first.get_mut();
        let (_, _, key) = level.order.first()?.clone();
        let mut known = level.take(&key)?;
        let place = known.places.pop_first()?;
        known.turn = self.turns.serve(priority, &key);
        level.give(&key, known);
        self.len -= 1;
        self.drop_if_empty(priority);
        Some(place)
    }

    /// Forgets the tasks, not the turns.
    pub fn clear(&mut self) {
        self.levels.clear();
        self.len = 0;
    }

    fn drop_if_empty(&mut self, priority: i16) {
        if self.levels.get(&Reverse(priority)).is_some_and(|level| level.keys.is_empty()) {
            self.levels.remove(&Reverse(priority));
        }
    }
}

impl Level {
    fn take(&mut self, key: &Arc<str>) -> Option<Key> {
        let known = self.keys.remove(key)?;
        if let Some(first) = known.places.first() {
            self.order.remove(&(known.turn, *first, Arc::clone(key)));
        }
        Some(known)
    }

    fn give(&mut self, key: &Arc<str>, known: Key) {
        if let Some(first) = known.places.first() {
            self.order.insert((known.turn, *first, Arc::clone(key)));
            self.keys.insert(Arc::clone(key), known);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::policy::order::Rank;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(i16, u8, i64),
        Remove(prop::sample::Index),
        Pop,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (-1..2i16, 0..4u8, 0..6i64).prop_map(|(priority, key, at)| Step::Insert(priority, key, at)),
            1 => any::<prop::sample::Index>().prop_map(Step::Remove),
            3 => Just(Step::Pop),
        ];
        prop::collection::vec(step, 0..80)
    }

    fn key(number: u8) -> Arc<str> {
        Arc::from(format!("k{number}"))
    }

    proptest! {
        #[test]
        fn the_index_finds_the_least_rank(steps in steps()) {
            let (mut ready, mut turns) = (Ready::default(), Turns::default());
            let mut plain: Vec<(i16, Arc<str>, Place)> = Vec::new();
            for (created, step) in (0..).zip(steps) {
                match step {
                    Step::Insert(priority, number, at) => {
                        let schedule_time = Timestamp::from_second(at).expect("a time");
                        let place = Place { schedule_time, created };
                        ready.insert(priority, &key(number), place);
                        plain.push((priority, key(number), place));
                    }
                    Step::Remove(index) if !plain.is_empty() => {
                        let (priority, key, place) = plain.remove(index.index(plain.len()));
                        prop_assert!(ready.remove(priority, &key, place));
                        prop_assert!(!ready.remove(priority, &key, place));
                    }
                    Step::Remove(_) => {}
                    Step::Pop => {
                        let rank = |(priority, key, place): &(i16, Arc<str>, Place)| {
                            Rank { priority: Reverse(*priority), turn: turns.of(*priority, key), place: *place }
                        };
                        let next = (0..plain.len()).min_by_key(|&index| rank(&plain[index]));
                        let expected = next.map(|index| plain.remove(index));
                        prop_assert_eq!(ready.pop(), expected.as_ref().map(|(_, _, place)| *place));
                        if let Some((priority, key, _)) = expected {
                            turns.serve(priority, &key);
                        }
                    }
                }
                prop_assert_eq!(ready.len(), plain.len());
            }
        }

        #[test]
        fn keys_with_tasks_are_served_equally_often(counts in prop::collection::vec(1..30u64, 2..6)) {
            let mut ready = Ready::default();
            for (number, count) in (0..).zip(&counts) {
                for created in 0..*count {
                    let created = u64::from(number) * 1000 + created;
                    ready.insert(0, &key(number), Place { schedule_time: Timestamp::UNIX_EPOCH, created });
                }
            }
            let fewest = usize::try_from(*counts.iter().min().expect("two or more")).expect("small");
            let mut served = vec![0; counts.len()];
            for _ in 0..fewest * counts.len() {
                let place = ready.pop().expect("all keys have some left");
                served[usize::try_from(place.created / 1000).expect("small")] += 1;
            }
            prop_assert!(served.iter().all(|&times| times == fewest), "{:?}", served);
        }
    }
}
