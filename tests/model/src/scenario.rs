//! Scenarios: two to five processes, what each of them does, and what may come of it.
//!
//! Knows nothing of schedules or of death: whoever is killed has no part in the result, and the others must still come
//! to an end. That nobody is left waiting, that nothing is left over and that no value is doubled is held everywhere,
//! by the checker and by the stage. `tests/loom` takes most of them, too.

use crate::engine::{ChannelName, Closing, Direction, Fate, Store};
use crate::party::{Arm, Part, Seen};
use crate::stage::Stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What some processes do.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is about.
    pub name: &'static str,
    /// How many processes there are.
    pub parties: usize,
    pub(crate) prepare: fn(&mut Stage),
    /// What must be true when all have ended; `None` is one that was killed.
    pub(crate) judge: fn(&[Part]),
}

pub(crate) const READER: Direction = Direction::Reader;
pub(crate) const WRITER: Direction = Direction::Writer;

/// Whether all are alive, so that the judge can be strict.
pub(crate) fn all_live(parts: &[Part]) -> Option<Vec<&[Seen]>> {
    parts.iter().map(Option::as_deref).collect()
}

/// How many parties saw this.
pub(crate) fn count(parts: &[Part], wanted: impl Fn(&Seen) -> bool) -> usize {
    parts.iter().flatten().flatten().filter(|seen| wanted(seen)).count()
}

/// Those who live and were killed nobody's partner have seen a message, or that it was lost.
pub(crate) fn lost_or(parts: &[Part], wanted: impl Fn(&Seen) -> bool) {
    for seen in parts.iter().flatten().flatten() {
        assert!(matches!(seen, Seen::Ended(Fate::Lost { .. })) || wanted(seen), "{parts:?}");
    }
}

/// A reader and a writer, two messages.
pub static PAIR: Scenario = Scenario {
    name: "a reader and a writer",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| {
            me.write(c, 1);
            me.write(c, 2);
        });
        stage.party(&[(c, READER)], move |me| {
            me.read(c);
            me.read(c);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert_eq!(parts, [[Seen::Wrote(1), Seen::Wrote(2)].as_slice(), [Seen::Read(1), Seen::Read(2)].as_slice()])
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// One message.
pub static ONCE: Scenario = Scenario {
    name: "a reader and a writer, once",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
        stage.party(&[(c, READER)], move |me| me.read(c));
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert_eq!(parts, [[Seen::Wrote(1)], [Seen::Read(1)]]),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// Two writers and two readers on one channel.
pub static ANY_TO_ANY: Scenario = Scenario {
    name: "two writers and two readers of one channel",
    parties: 4,
    prepare: |stage| {
        let c = stage.rendezvous();
        for value in [1, 2] {
            stage.party(&[(c, WRITER)], move |me| me.write(c, value));
        }
        for _ in 0..2 {
            stage.party(&[(c, READER)], move |me| me.read(c));
        }
    },
    judge: |parts| match all_live(parts) {
        Some(_) => assert_eq!(count(parts, |seen| matches!(seen, Seen::Read(1 | 2))), 2, "{parts:?}"),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// Two alternations that could meet on either of two channels, and look at them in opposite orders.
pub static OPPOSITE: Scenario = Scenario {
    name: "two alternations in opposite orders",
    parties: 2,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(a, READER), (b, WRITER)], move |me| {
            me.choose(&[Arm::Read(a), Arm::Write(b, 1)]);
        });
        stage.party(&[(a, WRITER), (b, READER)], move |me| {
            me.choose(&[Arm::Read(b), Arm::Write(a, 2)]);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert!(
            parts == [[Seen::Read(2)], [Seen::Wrote(2)]] || parts == [[Seen::Wrote(1)], [Seen::Read(1)]],
            "{parts:?}"
        ),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// Three alternations in a circle: two of them meet and poison everything for the third.
pub static CIRCLE: Scenario = Scenario {
    name: "three alternations in a circle",
    parties: 3,
    prepare: |stage| {
        let wires = [stage.rendezvous(), stage.rendezvous(), stage.rendezvous()];
        for place in 0..3 {
            let (from, to) = (wires[place], wires[(place + 1) % 3]);
            stage.party(&[(from, READER), (to, WRITER)], move |me| {
                me.choose(&[Arm::Read(from), Arm::Write(to, place as u64)]);
                me.poison(from, READER);
                me.poison(to, WRITER);
            });
        }
    },
    judge: |parts| match all_live(parts) {
        Some(_) => {
            let counts = [
                count(parts, |seen| matches!(seen, Seen::Read(_))),
                count(parts, |seen| matches!(seen, Seen::Wrote(_))),
                count(parts, |seen| *seen == Seen::Ended(Fate::Poisoned)),
            ];
            assert_eq!(counts, [1, 1, 1], "{parts:?}");
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Poisoned))),
    },
};

/// One that reads from two channels at once, and then from the other one; a writer on each of them, and another reader
/// of the second one.
pub static CHOOSER: Scenario = Scenario {
    name: "a chooser, two writers, and another reader behind it",
    parties: 4,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(a, READER), (b, READER)], move |me| {
            me.choose(&[Arm::Read(a), Arm::Read(b)]);
            me.read(if me.has_read(2) || me.has_read(3) { a } else { b });
            // One of the two may have been lost with somebody; then nobody is to wait at the other one.
            if me.has_lost() {
                me.poison(a, READER);
                me.poison(b, READER);
            }
        });
        stage.party(&[(a, WRITER)], move |me| me.write(a, 1));
        stage.party(&[(b, WRITER)], move |me| {
            me.write(b, 2);
            me.write(b, 3);
        });
        stage.party(&[(b, READER)], move |me| me.read(b));
    },
    judge: |parts| match all_live(parts) {
        Some(_) => assert_eq!(count(parts, |seen| matches!(seen, Seen::Read(1..=3))), 3, "{parts:?}"),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Poisoned))),
    },
};

