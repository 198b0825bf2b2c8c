//! Scenarios of tasks: messages whose readers say when they are done with them, and those who wait for that.
//!
//! Knows nothing of queues as the program has them. That nobody is told that all is done while something is not, or
//! that something was left behind although all is done, is held by a tally beside the engine.

use crate::checker::Checker;
use crate::engine::{ChannelName, Closing, Fate, Store};
use crate::machine::Machine;
use crate::memory::Block;
use crate::party::{Arm, Part, Party, Seen};
use crate::scenario::{READER, Scenario, WRITER, all_live, lost_or};
use crate::stage::Stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is known of the tasks without asking the engine.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    /// So many may be done, for a reader is about to say so.
    perhaps: Arc<AtomicUsize>,
    /// So many are.
    surely: Arc<AtomicUsize>,
}

/// What the work on a task leaves behind: a number that no block has.
fn work_on(task: u64) -> Block {
    Block::MAX - 1000 - task as Block
}

impl Tally {
    /// Reads one message, if the queue has not ended, and is done with it.
    pub(crate) fn work(&self, me: &mut Party, queue: ChannelName) {
        me.read(queue);
        if let Some(Seen::Read(task)) = me.seen.last() {
            Checker::writes(work_on(*task));
            self.perhaps.fetch_add(1, Ordering::SeqCst);
            me.task_done(queue);
            self.surely.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until so many tasks are done, or until all who could do them are gone: they have the writers of `alive`.
    fn join(&self, me: &mut Party, queue: ChannelName, alive: ChannelName, tasks: usize) {
        self.join_or(me, &[Arm::Join(queue), Arm::Read(alive)], tasks);
    }

    /// The same with other alternatives. Whoever was told that all is done sees what was done for what it has put in.
    pub(crate) fn join_or(&self, me: &mut Party, arms: &[Arm], tasks: usize) {
        me.choose(arms);
        match me.seen.last() {
            Some(Seen::Joined) => {
                assert!(self.perhaps.load(Ordering::SeqCst) >= tasks, "not all is done");
                let mine =
                    me.seen.iter().filter_map(|seen| if let Seen::Wrote(task) = seen { Some(*task) } else { None });
                mine.for_each(|task| Checker::reads(work_on(task)));
            }
            Some(Seen::Ended(Fate::Abandoned { .. })) => {
                assert!(self.surely.load(Ordering::SeqCst) < tasks, "all is done");
            }
            _ => (),
        }
    }
}

/// One who puts two tasks into a queue like this and joins, and two who work.
fn workshop(stage: &mut Stage, store: Store) {
    let (q, alive) = (stage.tasks(store), stage.queue(Store::Fifo(0)));
    let tally = Tally::default();
    let theirs = tally.clone();
    stage.party(&[(q, WRITER), (q, READER), (alive, READER)], move |me| {
        for task in [1, 2] {
            // It has a reader itself, so a write to nobody else would wait for ever.
            me.choose(&[Arm::Write(q, task), Arm::Read(alive)]);
        }
        let tasks = me.seen.iter().filter(|seen| matches!(seen, Seen::Wrote(_))).count();
        theirs.join(me, q, alive, tasks);
        me.close(Closing::Retire);
    });
    for _ in 0..2 {
        let tally = tally.clone();
        stage.party(&[(q, READER), (alive, WRITER)], move |me| {
            while !me.has_lost() {
                tally.work(me, q);
            }
            me.close(Closing::Retire);
        });
    }
}

/// All is done, or somebody is dead.
fn judge_workshop(parts: &[Part]) {
    match all_live(parts) {
        Some(parts) => assert_eq!(parts[0], [Seen::Wrote(1), Seen::Wrote(2), Seen::Joined], "{parts:?}"),
        None => lost_or(parts, |seen| {
            matches!(
                seen,
                Seen::Wrote(_)
                    | Seen::Read(_)
                    | Seen::Joined
                    | Seen::Ended(Fate::Retired | Fate::Abandoned { crashed: true, .. })
            )
        }),
    }
}

/// Two do what is in a buffer.
pub static BUFFERED: Scenario = Scenario {
    name: "tasks in a buffer, done by two",
    parties: 3,
    prepare: |stage| workshop(stage, Store::Fifo(2)),
    judge: judge_workshop,
};

/// Two do what is handed to them.
pub static HANDED: Scenario = Scenario {
    name: "tasks that are handed over, done by two",
    parties: 3,
    prepare: |stage| workshop(stage, Store::Fifo(0)),
    judge: judge_workshop,
};

/// One does not say that it is done, and goes. Two join: one of them is told, or both.
pub static LEFT: Scenario = Scenario {
    name: "a task that is left behind, and two who join",
    parties: 3,
    prepare: |stage| {
        let q = stage.tasks(Store::Fifo(1));
        // So that nobody waits for a message that is not put any more.
        stage.lend(q, READER);
        stage.party(&[(q, WRITER), (q, READER)], move |me| {
            me.write(q, 1);
            me.end_writing(q);
            me.choose(&[Arm::Join(q), Arm::Wait]);
        });
        stage.party(&[(q, READER)], move |me| {
            me.read(q);
            me.close(Closing::Retire);
        });
        stage.party(&[(q, READER)], move |me| {
            me.choose(&[Arm::Join(q), Arm::Wait]);
        });
    },
    judge: |parts| {
        let told = |seen: &Seen| matches!(seen, Seen::Ended(Fate::Abandoned { .. }));
        if let Some(parts) = all_live(parts) {
            let late = parts.iter().any(|seen| seen.contains(&Seen::TimedOut));
            let read = parts[1] == [Seen::Read(1)];
            assert!(late || !read || parts[0].iter().chain(parts[2]).any(told), "{parts:?}");
        }
    },
};

/// A future that reads a task is dropped while it may have it already; then its process does the task.
pub static DROPPED: Scenario = Scenario {
    name: "a read of a task that is dropped",
    parties: 2,
    prepare: |stage| {
        let (q, alive) = (stage.tasks(Store::Fifo(1)), stage.queue(Store::Fifo(0)));
        let tally = Tally::default();
        let theirs = tally.clone();
        stage.party(&[(q, WRITER), (q, READER), (alive, READER)], move |me| {
            me.write(q, 1);
            theirs.join(me, q, alive, 1);
            me.close(Closing::Retire);
        });
        stage.future(&[(q, READER), (alive, WRITER)], move |me| {
            me.suspend(&[Arm::Read(q)]);
            me.dawdle();
            let has_read = me.has_read(1);
            me.drop_future();
            if has_read {
                tally.perhaps.fetch_add(1, Ordering::SeqCst);
                me.task_done(q);
                tally.surely.fetch_add(1, Ordering::SeqCst);
            } else {
                tally.work(me, q);
            }
            me.close(Closing::Retire);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => assert_eq!(parts, [[Seen::Wrote(1), Seen::Joined].as_slice(), &[Seen::Read(1)]]),
        None => lost_or(parts, |seen| {
            matches!(
                seen,
                Seen::Wrote(_)
                    | Seen::Read(_)
                    | Seen::Joined
                    | Seen::Ended(Fate::Retired | Fate::Abandoned { crashed: true, .. })
            )
        }),
    },
};

/// One waits for tasks that nobody does, until the queue is poisoned.
pub static POISONED: Scenario = Scenario {
    name: "a queue that is poisoned for one who joins",
    parties: 3,
    prepare: |stage| {
        let q = stage.tasks(Store::Fifo(1));
        stage.lend(q, READER);
        stage.party(&[(q, WRITER), (q, READER)], move |me| {
            me.write(q, 1);
            me.choose(&[Arm::Join(q), Arm::Wait]);
        });
        stage.party(&[(q, READER)], move |me| me.poison(q, READER));
        stage.party(&[(q, READER)], move |me| {
            me.choose(&[Arm::Join(q), Arm::Wait]);
        });
    },
    judge: |parts| {
        lost_or(parts, |seen| {
            matches!(seen, Seen::Wrote(_) | Seen::Joined | Seen::TimedOut | Seen::Ended(Fate::Poisoned))
        });
        // Nobody reads what is written.
        let whoever_wrote = parts[0].as_deref().unwrap_or_default();
        assert!(!whoever_wrote.ends_with(&[Seen::Wrote(1), Seen::Joined]), "{parts:?}");
    },
};

/// All of them.
pub static ALL: [&Scenario; 5] = [&BUFFERED, &HANDED, &LEFT, &DROPPED, &POISONED];
