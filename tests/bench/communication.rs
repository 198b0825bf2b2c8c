//! Measures communication against its peers, in one run: ping-pong, commstime, rings, any-to-any.
//!
//! Knows nothing of the library's inside. Every figure is taken in turn with its peers; what counts is the ratio.
#![expect(unsafe_code, reason = "the peers are raw: fork, shared pages, futexes")]

mod beside;
mod go;
mod python;
mod table;

use beside::beside;
use csproc::prelude::*;
use python::python;
use rustix::thread::futex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

#[process]
fn echo(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    for value in input {
        output.write(value)?;
    }
    Ok(())
}

#[process]
fn ping(output: Writer<u64>, input: Reader<u64>, trips: u64) -> csproc::Result<f64> {
    for value in 0..trips / 10 {
        output.write(value)?;
        input.read()?;
    }
    let start = Instant::now();
    for value in 0..trips {
        output.write(value)?;
        assert_eq!(input.read()?, value);
    }
    Ok(nanoseconds(start, trips))
}

fn ping_pong(placement: Placement, trips: u64) -> f64 {
    let (there, back) = (Channel::new(), Channel::new());
    let (_, time) = Parallel!(
        echo(there.reader(), back.writer()).on(placement),
        ping(there.writer(), back.reader(), trips).on(placement),
    )
    .values()
    .expect("the echo answers until its channel retires");
    time
}

fn ipc_channel(trips: u64) -> f64 {
    let (to_child, from_parent) = ipc_channel::ipc::channel::<u64>().expect("a channel");
    let (to_parent, from_child) = ipc_channel::ipc::channel::<u64>().expect("a channel");
    let warm = trips / 10;
    beside(
        || {
            for _ in 0..warm + trips {
                let value = from_parent.recv().expect("the parent sends");
                to_parent.send(value).expect("the parent receives");
            }
        },
        || {
            let trip = |value| {
                to_child.send(value).expect("the child receives");
                from_child.recv().expect("the child sends")
            };
            (0..warm).for_each(|value| assert_eq!(trip(value), value));
            let start = Instant::now();
            (0..trips).for_each(|value| assert_eq!(trip(value), value));
            nanoseconds(start, trips)
        },
    )
}

fn shared_words() -> &'static [AtomicU32; 2] {
    // SAFETY: a fresh anonymous mapping.
    let page = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert!(page != libc::MAP_FAILED);
    // SAFETY: page aligned, zeroed, never unmapped.
    unsafe { &*page.cast() }
}

/// Two words, two processes, nothing else: the floor of anything that sleeps.
fn raw_futex(trips: u64) -> f64 {
    let [there, back] = shared_words();
    let wait = |word: &AtomicU32, wanted: u32| {
        loop {
            let seen = word.load(Ordering::Acquire);
            if seen == wanted {
                return;
            }
            let _ = futex::wait(word, futex::Flags::empty(), seen, None);
        }
    };
    let post = |word: &AtomicU32, value: u32| {
        word.store(value, Ordering::Release);
        let _ = futex::wake(word, futex::Flags::empty(), 1);
    };
    let total = (trips + trips / 10) as u32;
    beside(
        || {
            for value in 1..=total {
                wait(there, value);
                post(back, value);
            }
        },
        || {
            let warm = (trips / 10) as u32;
            let trip = |value| {
                post(there, value);
                wait(back, value);
            };
            (1..=warm).for_each(trip);
            let start = Instant::now();
            (warm + 1..=total).for_each(trip);
            nanoseconds(start, trips)
        },
    )
}

fn raw_pipe(trips: u64) -> f64 {
    let (from_parent, to_child) = rustix::pipe::pipe().expect("a pipe");
    let (from_child, to_parent) = rustix::pipe::pipe().expect("a pipe");
    let total = trips + trips / 10;
    let mut byte = [0_u8; 8];
    beside(
        || {
            let mut byte = [0_u8; 8];
            for _ in 0..total {
                rustix::io::read(&from_parent, &mut byte).expect("the parent writes");
                rustix::io::write(&to_parent, &byte).expect("the parent reads");
            }
        },
        || {
            let mut trip = || {
                rustix::io::write(&to_child, &byte).expect("the child reads");
                rustix::io::read(&from_child, &mut byte).expect("the child writes");
            };
            (0..trips / 10).for_each(|_| trip());
            let start = Instant::now();
            (0..trips).for_each(|_| trip());
            nanoseconds(start, trips)
        },
    )
}

