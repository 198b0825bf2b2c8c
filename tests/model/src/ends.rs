//! Scenarios of ends that travel in messages: whoever has the message has the end, and it goes as its ends go.
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

/// All of them.
pub static ALL: [&Scenario; 1] = [&TRAVELLING];
