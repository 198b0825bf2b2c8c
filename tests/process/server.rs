//! Processes start as copies of the program at the time of the spawn, many at once, clean of everything that is not
//! theirs.
//!
//! Knows nothing of how the process server works, only that it is there.

use crate::harness::cast::tell_and_stay;
use crate::harness::pause::{go_on, stop};
use crate::harness::scenario::{Program, Scenario, command, output};
use crate::harness::system::{children, descriptors, descriptors_of, seen, server};
use csproc::prelude::*;
use csproc::{Cause, Failure, NetworkError, StartError};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("directory and environment", directory_and_environment),
    ("output", output_of_processes),
    ("output of a process that panics", output_of_a_process_that_panics),
    ("output of a process whose thread keeps it", output_of_a_process_whose_thread_keeps_it),
    ("the server dies", the_server_dies),
    ("files", files),
];

#[process]
fn number(here: Writer<u32>, go: Reader<()>, number: u32) -> csproc::Result<u32> {
    here.write(number)?;
    go.read().unwrap_err();
    Ok(number)
}

#[process]
fn descriptors_here() -> BTreeMap<u32, String> {
    descriptors()
}

#[process]
fn spawn_one(depth: u32) -> csproc::Result<BTreeMap<u32, String>> {
    if depth == 0 {
        return Ok(descriptors());
    }
    Parallel!(spawn_one(depth - 1))?
}

#[process]
fn write_to_a_broken_pipe() -> bool {
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.write_all(b"nobody reads this").is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[process]
fn surroundings(name: String) -> (PathBuf, Option<String>, usize) {
    (std::env::current_dir().unwrap(), std::env::var(name).ok(), std::env::vars_os().count())
}

#[process]
fn change_and_spawn(placement: Placement, directory: PathBuf) -> csproc::Result<(PathBuf, Option<String>, usize)> {
    std::env::set_current_dir(directory)?;
    set("CSPROC_TEST_NESTED", "inner");
    Ok(Parallel!(surroundings(String::from("CSPROC_TEST_NESTED")).on(placement))?)
}

#[process]
fn print(number: u32) {
    // More than a buffer holds, and no newline at the end.
    print!("<{number}:{}>", "x".repeat(20_000));
}

#[process]
fn print_and_panic() {
    print!("<before the panic>");
    panic!("after printing");
}

/// Another thread of the process holds the lock of standard output for ever.
#[process]
fn print_and_keep_the_output() {
    print!("<kept>");
    let (held, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _lock = std::io::stdout().lock();
        held.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    hears.recv().unwrap();
}

#[expect(unsafe_code, reason = "a scenario tests what a change of the environment does")]
fn set(name: &str, value: &str) {
    // SAFETY: no other thread of this program reads or changes the environment at this time.
    unsafe { std::env::set_var(name, value) };
}

#[expect(unsafe_code, reason = "as above")]
fn unset(name: &str) {
    // SAFETY: as above.
    unsafe { std::env::remove_var(name) };
}

alone! {
    /// A child's thread starts confined to one processor, and so does the server when it starts one process alone; user
    /// code must not notice, neither that of the process, nor that of those who come after it.
    fn a_process_may_use_the_processors_that_its_spawner_may_use() {
        let own = std::thread::available_parallelism().map_or(0, usize::from);
        for _ in 0..3 {
            assert_eq!(usable_processors().run().unwrap(), own);
            assert_eq!(Parallel!(usable_processors() * 3).unwrap(), [own; 3]);
            let (_company, found) = (Spawn!(usable_processors()).unwrap(), Spawn!(usable_processors()).unwrap());
            assert_eq!(found.join().unwrap(), own);
        }
    }

    fn five_hundred_and_twelve_processes_run_at_once() {
        let (here, go) = (Channel::new(), Channel::<()>::new());
        let (arrived, start) = (here.reader(), go.writer());
        let network = network!(for i in 0..512 => number(here.writer(), go.reader(), i)).spawn().unwrap();
        let mut numbers: Vec<u32> = (0..512).map(|_| arrived.read().unwrap()).collect();
        assert_eq!(children().len(), 512);
        drop(start);
        let results: Vec<u32> = network.join().unwrap().into_iter().map(|result| result.unwrap()).collect();
        assert!(results.into_iter().eq(0..512));
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..512));
        assert!(children().is_empty());
    }

    /// The doorbell has room for a few thousand rings, or a few hundred where the system allows no more.
    fn a_server_that_was_stopped_does_all_that_it_was_rung_for() {
        const RINGS: usize = 20_000;
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (arrived, _never) = (ready.reader(), until.writer());
        let child = Spawn!(tell_and_stay(ready.writer(), until.reader())).unwrap();
        arrived.read().unwrap();
        let server = server().unwrap().pid;
        stop(server);
        let (rung, ringer) = (AtomicUsize::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            let ringing = scope.spawn(|| {
                ringer.store(rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned(), Ordering::Release);
                for _ in 0..RINGS {
                    child.terminate().unwrap();
                    rung.fetch_add(1, Ordering::Release);
                }
            });
            let waits = || {
                let stat = format!("/proc/self/task/{}/stat", ringer.load(Ordering::Acquire));
                rung.load(Ordering::Acquire) >= 256 && seen(&stat).is_some_and(|thread| thread.state == 'S')
            };
            while !waits() {
                std::thread::yield_now();
            }
            assert!(rung.load(Ordering::Acquire) < RINGS, "nothing has kept it waiting");
            go_on(server);
            ringing.join().unwrap();
        });
        let error = child.join().unwrap_err();
        assert!(was_killed(&error, 15), "{error}");
        assert!(surroundings(String::from("HOME")).run().is_ok());
    }

    fn a_process_is_there_when_its_starter_kills_it_at_once() {
        for round in 0..200 {
            let child = Spawn!(number(Channel::new().writer(), Channel::new().reader(), round)).unwrap();
            child.kill().unwrap();
            // It may have ended before, for nobody reads what it writes.
            if let Err(error) = child.join() {
                assert!(was_killed(&error, 9), "{error}");
            }
        }
        let until = Channel::<()>::new();
        let _never = until.writer();
        for _ in 0..200 {
            let (here, there) = csproc::channel();
            let child = Spawn!(tell_and_stay(here, until.reader())).unwrap();
            child.kill().unwrap();
            let error = child.join().unwrap_err();
            assert!(was_killed(&error, 9), "{error}");
            drop(there);
        }
    }

    fn no_descriptor_leaks_into_processes_or_stays_in_the_server() {
        let server = server().unwrap().pid.to_string();
        let first = spawn_one(3).run().unwrap().unwrap();
        let server_before = descriptors_of(&server);
        // Opened after the start of the program: no process has it.
        let _file = std::fs::File::open("/etc/hostname").or_else(|_| std::fs::File::open("/proc/self/stat")).unwrap();
        let _pipe = std::io::pipe().unwrap();
        let own = descriptors();
        for _ in 0..30 {
            let there = descriptors_here().run().unwrap();
            for (number, target) in &there {
                let internal = target.starts_with("socket:") || target.contains("eventfd") || target.contains("memfd");
                assert!(own.get(number) == Some(target) || internal, "{number} is {target}");
                assert!(!target.contains("hostname") && !target.contains("stat"), "{number} is {target}");
            }
            assert!(there.len() <= 3 + inherited(&own) + 3, "{there:?}");
        }
        let later = spawn_one(3).run().unwrap().unwrap();
        assert_eq!(later.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
        let server_after = descriptors_of(&server);
        assert_eq!(server_after.len(), server_before.len(), "{server_before:?} became {server_after:?}");
    }
}

