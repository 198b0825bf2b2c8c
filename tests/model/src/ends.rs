//! Scenarios of ends: of those that travel in messages, as whoever has the message has the end and it goes as its ends
//! go; and of channels that are made.
//!
//! Knows nothing of how an end is written into a message, as the engine does not.

use crate::engine::{Closing, Fate, Store};
use crate::party::{Arm, Seen};
use crate::scenario::{READER, Scenario, WRITER};

/// Two want the message in which the only end of a channel's writers travels. One of them waits at that channel, too,
/// and hears of its end: it is lost with whoever crashes that has the message, or had it last.
pub static TRAVELLING: Scenario = Scenario {
    name: "the only writer of a channel, in a message that two want",
    parties: 3,
    prepare: |stage| {
        let (q, c) = (stage.queue(Store::Fifo(1)), stage.rendezvous());
        stage.party(&[(q, WRITER), (c, WRITER)], move |me| {
            me.send(q, 1, c);
            me.close(Closing::Retire);
        });
        stage.party(&[(q, READER)], move |me| {
            me.read(q);
            if me.has_read(1) {
                me.write(c, 7);
            }
            me.close(Closing::Retire);
        });
        stage.party(&[(q, READER), (c, READER)], move |me| {
            me.choose(&[Arm::Read(q), Arm::Read(c)]);
            if me.seen == [Seen::Ended(Fate::Retired)] {
                me.read(c);
            }
            me.close(Closing::Retire);
        });
    },
    judge: |parts| {
        if let Some(seen) = &parts[2] {
            let last = seen.last().copied();
            let lost = matches!(last, Some(Seen::Ended(Fate::Lost { .. }))) && parts[..2].iter().any(Option::is_none);
            assert!(matches!(last, Some(Seen::Read(1 | 7))) || lost, "{parts:?}");
        }
    },
};

/// Two make a channel each, and are gone with it.
pub static MADE: Scenario = Scenario {
    name: "channels that are made and given up",
    parties: 2,
    prepare: |stage| {
        for _ in 0..2 {
            stage.party(&[], move |me| {
                me.create();
                me.close(Closing::Retire);
            });
        }
    },
    judge: |_| (),
};

/// One gives up an end that it has never used, and the other one is told.
pub static GIVEN_UP: Scenario = Scenario {
    name: "a writer that is given up",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| me.close(Closing::Retire));
        stage.party(&[(c, READER)], move |me| {
            me.read(c);
            me.close(Closing::Retire);
        });
    },
    judge: |parts| {
        if let Some(seen) = &parts[1] {
            let lost = matches!(seen[..], [Seen::Ended(Fate::Lost { .. })]) && parts[0].is_none();
            assert!(lost || *seen == [Seen::Ended(Fate::Retired)], "{parts:?}");
        }
    },
};

/// All of them.
pub static ALL: [&Scenario; 3] = [&TRAVELLING, &MADE, &GIVEN_UP];
