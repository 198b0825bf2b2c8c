//! Scenarios of queues: channels that bear the crashes of those who use them, and that are closed by hand.
//!
//! Knows nothing of handles that are both sides at once, as [`scenario`](crate::scenario) knows nothing of schedules or
//! of death.

use crate::engine::{Closing, Fate, Store};
use crate::party::{Part, Seen};
use crate::scenario::{READER, Scenario, WRITER, all_live};

/// Two producers and a consumer. Whoever is killed, the others get on with each other.
pub static CRASHES: Scenario = Scenario {
    name: "a queue whose users crash",
    parties: 3,
    prepare: |stage| {
        let q = stage.queue(Store::Fifo(1));
        for value in [1, 2] {
            stage.party(&[(q, WRITER)], move |me| {
                me.write(q, value);
                me.close(Closing::Retire);
            });
        }
        stage.party(&[(q, READER)], move |me| {
            while !me.has_lost() {
                me.read(q);
            }
        });
    },
    judge: |parts| {
        nobody_is_lost(parts);
        // A consumer that is alive has everything that a living producer was told to be written.
        if let Some(consumer) = &parts[2] {
            for value in [1, 2] {
                let written = parts[..2].iter().flatten().flatten().any(|seen| *seen == Seen::Wrote(value));
                assert!(!written || consumer.contains(&Seen::Read(value)), "{parts:?}");
            }
            assert_eq!(consumer.last(), Some(&Seen::Ended(Fate::Retired)), "{parts:?}");
        }
    },
};

/// Somebody closes the queue while a producer waits for room, or a consumer for a message.
pub static CLOSED: Scenario = Scenario {
    name: "a queue that is closed",
    parties: 3,
    prepare: |stage| {
        let q = stage.queue(Store::Fifo(1));
        stage.party(&[(q, WRITER)], move |me| {
            me.write(q, 1);
            me.write(q, 2);
            me.close(Closing::Retire);
        });
        stage.party(&[(q, READER)], move |me| {
            while !me.has_lost() {
                me.read(q);
            }
        });
        stage.party(&[(q, WRITER)], move |me| me.end_writing(q));
    },
    judge: |parts| {
        nobody_is_lost(parts);
        if let Some(parts) = all_live(parts) {
            let values = |wanted: fn(&Seen) -> Option<u64>, party: usize| {
                parts[party].iter().filter_map(wanted).collect::<Vec<u64>>()
            };
            let written = values(|seen| if let Seen::Wrote(value) = seen { Some(*value) } else { None }, 0);
            let read = values(|seen| if let Seen::Read(value) = seen { Some(*value) } else { None }, 1);
            // What was told to be written is read, and nothing is written after something was refused.
            assert!(read == written && [1, 2].starts_with(&written), "{parts:?}");
        }
    },
};

/// Nobody hears that somebody else has crashed.
fn nobody_is_lost(parts: &[Part]) {
    for seen in parts.iter().flatten().flatten() {
        assert!(matches!(seen, Seen::Read(_) | Seen::Wrote(_) | Seen::Ended(Fate::Retired)), "{parts:?}");
    }
}

/// All of them.
pub static ALL: [&Scenario; 2] = [&CRASHES, &CLOSED];
