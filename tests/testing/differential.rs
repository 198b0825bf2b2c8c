//! What a network does for real is what some schedule of the simulated one does: random small networks run as both.
//!
//! Knows nothing of how either engine works. Each process goes through a script and tells what came of each step; what
//! a network has come to is what all of them tell, or that it stood still.

use csproc::prelude::*;
use csproc::testing::{Outcome, schedule, simulate};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestError, TestRunner};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One step of a script; channels by number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    Write(usize),
    Read(usize),
    TryRead(usize),
    Poison(usize),
    Retire(usize),
    ReadExtended(usize),
    /// A choice in this policy: 0 arbitrary, 1 the first, 2 in turn.
    Choose {
        policy: u8,
        reads: Vec<usize>,
        writes: Vec<usize>,
        skips: bool,
    },
    Meet,
}

/// A network: the buffer of each channel, and the script of each process.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    buffers: Vec<u8>,
    scripts: Vec<Vec<Step>>,
}

fn steps(channels: usize) -> impl proptest::strategy::Strategy<Value = Step> {
    let choice =
        (0..3u8, prop::collection::vec(0..channels, 1..3), prop::collection::vec(0..channels, 0..2), any::<bool>());
    prop_oneof![
        6 => (0..channels).prop_map(Step::Write),
        6 => (0..channels).prop_map(Step::Read),
        1 => (0..channels).prop_map(Step::TryRead),
        1 => (0..channels).prop_map(Step::Poison),
        1 => (0..channels).prop_map(Step::Retire),
        1 => (0..channels).prop_map(Step::ReadExtended),
        1 => Just(Step::Meet),
        4 => choice.prop_map(|(policy, reads, writes, skips)| Step::Choose { policy, reads, writes, skips }),
    ]
}

pub(crate) fn plans() -> impl proptest::strategy::Strategy<Value = Plan> {
    (1..3usize).prop_flat_map(|channels| {
        let scripts = prop::collection::vec(prop::collection::vec(steps(channels), 1..4), 2..4);
        (prop::collection::vec(0..3u8, channels), scripts).prop_map(|(buffers, scripts)| Plan { buffers, scripts })
    })
}

/// The ends of each channel that a script uses.
#[derive(Serialize, Deserialize)]
struct Ends {
    readers: Vec<Option<Reader<u8>>>,
    writers: Vec<Option<Writer<u8>>>,
    barrier: Option<Barrier>,
}

fn told<T: std::fmt::Debug>(step: &str, channel: usize, result: Result<T, ChannelError>) -> String {
    match result {
        Ok(value) => format!("{step}{channel} {value:?}"),
        Err(error) if error.is_poisoned() => format!("{step}{channel} poisoned"),
        Err(error) => format!("{step}{channel} {error:?}"),
    }
}

#[process]
fn goes_through(me: u8, script: Vec<Step>, mut ends: Ends) -> Vec<String> {
    let mut log = Vec::new();
    for (number, step) in script.into_iter().enumerate() {
        let value = me * 16 + number as u8;
        let said = match step {
            Step::Write(c) => match &ends.writers[c] {
                Some(writer) => told("w", c, writer.write(value).map_err(ChannelError::from)),
                None => String::from("-"),
            },
            Step::Read(c) => match &ends.readers[c] {
                Some(reader) => told("r", c, reader.read()),
                None => String::from("-"),
            },
            Step::ReadExtended(c) => match &ends.readers[c] {
                Some(reader) => told("x", c, reader.read_extended(|value| value)),
                None => String::from("-"),
            },
            Step::TryRead(c) => match &ends.readers[c] {
                Some(reader) => told("t", c, reader.try_read()),
                None => String::from("-"),
            },
            Step::Poison(c) => {
                ends.writers[c].iter().for_each(Writer::poison);
                ends.readers[c].iter().for_each(Reader::poison);
                String::from("p")
            }
            Step::Retire(c) => {
                drop((ends.writers[c].take(), ends.readers[c].take()));
                String::from("d")
            }
            Step::Meet => match &ends.barrier {
                Some(barrier) => told("m", 0, barrier.sync()),
                None => String::from("-"),
            },
            Step::Choose { policy, reads, writes, skips } => choose(&ends, policy, &reads, &writes, skips, value),
        };
        log.push(said);
    }
    log
}

