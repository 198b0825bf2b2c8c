//! What comes before what: vector clocks.
//!
//! Knows nothing of what the events are.

/// How an event hangs together with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// All that comes before that one comes before this one, too, and it as well.
    After(usize),
    /// They are one.
    With(usize),
}

/// For each event, how many events of each ring have come before it or are it.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    rings: Vec<usize>,
    /// Its number in its ring, from 1 on.
    places: Vec<u32>,
    clocks: Vec<Vec<u32>>,
}

impl Clocks {
    /// Of events that stand in an order that agrees with `ties`: the ring of each, and what it hangs together with.
    pub(super) fn of(rings: &[usize], count: usize, ties: &[Vec<Tie>]) -> Clocks {
        let mut latest: Vec<Vec<u32>> = vec![vec![0; count]; count];
        let mut clocks: Vec<Vec<u32>> = Vec::with_capacity(rings.len());
        let mut places = Vec::with_capacity(rings.len());
        // Those that are one with an event.
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of: Vec<Option<usize>> = vec![None; rings.len()];
        for (event, ring) in rings.iter().copied().enumerate() {
            let mut clock = latest[ring].clone();
            clock[ring] += 1;
            places.push(clock[ring]);
            for tie in &ties[event] {
                match tie {
                    Tie::After(before) => join(&mut clock, &clocks[*before]),
                    Tie::With(other) => {
                        join(&mut clock, &clocks[*other]);
                        let group = *group_of[*other].get_or_insert_with(|| {
                            groups.push(vec![*other]);
                            groups.len() - 1
                        });
                        groups[group].push(event);
                        group_of[event] = Some(group);
                    }
                }
            }
            // Nothing has come after the others of the group yet: that has a larger number.
            if let Some(group) = group_of[event] {
                for other in groups[group].iter().filter(|other| **other != event) {
                    clocks[*other].clone_from(&clock);
                    join(&mut latest[rings[*other]], &clock);
                }
            }
            latest[ring].clone_from(&clock);
            clocks.push(clock);
        }
        Clocks { rings: rings.to_vec(), places, clocks }
    }

    /// Whether the one has come before the other. Two that happened at once have not.
    pub(super) fn is_before(&self, one: usize, other: usize) -> bool {
        let knows = |event: usize, of: usize| self.clocks[event][self.rings[of]] >= self.places[of];
        one != other && knows(other, one) && !knows(one, other)
    }
}

fn join(clock: &mut [u32], other: &[u32]) {
    for (word, other) in clock.iter_mut().zip(other) {
        *word = (*word).max(*other);
    }
}
