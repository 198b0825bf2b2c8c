//! Offers of one message, and scenarios of short ones, which travel beside offers and in no block.
//!
//! Knows nothing of where they lie: each is one of [`scenario`] with other messages.

use crate::engine::live::Met;
use crate::engine::{ChannelName, ExtendedWriter, Fate, Fired, Guard, Kept, Patience};
use crate::party::{Arm, LOCATION, Part, Party, Seen};
use crate::scenario::{self, READER, Scenario, WRITER, all_live, count, lost_or};
use crate::sys::clock::Instant;
use std::time::Duration;

impl Party {
    /// One message, as the program reads and writes it: that of an extended rendezvous is wanted in a block.
    pub(crate) fn one(&mut self, arm: Arm, guard: &Guard, patience: Patience) -> Fired {
        let met = match arm {
            Arm::Extended(_) => self.local.take(guard, patience, LOCATION),
            _ => self.local.communicate(guard, patience, LOCATION).map(|met| (met, None)),
        };
        match met.expect("room for the offer") {
            (Met::Came(came), writer) => {
                Fired { kept: writer.map_or(Kept::Nothing, Kept::Writer), ..Fired::with(0, came) }
            }
            (Met::Ended, _) => Fired::ended(0, self.local.fate()),
            (Met::Late, _) => Fired::bare(1),
        }
    }

    /// One message, within a while that nobody knows the length of.
    pub(crate) fn try_to(&mut self, arm: Arm) -> Option<ExtendedWriter> {
        let guards = self.guards(&[arm]);
        let until = Patience::Until(Instant::now() + Duration::from_millis(1));
        let fired = self.one(arm, &guards[0], until);
        self.note(&[arm, Arm::Wait], &guards, fired)
    }

    /// Writes a value that needs no block.
    pub(crate) fn say(&mut self, channel: ChannelName, value: u64) {
        self.choose(&[Arm::Say(channel, value)]);
    }
}

/// A reader and a writer, two short messages, each on its own channel and so under its own lock, and one in a block.
pub static SAID: Scenario = Scenario {
    name: "two short messages, and one in a block",
    parties: 2,
    prepare: |stage| {
        let (c, d) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(c, WRITER), (d, WRITER)], move |me| {
            me.say(c, 1);
            me.say(d, 2);
            me.write(c, 3);
        });
        stage.party(&[(c, READER), (d, READER)], move |me| [c, d, c].into_iter().for_each(|channel| me.read(channel)));
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert_eq!(parts[0], [Seen::Wrote(1), Seen::Wrote(2), Seen::Wrote(3)]);
            assert_eq!(parts[1], [Seen::Read(1), Seen::Read(2), Seen::Read(3)]);
        }
        None => only_lost(parts),
    },
};

/// One short message.
pub static SAID_ONCE: Scenario = Scenario {
    name: "a short message",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.say(c, 1));
        stage.party(&[(c, READER)], move |me| me.read(c));
    },
    judge: |parts| (scenario::ONCE.judge)(parts),
};

/// Two writers that may be about to commit one alternation, each on its own channel; and what it leaves behind.
pub static SAID_TO_A_CHOICE: Scenario = Scenario {
    name: "a choice between two short messages",
    parties: 3,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(a, READER), (b, READER)], move |me| {
            me.choose(&[Arm::Read(a), Arm::Read(b)]);
            me.read(if me.has_read(2) { a } else { b });
            if me.has_lost() {
                me.poison(a, READER);
                me.poison(b, READER);
            }
        });
        stage.party(&[(a, WRITER)], move |me| me.say(a, 1));
        stage.party(&[(b, WRITER)], move |me| me.say(b, 2));
    },
    judge: |parts| match all_live(parts) {
        Some(_) => {
            let mut read: Vec<u64> = parts.iter().flatten().flatten().filter_map(value_read).collect();
            read.sort_unstable();
            assert_eq!(read, [1, 2], "{parts:?}");
        }
        None => only_lost(parts),
    },
};