/// What is ready is taken by a fair choice with the lock of its channel alone, in whatever order they come.
pub static FAIR: Scenario = Scenario {
    name: "a fair choice among two writers, twice",
    parties: 3,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.queue(Store::Fifo(1)));
        stage.party(&[(a, READER), (b, READER)], move |me| {
            for first in [1, 0] {
                me.choose_from(first, &[Arm::Read(a), Arm::Read(b)]);
            }
            me.close(Closing::Retire);
        });
        stage.party(&[(a, WRITER)], move |me| me.write(a, 1));
        stage.party(&[(b, WRITER)], move |me| me.write(b, 2));
    },
    judge: |parts| match all_live(parts) {
        Some(_) => {
            let ended = |seen: &Seen| matches!(seen, Seen::Ended(Fate::Retired));
            let seen = count(parts, |seen| matches!(seen, Seen::Read(1 | 2)) || ended(seen));
            assert_eq!((seen, count(parts, |seen| matches!(seen, Seen::Wrote(1 | 2)))), (2, 2), "{parts:?}");
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Retired))),
    },
};

/// A reader that goes on to a second channel, where another reader waits already.
pub static ELSEWHERE: Scenario = Scenario {
    name: "a reader of two channels, one after the other",
    parties: 3,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(b, READER)], move |me| me.read(b));
        stage.party(&[(a, READER), (b, READER)], move |me| {
            me.read(a);
            me.read(b);
        });
        stage.party(&[(a, WRITER), (b, WRITER)], move |me| {
            me.write(a, 1);
            me.write(b, 2);
            me.write(b, 3);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(_) => assert_eq!(count(parts, |seen| matches!(seen, Seen::Read(1..=3))), 3, "{parts:?}"),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// A reader and a writer that use ends which somebody else holds: the channel outlives them, so a deadline must end
/// their waiting.
pub static BORROWED: Scenario = Scenario {
    name: "a reader and a writer with borrowed ends",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.lend(c, READER);
        stage.lend(c, WRITER);
        stage.party(&[], move |me| {
            me.choose(&[Arm::Write(c, 1), Arm::Wait]);
        });
        stage.party(&[], move |me| {
            me.choose(&[Arm::Read(c), Arm::Wait]);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert!(
            parts == [[Seen::Wrote(1)], [Seen::Read(1)]] || parts == [[Seen::TimedOut], [Seen::TimedOut]],
            "{parts:?}"
        ),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::TimedOut)),
    },
};

/// A deadline on either side: both meet, or none does.
pub static DEADLINE: Scenario = Scenario {
    name: "a deadline against a commit",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| {
            me.choose(&[Arm::Write(c, 1), Arm::Wait]);
        });
        stage.party(&[(c, READER)], move |me| {
            me.choose(&[Arm::Read(c), Arm::Wait]);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert!(
            parts == [[Seen::Wrote(1)], [Seen::Read(1)]] || parts == [[Seen::TimedOut], [Seen::TimedOut]],
            "{parts:?}"
        ),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::TimedOut)),
    },
};

