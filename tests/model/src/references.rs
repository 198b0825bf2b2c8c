//! Scenarios of references: of a record there are as many as names of it, whoever compares the two meanwhile.
//!
//! Knows nothing of what the record says. A burial compares, so each of these is for executions with a death.

use crate::engine::Opened;
use crate::scenario::Scenario;

/// Two gates that name a record are told of it again: each takes its name away, and names it again. Whoever is killed
/// on the way is buried, and the burial compares all counts with all names while the other one goes on.
pub static TOLD_AGAIN: Scenario = Scenario {
    name: "two that tell two gates again of one deadlock",
    parties: 2,
    prepare: |stage| {
        let record = stage.record();
        for _ in 0..2 {
            let gate = stage.gate(1, Opened::ByHolders);
            stage.tell_of_deadlock(gate, record);
            stage.party(&[], move |me| me.tell_of_deadlock(gate, record));
        }
    },
    judge: |_| (),
};

/// All of them.
pub static ALL: [&Scenario; 1] = [&TOLD_AGAIN];