/// Rendezvous between threads.
fn crossbeam(trips: u64) -> f64 {
    let (to_echo, from_ping) = crossbeam::channel::bounded::<u64>(0);
    let (to_ping, from_echo) = crossbeam::channel::bounded::<u64>(0);
    std::thread::scope(|scope| {
        scope.spawn(move || from_ping.iter().for_each(|value| to_ping.send(value).expect("ping receives")));
        let trip = |value| {
            to_echo.send(value).expect("the echo receives");
            from_echo.recv().expect("the echo sends")
        };
        (0..trips / 10).for_each(|value| assert_eq!(trip(value), value));
        let start = Instant::now();
        (0..trips).for_each(|value| assert_eq!(trip(value), value));
        let time = nanoseconds(start, trips);
        drop(to_echo);
        time
    })
}

fn std_sync_channel(trips: u64) -> f64 {
    let (to_echo, from_ping) = std::sync::mpsc::sync_channel::<u64>(0);
    let (to_ping, from_echo) = std::sync::mpsc::sync_channel::<u64>(0);
    std::thread::scope(|scope| {
        scope.spawn(move || from_ping.iter().for_each(|value| to_ping.send(value).expect("ping receives")));
        let trip = |value| {
            to_echo.send(value).expect("the echo receives");
            from_echo.recv().expect("the echo sends")
        };
        (0..trips / 10).for_each(|value| assert_eq!(trip(value), value));
        let start = Instant::now();
        (0..trips).for_each(|value| assert_eq!(trip(value), value));
        let time = nanoseconds(start, trips);
        drop(to_echo);
        time
    })
}

#[process]
fn prefix(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    output.write(0)?;
    for value in input {
        output.write(value)?;
    }
    Ok(())
}

#[process]
fn delta(input: Reader<u64>, first: Writer<u64>, second: Writer<u64>) -> csproc::Result<()> {
    for value in input {
        first.write(value)?;
        second.write(value)?;
    }
    Ok(())
}

#[process]
fn successor(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    for value in input {
        output.write(value + 1)?;
    }
    Ok(())
}

#[process]
fn consumer(input: Reader<u64>, loops: u64) -> csproc::Result<f64> {
    for _ in 0..loops / 10 {
        input.read()?;
    }
    let start = Instant::now();
    for _ in 0..loops {
        input.read()?;
    }
    let time = nanoseconds(start, loops * 4);
    input.poison();
    Ok(time)
}

fn commstime(placement: Placement, loops: u64) -> f64 {
    let [a, b, c, d] = [(); 4].map(|()| Channel::new());
    let (_, _, _, time) = Parallel!(
        prefix(b.reader(), a.writer()).on(placement),
        delta(a.reader(), c.writer(), d.writer()).on(placement),
        successor(c.reader(), b.writer()).on(placement),
        consumer(d.reader(), loops).on(placement),
    )
    .expect("all processes return");
    time.expect("the consumer reads")
}

/// The same ring with four processes that only pass a word on: the floor of anything that sleeps.
fn commstime_crossbeam(loops: u64) -> f64 {
    use crossbeam::channel::bounded;
    let (to_a, a) = bounded::<u64>(0);
    let (to_b, b) = bounded::<u64>(0);
    let (to_c, c) = bounded::<u64>(0);
    let (to_d, d) = bounded::<u64>(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut open = to_a.send(0).is_ok();
            while open {
                open = b.recv().is_ok_and(|value| to_a.send(value).is_ok());
            }
        });
        scope.spawn(move || {
            let mut open = true;
            while open {
                open = a.recv().is_ok_and(|value| to_c.send(value).is_ok() && to_d.send(value).is_ok());
            }
        });
        scope.spawn(move || {
            let mut open = true;
            while open {
                open = c.recv().is_ok_and(|value| to_b.send(value + 1).is_ok());
            }
        });
        (0..loops / 10).for_each(|_| assert!(d.recv().is_ok()));
        let start = Instant::now();
        (0..loops).for_each(|_| assert!(d.recv().is_ok()));
        let time = nanoseconds(start, loops * 4);
        // The ring ends when nobody consumes.
        drop(d);
        time
    })
}

/// Passes a token on.
#[process]
fn hop(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    for hops in input {
        output.write(hops + 1)?;
    }
    Ok(())
}

