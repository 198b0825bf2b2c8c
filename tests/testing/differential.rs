//! What a network does for real is what some schedule of the simulated one does: random small networks run as both.
//!
//! Knows nothing of how either engine works. Each process goes through a script and tells what came of each step; what
//! a network has come to is what all of them tell who have not crashed, or that it stood still. Real networks run many
//! at once, because those that stand still have to wait until that is found.

use csproc::prelude::*;
use csproc::shared::Atomic;
use csproc::testing::{Outcome, schedule, simulate};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

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
    /// It crashes; or only if it has not crashed before.
    Crash {
        again: bool,
    },
    /// It waits for ever.
    Stay,
}

/// A network: the buffer of each channel, and the script of each process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    buffers: Vec<u8>,
    scripts: Vec<Script>,
}

/// What a process does, and what becomes of it when it crashes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Script {
    steps: Vec<Step>,
    on_crash: OnCrash,
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
        1 => any::<bool>().prop_map(|again| Step::Crash { again }),
        4 => choice.prop_map(|(policy, reads, writes, skips)| Step::Choose { policy, reads, writes, skips }),
    ]
}

pub(crate) fn plans() -> impl proptest::strategy::Strategy<Value = Plan> {
    (1..3usize).prop_flat_map(|channels| {
        let restart = OnCrash::Restart { max: 1, within: Duration::from_secs(3600) };
        let on_crash = prop_oneof![3 => Just(OnCrash::Poison), 1 => Just(OnCrash::Retire), 1 => Just(restart)];
        let script = (prop::collection::vec(steps(channels), 1..4), on_crash);
        let scripts = prop::collection::vec(script.prop_map(|(steps, on_crash)| Script { steps, on_crash }), 2..4);
        (prop::collection::vec(0..3u8, channels), scripts).prop_map(|(buffers, scripts)| Plan { buffers, scripts })
    })
}

/// The ends of each channel that a script uses.
#[derive(Serialize, Deserialize)]
struct Ends {
    readers: Vec<Option<Reader<u8>>>,
    writers: Vec<Option<Writer<u8>>>,
    barrier: Option<Barrier>,
    /// How often the process was started.
    lives: Atomic<u32>,
}

fn told<T: std::fmt::Debug>(step: &str, channel: usize, result: Result<T, ChannelError>) -> String {
    match result {
        Ok(value) => format!("{step}{channel} {value:?}"),
        Err(error) if error.is_poisoned() => format!("{step}{channel} poisoned"),
        Err(ChannelError::Lost { process, .. }) => format!("{step}{channel} lost with {process}"),
        Err(error) => format!("{step}{channel} {error:?}"),
    }
}

#[process]
fn goes_through(me: u8, script: Vec<Step>, mut ends: Ends) -> Vec<String> {
    let mut log = Vec::new();
    let is_first_life = ends.lives.fetch_add(1) == 0;
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
            // Without a message of the panic hook.
            Step::Crash { again } if again || is_first_life => std::panic::resume_unwind(Box::new("as planned")),
            Step::Crash { .. } => String::from("!"),
            Step::Stay => {
                let nothing = Channel::<u8>::new();
                let (_own, reader) = (nothing.writer(), nothing.reader());
                told("s", 9, reader.read())
            }
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
    let meeting = plan.scripts.iter().filter(|script| meets(&script.steps)).count();
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
            barrier: meets(script).then(|| barrier.clone()),
            lives: Atomic::new(0).unwrap(),
        }
    };
    let processes: Vec<_> = plan
        .scripts
        .iter()
        .enumerate()
        .map(|(me, Script { steps, on_crash })| {
            goes_through(me as u8, steps.clone(), ends(steps)).on(placement).on_crash(*on_crash)
        })
        .collect();
    network!(processes)
}

fn meets(script: &[Step]) -> bool {
    script.iter().any(|step| matches!(step, Step::Meet))
}

const STANDS_STILL: &str = "stands still";

/// Runs a network, and says what came of it.
#[process]
fn conducts(plan: Plan, placement: Placement) -> String {
    match network(&plan, placement).run() {
        Ok(logs) => format!("{:?}", logs.into_iter().map(Some).collect::<Vec<_>>()),
        Err(error) if error.deadlock().is_some() => String::from(STANDS_STILL),
        Err(error) => {
            let log = |place: usize| error.results().get::<Vec<String>>(place);
            format!("{:?}", (0..plan.scripts.len()).map(log).collect::<Vec<_>>())
        }
    }
}

/// What came of each of them for real, in so many runs.
fn for_real(plans: &[Plan], placement: Placement, runs: usize) -> Vec<BTreeSet<String>> {
    let all = plans.iter().flat_map(|plan| std::iter::repeat_n(plan, runs));
    let all: Vec<_> = all.map(|plan| conducts(plan.clone(), placement).on(placement)).collect();
    let came = network!(all).run().unwrap_or_else(|error| panic!("{error}"));
    came.chunks(runs).map(|came| came.iter().cloned().collect()).collect()
}

/// What comes of it under one schedule.
fn simulated(plan: &Plan, schedule: &csproc::testing::Schedule) -> String {
    let run = simulate(schedule, || conducts(plan.clone(), Placement::Process));
    match (run.outcome(), run.result()) {
        (Outcome::Completed, Some(came)) => came.clone(),
        (Outcome::Deadlock(_), _) => String::from(STANDS_STILL),
        _ => panic!("{run}"),
    }
}

