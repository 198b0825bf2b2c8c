//! Measures communication against its peers, in one run: ping-pong, commstime, any-to-any.
//!
//! Knows nothing of the library's inside. Every figure is taken in turn with its peers (A B A B …) and is the median of
//! the rounds; what counts is the ratio. Run it with free cores, and pinned to one (`taskset -c 0 cargo bench --bench
//! communication`).
#![expect(unsafe_code, reason = "the peers are raw: fork, shared pages, futexes")]

mod table;

use csproc::prelude::*;
use rustix::thread::futex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use table::{nanoseconds, scale, table};

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

/// Runs `child` in a forked process while `parent` runs here; this program has one thread at that moment.
fn beside(child: impl FnOnce(), parent: impl FnOnce() -> f64) -> f64 {
    // SAFETY: the benchmark starts no threads of its own before, and the child only runs `child` and exits.
    match unsafe { libc::fork() } {
        0 => {
            child();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        pid => {
            let time = parent();
            // SAFETY: waits for the child forked above.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            time
        }
    }
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

fn main() {
    let Some(scale) = scale() else { return };
    let trips = 20_000 / scale;
    table(
        "ping-pong",
        "ns per round trip",
        &[
            ("csproc, processes", Box::new(|| ping_pong(Placement::Process, trips * 5))),
            ("csproc, threads", Box::new(|| ping_pong(Placement::Thread, trips * 5))),
            ("ipc-channel, processes", Box::new(|| ipc_channel(trips))),
            ("raw futex, processes", Box::new(|| raw_futex(trips))),
            ("raw pipe, processes", Box::new(|| raw_pipe(trips))),
            ("crossbeam bounded(0), threads", Box::new(|| crossbeam(trips))),
            ("std sync_channel(0), threads", Box::new(|| std_sync_channel(trips))),
        ],
    );
    let loops = 10_000 / scale;
    table(
        "commstime, sequential delta",
        "ns per communication",
        &[
            ("csproc, processes", Box::new(|| commstime(Placement::Process, loops))),
            ("csproc, threads", Box::new(|| commstime(Placement::Thread, loops))),
            ("crossbeam bounded(0), threads", Box::new(|| commstime_crossbeam(loops))),
        ],
    );
    table(
        "any-to-any, 4 writers and 4 readers",
        "ns per value",
        &[
            ("csproc, processes", Box::new(|| any_to_any(Placement::Process, 40_000 / scale))),
            ("csproc, threads", Box::new(|| any_to_any(Placement::Thread, 40_000 / scale))),
            ("crossbeam bounded(0), threads", Box::new(|| any_to_any_crossbeam(40_000 / scale))),
        ],
    );
}
