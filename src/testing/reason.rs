//! Why two runs by the same decisions were different, as far as it can be seen from outside.
//!
//! Knows nothing of how a run is made. What is named was seen to happen in each of several more runs: others who
//! change the same at the same time, as tests on other threads may, are seldom there each time.

use super::statics::Snapshot;
use crate::engine::sim::{Choice, Record};
use std::fs;

/// So many more runs are watched.
pub(super) const WATCHED: usize = 3;

/// What a run did besides communicating.
pub(super) struct Seen {
    changes: Vec<String>,
    reads: bool,
    leaves_threads: bool,
}

/// Watches a run.
pub(super) fn watch(run: impl FnOnce()) -> Seen {
    let (before, threads) = (Snapshot::take(), threads());
    // Looking at the number of reads is a few reads, each time as many.
    let counts = [reads(), reads()];
    run();
    let after = reads();
    let look = counts[1].zip(counts[0]).map(|(second, first)| second.saturating_sub(first));
    let own = after.zip(counts[1]).map(|(after, before)| after.saturating_sub(before));
    Seen {
        reads: own.zip(look).is_some_and(|(own, look)| own > look),
        leaves_threads: self::threads() > threads,
        changes: before.changes(&Snapshot::take()),
    }
}

/// How often the calling thread has read from a descriptor.
fn reads() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/io").ok()?;
    text.lines().find_map(|line| line.strip_prefix("syscr: "))?.trim().parse().ok()
}

/// How many threads there are of those that the calling thread has started, and that have no name of their own: these
/// have its name.
fn threads() -> usize {
    let Ok(own) = fs::read("/proc/thread-self/comm") else { return 0 };
    let all = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    all.filter(|task| fs::read(task.path().join("comm")).is_ok_and(|name| name == own)).count()
}

/// What could be the reason, in words; what to look for, if nothing was seen.
pub(super) fn reason(seen: &[Seen], first: &Record, second: &Record) -> String {
    let mut reasons: Vec<String> = Vec::new();
    if let Some((one, others)) = seen.split_first() {
        let each_time = |change: &&String| others.iter().all(|other| other.changes.contains(change));
        reasons.extend(one.changes.iter().filter(each_time).map(|change| format!("{change} changes in each run")));
    }
    if seen.iter().all(|seen| seen.reads) {
        reasons.push(String::from("each run reads from a file, a pipe or a socket"));
    }
    if seen.iter().all(|seen| seen.leaves_threads) {
        reasons.push(String::from("each run leaves a thread behind"));
    }
    if contents(first) == contents(second) {
        reasons.push(String::from(
            "both runs have the same contents in another order, as a `HashMap` or a `HashSet` gives them",
        ));
    }
    if reasons.is_empty() {
        return String::from(
            "nothing was seen that could be the reason; look for random numbers, clocks other than \
             `csproc::time`, and statics and thread-locals that keep something on the heap",
        );
    }
    reasons.join("; ")
}

/// What was communicated, in no order: neither that of the events nor that of the bytes of a message.
fn contents(run: &Record) -> Vec<(Choice, Vec<u8>)> {
    let content = |happening: &crate::engine::sim::Happening| {
        let mut bytes = run.bytes[happening.message.clone()].to_vec();
        bytes.sort_unstable();
        (happening.choice, bytes)
    };
    let mut all: Vec<_> = run.happenings.iter().map(content).collect();
    all.sort_unstable();
    all
}
