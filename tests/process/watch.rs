//! A program can be asked what it does while it runs: by a signal, by `dump()`, and by `audit()`.
//!
//! Knows nothing of who looks, or how the tables are read.

use crate::harness::cast::nothing;
use crate::harness::place::Place;
use crate::harness::scenario::{Program, Scenario, command};
use crate::harness::system::server;
use crate::root::say;
use csproc::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("be asked", be_asked),
    ("answer for itself", answer_for_itself),
    ("tell without being asked", tell_without_being_asked),
    ("tell in a process", tell_in_a_process),
];

#[process]
fn wait_to_read(ready: Writer<Place>, input: Reader<u64>) -> csproc::Result<u64> {
    Place::announce(&ready);
    Ok(input.read()?) // blocks: read
}

#[process]
fn wait_to_write(ready: Writer<Place>, out: Writer<u64>) -> csproc::Result<()> {
    Place::announce(&ready);
    Ok(out.write(5)?)
}

#[process]
fn wait_for_long(ready: Writer<Place>, input: Reader<u64>) -> csproc::Result<u64> {
    Place::announce(&ready);
    Ok(input.read_timeout(Duration::from_secs(3600))?)
}

/// Runs some processes that wait, calls `meanwhile`, and ends them in order.
fn with_waiting_processes(meanwhile: impl FnOnce()) {
    let ready = Channel::new();
    let numbers = Channel::builder().name("numbers").build().unwrap();
    let results = Channel::builder().name("results").build().unwrap();
    let announced = ready.reader();
    let network = network!(
        wait_to_read(ready.writer(), numbers.reader()).named("reading process"),
        wait_to_write(ready.writer(), results.writer()).named("writing thread").on(Placement::Thread),
        wait_for_long(ready.writer(), numbers.reader()).named("patient process"),
    );
    let network = network.spawn().unwrap();
    for _ in 0..3 {
        announced.read().unwrap().until_asleep();
    }
    meanwhile();
    let w = numbers.writer();
    w.write(7).unwrap();
    w.write(8).unwrap();
    assert_eq!(results.reader().read(), Ok(5));
    let (first, wrote, second) = network.join().unwrap();
    wrote.unwrap();
    assert_eq!(first.unwrap() + second.unwrap(), 15);
    say("over");
}

fn line_from_the_test() {
    let mut line = String::new();
    assert!(std::io::stdin().read_line(&mut line).unwrap() > 0);
}

fn be_asked() {
    with_waiting_processes(|| {
        say("ready");
        line_from_the_test();
    });
}

fn answer_for_itself() {
    let asked = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGQUIT, asked.clone()).unwrap();
    with_waiting_processes(|| {
        say("ready");
        while !asked.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        say("its own handler");
        line_from_the_test();
    });
}

fn tell_without_being_asked() {
    with_waiting_processes(csproc::dump);
}

/// Once the program waits for its end.
#[process]
fn tell(starter: Reader<Place>) {
    starter.read().unwrap().until_asleep();
    csproc::dump();
}

/// Beside a child that has ended and that nobody has joined.
fn tell_in_a_process() {
    let (name, c) = (csproc::current().id(), Channel::<u64>::new());
    let _w = c.writer();
    let ended = Spawn!(nothing().named("ended child")).unwrap();
    ended.exit_guard().wait().unwrap();
    let place = Channel::new();
    let waiting = place.writer();
    let telling = Spawn!(tell(place.reader()).named("telling process")).unwrap();
    Place::announce(&waiting);
    telling.join().unwrap();
    drop((place, waiting));
    let audit = csproc::audit();
    ended.join().unwrap();
    assert_eq!(csproc::audit().processes(), audit.processes() - 1, "{name}: {audit}");
}

fn interrogated(scenario: &str) -> Program {
    let (mut command, tag) = command(scenario);
    let mut program = Program::start_as(command.stdin(Stdio::piped()).stderr(Stdio::piped()), tag);
    program.until("ready");
    kill_process(Pid::from_raw(program.pid().cast_signed()).unwrap(), Signal::QUIT).unwrap();
    program
}

