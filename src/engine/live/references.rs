//! References to the slots of members: how many there are, who makes one, and what a death leaves of them.
//!
//! Knows nothing of what a slot keeps. A member that is gone is kept by whatever names it: a channel that was lost with
//! it, a gate or a queue that it has abandoned, a context that was told of it, a process that was in the deadlock of
//! which it is the record. The word of references counts these names. The count is made first and the name after it,
//! and the name is taken away before the count, so that nobody finds a name without a slot. Killed in between, somebody
//! leaves a count that no name stands for, and nothing in the shared memory says so:
//!
//! ```text
//!     count := count + 1 ── killed ── name := M        kept for ever by nobody  ✗
//! ```
//! So each context says in a word of its own when it begins to count and when it has finished: the word is odd in
//! between. A burial that finds it odd compares all counts with all names. Others go on meanwhile, so what it has seen
//! is true only if no living context counted during the look; that is a seqlock with the words of all contexts as its
//! sequence:
//!
//! ```text
//!     look                                    somebody who counts
//!     all words are even                      word := odd
//!     count of M; all names                   count ± 1, or name
//!     all words are what they were            word := even
//!     count of M: CAS to the number of names
//! ```
//! If the look has seen any step of the other one, it sees the odd word, or the next even one, when it reads the words
//! again. If it has seen none, the compare-and-swap fails, unless as much was added as was taken away since; then the
//! number of names is what it was.
//!
//! **Orderings.** Each step is a release, and so is the odd word's successor; so nobody needs a fence between the odd
//! word and the first step. The look reads the words first with acquire: whoever finds an even one sees all that was
//! done before. It reads most of the names relaxed, as everybody does, and puts an acquire fence between the last of
//! them and the second reading of the words. Without that, the second reading may be older than a name:
//! ```text
//!     look                                    somebody who is told of M anew
//!     word is even                            word := odd
//!                                             its old name is gone, and the count not yet
//!     count of M is 1, no name
//!     word is even (as it was)
//!     count of M: CAS 1 to 0  ✗
//! ```
//! A name also goes with the slot it stands in, and whoever is given that slot writes it anew, relaxed, before anybody
//! knows it. To a look that still takes it for the slot of its last owner this is a step of that owner's. Therefore the
//! pool puts a release fence before it ([`Pool::take`](crate::memory::Pool::take)). So is it a step that a slot is
//! passed over which has been given back: its generation, and its mark if it has one, say so with release, and are read
//! with acquire.
//!
//! A context that is stopped while it counts holds the look up: then the next burial looks again.

use super::local::Local;
use super::member::{FREEING, Member, OWN, Phase, References, STARTER};
use super::reaper::Corpse;
use super::sync::{Ordering, fence, yield_now};
use super::tables::Tables;
use std::collections::HashMap;

/// How often a look is tried while others count: they need some instructions.
const TRIES: u32 = 100;

impl Local {
    /// From here until [`Local::close_count`] counts and names need not be the same.
    pub(super) fn open_count(&mut self) {
        if !self.is_counting {
            self.is_counting = true;
            self.step_count();
        }
    }

    /// Names and counts are the same, as far as this context is concerned, unless it still owes a release.
    pub(super) fn close_count(&mut self) {
        if self.is_counting && self.releases.is_empty() && !self.settling {
            self.is_counting = false;
            self.step_count();
        }
    }

