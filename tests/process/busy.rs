//! A false deadlock cannot be made: networks that never rest are looked at again and again, and nobody in them is ever
//! told of one.
//!
//! Knows nothing of how deadlocks are found. What may wrap is the number of waits in a context's word: built with
//! `CSPROC_NARROW=1` it has two bits instead of thirteen. `CSPROC_LONG=1` runs each network for ten minutes divided by
//! their number.

use crate::harness::looks::Looks;
use csproc::prelude::*;
use std::time::{Duration, Instant};

type End = Result<(), ChannelError>;

/// The numbers of processes that are tried.
const SIZES: [usize; 4] = [2, 4, 8, 64];
/// Makes the processes of a network of so many.
type Kind = fn(usize, Placement) -> Vec<Network<End>>;
const KINDS: [(&str, Kind); 6] = [
    ("pairs", pairs),
    ("ring", ring),
    ("alternations", alternations),
    ("barrier", barrier),
    ("extended", extended),
    ("mobile", mobile),
];

fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some_and(|value| value == "1")
}

/// How long each network runs.
fn lasts() -> Duration {
    let all = if is_long() { Duration::from_secs(600) } else { Duration::from_secs(5) };
    all / (SIZES.len() * KINDS.len()) as u32
}

/// The end of a channel is the end of whoever uses it.
fn until_retired(mut step: impl FnMut() -> End) -> End {
    loop {
        match step() {
            Err(error) if error.is_retired() => return Ok(()),
            step => step?,
        }
    }
}

/// As long as its time lasts, and until the network was looked at, and as its peers are there.
fn for_a_while(mut step: impl FnMut() -> End) -> End {
    let (start, looks) = (Instant::now(), Looks::from_now());
    let is_over = || start.elapsed() >= lasts() && looks.make_a_proof();
    until_retired(|| if is_over() { Err(ChannelError::Retired) } else { step() })
}

#[process]
fn ping(output: Writer<u64>, input: Reader<u64>) -> End {
    for_a_while(|| {
        output.write(1)?;
        input.read().map(drop)
    })
}

#[process]
fn pong(input: Reader<u64>, output: Writer<u64>) -> End {
    until_retired(|| Ok(output.write(input.read()?)?))
}

#[process]
fn either(input: Reader<u64>, output: Writer<u64>, leads: bool) -> End {
    let step = || {
        AltSelect! {
            _v = input.read() => (),
            output.write(1) => (),
        }
    };
    if leads { for_a_while(step) } else { until_retired(step) }
}

#[process]
fn step(barrier: Barrier, until: Reader<u64>) -> End {
    until_retired(|| {
        // In this order: the barrier of the last party alone is always ready.
        PriSelect! {
            _v = until.read() => (),
            barrier.sync() => (),
        }
    })
}

#[process]
fn keep_open(out: Writer<u64>) -> End {
    let looks = Looks::from_now();
    std::thread::sleep(lasts());
    looks.wait_for_a_proof();
    drop(out);
    Ok(())
}

#[process]
fn count_up(out: Writer<u64>) -> End {
    for_a_while(|| Ok(out.write(1)?))
}

/// Holds whoever writes to it until somebody else has taken the value.
#[process]
fn pass_within(input: Reader<u64>, out: Writer<u64>) -> End {
    until_retired(|| input.read_extended(|value| out.write(value).map_err(ChannelError::from))?)
}

#[process]
fn take(input: Reader<u64>) -> End {
    until_retired(|| input.read().map(drop))
}

/// Sends an end, and waits for an answer on the channel that it belongs to.
#[process]
fn ask(questions: Writer<Writer<u64>>) -> End {
    for_a_while(|| {
        let c = Channel::new();
        let answer = c.reader();
        questions.write(c.writer())?;
        drop(c);
        answer.read().map(drop)
    })
}

#[process]
fn answer(questions: Reader<Writer<u64>>) -> End {
    until_retired(|| Ok(questions.read()?.write(1)?))
}

fn pairs(count: usize, placement: Placement) -> Vec<Network<End>> {
    let pair = |_| {
        let (c, d) = (Channel::new(), Channel::new());
        [ping(c.writer(), d.reader()), pong(c.reader(), d.writer())].map(|process| network!(process.on(placement)))
    };
    (0..count / 2).flat_map(pair).collect()
}

fn ring(count: usize, placement: Placement) -> Vec<Network<End>> {
    let channels: Vec<Channel<u64>> = (0..count).map(|_| Channel::new()).collect();
    let links = (0..count).map(|place| (&channels[place], &channels[(place + 1) % count]));
    let member = |(place, (input, output)): (usize, (&Channel<u64>, &Channel<u64>))| match place {
        0 => network!(ping(output.writer(), input.reader()).on(placement)),
        _ => network!(pong(input.reader(), output.writer()).on(placement)),
    };
    links.enumerate().map(member).collect()
}

fn alternations(count: usize, placement: Placement) -> Vec<Network<End>> {
    let channels: Vec<Channel<u64>> = (0..count).map(|_| Channel::new()).collect();
    let links = (0..count).map(|place| (place, &channels[place], &channels[(place + 1) % count]));
    links
        .map(|(place, input, output)| network!(either(input.reader(), output.writer(), place == 0).on(placement)))
        .collect()
}

fn barrier(count: usize, placement: Placement) -> Vec<Network<End>> {
    let (barrier, until) = (Barrier::new(count), Channel::new());
    let parties = (0..count).map(|_| network!(step(barrier.clone(), until.reader()).on(placement)));
    let mut networks: Vec<Network<End>> = parties.collect();
    networks.push(network!(keep_open(until.writer()).on(placement)));
    networks
}

fn extended(count: usize, placement: Placement) -> Vec<Network<End>> {
    let channels: Vec<Channel<u64>> = (1..count).map(|_| Channel::new()).collect();
    let mut networks = vec![network!(count_up(channels[0].writer()).on(placement))];
    for link in channels.windows(2) {
        networks.push(network!(pass_within(link[0].reader(), link[1].writer()).on(placement)));
    }
    networks.push(network!(take(channels[count - 2].reader()).on(placement)));
    networks
}

fn mobile(count: usize, placement: Placement) -> Vec<Network<End>> {
    let pair = |_| {
        let c = Channel::new();
        [network!(ask(c.writer()).on(placement)), network!(answer(c.reader()).on(placement))]
    };
    (0..count / 2).flat_map(pair).collect()
}

over_both! {
    fn law_12_busy_networks_are_never_told_of_a_deadlock(placement) {
        for (name, kind) in KINDS {
            for size in SIZES {
                let results = network!(kind(size, placement)).run();
                let results = results.unwrap_or_else(|error| panic!("{size} processes, {name}: {error}"));
                assert!(results.iter().all(Result::is_ok), "{size} processes, {name}: {results:?}");
            }
        }
    }
}