/// Lets the program go on, and sees it end in order.
fn end(mut program: Program) {
    program.child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    program.until("over");
    assert!(program.wait().success());
}

fn is_a_picture(text: &str) {
    let line = include_str!("watch.rs").lines().position(|line| line.ends_with("// blocks: read")).unwrap() + 1;
    let contains = |part: &str| assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    contains("csproc: processes\n");
    contains("  `reading process`, process ");
    contains("  `writing thread`, thread of ");
    contains(&format!("    waits at {}:{line}:14\n      read numbers\n", file!()));
    contains("    waits at ");
    contains("      write results\n");
    contains("    waits, with a timer at ");
    contains("csproc: channels\n");
    contains("  `numbers`: ");
    contains("  `results`: ");
    assert!(!text.contains("csproc-server"), "{text}");
}

once! {
    fn a_program_that_is_asked_by_sigquit_tells_what_it_does_and_goes_on() {
        let mut program = interrogated("be asked");
        let mut stderr = BufReader::new(program.child.stderr.take().unwrap());
        let mut text = String::new();
        let parts = ["csproc: channels\n", "  `numbers`: ", "  `results`: "];
        while !parts.iter().all(|part| text.contains(part)) {
            assert!(stderr.read_line(&mut text).unwrap() > 0, "the program has ended: {text}");
        }
        is_a_picture(&text);
        // Again: it is no privilege of the first time.
        kill_process(Pid::from_raw(program.pid().cast_signed()).unwrap(), Signal::QUIT).unwrap();
        let mut line = String::new();
        while !line.contains("csproc: processes") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "the program has ended");
        }
        end(program);
    }

    fn a_program_that_handles_sigquit_itself_is_left_alone() {
        let mut program = interrogated("answer for itself");
        program.until("its own handler");
        let mut stderr = program.child.stderr.take().unwrap();
        end(program);
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        assert!(!text.contains("csproc:"), "{text}");
    }

    fn dump_in_a_process_shows_the_program_and_who_has_ended() {
        let remains = crate::harness::scenario::output(command("tell in a process").0);
        assert!(remains.status.success(), "{remains:?}");
        let processes = remains.stderr.split("csproc: channels\n").next().unwrap();
        assert!(processes.starts_with("csproc: processes\n  `main`, process "), "{processes}");
        assert!(processes.contains("      the end of `telling process`\n"), "{processes}");
        assert!(processes.contains("  `telling process`, process "), "{processes}");
        let ended = processes.lines().find(|line| line.contains("`ended child`")).unwrap();
        assert!(ended.ends_with(", ended, not joined yet"), "{ended}");
        assert!(!processes.contains("csproc-server"), "{processes}");
    }

    fn dump_prints_the_same() {
        let remains = crate::harness::scenario::output(command("tell without being asked").0);
        assert!(remains.status.success(), "{remains:?}");
        is_a_picture(&remains.stderr);
    }
}

/// How often the threads of a process have gone to sleep, by thread.
fn sleeps(pid: u32) -> Vec<(String, u64)> {
    let count = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
        line.split_ascii_whitespace().next_back()?.parse().ok()
    };
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let statuses = threads.filter_map(|thread| {
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        Some((String::from(name.trim()), count(&fs::read_to_string(thread.path().join("status")).ok()?)?))
    });
    statuses.collect()
}

/// What does not wake up in the time is left; what does in one measurement may be due to something before it.
fn stays_asleep(pids: &[u32], thread: Option<&str>) {
    let counts = || -> Vec<_> {
        let all = pids.iter().flat_map(|pid| sleeps(*pid).into_iter().map(|(name, count)| (*pid, name, count)));
        all.filter(|(_, name, _)| thread.is_none_or(|thread| name == thread)).collect()
    };
    loop {
        let before = counts();
        std::thread::sleep(Duration::from_millis(500));
        assert!(!before.is_empty());
        // The watchdog ends this if it never happens.
        if counts() == before {
            return;
        }
    }
}

