//! Decisions in words, and where the decisions of two runs begin to differ.
//!
//! Knows nothing of what the runs have come to.

use crate::engine::sim::{Choice, Happening, Kind, Record};
use std::collections::HashMap;
use std::sync::Arc;

/// What was decided in a run.
pub(super) fn decisions(record: &Record) -> Vec<Choice> {
    let mut decisions = Vec::with_capacity(record.happenings.len());
    decisions.extend(decided(record));
    decisions
}

/// The same, one after the other.
pub(super) fn decided(record: &Record) -> impl Iterator<Item = Choice> {
    record.happenings.iter().filter(|happening| happening.is_decided).map(|happening| happening.choice)
}

/// Whether it is an event of the trace; other decisions only lead to one.
pub(super) fn is_event(kind: Kind) -> bool {
    !matches!(kind, Kind::Told | Kind::Skip | Kind::Look | Kind::Effect | Kind::Time | Kind::Arrive)
}

/// What a channel is called, or its number; nothing, if there is none.
pub(super) fn channel_name(record: &Record, channel: u32) -> String {
    match record.channels.get(channel as usize) {
        Some(name) if name.is_empty() => format!("channel {channel}"),
        Some(name) => name.clone(),
        None => String::new(),
    }
}

/// What the processes are called: by their names, and of several with the same name each with a number.
pub(super) fn labels(record: &Record) -> Vec<Arc<str>> {
    let mut times: HashMap<&str, (usize, usize)> = HashMap::new();
    record.processes.iter().for_each(|name| times.entry(name).or_default().0 += 1);
    let label = |name: &Arc<str>| match times.get_mut(&**name) {
        Some((2.., number)) => {
            *number += 1;
            Arc::from(format!("{name}#{number}"))
        }
        _ => name.clone(),
    };
    record.processes.iter().map(label).collect()
}

/// All names that mean a process: its own, and those of the lists that it is in, as `worker` for `worker[2]`.
pub(super) fn names_of(process: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(process), |name| {
        let (list, place) = name.strip_suffix(']')?.rsplit_once('[')?;
        place.parse::<usize>().is_ok().then_some(list)
    })
}

/// A choice in words.
pub(super) fn describe(record: &Record, choice: Choice) -> String {
    let labels = labels(record);
    let name = |number: u32| labels.get(number as usize).map_or("a process that is not there", AsRef::as_ref);
    let channel = channel_name(record, choice.channel);
    let who = name(choice.who);
    match choice.kind {
        Kind::Communication => format!("`{who} → {} on {channel}`", name(choice.with)),
        Kind::Put => format!("`{who} puts into {channel}`"),
        Kind::Take => format!("`{who} takes from {channel}`"),
        Kind::Told => format!("`{who} learns that {channel} has ended`"),
        Kind::Sync => format!("`{who} and others meet at {channel}`"),
        Kind::Pass => format!("`{who} passes {channel}`"),
        Kind::Timer => format!("`a timer of {who}`"),
        Kind::Skip => format!("`{who} finds nothing ready`"),
        Kind::Look => format!("`{who} looks at memory that is shared`"),
        Kind::Effect => format!("`what {who} has closed or poisoned takes effect`"),
        Kind::Time => String::from("`time passes`"),
        Kind::Crash => format!("`{who} is killed`"),
        Kind::Panic => format!("`{who} panics`"),
        Kind::Poison => format!("`{channel} is poisoned`"),
        Kind::Delay => format!("`{who} comes late`"),
        Kind::Lose => format!("`a message of {who} on {channel} is lost`"),
        Kind::Hold => format!("`a message of {who} on {channel} is kept back`"),
        Kind::Arrive => format!("`a message that was kept back on {channel} arrives`"),
        Kind::Double => format!("`{who} → {} on {channel}, twice`", name(choice.with)),
    }
}

/// So many decisions two runs have in common before they differ.
pub(super) fn in_common(first: &Record, second: &Record) -> usize {
    decided(first).zip(decided(second)).take_while(|(mine, other)| mine == other).count()
}

/// Where a failing run and a passing one begin to differ, in two lines: by what they show, and if one shows only the
/// beginning of the other, by what was decided. `None` if they do not differ.
pub(super) fn parting(failing: &Record, passing: &Record) -> Option<String> {
    let shown = |record| events(record).map(|happening| happening.choice);
    let mut pairs = shown(failing).zip(shown(passing)).enumerate();
    let (number, fails, passes) = match pairs.find(|(_, (fails, passes))| fails != passes) {
        Some((number, (fails, passes))) => (number, fails, passes),
        None => {
            let common = in_common(failing, passing);
            let choice_of = |record| decided(record).nth(common);
            (shown(failing).count().min(shown(passing).count()), choice_of(failing)?, choice_of(passing)?)
        }
    };
    let (comes, instead) = (describe(passing, passes), describe(failing, fails));
    Some(format!(
        "can pass if, at event {}, {comes} comes\n\
         instead of {instead} (the nearest run that the search has seen pass)",
        number + 1
    ))
}

/// What a run shows.
fn events(record: &Record) -> impl Iterator<Item = &Happening> {
    record.happenings.iter().filter(|happening| is_event(happening.choice.kind))
}

#[cfg(test)]
mod tests {
    use super::names_of;

    #[test]
    fn a_process_of_a_list_is_meant_by_the_name_of_the_list() {
        for (process, names) in [
            ("worker", &["worker"][..]),
            ("worker[2]", &["worker[2]", "worker"]),
            ("worker[2][0]", &["worker[2][0]", "worker[2]", "worker"]),
            ("worker[two]", &["worker[two]"]),
            ("worker]", &["worker]"]),
        ] {
            assert_eq!(names_of(process).collect::<Vec<_>>(), names);
        }
    }
}
