//! Scenarios of calls: messages that are answered, by a reader that may die before it has.
//!
//! Knows nothing of how an answer comes to the caller.

use crate::engine::{ChannelName, Fate};
use crate::party::{Arm, Part, Party, Seen};
use crate::scenario::{READER, Scenario, WRITER, all_live, count, lost_or};

/// Two calls, whoever comes first, each with its answer.
pub static CALLS: Scenario = Scenario {
    name: "two calls that are answered",
    parties: 2,
    prepare: |stage| {
        let c = stage.rendezvous();
        stage.party(&[(c, WRITER)], move |me| {
            me.choose(&[Arm::Call(c, 1)]);
            me.choose(&[Arm::Call(c, 2)]);
        });
        stage.party(&[(c, READER)], move |me| serve(me, c, 2));
    },
    judge: judge_calls,
};

/// Two callers, and one who is called by both.
pub static TWO_CALLERS: Scenario = Scenario {
    name: "two callers",
    parties: 3,
    prepare: |stage| {
        let c = stage.rendezvous();
        for value in [1, 2] {
            stage.party(&[(c, WRITER)], move |me| _ = me.choose(&[Arm::Call(c, value)]));
        }
        stage.party(&[(c, READER)], move |me| serve(me, c, 2));
    },
    judge: judge_calls,
};

/// Answers so many calls, each with ten times what was asked.
fn serve(me: &mut Party, calls: ChannelName, count: usize) {
    for _ in 0..count {
        if let Some(held) = me.choose(&[Arm::Extended(calls)]) {
            let asked = me.last_read();
            me.answer(held, asked * 10);
        }
    }
}

fn judge_calls(parts: &[Part]) {
    for seen in parts.iter().flatten() {
        let answered = seen.windows(2).filter(|pair| matches!(pair, [Seen::Wrote(_), Seen::Answered(_)]));
        let right = answered.clone().all(|pair| matches!(pair, [Seen::Wrote(v), Seen::Answered(a)] if *a == v * 10));
        let answers = seen.iter().filter(|seen| matches!(seen, Seen::Answered(_))).count();
        assert!(right && answers == answered.count(), "{parts:?}");
    }
    match all_live(parts) {
        Some(_) => assert_eq!(count(parts, |seen| matches!(seen, Seen::Answered(_))), 2, "{parts:?}"),
        None => lost_or(parts, |seen| {
            matches!(
                seen,
                Seen::Wrote(_) | Seen::Answered(_) | Seen::Read(_) | Seen::Ended(Fate::Abandoned { crashed: true, .. })
            )
        }),
    }
}

/// All of them.
pub static ALL: [&Scenario; 2] = [&CALLS, &TWO_CALLERS];