/// A time limit on either side, behind the one guard: both meet, or none does.
pub static SAID_IN_TIME: Scenario = Scenario {
    name: "a short message within a time limit",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| _ = me.try_to(Arm::Say(c, 1)));
        stage.party(&[(c, READER)], move |me| _ = me.try_to(Arm::Read(c)));
    },
    judge: |parts| (scenario::DEADLINE.judge)(parts),
};

/// A reader that holds its writer, whoever comes first, and finishes; and one that does not.
pub static SAID_EXTENDED: Scenario = Scenario {
    name: "short messages to an extended reader",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| {
            me.say(c, 1);
            me.say(c, 2);
        });
        stage.party(&[(c, READER)], move |me| {
            for finishes in [true, false] {
                if let Some(held) = me.choose(&[Arm::Extended(c)]) {
                    me.release(held, finishes);
                }
            }
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            let abandoned = |seen: &Seen| matches!(seen, Seen::Ended(Fate::Abandoned { crashed: false, .. }));
            assert!(matches!(parts[0], [Seen::Wrote(1), last] if abandoned(last)), "{parts:?}");
            assert_eq!(parts[1], [Seen::Read(1), Seen::Read(2)]);
        }
        None => only_lost(parts),
    },
};

/// One that waits in time for an extended reader, which waits in time, too.
pub static SAID_EXTENDED_IN_TIME: Scenario = Scenario {
    name: "a short message to an extended reader within a time limit",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| _ = me.try_to(Arm::Say(c, 1)));
        stage.party(&[(c, READER)], move |me| {
            if let Some(held) = me.try_to(Arm::Extended(c)) {
                me.release(held, true);
            }
        });
    },
    judge: |parts| match all_live(parts) {
        Some(_) => (scenario::DEADLINE.judge)(parts),
        // Its reader is killed while it holds its writer.
        None => only_lost(parts),
    },
};

/// Two writers, of a short message and of one in a block, and two readers of one channel, who may be poisoned.
pub static SAID_BY_ONE_OF_TWO: Scenario = Scenario {
    name: "two kinds of messages on one channel",
    parties: 4,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.say(c, 1));
        stage.party(&[(c, WRITER)], move |me| me.write(c, 2));
        for _ in 0..2 {
            stage.party(&[(c, READER)], move |me| me.read(c));
        }
    },
    judge: |parts| (scenario::ANY_TO_ANY.judge)(parts),
};

/// Somebody poisons the channel meanwhile.
pub static SAID_IN_VAIN: Scenario = Scenario {
    name: "poison against a short message",
    parties: 3,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.say(c, 1));
        stage.party(&[(c, READER)], move |me| me.read(c));
        stage.party(&[(c, WRITER)], move |me| me.poison(c, WRITER));
    },
    judge: |parts| (scenario::POISON.judge)(parts),
};

fn value_read(seen: &Seen) -> Option<u64> {
    if let Seen::Read(value) = seen { Some(*value) } else { None }
}

/// Who is killed takes a message along, or the end of the channel.
fn only_lost(parts: &[Part]) {
    lost_or(parts, |seen| {
        matches!(
            seen,
            Seen::Wrote(1..=3)
                | Seen::Read(1..=3)
                | Seen::TimedOut
                | Seen::Ended(Fate::Poisoned | Fate::Abandoned { .. })
        )
    });
    for value in 1..=3 {
        assert!(count(parts, |seen| *seen == Seen::Read(value)) <= 1, "{parts:?}");
    }
}

/// All of them.
pub static ALL: [&Scenario; 8] = [
    &SAID,
    &SAID_ONCE,
    &SAID_TO_A_CHOICE,
    &SAID_IN_TIME,
    &SAID_EXTENDED,
    &SAID_EXTENDED_IN_TIME,
    &SAID_BY_ONE_OF_TWO,
    &SAID_IN_VAIN,
];
