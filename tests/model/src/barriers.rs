//! Scenarios of barriers: all parties meet, or none does.
//!
//! Knows nothing of how the last party finds the others.

use crate::engine::{ChannelName, Direction, Fate};
use crate::party::{Arm, Part, Seen};
use crate::scenario::{READER, Scenario, WRITER, all_live, count, lost_or};
use crate::stage::Stage;

const PARTY: Direction = Direction::Party;

/// A barrier of so many, the last of which would rather read, and one more that writes to it.
fn barrier_beside_a_writer(stage: &mut Stage, parties: u32) {
    let (b, c) = (stage.barrier(parties), stage.rendezvous());
    for _ in 1..parties {
        stage.party(&[(b, PARTY)], move |me| me.meet(b));
    }
    stage.party(&[(b, PARTY), (c, READER)], move |me| {
        me.choose(&[Arm::Meet(b), Arm::Read(c)]);
        if me.has_met(b) {
            me.read(c);
        } else {
            me.meet(b);
        }
    });
    stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
}

/// A barrier of two, and a third that writes to one of them.
pub static BARRIER_OF_TWO: Scenario = Scenario {
    name: "a barrier of two, one of which would rather read",
    parties: 3,
    prepare: |stage| barrier_beside_a_writer(stage, 2),
    judge: |parts| judge_barrier(parts, 2),
};

/// A barrier of three, and a fourth that writes to one of them.
pub static BARRIER_OF_THREE: Scenario = Scenario {
    name: "a barrier of three, one of which would rather read",
    parties: 4,
    prepare: |stage| barrier_beside_a_writer(stage, 3),
    judge: |parts| judge_barrier(parts, 3),
};

/// Two barriers that the same two could meet at, in opposite orders.
pub static TWO_BARRIERS: Scenario = Scenario {
    name: "two barriers in opposite orders",
    parties: 2,
    prepare: |stage| {
        let (a, b) = (stage.barrier(2), stage.barrier(2));
        for (first, second) in [(a, b), (b, a)] {
            stage.party(&[(a, PARTY), (b, PARTY)], move |me| {
                me.choose(&[Arm::Meet(first), Arm::Meet(second)]);
            });
        }
    },
    judge: |parts| {
        if let Some(parts) = all_live(parts) {
            assert!(matches!(parts[0], [Seen::Met(_)]) && parts[0] == parts[1], "{parts:?}");
        }
    },
};

/// A barrier of three: two come, and the third poisons it.
pub static POISONED_BARRIER: Scenario = Scenario {
    name: "a barrier that one of its parties poisons",
    parties: 3,
    prepare: |stage| {
        let b = stage.barrier(3);
        for _ in 0..2 {
            stage.party(&[(b, PARTY)], move |me| {
                me.meet(b);
                me.meet(b);
            });
        }
        stage.party(&[(b, PARTY)], move |me| me.poison(b, WRITER));
    },
    judge: |parts| {
        let poisoned = Seen::Ended(Fate::Poisoned);
        match all_live(parts) {
            Some(parts) => {
                assert!(parts[..2].iter().all(|part| part[..] == [poisoned, poisoned]), "{parts:?}");
            }
            // Without the third, they meet.
            None => lost_or(parts, |seen| *seen == poisoned || matches!(seen, Seen::Met(_))),
        }
    },
};

fn judge_barrier(parts: &[Part], parties: usize) {
    if all_live(parts).is_some() {
        let met = |seen: &Seen| matches!(seen, Seen::Met(ChannelName { .. }));
        assert_eq!(count(parts, met), parties, "{parts:?}");
        assert_eq!(count(parts, |seen| *seen == Seen::Read(1)), 1, "{parts:?}");
    } else {
        lost_or(parts, |seen| matches!(seen, Seen::Met(_) | Seen::Read(_) | Seen::Wrote(_)));
    }
}

/// All of them.
pub static ALL: [&Scenario; 4] = [&BARRIER_OF_TWO, &BARRIER_OF_THREE, &TWO_BARRIERS, &POISONED_BARRIER];
