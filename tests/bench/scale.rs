//! Measures what it costs that much exists, and that there is much to do: a thousand processes, a million channels,
//! an alternation over ten thousand guards, ten million messages. What is linear costs the same for each of few and of
//! many: then the ratios of a table are one, or less, where few have to pay for a beginning.
//!
//! Knows nothing of the library's inside.

mod table;

use csproc::prelude::*;
use std::fs;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

const MANY: usize = 100_000;
const MILLION: usize = 1_000_000;

#[process]
fn empty() {}

/// Answers one question.
#[process]
fn answer(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    Ok(output.write(input.read()? + 1)?)
}

#[process]
fn ask(outputs: Vec<Writer<u64>>, inputs: Vec<Reader<u64>>) -> csproc::Result<u64> {
    outputs.iter().try_for_each(|output| output.write(1))?;
    let mut sum = 0;
    for input in &inputs {
        sum += input.read()?;
    }
    Ok(sum)
}

#[process]
fn count(output: Writer<u64>, messages: u64) -> csproc::Result<()> {
    Ok((0..messages).try_for_each(|number| output.write(number))?)
}

/// How many bytes of shared memory this process has seen when it has read everything.
#[process]
fn read_all(input: Reader<u64>) -> f64 {
    let sum: u64 = input.iter().sum();
    assert!(sum > 0);
    memory("status", "RssShmem:")
}

/// Writes to the last of many channels whenever it is told to.
#[process]
fn write_last(go: Reader<()>, output: Writer<u64>) -> csproc::Result<()> {
    go.iter().try_for_each(|()| Ok(output.write(1)?))
}

/// The nanoseconds in which an alternation over all of them comes to the message on the last one, so many times.
#[process]
fn choose(inputs: Vec<Reader<u64>>, go: Writer<()>, rounds: u64) -> csproc::Result<f64> {
    let mut alternation = Alternation::new();
    for input in &inputs {
        alternation.read(input);
    }
    let start = Instant::now();
    for _ in 0..rounds {
        go.write(())?;
        assert_eq!(alternation.select()?.index(), inputs.len() - 1);
    }
    Ok(nanoseconds(start, rounds))
}

/// The memory of this process while all of them are there, its share of what it has in common with others.
#[process]
fn weigh(all: Barrier) -> csproc::Result<f64> {
    all.sync()?;
    let share = memory("smaps_rollup", "Pss:");
    all.sync()?;
    Ok(share)
}

type Ends = (Writer<u64>, Reader<u64>);

fn ends() -> Ends {
    let c = Channel::new();
    (c.writer(), c.reader())
}

fn many_ends(count: usize) -> Vec<Ends> {
    (0..count).map(|_| ends()).collect()
}

fn make(count: u64) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| drop(ends()));
    nanoseconds(start, count)
}

fn make_crossbeam(count: u64) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| drop(crossbeam::channel::bounded::<u64>(0)));
    nanoseconds(start, count)
}

/// So many that exist at the same time.
fn make_all(count: usize) -> f64 {
    let start = Instant::now();
    drop(many_ends(count));
    nanoseconds(start, count as u64)
}

fn start(rounds: u64, processes: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        Parallel!(for _ in 0..processes => empty()).expect("empty processes return");
    }
    nanoseconds(start, rounds * processes as u64)
}

/// So many processes that exist at the same time; one more asks each of them something.
fn ask_all(processes: usize) -> f64 {
    let start = Instant::now();
    let (outputs, questions): (Vec<_>, Vec<_>) = many_ends(processes).into_iter().unzip();
    let (answers, inputs): (Vec<_>, Vec<_>) = many_ends(processes).into_iter().unzip();
    let ends = questions.into_iter().zip(answers);
    let (sum, _) = Parallel!(ask(outputs, inputs), for (input, output) in ends => answer(input, output))
        .expect("all of them return");
    assert_eq!(sum, Ok(2 * processes as u64));
    nanoseconds(start, processes as u64)
}

/// For each of so many guards: an alternation that comes to the one that is ready.
fn choose_among(guards: usize, waits: bool, scale: u64) -> f64 {
    let (mut outputs, mut inputs): (Vec<_>, Vec<_>) = many_ends(guards - 1).into_iter().unzip();
    let last = Channel::buffered(Buffer::Fifo(1));
    inputs.push(last.reader());
    let rounds = (20_000 / guards as u64).clamp(10, 200) / scale;
    let each = if waits {
        let go = Channel::new();
        let told = Parallel!(choose(inputs, go.writer(), rounds), write_last(go.reader(), last.writer()));
        told.expect("both return").0.expect("it chooses")
    } else {
        outputs.push(last.writer());
        let last = &outputs[guards - 1];
        let mut alternation = Alternation::new();
        for input in &inputs {
            alternation.read(input);
        }
        let start = Instant::now();
        for _ in 0..rounds {
            last.write(1).expect("there is room");
            assert_eq!(alternation.pri_select().map(|fired| fired.index()), Ok(guards - 1));
        }
        nanoseconds(start, rounds)
    };
    each / guards as f64
}

/// For each of so many messages from process to process; and the shared memory that the reader has seen then.
fn send(messages: usize) -> [f64; 2] {
    let c = Channel::buffered(Buffer::Fifo(64));
    let start = Instant::now();
    let (sent, seen) = Parallel!(count(c.writer(), messages as u64), read_all(c.reader())).expect("both return");
    sent.expect("somebody reads");
    [nanoseconds(start, messages as u64), seen]
}

