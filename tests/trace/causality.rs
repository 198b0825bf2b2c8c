//! What a trace says of before and after is what the processes could know. Each message says which one it is, each
//! process tells which ones it has written and read, and from that vector clocks are made by hand.
//!
//! Knows nothing of the numbers of events, nor of how a trace finds pairs.

use crate::begin;
use csproc::prelude::*;
use csproc::trace::{self, Event, Outcome, What};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const PLAYERS: usize = 3;

/// One step of all: a message from one to another, which may lie in a buffer for a while, or a barrier.
#[derive(Clone, Copy, Debug)]
enum Step {
    Message { from: usize, to: usize, buffered: bool, chosen: [bool; 2] },
    Barrier,
}

/// What one process does of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Part {
    Write { channel: usize, number: usize, chosen: bool },
    Read { channel: usize, chosen: bool },
    Sync { number: usize },
}

/// What it has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Done {
    Wrote(usize),
    Read(usize),
    Synced(usize),
}

#[derive(Serialize, Deserialize)]
struct Ends {
    writers: HashMap<usize, Writer<usize>>,
    readers: HashMap<usize, Reader<usize>>,
    never: Reader<usize>,
    barrier: Barrier,
}

#[process]
fn player(parts: Vec<Part>, ends: Ends) -> csproc::Result<Vec<Done>> {
    let Ends { writers, readers, never, barrier } = ends;
    let mut done = Vec::new();
    for part in parts {
        done.push(match part {
            Part::Write { channel, number, chosen: false } => {
                writers[&channel].write(number)?;
                Done::Wrote(number)
            }
            Part::Write { channel, number, chosen: true } => {
                let writer = &writers[&channel];
                AltSelect! {
                    never.read() => (),
                    writer.write(number) => (),
                }?;
                Done::Wrote(number)
            }
            Part::Read { channel, chosen: false } => Done::Read(readers[&channel].read()?),
            Part::Read { channel, chosen: true } => {
                let reader = &readers[&channel];
                Done::Read(AltSelect! {
                    never.read() => 0,
                    number = reader.read() => number,
                }?)
            }
            Part::Sync { number } => {
                barrier.sync()?;
                Done::Synced(number)
            }
        });
    }
    Ok(done)
}

fn channel_of(from: usize, to: usize, buffered: bool) -> usize {
    (from * PLAYERS + to) * 2 + usize::from(buffered)
}

/// The parts of one: a message that lies in a buffer is read after three more steps, or at the end, or when another one
/// is to be read on the way.
fn parts_of(me: usize, steps: &[Step]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut later: Vec<(usize, Part)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        later.retain(|(due, part)| {
            if *due <= number {
                parts.push(*part);
            }
            *due > number
        });
        match *step {
            Step::Message { from, to, buffered, chosen } => {
                let channel = channel_of(from, to, buffered);
                if from == me {
                    parts.push(Part::Write { channel, number, chosen: chosen[0] });
                }
                if to == me {
                    let read = Part::Read { channel, chosen: chosen[1] };
                    if buffered { later.push((number + 3, read)) } else { parts.push(read) }
                }
            }
            Step::Barrier => parts.push(Part::Sync { number }),
        }
    }
    parts.extend(later.into_iter().map(|(_, part)| part));
    parts
}

/// The same by hand: for each event of each process, how many events of every process it knows of.
fn clocks_by_hand(steps: &[Step], all: &[Vec<Done>]) -> Vec<Vec<[usize; PLAYERS]>> {
    let place = |player: usize, wanted: Done| all[player].iter().position(|done| *done == wanted).expect("it is done");
    let mut clocks: Vec<Vec<[usize; PLAYERS]>> =
        all.iter().enumerate().map(|(me, done)| (0..done.len()).map(|at| own(me, at)).collect()).collect();
    // Until nothing new is heard of.
    loop {
        let before = clocks.clone();
        for its in &mut clocks {
            for at in 1..its.len() {
                let earlier = its[at - 1];
                hear(&mut its[at], &earlier);
            }
        }
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Step::Message { from, to, buffered, .. } => {
                    let (write, read) = (place(from, Done::Wrote(number)), place(to, Done::Read(number)));
                    let sent = clocks[from][write];
                    hear(&mut clocks[to][read], &sent);
                    if !buffered {
                        let back = clocks[to][read];
                        hear(&mut clocks[from][write], &back);
                    }
                }
                Step::Barrier => {
                    let mut together = [0; PLAYERS];
                    (0..PLAYERS).for_each(|who| hear(&mut together, &clocks[who][place(who, Done::Synced(number))]));
                    (0..PLAYERS).for_each(|who| clocks[who][place(who, Done::Synced(number))] = together);
                }
            }
        }
        if clocks == before {
            return clocks;
        }
    }
}

