//! What ends a command, and what a command ends: its input, whoever reads from it, poison, the death of its process.
//!
//! Knows nothing of what a command writes.

use crate::commands::shell;
use crate::harness::killing::kill_a_thousand;
use crate::harness::scenario::{Program, Scenario, TAG, command, output, processes_of};
use crate::harness::system::seen;
use csproc::prelude::*;
use csproc::toolkit::{Command, CommandError, Exit, execute};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_command_is_running", a_command_is_running),
    ("deaths_of_children_are_ignored", deaths_of_children_are_ignored),
    ("a_broken_pipe_is_deadly", a_broken_pipe_is_deadly),
];

/// Runs a command that says which process it is and would run for an hour; its process goes on, too.
fn a_command_is_running() {
    let c = Channel::new();
    let r = c.reader();
    let placement = if std::env::var_os("ON_A_THREAD").is_some() { Placement::Thread } else { Placement::Process };
    let child = execute(shell("echo $$; exec sleep 3600"), None, Some(c.writer()), None).on(placement);
    let child = Spawn!(child).unwrap();
    println!("command {}", String::from_utf8(r.read().unwrap()).unwrap().trim());
    child.join().unwrap().unwrap();
}

#[expect(unsafe_code, reason = "sets what is done with signals")]
fn set(number: Signal, handler: SigHandler) {
    // SAFETY: neither is a handler.
    unsafe { signal(number, handler) }.unwrap();
}

fn deaths_of_children_are_ignored() {
    set(Signal::SIGCHLD, SigHandler::SigIgn);
    for placement in [Placement::Process, Placement::Thread] {
        let exit = execute(shell("exit 7"), None, None, None).on(placement).run().unwrap();
        assert_eq!(exit.unwrap().code(), Some(7));
    }
    println!("all told");
}

fn a_broken_pipe_is_deadly() {
    set(Signal::SIGPIPE, SigHandler::SigDfl);
    let c = Channel::buffered(Buffer::Unbounded);
    let w = c.writer();
    w.write(vec![0; 10_000_000]).unwrap();
    let exit = execute(Command::new("true"), Some(c.reader()), None, None).on(Placement::Thread).run().unwrap();
    assert!(exit.unwrap().success());
    println!("still alive");
}

#[process]
fn write_for_ever(out: Writer<Vec<u8>>) -> Result<u64, ChannelError> {
    let mut count = 0;
    loop {
        match out.write(b"line\n".to_vec()) {
            Ok(()) => count += 1,
            Err(error) if error.fate.is_retired() => return Ok(count),
            Err(error) => return Err(error.fate),
        }
    }
}

/// Comes back once nobody has this number.
fn until_gone(pid: u32) {
    while seen(&format!("/proc/{pid}/stat")).is_some_and(|process| process.state != 'Z') {
        std::thread::yield_now();
    }
}

/// A command that says which process it is, and runs for an hour unless it is ended.
fn lasting() -> Command {
    shell("echo $$; exec sleep 3600")
}

fn pid_from(reader: &Reader<Vec<u8>>) -> u32 {
    String::from_utf8(reader.read().unwrap()).unwrap().trim().parse().unwrap()
}