/// What the system says about the memory of this process, in bytes.
fn memory(file: &str, what: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/self/{file}")).expect("the system says so");
    let line = text.lines().find_map(|line| line.strip_prefix(what)).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0
}

/// How many bytes of this process, with what it shares, each of so many takes, beside what names it in a vector.
fn memory_of<T>(count: usize, all: &mut Vec<T>, make: impl Fn() -> T) -> f64 {
    all.reserve_exact(count);
    let before = memory("status", "VmRSS:");
    all.extend((0..count).map(|_| make()));
    (memory("status", "VmRSS:") - before) / count as f64
}

fn memory_of_process(processes: usize) -> f64 {
    let all = Barrier::new(processes);
    let shares = Parallel!(for _ in 0..processes => weigh(all.clone())).expect("all of them return");
    shares.into_iter().map(|share| share.expect("all of them come")).sum::<f64>() / processes as f64
}

/// The same beside so many channels.
fn beside_channels(count: usize, measure: impl Fn() -> f64) -> f64 {
    let _others = many_ends(count);
    measure()
}

/// The same beside so many messages in a buffer.
fn beside_messages(count: usize, measure: impl Fn() -> f64) -> f64 {
    let c = Channel::buffered(Buffer::Unbounded);
    let (output, _input) = (c.writer(), c.reader());
    (0..count as u64).for_each(|number| output.write(number).expect("there is room"));
    measure()
}

/// A row of what was measured already.
fn told(name: &str, value: f64) -> Row<'_> {
    (name, Box::new(move || value))
}

fn main() {
    suite("scale", measure_all);
}

fn measure_all(scale: u64) {
    let few = 10_000 / scale;
    // What was in memory once is not given back at once: so it is measured once, and before everything else. So is what
    // a process costs before there were so many channels.
    start(5, 1);
    let fresh = start(140, 1);
    let mut all = Vec::new();
    let memory = [10_000, 90_000, 900_000].map(|count| memory_of(count, &mut all, ends));
    drop(all);
    let peer = memory_of(MANY, &mut Vec::new(), || crossbeam::channel::bounded::<u64>(0));
    // The last one takes seconds.
    let sent = [10_000, 100_000, 1_000_000, 10_000_000].map(send);

    table(
        "memory of a channel with a writer and a reader",
        "bytes",
        &[
            told("csproc, the first 10 000", memory[0]),
            told("csproc, the next 90 000", memory[1]),
            told("csproc, the next 900 000", memory[2]),
            told("crossbeam bounded(0)", peer),
        ],
    );
    table(
        "memory of a process",
        "bytes",
        &[
            ("of 10 at once", Box::new(|| memory_of_process(10))),
            ("of 100", Box::new(|| memory_of_process(100))),
            ("of 1000", Box::new(|| memory_of_process(1000))),
        ],
    );
    table(
        "shared memory that the reader of so many messages has seen",
        "bytes",
        &[
            told("10 000", sent[0][1]),
            told("100 000", sent[1][1]),
            told("1 000 000", sent[2][1]),
            told("10 000 000", sent[3][1]),
        ],
    );
    table(
        "a message of so many, from process to process",
        "ns each",
        &[
            told("of 10 000", sent[0][0]),
            told("of 100 000", sent[1][0]),
            told("of 1 000 000", sent[2][0]),
            told("of 10 000 000", sent[3][0]),
        ],
    );
    table(
        "a channel made and dropped",
        "ns each time",
        &[
            ("csproc, alone", Box::new(|| make(few))),
            ("csproc, beside 100 000 others", Box::new(|| beside_channels(MANY, || make(few)))),
            ("crossbeam bounded(0)", Box::new(|| make_crossbeam(few))),
        ],
    );
    table(
        "a channel of so many that exist at once, made and dropped",
        "ns each",
        &[
            ("of 1000", Box::new(|| make_all(1000))),
            ("of 10 000", Box::new(|| make_all(10_000))),
            ("of 100 000", Box::new(|| make_all(MANY))),
            ("of 1 000 000", Box::new(|| make_all(MILLION))),
        ],
    );
    for (title, waits) in [
        ("a guard of an alternation over so many, of which the last one is ready", false),
        ("a guard of an alternation that waits for one of so many", true),
    ] {
        table(
            title,
            "ns each",
            &[
                ("of 10", Box::new(move || choose_among(10, waits, scale))),
                ("of 100", Box::new(move || choose_among(100, waits, scale))),
                ("of 1000", Box::new(move || choose_among(1000, waits, scale))),
                ("of 10 000", Box::new(move || choose_among(10_000, waits, scale))),
            ],
        );
    }
    table(
        "a process started and joined",
        "ns each time",
        &[
            told("csproc, before there were channels", fresh),
            ("csproc, beside 100 000 channels", Box::new(|| beside_channels(MANY, || start(20, 1)))),
            ("csproc, beside 1 000 000 channels", Box::new(|| beside_channels(MILLION, || start(20, 1)))),
            ("csproc, beside 1 000 000 messages", Box::new(|| beside_messages(MILLION, || start(20, 1)))),
            ("csproc, when they are gone", Box::new(|| start(20, 1))),
            ("csproc, of 1000 at once", Box::new(|| start(1, 1000))),
        ],
    );
    table(
        "a process of so many at once, started, asked and joined",
        "ns each",
        &[
            ("of 10", Box::new(|| ask_all(10))),
            ("of 100", Box::new(|| ask_all(100))),
            ("of 1000", Box::new(|| ask_all(1000))),
        ],
    );
}