/// Sends a token round so often, and once more before; nanoseconds for each hop.
#[process]
fn first(output: Writer<u64>, input: Reader<u64>, processes: u64, rounds: u64) -> csproc::Result<f64> {
    let mut start = Instant::now();
    for round in 0..=rounds {
        output.write(1)?;
        assert_eq!(input.read()?, processes);
        if round == 0 {
            start = Instant::now();
        }
    }
    Ok(nanoseconds(start, processes * rounds))
}

fn ring(placement: Placement, processes: usize, hops: u64) -> f64 {
    let links: Vec<Channel<u64>> = (0..processes).map(|_| Channel::new()).collect();
    let rounds = hops / processes as u64;
    let (_, time) = Parallel!(
        for i in 1..processes => hop(links[i - 1].reader(), links[i].writer()).on(placement),
        first(links[0].writer(), links[processes - 1].reader(), processes as u64, rounds).on(placement),
    )
    .values()
    .expect("the token comes back");
    time
}

fn ring_crossbeam(threads: usize, hops: u64) -> f64 {
    let rounds = hops / threads as u64;
    std::thread::scope(|scope| {
        let (first, mut input) = crossbeam::channel::bounded::<u64>(0);
        for _ in 1..threads {
            let (output, next) = crossbeam::channel::bounded::<u64>(0);
            scope.spawn(move || input.iter().for_each(|hops| output.send(hops + 1).expect("the next one receives")));
            input = next;
        }
        let mut start = Instant::now();
        for round in 0..=rounds {
            first.send(1).expect("the next one receives");
            assert_eq!(input.recv(), Ok(threads as u64));
            if round == 0 {
                start = Instant::now();
            }
        }
        drop(first);
        nanoseconds(start, threads as u64 * rounds)
    })
}

/// The same of forked processes, each with a pipe.
fn ring_of_pipes(processes: usize, hops: u64) -> f64 {
    let rounds = hops / processes as u64;
    let (mut input, first) = rustix::pipe::pipe().expect("a pipe");
    let mut children = Vec::new();
    for _ in 1..processes {
        let (next, output) = rustix::pipe::pipe().expect("a pipe");
        // SAFETY: this program has one thread, and the child only passes on what comes, and exits.
        match unsafe { libc::fork() } {
            0 => {
                let mut word = [0; 8];
                for _ in 0..=rounds {
                    rustix::io::read(&input, &mut word).expect("the one before writes");
                    let hops = u64::from_ne_bytes(word) + 1;
                    rustix::io::write(&output, &hops.to_ne_bytes()).expect("the next one reads");
                }
                // SAFETY: ends the child without running the parent's exit handlers.
                unsafe { libc::_exit(0) }
            }
            pid => children.push(pid),
        }
        input = next;
    }
    let mut start = Instant::now();
    let mut word = [0; 8];
    for round in 0..=rounds {
        rustix::io::write(&first, &1_u64.to_ne_bytes()).expect("the next one reads");
        rustix::io::read(&input, &mut word).expect("the last one writes");
        assert_eq!(u64::from_ne_bytes(word), processes as u64);
        if round == 0 {
            start = Instant::now();
        }
    }
    let time = nanoseconds(start, processes as u64 * rounds);
    for pid in children {
        // SAFETY: waits for a child forked above.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    }
    time
}

#[process]
fn writer(output: Writer<u64>, count: u64) -> csproc::Result<()> {
    (0..count).try_for_each(|value| output.write(value))?;
    Ok(())
}

#[process]
fn reader(input: Reader<u64>) -> u64 {
    input.into_iter().count() as u64
}

fn any_to_any(placement: Placement, values: u64) -> f64 {
    let c = Channel::new();
    let start = Instant::now();
    let (_, counts) = Parallel!(
        for _ in 0..4 => writer(c.writer(), values / 4).on(placement),
        for _ in 0..4 => reader(c.reader()).on(placement),
    )
    .expect("all processes return");
    assert_eq!(counts.into_iter().sum::<u64>(), values);
    nanoseconds(start, values)
}

fn any_to_any_crossbeam(values: u64) -> f64 {
    let (sender, receiver) = crossbeam::channel::bounded::<u64>(0);
    let start = Instant::now();
    let total: usize = std::thread::scope(|scope| {
        for _ in 0..4 {
            let sender = sender.clone();
            scope.spawn(move || (0..values / 4).for_each(|value| sender.send(value).expect("readers receive")));
        }
        drop(sender);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || receiver.iter().count())
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().expect("a reader ends")).sum()
    });
    assert_eq!(total as u64, values);
    nanoseconds(start, values)
}

