//! Scenarios of the whole engine for loom alone: small ones, for what those of `tests/model` need more processes for.
//!
//! Knows nothing of executions or of death; whoever is killed has no part in the result.

use crate::barriers;
use crate::calls;
use crate::engine::{Closing, Direction, Fate, Opened, Store};
use crate::gates;
use crate::party::{Arm, Part, Seen};
use crate::recorded;
use crate::scenario::{self, Scenario};
use crate::shorts;
use crate::stage::Stage;
use crate::tasks::Tally;

const READER: Direction = Direction::Reader;
const WRITER: Direction = Direction::Writer;

/// Whether nobody was killed.
fn all_live(parts: &[Part]) -> bool {
    parts.iter().all(Option::is_some)
}

fn times(parts: &[Part], wanted: Seen) -> usize {
    parts.iter().flatten().flatten().filter(|seen| **seen == wanted).count()
}

/// One that reads from two channels at once, and then from the other one.
pub static TWO_INPUTS: Scenario = Scenario {
    name: "an alternation of two inputs against two writers",
    parties: 3,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(a, READER), (b, READER)], move |me| {
            me.choose(&[Arm::Read(a), Arm::Read(b)]);
            if !me.has_lost() {
                me.read(if me.has_read(1) { b } else { a });
            }
        });
        stage.party(&[(a, WRITER)], move |me| me.write(a, 1));
        stage.party(&[(b, WRITER)], move |me| me.write(b, 2));
    },
    judge: |parts| {
        if all_live(parts) {
            assert_eq!(parts[1..], [Some(vec![Seen::Wrote(1)]), Some(vec![Seen::Wrote(2)])]);
            assert_eq!([1, 2].map(|value| times(parts, Seen::Read(value))), [1, 1], "{parts:?}");
        }
    },
};

/// A writer finds the offer of somebody whom another one has just committed, leaves it, gives up, and queues as a
/// reader where it was.
pub static REJECTED: Scenario = Scenario {
    name: "a writer that comes too late, and reads instead",
    parties: 3,
    prepare: |stage| {
        let (a, b) = (stage.rendezvous(), stage.rendezvous());
        stage.party(&[(a, READER), (b, READER), (b, WRITER)], move |me| {
            me.choose(&[Arm::Read(a), Arm::Read(b)]);
            if me.has_read(1) {
                me.write(b, 3);
            } else {
                me.read(a);
            }
        });
        stage.party(&[(a, WRITER)], move |me| me.write(a, 1));
        stage.party(&[(b, WRITER), (b, READER)], move |me| {
            me.choose(&[Arm::Write(b, 2), Arm::Wait]);
            if me.has_timed_out() {
                me.read(b);
            }
        });
    },
    judge: |parts| {
        let counts = [1, 2, 3].map(|value| times(parts, Seen::Read(value)));
        assert!(!all_live(parts) || counts == [1, 1, 0] || counts == [1, 0, 1], "{parts:?}");
    },
};

/// A reader that does not wait for ever, and then leaves: the writer is told so.
pub static LATE: Scenario = Scenario {
    name: "a read with a deadline against a writer",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
        stage.party(&[(c, READER)], move |me| {
            me.choose(&[Arm::Read(c), Arm::Wait]);
            me.close(Closing::Retire);
        });
    },
    judge: |parts| {
        let [writer, reader] = parts else { panic!("two") };
        if let (Some(writer), Some(reader)) = (writer, reader) {
            let met = *writer == [Seen::Wrote(1)] && *reader == [Seen::Read(1)];
            let missed = *writer == [Seen::Ended(Fate::Retired)] && *reader == [Seen::TimedOut];
            assert!(met || missed, "{parts:?}");
        }
    },
};

/// Somebody waits when the last end of the other side goes.
fn leaving(
    closing: Closing,
    arm: fn(crate::engine::ChannelName) -> Arm,
    parts: [Direction; 2],
) -> impl FnOnce(&mut crate::stage::Stage) {
    move |stage| {
        let c = stage.rendezvous();
        let [stays, goes] = parts;
        stage.party(&[(c, stays)], move |me| {
            me.choose(&[arm(c)]);
        });
        stage.party(&[(c, goes)], move |me| me.close(closing));
    }
}

fn is_told(parts: &[Part], fate: Fate) {
    if all_live(parts) {
        assert_eq!(parts[0], Some(vec![Seen::Ended(fate)]));
    }
}

/// The only writer leaves.
pub static RETIRED: Scenario = Scenario {
    name: "a reader whose writer leaves",
    parties: 2,
    prepare: |stage| leaving(Closing::Retire, Arm::Read, [READER, WRITER])(stage),
    judge: |parts| is_told(parts, Fate::Retired),
};

/// The only writer poisons.
pub static POISONED: Scenario = Scenario {
    name: "a reader whose writer poisons",
    parties: 2,
    prepare: |stage| leaving(Closing::Poison, Arm::Read, [READER, WRITER])(stage),
    judge: |parts| is_told(parts, Fate::Poisoned),
};

/// The only reader leaves.
pub static UNREAD: Scenario = Scenario {
    name: "a writer whose reader leaves",
    parties: 2,
    prepare: |stage| leaving(Closing::Retire, |c| Arm::Write(c, 1), [WRITER, READER])(stage),
    judge: |parts| is_told(parts, Fate::Retired),
};

