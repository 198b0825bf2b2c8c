//! Random small networks: each process goes through a script and tells what came of each step.
//!
//! Knows nothing of how they are run.

use csproc::Supervisor;
use csproc::prelude::*;
use csproc::shared::{Atomic, LockError};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
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
    /// With the lock in its hand, or with a permit of the semaphore.
    With {
        lock: bool,
        step: Box<Step>,
    },
    /// Into the queue; out of it, and done with; until all of it is done with.
    Put,
    Get,
    GetAndForget,
    Join,
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
    pub(crate) buffers: Vec<u8>,
    pub(crate) scripts: Vec<Script>,
    /// Who else is started again with one that has crashed; nobody is started again otherwise.
    pub(crate) supervised: Option<Restarts>,
}

impl Plan {
    /// A thread cannot be ended from outside, as all strategies but one ask.
    pub(crate) fn made_for(mut self, placement: Placement) -> Plan {
        if placement == Placement::Thread {
            self.supervised = self.supervised.map(|_| Restarts::One);
        }
        self
    }
}

/// See [`csproc::Strategy`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Restarts {
    One,
    All,
    Rest,
}

/// What a process does, and what becomes of it when it crashes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) on_crash: OnCrash,
}

fn steps(channels: usize) -> impl proptest::strategy::Strategy<Value = Step> {
    let choice =
        (0..3u8, prop::collection::vec(0..channels, 1..3), prop::collection::vec(0..channels, 0..2), any::<bool>());
    let simple = prop_oneof![
        6 => (0..channels).prop_map(Step::Write),
        6 => (0..channels).prop_map(Step::Read),
        1 => (0..channels).prop_map(Step::TryRead),
        1 => (0..channels).prop_map(Step::Poison),
        1 => (0..channels).prop_map(Step::Retire),
        1 => (0..channels).prop_map(Step::ReadExtended),
        1 => Just(Step::Meet),
        1 => any::<bool>().prop_map(|again| Step::Crash { again }),
        2 => prop_oneof![Just(Step::Put), Just(Step::Get), Just(Step::GetAndForget), Just(Step::Join)],
        4 => choice.prop_map(|(policy, reads, writes, skips)| Step::Choose { policy, reads, writes, skips }),
    ];
    let inside = simple.boxed();
    let with = (any::<bool>(), inside.clone()).prop_map(|(lock, step)| Step::With { lock, step: Box::new(step) });
    prop_oneof![8 => inside, 1 => with]
}

pub(crate) fn plans() -> impl proptest::strategy::Strategy<Value = Plan> {
    (1..3usize).prop_flat_map(|channels| {
        let restart = OnCrash::Restart { max: 1, within: Duration::from_secs(3600) };
        let on_crash = prop_oneof![3 => Just(OnCrash::Poison), 1 => Just(OnCrash::Retire), 1 => Just(restart)];
        let script = (prop::collection::vec(steps(channels), 1..4), on_crash);
        let scripts = prop::collection::vec(script.prop_map(|(steps, on_crash)| Script { steps, on_crash }), 2..4);
        let supervised = prop_oneof![
            6 => Just(None),
            1 => prop_oneof![Just(Restarts::One), Just(Restarts::All), Just(Restarts::Rest)].prop_map(Some),
        ];
        (prop::collection::vec(0..3u8, channels), scripts, supervised).prop_map(|(buffers, scripts, supervised)| Plan {
            buffers,
            scripts,
            supervised,
        })
    })
}

/// The ends of each channel that a script uses.
#[derive(Serialize, Deserialize)]
struct Ends {
    readers: Vec<Option<Reader<u8>>>,
    writers: Vec<Option<Writer<u8>>>,
    barrier: Option<Barrier>,
    lock: Option<Lock>,
    semaphore: Option<Semaphore>,
    queue: Option<Queue<u8>>,
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
    let is_first_life = ends.lives.fetch_add(1) == 0;
    let values = (0..).map(|number| me * 16 + number);
    script.into_iter().zip(values).map(|(step, value)| takes(step, value, &mut ends, is_first_life)).collect()
}