alone! {
    fn law_9_looking_for_deadlocks_wakes_nobody() {
        let (ready, c) = (Channel::new(), Channel::new());
        let (announced, w) = (ready.reader(), c.writer());
        let network = network!(
            for _ in 0..3 => wait_to_read(ready.writer(), c.reader()),
            for _ in 0..3 => wait_for_long(ready.writer(), c.reader()),
        );
        let network = network.spawn().unwrap();
        let places: Vec<Place> = (0..6).map(|_| announced.read().unwrap()).collect();
        places.iter().for_each(|place| place.until_asleep());
        let mut pids: Vec<u32> = places.iter().map(|place| place.pid).collect();
        pids.push(server().unwrap().pid);
        stays_asleep(&pids, None);
        w.poison();
        drop(network.join().unwrap());
        // Without processes, nobody looks.
        stays_asleep(&[std::process::id()], Some("csproc-deadlock"));
    }

    fn audit_counts_what_there_is_and_finds_nothing_wrong() {
        let figures = || {
            let audit = csproc::audit();
            assert!(audit.is_clean() && audit.findings().is_empty(), "{audit}");
            let figures = (audit.processes(), audit.channels(), audit.ends(), audit.blocks());
            let (processes, channels, ends, blocks) = figures;
            let text = format!("{processes} processes, {channels} channels, {ends} ends, {blocks} blocks");
            assert_eq!(audit.to_string(), text + "; everything fits together");
            figures
        };
        let (processes, channels, ends, _) = figures();

        // A channel, its value counted as an end, and two ends; then a message in a buffer.
        let c = Channel::buffered(Buffer::Fifo(10));
        let (w, r) = (c.writer(), c.reader());
        assert_eq!((figures().1, figures().2), (channels + 1, ends + 3));
        let empty = figures().3;
        (0..10).for_each(|value| w.write(value).unwrap());
        // One of them may be what the thread had in hand.
        let full = figures().3;
        assert!((9..=10).contains(&(full - empty)), "{full} {empty}");
        (0..10).for_each(|value| assert_eq!(r.read(), Ok(value)));
        assert!(figures().3 <= empty + 1);
        let clone = w.clone();
        assert_eq!(figures().2, ends + 4);
        drop((c, w, r, clone));
        assert_eq!((figures().1, figures().2), (channels, ends));

        // Processes of both kinds; each has a channel with two ends that tells of its end.
        for placement in [Placement::Process, Placement::Thread] {
            let (ready, c) = (Channel::new(), Channel::new());
            let (announced, w) = (ready.reader(), c.writer());
            let network = network!(for _ in 0..3 => wait_to_read(ready.writer(), c.reader()).on(placement));
            let network = network.spawn().unwrap();
            (0..3).for_each(|_| announced.read().unwrap().until_asleep());
            let now = figures();
            assert_eq!((now.0, now.1), (processes + 3, channels + 2 + 3));
            assert!(now.2 >= ends + 4 + 3 * 2);
            w.poison();
            drop(network.join().unwrap());
            drop((ready, announced, c, w));
            let after = figures();
            assert_eq!((after.0, after.1, after.2), (processes, channels, ends));
        }

        // A barrier, an alternation, a deadlock, a killed process: whatever was done, nothing is left.
        let barrier = Barrier::new(1);
        barrier.sync().unwrap();
        drop(barrier);
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        assert_eq!(AltSelect! { _v = r.read() => 1, w.write(1) => 2, after(Duration::ZERO) => 3 }, Ok(3));
        drop((c, w, r));
        let (ready, c) = (Channel::new(), Channel::new());
        let announced = ready.reader();
        let child = Spawn!(wait_for_long(ready.writer(), c.reader())).unwrap();
        announced.read().unwrap().until_asleep();
        child.kill().unwrap();
        child.join().unwrap_err();
        drop((ready, announced, c));
        let stuck = Channel::new();
        Parallel!(hold_and_read(stuck.writer(), stuck.reader())).unwrap_err().deadlock().unwrap();
        drop(stuck);
        let after = figures();
        assert_eq!((after.0, after.1, after.2), (processes, channels, ends));
    }
}

#[process]
fn hold_and_read(_own: Writer<u64>, input: Reader<u64>) -> csproc::Result<u64> {
    Ok(input.read()?)
}