fn own(me: usize, at: usize) -> [usize; PLAYERS] {
    std::array::from_fn(|who| if who == me { at + 1 } else { 0 })
}

fn hear(clock: &mut [usize; PLAYERS], other: &[usize; PLAYERS]) {
    for (word, other) in clock.iter_mut().zip(other) {
        *word = (*word).max(*other);
    }
}

fn step() -> impl Strategy<Value = Step> {
    let message =
        (0..PLAYERS, 1..PLAYERS, any::<bool>(), any::<[bool; 2]>()).prop_map(|(from, distance, buffered, chosen)| {
            // Two output guards and two input guards may not meet in one alternation's stead: one side chooses at most.
            let chosen = [chosen[0] && !chosen[1], chosen[1]];
            Step::Message { from, to: (from + distance) % PLAYERS, buffered, chosen }
        });
    prop_oneof![9 => message, 1 => Just(Step::Barrier)]
}

fn play(steps: &[Step], placement: Placement) {
    begin();
    let channels: Vec<Channel<usize>> = (0..2 * PLAYERS * PLAYERS)
        .map(|number| if number % 2 == 0 { Channel::new() } else { Channel::buffered(Buffer::Fifo(32)) })
        .collect();
    let (never, barrier) = (Channel::new(), Barrier::new(PLAYERS));
    let _kept = never.writer();
    let players: Vec<Process<csproc::Result<Vec<Done>>>> = (0..PLAYERS)
        .map(|me| {
            let others = (0..PLAYERS).filter(|other| *other != me).flat_map(|other| [(other, false), (other, true)]);
            let others: Vec<(usize, bool)> = others.collect();
            let writes = others.iter().map(|(to, buffered)| channel_of(me, *to, *buffered));
            let reads = others.iter().map(|(from, buffered)| channel_of(*from, me, *buffered));
            let ends = Ends {
                writers: writes.map(|number| (number, channels[number].writer())).collect(),
                readers: reads.map(|number| (number, channels[number].reader())).collect(),
                never: never.reader(),
                barrier: barrier.clone(),
            };
            player(parts_of(me, steps), ends).named(format!("player {me}")).on(placement)
        })
        .collect();
    let all = Parallel!(players).values().unwrap();
    let trace = trace::last(usize::MAX);
    assert_eq!(trace.lost(), 0);
    let told: Vec<Vec<&Event>> = (0..PLAYERS)
        .map(|me| {
            let communications = |event: &&Event| {
                matches!(event.what(), What::Wrote | What::Read | What::Synchronized)
                    && event.outcome() == Outcome::Done
            };
            trace.of(&format!("player {me}")).filter(communications).collect()
        })
        .collect();
    for (told, done) in told.iter().zip(&all) {
        let kinds: Vec<What> = done
            .iter()
            .map(|done| match done {
                Done::Wrote(_) => What::Wrote,
                Done::Read(_) => What::Read,
                Done::Synced(_) => What::Synchronized,
            })
            .collect();
        assert_eq!(told.iter().map(|event| event.what()).collect::<Vec<_>>(), kinds, "{trace}");
    }
    let clocks = clocks_by_hand(steps, &all);
    for (one, mine) in told.iter().enumerate() {
        for (at, event) in mine.iter().enumerate() {
            for (other, theirs) in told.iter().enumerate() {
                for (place, later) in theirs.iter().enumerate() {
                    let knows = clocks[other][place][one] > at;
                    let is_known = clocks[one][at][other] > place;
                    let before = knows && !is_known;
                    let said = trace.happened_before(event, later);
                    assert_eq!(said, before, "{event} before {later} in\n{trace}\n{steps:?}");
                    if before {
                        // A reader that waits at a buffer has its message with the number of the write.
                        let is_pair = trace.pairs().any(|pair| pair == (*event, *later));
                        let rises = event.number() < later.number();
                        assert!(rises || is_pair && event.number() == later.number(), "{event} {later}");
                        assert!(position(&trace, event) < position(&trace, later));
                    }
                }
            }
        }
    }
    let messages = steps.iter().filter(|step| matches!(step, Step::Message { .. })).count();
    let named = |event: &Event| event.process().starts_with("player");
    assert_eq!(trace.pairs().filter(|(write, read)| named(write) && named(read)).count(), messages, "{trace}");
}

fn position(trace: &trace::Trace, event: &Event) -> usize {
    trace.events().iter().position(|other| other == event).expect("it is one of them")
}

over_both! {
    alone:
    fn a_trace_knows_what_processes_could_know(placement) {
        let cases = if placement == Placement::Process { 25 } else { 60 };
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let steps = proptest::collection::vec(step(), 1..25);
        TestRunner::new(config).run(&steps, |steps| { play(&steps, placement); Ok(()) }).unwrap();
    }
}
