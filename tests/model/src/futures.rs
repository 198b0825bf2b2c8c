//! Scenarios of futures: offers without a thread, which are awaited or dropped while a partner comes.
//!
//! Knows nothing of executors, as [`scenario`](crate::scenario) knows nothing of schedules or of death.

use crate::engine::{Closing, Fate};
use crate::party::{Arm, Seen};
use crate::scenario::{READER, Scenario, WRITER, all_live, lost_or};

/// A future that reads, and one that writes.
pub static FUTURES: Scenario = Scenario {
    name: "a future that reads and one that writes",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.future(&[(c, WRITER)], move |me| {
            me.suspend(&[Arm::Write(c, 1)]);
            me.await_future();
        });
        stage.future(&[(c, READER)], move |me| {
            me.suspend(&[Arm::Read(c)]);
            me.await_future();
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert_eq!(parts, [[Seen::Wrote(1)], [Seen::Read(1)]]),
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// A future that reads is dropped while a writer comes; then its process reads.
pub static DROPPED_READ: Scenario = Scenario {
    name: "a read that is dropped, and made again",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| {
            me.write(c, 1);
            me.write(c, 2);
        });
        stage.future(&[(c, READER)], move |me| {
            me.suspend(&[Arm::Read(c)]);
            me.dawdle();
            me.drop_future();
            for _ in usize::from(me.has_read(1))..2 {
                me.read(c);
            }
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert_eq!(parts, [[Seen::Wrote(1), Seen::Wrote(2)].as_slice(), [Seen::Read(1), Seen::Read(2)].as_slice()]);
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// The message of a read that is dropped is another reader's, who waits already or comes later.
pub static DROPPED_FOR_ANOTHER: Scenario = Scenario {
    name: "a read that is dropped, and another reader",
    parties: 3,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
        stage.future(&[(c, READER), (c, WRITER)], move |me| {
            me.suspend(&[Arm::Read(c)]);
            me.dawdle();
            me.drop_future();
            // It was there already: then the other one gets another one.
            if me.has_read(1) {
                me.write(c, 2);
            }
        });
        stage.party(&[(c, READER)], move |me| me.read(c));
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            let other = if parts[1].is_empty() { 1 } else { 2 };
            assert_eq!((parts[0], parts[2]), ([Seen::Wrote(1)].as_slice(), [Seen::Read(other)].as_slice()));
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_))),
    },
};

/// A future that writes is dropped, and its reader may hold it.
pub static DROPPED_WRITE: Scenario = Scenario {
    name: "a write that is dropped, and an extended reader",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.future(&[(c, WRITER)], move |me| {
            me.suspend(&[Arm::Write(c, 1)]);
            me.dawdle();
            me.drop_future();
            me.close(Closing::Retire);
        });
        stage.party(&[(c, READER)], move |me| {
            if let Some(held) = me.choose(&[Arm::Extended(c)]) {
                me.release(held, true);
            }
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => match parts[0] {
            [] => assert_eq!(parts[1], [Seen::Ended(Fate::Retired)]),
            wrote => assert_eq!((wrote, parts[1]), ([Seen::Wrote(1)].as_slice(), [Seen::Read(1)].as_slice())),
        },
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Ended(Fate::Retired))),
    },
};

/// All of them.
pub static ALL: [&Scenario; 4] = [&FUTURES, &DROPPED_READ, &DROPPED_FOR_ANOTHER, &DROPPED_WRITE];