/// Somebody poisons the channel meanwhile.
pub static POISON: Scenario = Scenario {
    name: "poison against a commit",
    parties: 3,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
        stage.party(&[(c, READER)], move |me| me.read(c));
        stage.party(&[(c, WRITER)], move |me| me.poison(c, WRITER));
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert!(
            parts[..2] == [[Seen::Wrote(1)], [Seen::Read(1)]]
                || parts[..2] == [[Seen::Ended(Fate::Poisoned)], [Seen::Ended(Fate::Poisoned)]],
            "{parts:?}"
        ),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Poisoned))),
    },
};

/// The only writer leaves after one message.
pub static RETIRE: Scenario = Scenario {
    name: "retirement against a commit",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| {
            me.write(c, 1);
            me.close(Closing::Retire);
        });
        stage.party(&[(c, READER)], move |me| {
            me.read(c);
            me.read(c);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert_eq!(parts, [[Seen::Wrote(1)].as_slice(), &[Seen::Read(1), Seen::Ended(Fate::Retired)]]);
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Retired))),
    },
};

/// An extended reader: the writer goes on only when it has finished.
pub static EXTENDED: Scenario = Scenario {
    name: "an extended rendezvous",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        let finished = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&finished);
        stage.party(&[(c, WRITER)], move |me| {
            // No deadline counts once the reader has the message.
            me.choose(&[Arm::Write(c, 1), Arm::Wait]);
            if seen.load(Ordering::SeqCst) {
                me.see(Seen::Wrote(2));
            }
        });
        stage.party(&[(c, READER)], move |me| {
            if let Some(held) = me.choose(&[Arm::Extended(c), Arm::Wait]) {
                finished.store(true, Ordering::SeqCst);
                me.release(held, true);
            }
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert!(
            parts == [[Seen::Wrote(1), Seen::Wrote(2)].as_slice(), &[Seen::Read(1)]]
                || parts == [[Seen::TimedOut], [Seen::TimedOut]],
            "{parts:?}"
        ),
        None => lost_or(parts, |seen| {
            matches!(
                seen,
                Seen::Wrote(_) | Seen::Read(_) | Seen::TimedOut | Seen::Ended(Fate::Abandoned { crashed: true, .. })
            )
        }),
    },
};

/// An extended reader that does not finish.
pub static ABANDON: Scenario = Scenario {
    name: "an extended rendezvous that is abandoned",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
        stage.party(&[(c, READER)], move |me| {
            if let Some(held) = me.choose(&[Arm::Extended(c)]) {
                me.release(held, false);
            }
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert!(matches!(parts[0], [Seen::Ended(Fate::Abandoned { crashed: false, .. })]), "{parts:?}");
            assert_eq!(parts[1], [Seen::Read(1)]);
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Read(_) | Seen::Ended(Fate::Abandoned { .. }))),
    },
};

/// A buffer for one message between a writer of three and its reader.
pub static BUFFER: Scenario = Scenario {
    name: "a buffer for one message",
    parties: 2,
    prepare: |stage| {
        let c = stage.channel(Store::Fifo(1));
        stage.party(&[(c, WRITER)], move |me| (1..=3).for_each(|value| me.write(c, value)));
        stage.party(&[(c, READER)], move |me| (1..=3).for_each(|_| me.read(c)));
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert_eq!(parts[0], [Seen::Wrote(1), Seen::Wrote(2), Seen::Wrote(3)]);
            assert_eq!(parts[1], [Seen::Read(1), Seen::Read(2), Seen::Read(3)]);
        }
        None => {
            lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_)));
            let reads: Vec<u64> = parts[1].iter().flatten().filter_map(read_value).collect();
            assert!([1, 2, 3].starts_with(&reads), "out of order: {parts:?}");
        }
    },
};