/// Takes a step, and says what came of it.
fn takes(step: Step, value: u8, ends: &mut Ends, is_first_life: bool) -> String {
    let said = match step {
        Step::Write(c) => {
            ends.writers[c].as_ref().map(|end| told("w", c, end.write(value).map_err(ChannelError::from)))
        }
        Step::Read(c) => ends.readers[c].as_ref().map(|end| told("r", c, end.read())),
        Step::ReadExtended(c) => ends.readers[c].as_ref().map(|end| told("x", c, end.read_extended(|value| value))),
        Step::TryRead(c) => ends.readers[c].as_ref().map(|end| told("t", c, end.try_read())),
        Step::Poison(c) => {
            ends.writers[c].iter().for_each(Writer::poison);
            ends.readers[c].iter().for_each(Reader::poison);
            Some(String::from("p"))
        }
        Step::Retire(c) => {
            drop((ends.writers[c].take(), ends.readers[c].take()));
            Some(String::from("d"))
        }
        Step::Meet => ends.barrier.as_ref().map(|barrier| told("m", 0, barrier.sync())),
        Step::With { lock: true, step } => {
            let lock = ends.lock.clone().expect("whoever locks has it");
            let (text, held) = match lock.acquire() {
                Ok(held) => (String::from("l"), Ok(held)),
                Err(LockError::Abandoned(left)) => (format!("l after {}", left.process()), Ok(left.recover())),
                Err(LockError::Failed(error)) => (String::new(), Err(error)),
            };
            Some(match held {
                Ok(_held) => format!("{text} [{}]", takes(*step, value, ends, is_first_life)),
                Err(error) => told::<()>("l", 9, Err(error)),
            })
        }
        Step::With { lock: false, step } => {
            let semaphore = ends.semaphore.clone().expect("whoever acquires has it");
            Some(match semaphore.acquire() {
                Ok(_permit) => format!("s [{}]", takes(*step, value, ends, is_first_life)),
                Err(error) => told::<()>("s", 9, Err(error)),
            })
        }
        Step::Put => ends.queue.as_ref().map(|queue| told("put", 9, queue.put(value).map_err(ChannelError::from))),
        Step::Get => ends.queue.as_ref().map(|queue| {
            let got = queue.get();
            let is_done = queue.task_done().is_ok();
            format!("{} {is_done}", told("get", 9, got))
        }),
        Step::GetAndForget => ends.queue.as_ref().map(|queue| told("get", 9, queue.get())),
        Step::Join => ends.queue.as_ref().map(|queue| told("join", 9, queue.join())),
        // Without a message of the panic hook.
        Step::Crash { again } if again || is_first_life => std::panic::resume_unwind(Box::new("as planned")),
        Step::Crash { .. } => Some(String::from("!")),
        Step::Stay => {
            let nothing = Channel::<u8>::new();
            let (_own, reader) = (nothing.writer(), nothing.reader());
            Some(told("s", 9, reader.read()))
        }
        Step::Choose { policy, reads, writes, skips } => Some(choose(ends, policy, &reads, &writes, skips, value)),
    };
    said.unwrap_or_else(|| String::from("-"))
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

/// The steps of a script, and those within them.
pub(crate) fn all_of(script: &[Step]) -> Vec<&Step> {
    let mut all: Vec<&Step> = script.iter().collect();
    let mut seen = 0;
    while let Some(step) = all.get(seen) {
        if let Step::With { step, .. } = step {
            all.push(step);
        }
        seen += 1;
    }
    all
}

fn processes(plan: &Plan, placement: Placement) -> Vec<Process<Vec<String>>> {
    let channel = |size: &u8| match size {
        0 | 1 => Channel::new(),
        size => Channel::buffered(Buffer::Fifo(usize::from(*size) - 1)),
    };
    let channels: Vec<Channel<u8>> = plan.buffers.iter().map(channel).collect();
    let uses = |script: &[Step], use_: fn(&Step) -> bool| all_of(script).into_iter().any(use_);
    let meets = |script: &[Step]| uses(script, |step| matches!(step, Step::Meet));
    let meeting = plan.scripts.iter().filter(|script| meets(&script.steps)).count();
    let barrier = Barrier::new(meeting.max(1));
    let (lock, semaphore, queue) = (Lock::new(), Semaphore::new(1), Queue::new());
    let ends = |script: &[Step]| {
        let reads = |c: usize| {
            all_of(script).into_iter().any(|step| match step {
                Step::Read(of) | Step::TryRead(of) | Step::ReadExtended(of) => *of == c,
                Step::Choose { reads, .. } => reads.contains(&c),
                _ => false,
            })
        };
        let writes = |c: usize| {
            all_of(script).into_iter().any(|step| match step {
                Step::Write(of) | Step::Poison(of) => *of == c,
                Step::Choose { writes, .. } => writes.contains(&c),
                _ => false,
            })
        };
        let queues = |step: &Step| matches!(step, Step::Put | Step::Get | Step::GetAndForget | Step::Join);
        Ends {
            readers: (0..channels.len()).map(|c| reads(c).then(|| channels[c].reader())).collect(),
            writers: (0..channels.len()).map(|c| writes(c).then(|| channels[c].writer())).collect(),
            barrier: meets(script).then(|| barrier.clone()),
            lock: uses(script, |step| matches!(step, Step::With { lock: true, .. })).then(|| lock.clone()),
            semaphore: uses(script, |step| matches!(step, Step::With { lock: false, .. })).then(|| semaphore.clone()),
            queue: uses(script, queues).then(|| queue.clone()),
            lives: Atomic::new(0).unwrap(),
        }
    };
    let scripts = plan.scripts.iter().zip(0_u8..);
    let processes = scripts.map(|(Script { steps, on_crash }, me)| {
        // Also those of a supervisor, which has no places.
        let name = format!("goes_through[{me}]");
        goes_through(me, steps.clone(), ends(steps)).named(name).on(placement).on_crash(*on_crash)
    });
    processes.collect()
}

pub(crate) fn network(plan: &Plan, placement: Placement) -> Network<Vec<Vec<String>>> {
    network!(processes(plan, placement))
}

/// All of them under a supervisor that bears two crashes.
pub(crate) fn supervisor(plan: &Plan, restarts: Restarts, placement: Placement) -> Supervisor {
    let strategy = match restarts {
        Restarts::One => csproc::Strategy::OneForOne,
        Restarts::All => csproc::Strategy::OneForAll,
        Restarts::Rest => csproc::Strategy::RestForOne,
    };
    let mut supervisor = Supervisor::new(strategy).intensity(2, Duration::from_secs(3600));
    for process in processes(plan, placement) {
        supervisor.child(process);
    }
    supervisor
}
