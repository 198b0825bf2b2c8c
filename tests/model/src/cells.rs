//! Scenarios of cells: bytes beside a gate, which one changes with its permit while others look without it.
//!
//! Knows nothing of how the words of a cell are ordered in memory; `tests/loom` does.

use crate::engine::{Closing, Direction, Store};
use crate::party::{Arm, Seen};
use crate::scenario::{READER, Scenario, WRITER};

/// Somebody who has no end of a cell looks at it, as a copy of a program may that it has forked by itself; the only one
/// who has one changes the cell, gives it up, and is given its block for a message.
pub static FREED: Scenario = Scenario {
    name: "a look at a cell that is freed meanwhile",
    parties: 2,
    prepare: |stage| {
        let (cell, handle) = stage.cell(1);
        let c = stage.channel(Store::Fifo(1));
        stage.lend(c, READER);
        stage.party(&[(cell, Direction::Handle), (c, WRITER)], move |me| {
            me.choose(&[Arm::Pass(cell, 1)]);
            me.put(cell, [1]);
            me.give_back(cell);
            me.close_all_of(cell);
            me.write(c, 77);
        });
        stage.party(&[], move |me| {
            for _ in 0..2 {
                if let Some([seen]) = me.look(cell) {
                    assert!(seen <= 1, "{seen} was never in the cell");
                }
            }
        });
        stage.local.close_end(handle, Closing::Retire);
    },
    judge: |parts| {
        if let Some(seen) = &parts[0] {
            assert_eq!(*seen, [Seen::Passed(1), Seen::Wrote(77)]);
        }
    },
};

/// Two change a cell that has more than one word, while one looks at it.
pub static CHANGED: Scenario = Scenario {
    name: "a cell of two words that two change",
    parties: 3,
    prepare: |stage| {
        let (cell, _) = stage.cell(2);
        for _ in 0..2 {
            stage.party(&[], move |me| {
                me.choose(&[Arm::Pass(cell, 1)]);
                let [one, other] = me.look(cell).expect("the stage has the cell");
                assert_eq!(one, other, "half of a change is in the cell");
                me.put(cell, [one + 1, other + 1]);
                me.give_back(cell);
            });
        }
        stage.party(&[], move |me| {
            let mut last = 0;
            for _ in 0..2 {
                let [one, other] = me.look(cell).expect("the stage has the cell");
                assert!(one == other && (last..=2).contains(&one), "{one} and {other} after {last}");
                last = one;
            }
        });
    },
    judge: |parts| {
        for part in parts[..2].iter().flatten() {
            assert_eq!(*part, [Seen::Passed(1)], "{parts:?}");
        }
    },
};

/// All of them.
pub static ALL: [&Scenario; 2] = [&FREED, &CHANGED];