/// The round trip of Python's `multiprocessing`, which prints nanoseconds.
const PYTHON: &str = "
import sys, time
from multiprocessing import get_context
context = get_context('fork')
kind, trips = sys.argv[1], int(sys.argv[2])

def link():
    if kind == 'Queue':
        queue = context.Queue()
        return queue.get, queue.put
    reader, writer = context.Pipe(duplex=False)
    return reader.recv, writer.send

def echo(receive, send):
    for _ in range(trips + trips // 10):
        send(receive())

(from_ping, to_echo), (from_echo, to_ping) = link(), link()
other = context.Process(target=echo, args=(from_ping, to_ping))
other.start()
for i in range(trips + trips // 10):
    if i == trips // 10:
        start = time.perf_counter()
    to_echo(i)
    assert from_echo() == i
print((time.perf_counter() - start) * 1e9 / trips)
other.join()
";

fn measured_by_python(kind: &str, trips: u64) -> Option<f64> {
    python(PYTHON, &[kind, &trips.to_string()])
}

fn main() {
    suite("communication", measure_all);
}

fn measure_all(scale: u64) {
    let go = go::go();
    let go = go.as_ref();
    let trips = 20_000 / scale;
    let mut rows: Vec<Row<'_>> = vec![
        ("csproc, processes", Box::new(|| ping_pong(Placement::Process, trips * 5))),
        ("csproc, threads", Box::new(|| ping_pong(Placement::Thread, trips * 5))),
        ("ipc-channel, processes", Box::new(|| ipc_channel(trips))),
        ("raw futex, processes", Box::new(|| raw_futex(trips))),
        ("raw pipe, processes", Box::new(|| raw_pipe(trips))),
        ("crossbeam bounded(0), threads", Box::new(|| crossbeam(trips))),
        ("std sync_channel(0), threads", Box::new(|| std_sync_channel(trips))),
    ];
    rows.extend(go::row(go, "ping-pong", &[trips * 5]));
    if measured_by_python("Pipe", 1).is_some() {
        let measure = move |kind| measured_by_python(kind, trips / 4).expect("Python has done it before");
        rows.push(("Python `Pipe`, processes", Box::new(move || measure("Pipe"))));
        rows.push(("Python `Queue`, processes", Box::new(move || measure("Queue"))));
    }
    table("ping-pong", "ns per round trip", &rows);
    let loops = 10_000 / scale;
    let mut rows: Vec<Row<'_>> = vec![
        ("csproc, processes", Box::new(|| commstime(Placement::Process, loops))),
        ("csproc, threads", Box::new(|| commstime(Placement::Thread, loops))),
        ("crossbeam bounded(0), threads", Box::new(|| commstime_crossbeam(loops))),
    ];
    rows.extend(go::row(go, "commstime", &[loops * 5]));
    table("commstime, sequential delta", "ns per communication", &rows);
    for processes in [4, 64] {
        let hops = 10_000 / scale;
        let mut rows: Vec<Row<'_>> = vec![
            ("csproc, processes", Box::new(move || ring(Placement::Process, processes, hops))),
            ("csproc, threads", Box::new(move || ring(Placement::Thread, processes, hops))),
            ("raw pipes, processes", Box::new(move || ring_of_pipes(processes, hops))),
            ("crossbeam bounded(0), threads", Box::new(move || ring_crossbeam(processes, hops))),
        ];
        rows.extend(go::row(go, "ring", &[processes as u64, hops]));
        table(&format!("a ring of {processes}"), "ns per hop", &rows);
    }
    let values = 40_000 / scale;
    let mut rows: Vec<Row<'_>> = vec![
        ("csproc, processes", Box::new(|| any_to_any(Placement::Process, values))),
        ("csproc, threads", Box::new(|| any_to_any(Placement::Thread, values))),
        ("crossbeam bounded(0), threads", Box::new(|| any_to_any_crossbeam(values))),
    ];
    rows.extend(go::row(go, "any-to-any", &[values]));
    table("any-to-any, 4 writers and 4 readers", "ns per value", &rows);
}
