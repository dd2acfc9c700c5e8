use crate::Availability;

/// What there is to know about one instance when a request looks for a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidate {
    pub availability: Availability,
    /// Connections to it fail at the moment; another instance is tried first.
    pub ejected: bool,
    /// Requests it may hold at once.
    pub slots: u32,
    pub outstanding: u32,
}

impl Candidate {
    pub fn has_room(&self) -> bool {
        self.availability == Availability::Ready && !self.ejected && self.outstanding < self.slots
    }
}

/// Chooses the instance with the fewest outstanding requests among those that have room.
///
/// Looks at `count` instances beginning with `start` and takes the first of equals, so a caller who moves
/// `start` on spreads ties. `None`: nobody has room, the request must wait.
pub fn pick(count: usize, start: usize, candidate: impl Fn(usize) -> Candidate) -> Option<usize> {
    let mut best: Option<(usize, u32)> = None;
    for index in (0..count).map(|step| (start + step) % count) {
        let seen = candidate(index);
        if !seen.has_room() {
            continue;
        }
        if seen.outstanding == 0 {
            return Some(index);
        }
        if best.is_none_or(|(_, fewest)| seen.outstanding < fewest) {
            best = Some((index, seen.outstanding));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let availability = prop_oneof![
            Just(Availability::Ready),
            Just(Availability::Draining),
            Just(Availability::Unhealthy)
        ];
        let candidate = (availability, any::<bool>(), 1..8u32, 0..9u32).prop_map(
            |(availability, ejected, slots, outstanding)| Candidate {
                availability,
                ejected,
                slots,
                outstanding,
            },
        );
        prop::collection::vec(candidate, 0..12)
    }

    proptest! {
        #[test]
        fn the_chosen_one_has_room_and_nobody_with_room_has_less(list in candidates(), start in 0..20usize) {
            let least = list.iter().filter(|c| c.has_room()).map(|c| c.outstanding).min();
            let chosen = pick(list.len(), start, |i| list[i]);
            prop_assert_eq!(chosen.map(|i| list[i].outstanding), least);
            if let Some(i) = chosen {
                prop_assert!(list[i].has_room());
            }
        }

        #[test]
        fn ties_spread_when_the_start_moves_on(count in 1..10usize) {
            let idle = Candidate { availability: Availability::Ready, ejected: false, slots: 1, outstanding: 0 };
            let mut hit: Vec<_> = (0..count).filter_map(|start| pick(count, start, |_| idle)).collect();
            hit.sort_unstable();
            prop_assert_eq!(hit, (0..count).collect::<Vec<_>>());
        }
    }
}