over_both! {
    fn a_command_whose_reader_is_gone_gets_a_broken_pipe(placement) {
        let c = Channel::new();
        let r = c.reader();
        let child = Spawn!(execute(Command::new("yes"), None, Some(c.writer()), None).on(placement)).unwrap();
        assert!(r.read().unwrap().starts_with(b"y\ny\n"));
        drop(r);
        assert_eq!(child.join().unwrap().unwrap(), Exit::Killed { signal: libc::SIGPIPE });
    }

    fn an_output_without_a_reader_holds_up_neither_the_command_nor_its_other_output(placement) {
        let [out, err] = [(); 2].map(|()| Channel::new());
        drop(err.reader());
        let r = out.reader();
        let script = "trap '' PIPE; head -c 1000000 /dev/zero >&2; echo done";
        let child = execute(shell(script), None, Some(out.writer()), Some(err.writer())).on(placement);
        let child = Spawn!(child).unwrap();
        assert_eq!(r.iter().collect::<Vec<_>>().concat(), b"done\n");
        assert!(child.join().unwrap().unwrap().success());
    }

    fn whoever_writes_to_a_command_that_has_ended_is_told(placement) {
        let [to, from] = [(); 2].map(|()| Channel::new());
        let r = from.reader();
        let head = execute(Command::new("head").arg("-n1"), Some(to.reader()), Some(from.writer()), None);
        let child = Spawn!(head.on(placement)).unwrap();
        let writer = Spawn!(write_for_ever(to.writer()).on(placement)).unwrap();
        assert_eq!(r.read().unwrap(), b"line\n");
        assert!(child.join().unwrap().unwrap().success());
        assert!(writer.join().unwrap().unwrap() > 0);
    }

    fn a_command_that_has_ended_does_not_wait_for_input(placement) {
        let c = Channel::new();
        let w = c.writer();
        let exit = execute(Command::new("true"), Some(c.reader()), None, None).on(placement).run().unwrap();
        assert!(exit.unwrap().success());
        assert!(w.write(vec![1]).unwrap_err().fate.is_retired());
    }

    fn whoever_writes_to_a_command_that_reads_no_more_is_told_while_it_goes_on(placement) {
        let [to, from] = [(); 2].map(|()| Channel::new());
        let r = from.reader();
        let command = shell("exec 0</dev/null; echo $$; exec sleep 3600");
        let child = Spawn!(execute(command, Some(to.reader()), Some(from.writer()), None).on(placement)).unwrap();
        let pid = pid_from(&r);
        let writer = Spawn!(write_for_ever(to.writer()).on(placement)).unwrap();
        writer.join().unwrap().unwrap();
        assert!(!child.is_finished());
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM).unwrap();
        assert_eq!(child.join().unwrap().unwrap().signal(), Some(libc::SIGTERM));
        assert_eq!(r.read(), Err(ChannelError::Retired));
    }

    fn a_channel_that_is_poisoned_kills_the_command_and_poisons_what_it_wrote_to(placement) {
        let [to, from] = [(); 2].map(|()| Channel::new());
        let (w, r) = (to.writer(), from.reader());
        let child = Spawn!(execute(lasting(), Some(to.reader()), Some(from.writer()), None).on(placement)).unwrap();
        let pid = pid_from(&r);
        w.poison();
        let error = child.join().unwrap().unwrap_err();
        assert!(error.to_string().contains("`sh`") && error.channel_error().unwrap().is_poisoned(), "{error}");
        assert_eq!(seen(&format!("/proc/{pid}/stat")).map(|process| process.parent), None);
        assert!(r.read().unwrap_err().is_poisoned());
    }

    fn a_reader_that_poisons_kills_the_command(placement) {
        let c = Channel::new();
        let r = c.reader();
        let child = Spawn!(execute(Command::new("yes"), None, Some(c.writer()), None).on(placement)).unwrap();
        r.read().unwrap();
        r.poison();
        let error = child.join().unwrap().unwrap_err();
        assert!(error.channel_error().unwrap().is_poisoned(), "{error}");
    }

    fn a_writer_that_dies_is_no_end_of_the_input(placement) {
        let [to, from] = [(); 2].map(|()| Channel::new());
        let r = from.reader();
        let writer = Spawn!(write_for_ever(to.writer())).unwrap();
        let child = execute(Command::new("cat"), Some(to.reader()), Some(from.writer()), None).on(placement);
        let child = Spawn!(child).unwrap();
        r.read().unwrap();
        writer.kill().unwrap();
        writer.join().unwrap_err();
        let ended = r.results().last().unwrap().unwrap_err();
        assert!(ended.is_poisoned(), "{ended}");
        assert!(child.join().unwrap().unwrap_err().channel_error().unwrap().is_lost());
    }

    fn an_output_stays_open_while_somebody_has_it_and_the_input_does_not(placement) {
        let [to, from] = [(); 2].map(|()| Channel::new());
        let (w, r) = (to.writer(), from.reader());
        // The copy says something when its input ends, which it does with the command.
        let command = shell("(cat; echo late) <&0 & exit 3");
        let child = Spawn!(execute(command, Some(to.reader()), Some(from.writer()), None).on(placement)).unwrap();
        assert_eq!(r.iter().collect::<Vec<_>>().concat(), b"late\n");
        assert_eq!(child.join().unwrap().unwrap().code(), Some(3));
        assert!(w.write(vec![1]).unwrap_err().fate.is_retired());
    }
}

once! {
    fn a_command_dies_with_its_process() {
        let c = Channel::new();
        let r = c.reader();
        let child = Spawn!(execute(lasting(), None, Some(c.writer()), None)).unwrap();
        let pid = pid_from(&r);
        child.kill().unwrap();
        assert!(child.join().is_err());
        until_gone(pid);
        assert!(r.read().unwrap_err().is_lost());
    }

    fn a_command_dies_with_the_program() {
        for variable in ["ON_A_THREAD", "ON_A_PROCESS"] {
            let (mut program, tag) = command("a_command_is_running");
            let mut program = Program::start_as(program.env(variable, "1"), tag);
            let pid: u32 = program.until("command ").parse().unwrap();
            assert!(program.processes().contains(&pid), "it has the environment of the program");
            program.child.kill().unwrap();
            program.wait();
            until_gone(pid);
            while !program.processes().is_empty() {
                std::thread::yield_now();
            }
        }
    }

    fn no_command_outlives_a_process_that_is_killed_at_a_random_moment() {
        let tag = format!("{}-random-kills", std::process::id());
        let command = shell("cat; exec sleep 3600").env(TAG, &tag);
        kill_a_thousand(
            || {
                // What it writes is what it reads.
                let c = Channel::buffered(Buffer::Fifo(1));
                let w = c.writer();
                w.write(vec![b'x'; 1000]).unwrap();
                execute(command.clone(), Some(c.reader()), Some(w), None)
            },
            || while !processes_of(&tag).is_empty() {
                std::thread::yield_now();
            },
        );
    }

    fn how_a_command_ended_is_known_where_deaths_of_children_are_ignored() {
        let remains = output(command("deaths_of_children_are_ignored").0);
        assert!(remains.status.success() && remains.stdout.contains("all told"), "{remains:?}");
    }

    fn a_command_that_does_not_read_kills_no_program_that_dies_of_broken_pipes() {
        let remains = output(command("a_broken_pipe_is_deadly").0);
        assert!(remains.status.success() && remains.stdout.contains("still alive"), "{remains:?}");
    }
}

alone! {
    fn commands_leave_neither_processes_nor_descriptors_nor_threads() {
        for _ in 0..3 {
            let c = Channel::buffered(Buffer::Unbounded);
            let w = c.writer();
            w.write(vec![0; 100_000]).unwrap();
            let ended = Command::new("true").run(Some(c.reader()), Some(Channel::new().writer()), None);
            assert!(ended.unwrap().success());
            let dead = Channel::<Vec<u8>>::new();
            dead.writer().poison();
            let ended = lasting().run(Some(dead.reader()), None, None);
            assert!(matches!(ended, Err(CommandError::Channel { source: ChannelError::Poisoned, .. })), "{ended:?}");
            Command::new("no-such-command").run(None, None, None).unwrap_err();
        }
    }
}
