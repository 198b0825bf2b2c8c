//! Law 10: no process outlives its program, whatever ends the program; and a program that ends in order waits for its
//! children.
//!
//! Knows nothing of how a process learns of the end. The hundred milliseconds of the law are a matter of the machine's
//! load, too: they must be kept in the best of some attempts, while every attempt must end.

use crate::harness::cast::tell_and_stay;
use crate::harness::scenario::{Program, Scenario, command, output, processes_of};
use csproc::prelude::*;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("wait to be killed", wait_to_be_killed),
    ("panic", panic_with_children),
    ("exit", exit_with_children),
    ("abort", abort_with_children),
    ("return", return_with_children),
    ("execute", execute_another_program),
    ("busy", busy_for_ever),
];

/// A process with a child, a grandchild and a thread.
#[process]
fn family(ready: Writer<u32>, until: Reader<()>, depth: u32) -> csproc::Result<()> {
    if depth == 0 {
        return Parallel!(tell_and_stay(ready, until).on(Placement::Thread))?;
    }
    let _child = Spawn!(family(ready.clone(), until.clone(), depth - 1))?;
    Parallel!(tell_and_stay(ready, until))?
}

#[process]
fn spin(ready: Writer<u32>) -> csproc::Result<()> {
    ready.write(std::process::id())?;
    drop(ready);
    loop {
        std::hint::spin_loop();
    }
}

#[process]
fn talk(ready: Writer<u32>, out: Writer<u64>) -> csproc::Result<()> {
    ready.write(std::process::id())?;
    for i in 0.. {
        out.write(i)?;
    }
    Ok(())
}

#[process]
fn listen(ready: Writer<u32>, input: Reader<u64>) -> csproc::Result<()> {
    ready.write(std::process::id())?;
    loop {
        input.read()?;
    }
}

/// Starts waiting processes of every kind, and says so.
fn populate() -> (Channel<()>, Writer<()>) {
    let (ready, until) = (Channel::new(), Channel::<()>::new());
    let arrived = ready.reader();
    let keep = until.writer();
    drop(network!(for _ in 0..8 => tell_and_stay(ready.writer(), until.reader())).spawn().unwrap());
    drop(Spawn!(family(ready.writer(), until.reader(), 2)).unwrap());
    for _ in 0..8 + 3 {
        arrived.read().unwrap();
    }
    say("ready");
    (until, keep)
}

pub(crate) fn say(text: &str) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{text}").unwrap();
    stdout.flush().unwrap();
}

fn wait_to_be_killed() {
    let _kept = populate();
    loop {
        std::thread::park();
    }
}

fn busy_for_ever() {
    let (ready, c) = (Channel::new(), Channel::new());
    let arrived = ready.reader();
    let network = network!(
        spin(ready.writer()),
        for _ in 0..2 => talk(ready.writer(), c.writer()),
        for _ in 0..2 => listen(ready.writer(), c.reader()),
    );
    drop(network.spawn().unwrap());
    for _ in 0..5 {
        arrived.read().unwrap();
    }
    say("ready");
    loop {
        std::thread::park();
    }
}

fn panic_with_children() {
    let _kept = populate();
    panic!("the program panics while its processes run");
}

fn exit_with_children() {
    let _kept = populate();
    std::process::exit(3);
}

fn abort_with_children() {
    let _kept = populate();
    std::process::abort();
}

fn execute_another_program() {
    let _kept = populate();
    let error = std::process::Command::new("sleep").arg("1000").exec();
    panic!("{error}");
}

#[process]
fn last_word(go: Reader<()>) {
    assert!(go.read().is_err());
    // In one piece: after `main` standard output is no longer buffered, and a thread would print word by word.
    let word = format!("the last word of {}\n", csproc::current().name());
    std::io::stdout().write_all(word.as_bytes()).unwrap();
}

#[process]
fn grandparent(go: Reader<()>) -> csproc::Result<()> {
    let _child = Spawn!(last_word(go).named("a grandchild"))?;
    Ok(())
}