/// Whether others may stand still before somebody crashes: then they are found for real, and the crash comes too late.
fn may_stand_before_a_crash(plan: &Plan, schedule: &csproc::testing::Schedule) -> bool {
    let mut before = plan.clone();
    for step in before.scripts.iter_mut().flat_map(|script| &mut script.steps) {
        if matches!(step, Step::Crash { .. }) {
            *step = Step::Stay;
        }
    }
    let run = simulate(schedule, || conducts(before.clone(), Placement::Process));
    let stays = |place: usize| before.scripts[place].steps.iter().any(|step| matches!(step, Step::Stay));
    let others = (0..before.scripts.len()).filter(|place| !stays(*place));
    let mut names = others.map(|place| format!("goes_through[{place}]"));
    names.any(|name| run.standing().is_some_and(|report| report.processes().iter().any(|process| process.name == name)))
}

/// So many schedules are tried for an outcome: one that none of them comes to is none that the reference allows.
const TRIED: usize = 20_000;

/// Whether some schedule comes to each of these; if not, what they came to.
fn allows(plan: &Plan, mut wanted: BTreeSet<String>, tried: usize) -> Result<(), String> {
    let mut runner = TestRunner::default();
    let mut seen = BTreeSet::new();
    for _ in 0..tried {
        if wanted.is_empty() {
            return Ok(());
        }
        let schedule = schedule().new_tree(&mut runner).expect("a schedule").current();
        let came = simulated(plan, &schedule);
        wanted.remove(&came);
        seen.insert(came);
        if wanted.contains(STANDS_STILL) && may_stand_before_a_crash(plan, &schedule) {
            wanted.remove(STANDS_STILL);
        }
    }
    if wanted.is_empty() { Ok(()) } else { Err(format!("for real: {wanted:#?}\nsimulated: {seen:#?}")) }
}

/// So many networks run for real at once.
const TOGETHER: usize = 16;

fn compare(networks: usize, placement: Placement, runs: usize) {
    let networks = if std::env::var_os("CSPROC_LONG").is_some() { networks * 100 } else { networks };
    let (strategy, mut runner) = (plans(), TestRunner::default());
    for _ in 0..networks.div_ceil(TOGETHER) {
        let mut trees: Vec<_> = (0..TOGETHER).map(|_| strategy.new_tree(&mut runner).expect("a plan")).collect();
        let plans: Vec<Plan> = trees.iter().map(ValueTree::current).collect();
        for (place, wanted) in for_real(&plans, placement, runs).into_iter().enumerate() {
            if let Err(difference) = allows(&plans[place], wanted, TRIED) {
                panic!("{}", smallest(&mut trees[place], difference, placement, 4 * runs));
            }
        }
    }
}

/// The smallest network that was found with such a difference, and the difference.
fn smallest(
    tree: &mut impl ValueTree<Value = Plan>,
    mut difference: String,
    placement: Placement,
    runs: usize,
) -> String {
    let (mut failing, mut goes_on) = (tree.current(), tree.simplify());
    for _ in 0..100 {
        if !goes_on {
            break;
        }
        let plan = tree.current();
        let wanted = for_real(std::slice::from_ref(&plan), placement, runs).remove(0);
        goes_on = match allows(&plan, wanted, TRIED) {
            Ok(()) => tree.complicate(),
            Err(other) => {
                (failing, difference) = (plan, other);
                tree.simplify()
            }
        };
    }
    format!("{failing:#?}\n{difference}")
}

#[test]
fn what_threads_do_some_schedule_does() {
    compare(70, Placement::Thread, 8);
}

#[test]
fn what_processes_of_the_operating_system_do_some_schedule_does() {
    compare(30, Placement::Process, 3);
}

/// What a network comes to with other buffers, or another step, is not allowed.
#[test]
fn what_no_schedule_does_is_noticed() {
    let plan = |buffers: &[u8], scripts: &[&[Step]]| {
        let script = |steps: &&[Step]| Script { steps: steps.to_vec(), on_crash: OnCrash::Poison };
        Plan { buffers: buffers.to_vec(), scripts: scripts.iter().map(script).collect() }
    };
    use Step::{Crash, Poison, Read, ReadExtended, Retire, Write};
    for (this, other) in [
        // A writer waits, and does not.
        (plan(&[0], &[&[Write(0)], &[Read(0), Write(0)]]), plan(&[2], &[&[Write(0)], &[Read(0), Write(0)]])),
        // Poison is poison, retirement retirement, and a crash a loss.
        (plan(&[0], &[&[Poison(0)], &[Read(0)]]), plan(&[0], &[&[Write(0), Poison(0)], &[Read(0)]])),
        (
            plan(&[0], &[&[Write(0), Retire(0)], &[Read(0), Read(0)]]),
            plan(&[0], &[&[Write(0), Poison(0)], &[Read(0), Read(0)]]),
        ),
        (plan(&[0], &[&[Crash { again: true }, Write(0)], &[Read(0)]]), plan(&[0], &[&[Poison(0)], &[Read(0)]])),
        (plan(&[0], &[&[Write(0)], &[ReadExtended(0)]]), plan(&[0], &[&[Write(0)], &[Read(0)]])),
    ] {
        let came = for_real(&[this.clone(), other], Placement::Thread, 1);
        assert_eq!(allows(&this, came[0].clone(), 500), Ok(()));
        assert!(allows(&this, came[1].clone(), 500).is_err(), "{this:?} allows {:?}", came[1]);
    }
}
