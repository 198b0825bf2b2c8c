//! Faults of the live engine that show in what a network does, whoever dies or is late: driven runs find them.
//!
//! Knows nothing of how.

use super::seed::table::Edit;

/// All of them.
pub(crate) const EDITS: &[Edit] = &[
    Edit {
        fault: "a commit names the first guard",
        file: "engine/live/commit.rs",
        there: "(name.context(), offer.guard(), offer.block.load(Ordering::Relaxed));",
        instead: "(name.context(), if FAULTY { 0 } else { offer.guard() }, offer.block.load(Ordering::Relaxed));",
    },
    Edit {
        fault: "a commit gives the reader its own block",
        file: "engine/live/commit.rs",
        there: "Side::Output => {
                            self.context.announce_exchange(giving, taking, number);
                            self.insist(|| context.word.commit(guard, giving))",
        instead: "Side::Output => {
                            self.context.announce_exchange(giving, taking, number);
                            self.insist(|| context.word.commit(guard, if FAULTY { taking } else { giving }))",
    },
    Edit {
        fault: "who waits is not told of poison",
        file: "engine/live/holding.rs",
        there: "                locked.local.empty_buffer(locked.channel);
            }
            locked.local.resolve(locked.channel);",
        instead: "                locked.local.empty_buffer(locked.channel);
            }
            if !FAULTY { locked.local.resolve(locked.channel); }",
    },
];