/// A buffer that was full when one of two readers took a message out and let the waiting writer in.
pub static REFILL: Scenario = Scenario {
    name: "a full buffer, a writer that waits, two readers",
    parties: 3,
    prepare: |stage| {
        let c = stage.channel(Store::Fifo(1));
        stage.party(&[(c, WRITER)], move |me| {
            me.write(c, 1);
            me.write(c, 2);
            me.close(Closing::Retire);
        });
        for _ in 0..2 {
            stage.party(&[(c, READER)], move |me| me.read(c));
        }
    },
    judge: |parts| {
        if all_live(parts).is_some() {
            assert_eq!(count(parts, |seen| matches!(seen, Seen::Read(1 | 2))), 2, "{parts:?}");
        }
    },
};

/// A full buffer whose writers push the oldest message out.
pub static OVERWRITE: Scenario = Scenario {
    name: "a buffer that drops its oldest message",
    parties: 2,
    prepare: |stage| {
        let c = stage.channel(Store::OverwriteOldest(1));
        stage.party(&[(c, WRITER)], move |me| {
            (1..=3).for_each(|value| me.write(c, value));
            me.close(Closing::Retire);
        });
        stage.party(&[(c, READER)], move |me| (1..=4).for_each(|_| me.read(c)));
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            let reads: Vec<u64> = parts[1].iter().filter_map(read_value).collect();
            assert!(reads.is_sorted() && reads.last() == Some(&3), "{parts:?}");
            assert_eq!(parts[1].last(), Some(&Seen::Ended(Fate::Retired)));
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Retired))),
    },
};

/// Two threads close one end. The channel goes with it, and one of them makes another one, whose handle is given the
/// slot while the other may still be about to close.
pub static CLOSED_TWICE: Scenario = Scenario {
    name: "an end that two close, and another end that is given its slot",
    parties: 2,
    prepare: |stage| {
        let end = stage.fleeting();
        stage.party(&[], move |me| me.close_end(end));
        stage.party(&[], move |me| {
            me.close_end(end);
            me.create();
        });
    },
    judge: |_| (),
};

/// Two give up one process, as the handle of a thread's child and the end of that thread do. Its slot is free, and
/// somebody else is given it while the second one may still be about to give it up.
pub static DISOWNED_TWICE: Scenario = Scenario {
    name: "a process that two give up, and another one that is given its slot",
    parties: 2,
    prepare: |stage| {
        let record = stage.record();
        stage.party(&[], move |me| me.disown(record));
        stage.party(&[], move |me| {
            me.disown(record);
            me.create_record();
        });
    },
    judge: |_| (),
};

/// One has found a process in a deadlock and notes it; the process is gone meanwhile, and somebody else is given its
/// slot.
pub static NOTED_TOO_LATE: Scenario = Scenario {
    name: "a deadlock that is noted for a process, and another one that is given its slot",
    parties: 2,
    prepare: |stage| {
        let (process, record) = (stage.record(), stage.record());
        stage.party(&[], move |me| me.note_deadlock(process, record));
        stage.party(&[], move |me| {
            me.disown(process);
            me.create_record();
        });
    },
    judge: |_| (),
};

/// One is killed who takes the lock of a channel; the reaper buries it, and another one beside the reaper finds the
/// lock of the dead, too. The process that begins next has the context's number of the dead and takes the lock.
pub static TWO_REAPERS: Scenario = Scenario {
    name: "two who break the lock of the dead, and an heir of its number",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[], move |me| me.request(c, READER));
        stage.party(&[], move |me| me.poison_as_reaper(c));
        stage.heir(move |me| me.request(c, READER));
    },
    judge: |_| (),
};

fn read_value(seen: &Seen) -> Option<u64> {
    match seen {
        Seen::Read(value) => Some(*value),
        _ => None,
    }
}

/// All of them.
pub static ALL: [&Scenario; 21] = [
    &PAIR,
    &ONCE,
    &ANY_TO_ANY,
    &OPPOSITE,
    &CIRCLE,
    &CHOOSER,
    &FAIR,
    &ELSEWHERE,
    &BORROWED,
    &DEADLINE,
    &POISON,
    &RETIRE,
    &EXTENDED,
    &ABANDON,
    &BUFFER,
    &REFILL,
    &OVERWRITE,
    &CLOSED_TWICE,
    &DISOWNED_TWICE,
    &NOTED_TOO_LATE,
    &TWO_REAPERS,
];