/// One message through a buffer, whose writer goes away.
pub static STORED: Scenario = Scenario {
    name: "one message through a buffer",
    parties: 2,
    prepare: |stage| {
        let c = stage.channel(Store::Fifo(1));
        stage.party(&[(c, WRITER)], move |me| {
            me.write(c, 1);
            me.close(Closing::Retire);
        });
        stage.party(&[(c, READER)], move |me| {
            me.read(c);
            me.read(c);
        });
    },
    judge: |parts| {
        if all_live(parts) {
            assert_eq!(parts[1], Some(vec![Seen::Read(1), Seen::Ended(Fate::Retired)]), "{parts:?}");
        }
    },
};

/// Two processes that need more blocks than they have, at the same time.
pub static BLOCKS: Scenario = Scenario {
    name: "two writers that take and free blocks",
    parties: 2,
    prepare: |stage| {
        let (a, b) = (stage.channel(Store::Fifo(1)), stage.channel(Store::Fifo(1)));
        stage.lend(a, READER);
        stage.lend(b, READER);
        for (first, value) in [(a, 1), (b, 3)] {
            stage.party(&[(first, WRITER)], move |me| {
                me.choose(&[Arm::Write(first, value), Arm::Write(first, value + 1)]);
            });
        }
    },
    judge: |parts| {
        if all_live(parts) {
            assert_eq!(*parts, [Some(vec![Seen::Wrote(1)]), Some(vec![Seen::Wrote(3)])]);
        }
    },
};

/// One puts a task into a queue like this and joins, and one does what comes, so many tasks.
fn task(stage: &mut Stage, store: Store, tasks: usize) -> crate::engine::ChannelName {
    let q = stage.tasks(store);
    let tally = Tally::default();
    let theirs = tally.clone();
    stage.party(&[(q, WRITER)], move |me| {
        me.write(q, 1);
        theirs.join_or(me, &[Arm::Join(q)], 1);
    });
    stage.party(&[(q, READER)], move |me| {
        for _ in 0..tasks {
            tally.work(me, q);
        }
    });
    q
}

fn is_joined(parts: &[Part]) {
    if all_live(parts) {
        assert_eq!(parts[0], Some(vec![Seen::Wrote(1), Seen::Joined]), "{parts:?}");
    }
}

/// Who joins comes before the one who is done with the task, or after it.
pub static TASK_STORED: Scenario = Scenario {
    name: "a task in a buffer, and one who joins",
    parties: 2,
    prepare: |stage| _ = task(stage, Store::Fifo(1), 1),
    judge: is_joined,
};

/// The same, when the task is handed over.
pub static TASK_HANDED: Scenario = Scenario {
    name: "a task that is handed over, and one who joins",
    parties: 2,
    prepare: |stage| _ = task(stage, Store::Fifo(0), 1),
    judge: is_joined,
};

/// Meanwhile somebody else puts one more in: who joins waits for it, or has been let go before.
pub static TASK_AND_ANOTHER: Scenario = Scenario {
    name: "a task and one who joins, and another task",
    parties: 3,
    prepare: |stage| {
        let q = task(stage, Store::Fifo(1), 2);
        stage.party(&[(q, WRITER)], move |me| me.write(q, 2));
    },
    judge: is_joined,
};

/// A channel that names a record goes, and its slot is another's, which names nobody, before the reference is given up.
/// Meanwhile all references are compared with all names; a gate names the record, too.
pub static TAKEN_ANEW: Scenario = Scenario {
    name: "a lost channel, another one that is given its slot, and a burial",
    parties: 3,
    prepare: |stage| {
        let (record, gate, end) = (stage.record(), stage.gate(1, Opened::ByHolders), stage.fleeting());
        let (lost, _) = end.place().expect("it was just made");
        [gate, lost].into_iter().for_each(|channel| stage.tell_of_deadlock(channel, record));
        stage.unsettle();
        stage.party(&[], move |me| me.close_end(end));
        stage.party(&[], |me| me.create());
        stage.reaper(|me| me.settle_counts());
    },
    judge: |_| (),
};

/// Those that loom runs: two or three processes, few operations.
pub static ALL: [&Scenario; 42] = [
    &scenario::ONCE,
    &scenario::PAIR,
    &shorts::SAID_ONCE,
    &shorts::SAID,
    &shorts::SAID_TO_A_CHOICE,
    &shorts::SAID_IN_TIME,
    &shorts::SAID_EXTENDED,
    &TWO_INPUTS,
    &scenario::OPPOSITE,
    &REJECTED,
    &LATE,
    &scenario::DEADLINE,
    &scenario::BORROWED,
    &RETIRED,
    &POISONED,
    &UNREAD,
    &scenario::RETIRE,
    &scenario::POISON,
    &scenario::ELSEWHERE,
    &STORED,
    &scenario::BUFFER,
    &scenario::REFILL,
    &scenario::OVERWRITE,
    &BLOCKS,
    &scenario::EXTENDED,
    &scenario::ABANDON,
    &calls::CALLS,
    &barriers::BARRIER_OF_TWO,
    &barriers::TWO_BARRIERS,
    &scenario::CIRCLE,
    &gates::TWO,
    &gates::KEPT,
    &gates::DEADLOCKED,
    &scenario::CLOSED_TWICE,
    &scenario::DISOWNED_TWICE,
    &scenario::NOTED_TOO_LATE,
    &recorded::READ_ONCE,
    &recorded::ONCE,
    &TASK_STORED,
    &TASK_HANDED,
    &TASK_AND_ANOTHER,
    &TAKEN_ANEW,
];