fn choose(ends: &Ends, policy: u8, reads: &[usize], writes: &[usize], skips: bool, value: u8) -> String {
    let mut alternation = Alternation::new();
    let readers = reads.iter().filter_map(|c| Some((*c, ends.readers[*c].as_ref()?)));
    let reads: Vec<_> = readers.map(|(c, reader)| (c, alternation.read(reader))).collect();
    let writers = writes.iter().filter_map(|c| Some((*c, ends.writers[*c].as_ref()?)));
    let writes: Vec<_> = writers.map(|(c, writer)| (c, alternation.write(writer, value))).collect();
    let skip = skips.then(|| alternation.skip());
    let fired = match policy {
        0 => alternation.select(),
        1 => alternation.pri_select(),
        _ => alternation.fair_select(),
    };
    let fired = match fired {
        Ok(fired) => fired,
        Err(error) => return told::<()>("c", 9, Err(error)),
    };
    if skip.is_some_and(|skip| fired.is(skip)) {
        return String::from("c skips");
    }
    for (c, token) in reads {
        if fired.is(token) {
            return format!("c r{c} {}", fired.take(token));
        }
    }
    let written = writes.into_iter().find(|(_, token)| fired.is(*token));
    format!("c w{:?}", written.map(|(c, _)| c))
}

pub(crate) fn network(plan: &Plan, placement: Placement) -> Network<Vec<Vec<String>>> {
    let channel = |size: &u8| match size {
        0 | 1 => Channel::new(),
        size => Channel::buffered(Buffer::Fifo(usize::from(*size) - 1)),
    };
    let channels: Vec<Channel<u8>> = plan.buffers.iter().map(channel).collect();
    let meeting = plan.scripts.iter().filter(|script| script.iter().any(|step| matches!(step, Step::Meet))).count();
    let barrier = Barrier::new(meeting.max(1));
    let ends = |script: &[Step]| {
        let reads = |c: usize| {
            script.iter().any(|step| match step {
                Step::Read(of) | Step::TryRead(of) | Step::ReadExtended(of) => *of == c,
                Step::Choose { reads, .. } => reads.contains(&c),
                _ => false,
            })
        };
        let writes = |c: usize| {
            script.iter().any(|step| match step {
                Step::Write(of) | Step::Poison(of) => *of == c,
                Step::Choose { writes, .. } => writes.contains(&c),
                _ => false,
            })
        };
        Ends {
            readers: (0..channels.len()).map(|c| reads(c).then(|| channels[c].reader())).collect(),
            writers: (0..channels.len()).map(|c| writes(c).then(|| channels[c].writer())).collect(),
            barrier: script.iter().any(|step| matches!(step, Step::Meet)).then(|| barrier.clone()),
        }
    };
    let processes: Vec<_> = plan
        .scripts
        .iter()
        .enumerate()
        .map(|(me, script)| goes_through(me as u8, script.clone(), ends(script)).on(placement))
        .collect();
    network!(processes)
}

/// What came of it for real.
fn for_real(plan: &Plan, placement: Placement) -> String {
    match network(plan, placement).run() {
        Ok(logs) => format!("{logs:?}"),
        Err(error) if error.deadlock().is_some() => String::from("stands still"),
        Err(error) => panic!("{error}"),
    }
}

/// What comes of it under one schedule.
fn simulated(plan: &Plan, schedule: &csproc::testing::Schedule) -> String {
    let run = simulate(schedule, || network(plan, Placement::Process));
    match (run.outcome(), run.result()) {
        (Outcome::Completed, Some(logs)) => format!("{logs:?}"),
        (Outcome::Deadlock(_), _) => String::from("stands still"),
        _ => panic!("{run}"),
    }
}

/// So many schedules are tried for an outcome: one that none of them comes to is none that the reference allows.
const TRIED: usize = 20_000;

fn agrees(plan: &Plan, placement: Placement, runs: usize) -> Result<(), TestCaseError> {
    let mut wanted: BTreeSet<String> = (0..runs).map(|_| for_real(plan, placement)).collect();
    let mut runner = TestRunner::default();
    let mut seen = BTreeSet::new();
    for _ in 0..TRIED {
        if wanted.is_empty() {
            return Ok(());
        }
        let schedule = schedule().new_tree(&mut runner).expect("a schedule").current();
        let came = simulated(plan, &schedule);
        wanted.remove(&came);
        seen.insert(came);
    }
    prop_assert!(wanted.is_empty(), "for real: {wanted:#?}\nsimulated: {seen:#?}");
    Ok(())
}

fn compare(networks: u32, placement: Placement, runs: usize) {
    let networks = if std::env::var_os("CSPROC_LONG").is_some() { networks * 100 } else { networks };
    let config = ProptestConfig { cases: networks, failure_persistence: None, ..ProptestConfig::default() };
    match TestRunner::new(config).run(&plans(), |plan| agrees(&plan, placement, runs)) {
        Ok(()) => (),
        Err(TestError::Fail(reason, plan)) => panic!("{plan:#?}\n{reason}"),
        Err(abort) => panic!("{abort}"),
    }
}

#[test]
fn what_threads_do_some_schedule_does() {
    compare(70, Placement::Thread, 8);
}

#[test]
fn what_processes_of_the_operating_system_do_some_schedule_does() {
    compare(30, Placement::Process, 3);
}