fn return_with_children() {
    // The ends of the program go when it returns; that is what the children wait for.
    let until = Channel::<()>::new();
    drop(Spawn!(last_word(until.reader()).named("a child")).unwrap());
    drop(Spawn!(grandparent(until.reader())).unwrap());
    drop(Spawn!(last_word(until.reader()).named("a thread").on(Placement::Thread)).unwrap());
    std::mem::forget(until.writer());
    say("returning");
}

fn pid(raw: u32) -> Pid {
    Pid::from_raw(raw.cast_signed()).unwrap()
}

/// Starts the scenario in a group of its own, ends it, and looks how long its processes stay.
fn ends(scenario: &str, end: &dyn Fn(&mut Program), check: &dyn Fn(ExitStatus) -> bool) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let (mut group, tag) = command(scenario);
        group.process_group(0).stderr(std::process::Stdio::null());
        let mut program = Program::start_as(&mut group, tag);
        program.until("ready");
        end(&mut program);
        let status = program.wait();
        let gone = Instant::now();
        assert!(check(status), "{scenario}: {status}");
        while !processes_of(&program.tag).is_empty() {
            std::thread::yield_now();
        }
        times.push(gone.elapsed());
        if gone.elapsed() <= Duration::from_millis(100) {
            return;
        }
    }
    panic!("after `{scenario}` the processes stayed for {times:?}");
}

once! {
    fn law_10_a_program_that_is_killed_takes_its_processes_along() {
        let kill = |program: &mut Program| {
            // The program, its server, eight, and a family of five; perhaps one that the server has ready.
            assert!(program.processes().len() >= 2 + 8 + 5, "{:?}", program.processes());
            program.child.kill().unwrap();
        };
        ends("wait to be killed", &kill, &|status| status.signal() == Some(9));
    }

    fn law_10_busy_processes_go_with_the_program() {
        let kill = |program: &mut Program| program.child.kill().unwrap();
        ends("busy", &kill, &|status| status.signal() == Some(9));
    }

    fn law_10_control_c_ends_the_whole_program() {
        let interrupt = |program: &mut Program| kill_process_group(pid(program.pid()), Signal::INT).unwrap();
        ends("wait to be killed", &interrupt, &|status| status.signal() == Some(2));
    }

    fn law_10_a_closed_terminal_ends_the_whole_program() {
        let hang_up = |program: &mut Program| kill_process_group(pid(program.pid()), Signal::HUP).unwrap();
        ends("wait to be killed", &hang_up, &|status| status.signal() == Some(1));
    }

    fn law_10_a_program_that_is_terminated_takes_its_processes_along() {
        let terminate = |program: &mut Program| kill_process(pid(program.pid()), Signal::TERM).unwrap();
        ends("wait to be killed", &terminate, &|status| status.signal() == Some(15));
    }

    fn law_10_a_program_that_panics_takes_its_processes_along() {
        ends("panic", &|_| {}, &|status| status.code() == Some(101));
    }

    fn law_10_a_program_that_exits_takes_its_processes_along() {
        ends("exit", &|_| {}, &|status| status.code() == Some(3));
    }

    fn law_10_a_program_that_aborts_takes_its_processes_along() {
        ends("abort", &|_| {}, &|status| status.signal() == Some(6));
    }

    fn law_10_a_program_that_executes_another_ends_its_processes() {
        let mut program = Program::start("execute");
        program.until("ready");
        // The other program keeps the environment, and is the only one left.
        while program.processes() != [program.pid()] {
            std::thread::yield_now();
        }
        program.child.kill().unwrap();
        program.wait();
    }

    fn children_are_joined_when_the_program_returns() {
        let remains = output(command("return").0);
        assert!(remains.status.success(), "{remains:?}");
        for who in ["a child", "a grandchild", "a thread"] {
            let word = format!("the last word of {who}");
            assert_eq!(remains.stdout.matches(&word).count(), 1, "{who}: {}{}", remains.stdout, remains.stderr);
        }
        assert!(!remains.stderr.contains("killed"), "{}", remains.stderr);
    }
}