    fn step_count(&self) {
        let counting = &self.context.counting;
        counting.store(counting.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// One reference more, for a name that is about to be written. The caller closes the count after that.
    pub(super) fn retain_member(&mut self, index: u32) {
        self.open_count();
        self.tables().retain_member(index);
    }

    /// A name of this member is about to go, and the reference with it once no lock is held. The caller owes an
    /// [`after_unlock`](Local::after_unlock).
    pub(super) fn owe_release(&mut self, member: Option<u32>) {
        if let Some(member) = member {
            self.open_count();
            self.releases.push(member);
        }
    }

    /// Reaper: whether one of the dead counted is kept in mind before its word is settled. What a simulation has
    /// named is gone with the process that simulated.
    pub(super) fn note_counts_of(&self, corpses: &[Corpse], members: &[(u32, u32, &'static Member)]) {
        let counted = |corpse: &Corpse| corpse.context.counting.load(Ordering::Acquire) % 2 == 1;
        if corpses.iter().any(counted) || members.iter().any(|(_, _, member)| member.has_no_exit()) {
            self.tables().arena.shared().unsettled.store(1, Ordering::Release);
        }
        for corpse in corpses.iter().filter(|corpse| counted(corpse)) {
            corpse.context.counting.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Reaper: if somebody has died who counted, takes back what nothing stands for.
    pub(crate) fn settle_counts(&mut self) {
        let unsettled = &self.tables().arena.shared().unsettled;
        if unsettled.load(Ordering::Acquire) == 0 {
            return;
        }
        for _ in 0..TRIES {
            if self.recount_references() {
                self.tables().arena.shared().unsettled.store(0, Ordering::Release);
                return;
            }
            yield_now();
        }
    }

    /// Compares counts and names once. `false` if somebody counted meanwhile.
    fn recount_references(&mut self) -> bool {
        let tables = self.tables();
        let before = tables.counting();
        if before.iter().any(|word| word % 2 == 1) {
            return false;
        }
        let counts: Vec<(u32, References)> =
            tables.members.taken().map(|(index, _, member)| (index, member.references())).collect();
        let names = tables.names_of_members();
        fence(Ordering::Acquire);
        if tables.counting() != before {
            return false;
        }
        let mut all = true;
        for (index, seen) in counts {
            let named = names.get(&index).copied().unwrap_or(0);
            let Some(member) = tables.members.get(index) else { continue };
            if seen.freer().is_some() || seen.named() <= named || tables.is_simulated(member) {
                continue;
            }
            // The flags stay; whoever gives up the last of all frees the slot, and here that may be we.
            let right = References::new(seen.generation(), seen.kept() & (STARTER | OWN) | named);
            let with_ours = References(right.0 + 1);
            self.open_count();
            let changed =
                member.references.compare_exchange(seen.0, with_ours.0, Ordering::AcqRel, Ordering::Acquire).is_ok();
            if changed {
                self.release_member(index);
            }
            all &= changed;
        }
        self.close_count();
        all
    }
}

impl References {
    /// How many names it counts.
    pub(super) fn named(self) -> u32 {
        self.kept() & !(STARTER | OWN | FREEING)
    }
}

impl Tables {
    /// Whether a simulation names it, in memory of its own, and that simulation goes on.
    fn is_simulated(self, member: &Member) -> bool {
        member.has_no_exit() && self.members.get(member.host()).is_some_and(|host| host.phase() != Phase::Gone)
    }

    /// The words of all contexts that there have ever been: a slot goes on counting with its next owner.
    fn counting(self) -> Vec<u32> {
        self.contexts.used().map(|(_, context)| context.counting.load(Ordering::Acquire)).collect()
    }

    /// How often each member is named.
    fn names_of_members(self) -> HashMap<u32, u32> {
        let channels = self.channels.taken().flat_map(|(_, _, channel)| {
            [channel.lost_with(), channel.abandoner.load(Ordering::Acquire)].into_iter().flatten()
        });
        let contexts = self
            .contexts
            .taken()
            .filter_map(|(_, _, context)| (context.verdict.load(Ordering::Acquire) >> 1).checked_sub(1));
        let members = self.members.taken().filter_map(|(_, _, member)| member.deadlock());
        let mut names = HashMap::new();
        for member in channels.chain(contexts).chain(members) {
            *names.entry(member).or_insert(0) += 1;
        }
        names
    }

    /// Members that are kept by more than what names them, or by less.
    pub(super) fn references_that_lie(self, faults: &mut Vec<String>) {
        let names = self.names_of_members();
        for (index, _, member) in self.members.taken() {
            let (named, seen) = (names.get(&index).copied().unwrap_or(0), member.references());
            if seen.freer().is_none() && seen.named() != named && !self.is_simulated(member) {
                faults.push(format!("member {index} counts {} references, and {named} name it", seen.named()));
            }
        }
    }
}