fn was_killed(error: &NetworkError, by: i32) -> bool {
    matches!(&error.failures()[0], Failure::Crashed { cause: Cause::Killed { signal }, .. } if *signal == by)
}

/// What this program got from whoever started it, beyond the three standard descriptors.
fn inherited(own: &BTreeMap<u32, String>) -> usize {
    own.iter()
        .filter(|(number, target)| **number > 2 && (target.starts_with("pipe:") || target.starts_with('/')))
        .count()
}

once! {
    fn a_process_survives_writing_to_a_broken_pipe() {
        assert!(write_to_a_broken_pipe().run().unwrap());
    }

    fn a_process_has_the_directory_and_environment_of_its_spawner_at_the_spawn() {
        let remains = output(command("directory and environment").0);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn what_processes_print_is_complete() {
        let remains = output(command("output").0);
        assert!(remains.status.success(), "{remains:?}");
        for number in 0..20 {
            assert!(remains.stdout.contains(&format!("<{number}:")), "the output of process {number} is missing");
        }
        let letters = remains.stdout.bytes().filter(|byte| *byte == b'x').count();
        assert!(letters >= 20 * 20_000, "{letters}");
    }

    fn what_a_process_printed_before_its_panic_is_not_lost() {
        let remains = output(command("output of a process that panics").0);
        assert!(remains.status.success(), "{remains:?}");
        assert!(remains.stdout.contains("<before the panic>"), "{}", remains.stdout);
        assert_eq!(
            remains.stderr.matches("after printing").count(),
            1,
            "the panic is reported once: {}",
            remains.stderr
        );
    }

    fn a_process_ends_although_its_thread_keeps_standard_output() {
        let remains = output(command("output of a process whose thread keeps it").0);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn law_6_the_death_of_the_server_is_heard_and_threads_go_on() {
        let remains = output(command("the server dies").0);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn law_10_no_file_and_no_segment_is_left_behind() {
        let directory = std::env::temp_dir().join(format!("csproc-test-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let segments = || {
            let of_system_v = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default().lines().count();
            let of_posix: Vec<_> = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten()
                .map(|entry| entry.file_name())
                .filter(|name| name.to_string_lossy().contains("csproc"))
                .collect();
            (of_system_v, of_posix)
        };
        let before = segments();
        let (mut command, tag) = command("files");
        command.env("TMPDIR", &directory).current_dir(&directory);
        let mut program = Program::start_as(&mut command, tag);
        program.until("ready");
        let while_it_runs: Vec<_> =
            std::fs::read_dir(&directory).unwrap().flatten().map(|entry| entry.path()).collect();
        assert_eq!(while_it_runs, Vec::<PathBuf>::new());
        program.child.kill().unwrap();
        program.wait();
        let _until_everybody_is_gone = program.rest();
        let left: Vec<_> = std::fs::read_dir(&directory).unwrap().flatten().map(|entry| entry.path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new());
        assert_eq!(segments(), before);
        std::fs::remove_dir(&directory).unwrap();
    }
}

fn directory_and_environment() {
    const NAME: &str = "CSPROC_TEST_VARIABLE";
    let ask = || surroundings(String::from(NAME));
    let start = std::env::current_dir().unwrap();
    let count = std::env::vars_os().count();
    assert_eq!(ask().run().unwrap(), (start.clone(), None, count));

    let root = PathBuf::from("/");
    let temporary = std::env::temp_dir().canonicalize().unwrap();
    std::env::set_current_dir(&root).unwrap();
    set(NAME, "a");
    assert_eq!(ask().run().unwrap(), (root.clone(), Some(String::from("a")), count + 1));
    std::env::set_current_dir(&temporary).unwrap();
    set(NAME, "");
    assert_eq!(ask().run().unwrap(), (temporary.clone(), Some(String::new()), count + 1));
    // What was there at the start of the program can be taken away.
    unset("CSPROC_TEST_TAG");
    unset(NAME);
    assert_eq!(surroundings(String::from("CSPROC_TEST_TAG")).run().unwrap(), (temporary.clone(), None, count - 1));

    // From a process, for its own children; the program and later processes see nothing of it.
    let inner = change_and_spawn(Placement::Process, root.clone()).run().unwrap().unwrap();
    assert_eq!(inner, (root, Some(String::from("inner")), count));
    assert_eq!(ask().run().unwrap(), (temporary.clone(), None, count - 1));
    assert_eq!(std::env::current_dir().unwrap(), temporary);
    std::env::set_current_dir(start.clone()).unwrap();
    assert_eq!(ask().run().unwrap().0, start);
}

fn output_of_processes() {
    Parallel!(for i in 0..20 => print(i)).unwrap();
}

fn output_of_a_process_that_panics() {
    print_and_panic().run().unwrap_err();
}

fn output_of_a_process_whose_thread_keeps_it() {
    print_and_keep_the_output().run().unwrap();
}

fn the_server_dies() {
    let (ready, until) = (Channel::new(), Channel::<()>::new());
    let (arrived, _never) = (ready.reader(), until.writer());
    let network = network!(for _ in 0..3 => tell_and_stay(ready.writer(), until.reader())).spawn().unwrap();
    for _ in 0..3 {
        arrived.read().unwrap();
    }
    let server = rustix::process::Pid::from_raw(server().unwrap().pid.cast_signed()).unwrap();
    rustix::process::kill_process(server, rustix::process::Signal::KILL).unwrap();
    let error = network.join().unwrap_err();
    assert_eq!(error.failures().len(), 3);
    for failure in error.failures() {
        assert!(matches!(failure, Failure::Crashed { cause: Cause::Killed { signal: 9 }, .. }), "{failure}");
    }
    assert!(_never.write(()).unwrap_err().fate.is_lost());
    let error = surroundings(String::new()).run().unwrap_err();
    assert!(matches!(&error.failures()[0], Failure::Start { source: StartError::ServerGone { .. }, .. }), "{error}");
    surroundings(String::new()).on(Placement::Thread).run().unwrap();
}

fn files() {
    let (ready, until) = (Channel::new(), Channel::<()>::new());
    let (arrived, _never) = (ready.reader(), until.writer());
    let network = network!(for _ in 0..3 => tell_and_stay(ready.writer(), until.reader())).spawn().unwrap();
    for _ in 0..3 {
        arrived.read().unwrap();
    }
    println!("ready");
    let _ = network.join();
}

#[process]
fn usable_processors() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}
