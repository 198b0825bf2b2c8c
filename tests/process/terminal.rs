//! Law 10 at a terminal: Ctrl-C ends a program with all its processes as it ends any other, unless the program handles
//! it; Ctrl-\ asks it.
//!
//! Knows nothing of signals but what the keys are to do. The terminal is a real one (a pseudo-terminal that the program
//! controls), so that the system sends the signals, to everybody in the foreground.

use crate::harness::cast::counting_relay;
use crate::harness::scenario::{Program, Scenario, TAG, command, processes_of};
use crate::root;
use csproc::prelude::*;
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("take the terminal", take_the_terminal),
    ("print and wait", print_and_wait),
    ("decide for itself", decide_for_itself),
];

const TERMINAL: &str = "CSPROC_TEST_TERMINAL";
const THEN: &str = "CSPROC_TEST_THEN";
const CONTROL_C: &[u8] = &[0x03];
const CONTROL_BACKSLASH: &[u8] = &[0x1c];

/// Makes the terminal its own, and becomes the program that is to run there, with a process server that has seen
/// nothing else.
fn take_the_terminal() {
    setsid().unwrap();
    let path = std::env::var(TERMINAL).unwrap();
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    ioctl_tiocsctty(&terminal).unwrap();
    let (mut next, _) = command(&std::env::var(THEN).unwrap());
    // The tag stays that by which the test knows it.
    let tag = std::env::var(TAG).unwrap();
    let error = next.env(TAG, tag).stdin(terminal).stdout(Stdio::inherit()).exec();
    panic!("{error}");
}

/// A program at a terminal.
struct Seated {
    program: Program,
    keyboard: OwnedFd,
}

impl Seated {
    fn start(scenario: &str) -> Seated {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let (mut command, tag) = command("take the terminal");
        command.env(TERMINAL, path).env(THEN, scenario).stderr(Stdio::piped());
        Seated { program: Program::start_as(&mut command, tag), keyboard }
    }

    fn start_and_wait(scenario: &str) -> Seated {
        let mut seated = Seated::start(scenario);
        seated.program.until("ready");
        seated
    }

    fn press(&self, key: &[u8]) {
        assert_eq!(rustix::io::write(&self.keyboard, key), Ok(1));
    }
}

#[process]
fn print(ready: Writer<()>, input: Reader<u64>) -> csproc::Result<()> {
    println!("printed by a process");
    ready.write(())?;
    loop {
        input.read()?;
    }
}

fn print_and_wait() {
    let (ready, c) = (Channel::new(), Channel::<u64>::new());
    let (arrived, _kept) = (ready.reader(), c.writer());
    drop(network!(for _ in 0..3 => print(ready.writer(), c.reader())).spawn().unwrap());
    for _ in 0..3 {
        arrived.read().unwrap();
    }
    println!("printed by the program");
    root::say("ready");
    loop {
        std::thread::park();
    }
}

/// The network goes on until the handler has decided what to do.
fn decide_for_itself() {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, interrupted.clone()).unwrap();
    let (c, d) = (Channel::new(), Channel::new());
    let network = network!(for _ in 0..3 => counting_relay(c.reader(), d.writer())).spawn().unwrap();
    let (w, r) = (c.writer(), d.reader());
    root::say("ready");
    let mut value = 0;
    let mut talk = || {
        w.write(value).unwrap();
        assert_eq!(r.read(), Ok(value));
        value += 1;
    };
    while !interrupted.load(Ordering::Acquire) {
        talk();
    }
    (0..100).for_each(|_| talk());
    drop((c, w));
    let counts = network.join().unwrap().into_iter().map(Result::unwrap);
    assert_eq!(counts.sum::<u64>(), value);
    root::say("ended as it wanted to");
}

once! {
    // The 100 ms are law 10 of the design, and the best of 5 attempts must keep them.
    // A machine so loaded that none of the 5 gets the processor in time can fail this test.
    fn law_10_control_c_at_a_terminal_ends_the_program_and_its_processes() {
        let mut times = Vec::new();
        for _ in 0..5 {
            let mut seated = Seated::start_and_wait("wait to be killed");
            assert!(seated.program.processes().len() >= 2 + 8 + 5);
            let start = Instant::now();
            seated.press(CONTROL_C);
            let status = seated.program.wait();
            while !processes_of(&seated.program.tag).is_empty() {
                std::thread::yield_now();
            }
            times.push(start.elapsed());
            // What a shell shows as 130.
            assert_eq!((status.signal(), status.code()), (Some(2), None));
            if start.elapsed() <= Duration::from_millis(100) {
                return;
            }
        }
        panic!("the processes stayed for {times:?}");
    }

    fn what_was_printed_before_control_c_is_there() {
        let mut seated = Seated::start("print and wait");
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != "ready") {
            lines.push(seated.program.until(""));
        }
        seated.press(CONTROL_C);
        assert_eq!(seated.program.wait().signal(), Some(2));
        let printed = |by: &str| lines.iter().filter(|line| line.ends_with(&format!("printed by {by}"))).count();
        assert_eq!((printed("a process"), printed("the program")), (3, 1), "{lines:?}");
        assert_eq!(seated.program.rest(), "", "nobody says anything afterwards");
    }

    fn a_program_that_handles_control_c_decides_for_its_network() {
        let mut seated = Seated::start_and_wait("decide for itself");
        seated.press(CONTROL_C);
        seated.program.until("ended as it wanted to");
        assert!(seated.program.wait().success());
    }

    fn control_backslash_asks_the_program_and_ends_nobody() {
        let mut seated = Seated::start_and_wait("decide for itself");
        let mut stderr = BufReader::new(seated.program.child.stderr.take().unwrap());
        seated.press(CONTROL_BACKSLASH);
        let mut text = String::new();
        while !text.contains("csproc: channels") {
            assert!(stderr.read_line(&mut text).unwrap() > 0, "the program has ended: {text}");
        }
        for place in 0..3 {
            assert_eq!(text.matches(&format!("  `counting_relay[{place}]`, process ")).count(), 1, "{text}");
        }
        // All of it, so that the program does not wait for somebody to read it.
        let rest = std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        seated.press(CONTROL_C);
        seated.program.until("ended as it wanted to");
        assert!(seated.program.wait().success());
        rest.join().unwrap().unwrap();
    }
}
