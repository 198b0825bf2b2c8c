//! The cause that is told of a death is the one that it died of: a stack that was too small, or the panic that nobody
//! caught, and no other.
//!
//! Knows nothing of signal handlers.

use crate::harness::scenario::{Scenario, command, output};
use csproc::StartError;
use csproc::prelude::*;
use rustix::process::{Signal, getpid, kill_process};
use std::hint::black_box;
use std::panic::catch_unwind;

pub(crate) const SCENARIOS: &[Scenario] = &[("a stack overflows", overflow), ("another minimum", minimum)];

fn dig(depth: u64) -> u64 {
    let room = black_box([depth; 128]);
    if depth == 0 { 0 } else { 1 + dig(black_box(depth - 1)) + room[7] - depth }
}

#[process]
fn digs(depth: u64) -> u64 {
    dig(depth)
}

#[process]
fn is_sent(signal: i32) {
    kill_process(getpid(), Signal::from_named_raw(signal).unwrap()).unwrap();
    std::thread::park();
}

#[process]
fn own_stack() -> usize {
    let status = std::fs::read_to_string("/proc/thread-self/maps").unwrap();
    let here = black_box(&raw const status).addr();
    let ranges = status.lines().filter_map(|line| line.split(' ').next()?.split_once('-'));
    let number = |text| usize::from_str_radix(text, 16).unwrap();
    let own = ranges.map(|(start, end)| number(start)..number(end)).find(|range| range.contains(&here));
    own.map_or(0, |range| range.len())
}

/// Catches a panic, and dies later of something else.
#[process]
fn survives_a_panic(end: u8) {
    catch_unwind(|| panic!("job 17 is malformed")).unwrap_err();
    match end {
        0 => std::process::abort(),
        1 => std::process::exit(101),
        2 => panic!("the last word"),
        _ => std::panic::resume_unwind(Box::new("without a hook")),
    }
}

struct PanicsToo;

impl Drop for PanicsToo {
    fn drop(&mut self) {
        panic!("and the destructor, too");
    }
}

struct CatchesItsOwn;

impl Drop for CatchesItsOwn {
    fn drop(&mut self) {
        catch_unwind(|| panic!("a panic of the destructor's own")).unwrap_err();
    }
}

struct Aborts;

impl Drop for Aborts {
    fn drop(&mut self) {
        std::process::abort();
    }
}

#[process]
fn panics(how: u8) {
    catch_unwind(|| panic!("an earlier one")).unwrap_err();
    let _held: Box<dyn std::any::Any> = match how {
        0 => Box::new(PanicsToo),
        1 => Box::new(CatchesItsOwn),
        _ => Box::new(Aborts),
    };
    panic!("the reason");
}

#[process]
fn catches_and_goes_on(told: Writer<()>, until: Reader<()>) -> csproc::Result<()> {
    catch_unwind(|| panic!("caught")).unwrap_err();
    told.write(())?;
    Ok(until.read()?)
}

fn overflow() {
    println!("{}", digs(1 << 20).named("mole").run().unwrap_err());
}

fn minimum() {
    println!("has {}", own_stack().run().unwrap());
    println!("has {}", own_stack().on(Placement::Thread).run().unwrap());
}

fn cause(process: Process<()>) -> String {
    process.run().unwrap_err().to_string()
}

once! {
    fn a_stack_that_is_too_small_is_told_with_the_remedy() {
        let remains = output(command("a stack overflows").0);
        let told = "process `mole` overflowed its stack of 8388608 bytes; give it a larger one by `.stack(bytes)`";
        assert!(remains.stdout.contains(told), "{remains:?}");
        assert!(remains.stderr.contains("thread 'mole' has overflowed its stack"), "{remains:?}");
    }

    fn a_signal_that_was_sent_is_no_stack_overflow_and_no_panic() {
        for (signal, name) in [(11, "SIGSEGV"), (7, "SIGBUS"), (6, "SIGABRT")] {
            let error = is_sent(signal).run().unwrap_err();
            assert!(error.to_string().contains(&format!("was killed by signal {signal} ({name})")), "{error}");
        }
    }

    fn a_stack_is_as_large_as_it_was_asked_for() {
        // A quarter of this is more than any process has unless it is asked for.
        assert_eq!(digs(100_000).stack(1 << 30).run().unwrap(), 100_000);
        let small = digs(2_000).stack(256 << 10).run().unwrap_err();
        assert!(small.to_string().contains("overflowed its stack of 262144 bytes"), "{small}");
        assert_eq!(digs(100_000).stack(1 << 30).on(Placement::Thread).run().unwrap(), 100_000);
        assert_eq!(digs(1).stack(0).run().unwrap(), 1);
    }

    fn the_environment_says_how_large_a_stack_is_otherwise() {
        let mut command = command("another minimum").0;
        command.env("RUST_MIN_STACK", "33554432");
        let remains = output(command);
        assert_eq!(remains.stdout.matches("has 33554432").count(), 2, "{remains:?}");
    }

    fn a_stack_that_the_system_refuses_is_an_error_of_the_start() {
        for bytes in [usize::MAX, 1 << 60] {
            for placement in [Placement::Process, Placement::Thread] {
                let error = digs(1).stack(bytes).on(placement).run().unwrap_err();
                let Failure::Start { source, .. } = &error.failures()[0] else { panic!("{error:?}") };
                assert!(matches!(source, StartError::Stack { bytes: refused, .. } if *refused == bytes), "{error:?}");
                assert!(error.to_string().contains(".stack(bytes)"), "{error}");
            }
        }
    }

    fn a_caught_panic_is_not_what_a_process_dies_of_later() {
        assert!(cause(survives_a_panic(0)).contains("was killed by signal 6 (SIGABRT)"));
        assert!(cause(survives_a_panic(1)).contains("exited with code 101"));
        let panicked = cause(survives_a_panic(2));
        assert!(panicked.contains("panicked at tests/process/last_words.rs:"), "{panicked}");
        assert!(panicked.contains("the last word"), "{panicked}");
        let unhooked = cause(survives_a_panic(3));
        assert!(unhooked.contains("panicked at an unknown place: without a hook"), "{unhooked}");
    }

    fn the_panic_that_unwound_is_the_reason_whatever_destructors_do() {
        for how in 0..3 {
            let told = cause(panics(how));
            assert!(told.contains("panicked at tests/process/last_words.rs:"), "{how}: {told}");
            assert!(told.contains("the reason"), "{how}: {told}");
        }
    }

    fn a_process_that_caught_a_panic_has_not_crashed() {
        let (told, until) = (Channel::new(), Channel::new());
        let child = Spawn!(catches_and_goes_on(told.writer(), until.reader())).unwrap();
        told.reader().read().unwrap();
        assert!(!child.is_finished());
        until.writer().write(()).unwrap();
        child.join().unwrap().unwrap();
    }
}
