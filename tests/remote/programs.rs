//! Two programs: whichever dies, at whatever moment, the other is told or goes on, and what is left is taken over.
//!
//! Knows nothing of bytes. The programs are this one, executed again.

use crate::harness::killing::kill_a_thousand;
use crate::harness::pause::{go_on, stop};
use crate::harness::place::Place;
use crate::harness::scenario::{Program, Scenario, command, output};
use crate::harness::system::descriptors_of;
use crate::{KEY, path};
use csproc::prelude::*;
use csproc::shared::{CallError, Dict, Event, List, ServeError, Shared};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("waits for a bell", waits_for_a_bell),
    ("serves", serves),
    ("counts", counts),
    ("ends by a panic", ends_by_a_panic),
    ("has no room for threads", has_no_room_for_threads),
    ("copies itself", copies_itself),
    ("leaves a copy", leaves_a_copy),
];

const PATH: &str = "CSPROC_TEST_PATH";

fn told_path() -> PathBuf {
    std::env::var_os(PATH).unwrap().into()
}

fn start(scenario: &str, path: &Path) -> Program {
    let (mut program, tag) = command(scenario);
    program.env(PATH, path).stdin(std::process::Stdio::piped());
    Program::start_as(&mut program, tag)
}

fn serving() -> (Manager, List<u64>) {
    let manager = Manager::new().unwrap();
    let list = manager.list([]).unwrap();
    manager.share("list", &list).unwrap();
    manager.share("dict", &manager.dict::<String, u64>().unwrap()).unwrap();
    manager.serve(told_path(), KEY).unwrap();
    println!("serving");
    (manager, list)
}

/// An object that another program has ring.
struct Bell(Event);

#[managed]
impl Bell {
    pub(crate) fn hang(event: Event) -> Bell {
        Bell(event)
    }

    pub(crate) fn ring(&self) {
        self.0.set();
    }

    /// Comes back when it has rung.
    pub(crate) fn hear(&self) {
        self.0.wait().unwrap();
    }

    /// How often the program has been looked at.
    pub(crate) fn looks(&self) -> u64 {
        csproc::__private::looks()
    }
}

fn waits_for_a_bell() {
    let (manager, event) = (Manager::new().unwrap(), Event::new());
    manager.share("bell", &BellProxy::hang(&manager, event.clone()).unwrap()).unwrap();
    manager.serve(told_path(), KEY).unwrap();
    println!("waiting");
    event.wait().unwrap();
    println!("rung");
}

/// Until its input ends.
fn serves() {
    let (manager, list) = serving();
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {
        println!("has {}", list.len().unwrap());
    }
    manager.shutdown().unwrap();
    println!("ended");
}

/// Pushes numbers for as long as it can.
fn counts() {
    let remote = Manager::connect(told_path(), KEY).unwrap();
    let list: List<u64> = remote.get("list").unwrap();
    println!("counting");
    for number in 0.. {
        if let Err(error) = list.push(number) {
            println!("told: {error:?}");
            return;
        }
    }
}

fn ends_by_a_panic() {
    let _served = serving();
    std::panic::resume_unwind(Box::new("while it serves"));
}

/// Serves on with the threads that it has, once its input says so.
fn has_no_room_for_threads() {
    let (manager, _list) = serving();
    manager.share("queue", &Queue::<u8>::new()).unwrap();
    println!("and a queue");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let size = size.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10;
    // Some room is left, but none for the stack of a thread.
    let limit = Rlimit { current: Some(size + (1 << 20)), maximum: None };
    setrlimit(Resource::As, limit).unwrap();
    println!("full");
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {}
    setrlimit(Resource::As, Rlimit { current: None, maximum: None }).unwrap();
    manager.shutdown().unwrap();
    println!("ended");
}

/// A client that makes a copy of itself, without the library: both use what they have, and the end of the copy takes
/// nothing along.
#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn copies_itself() {
    let jobs: Queue<u64> = Manager::connect(told_path(), KEY).unwrap().get("jobs").unwrap();
    assert_eq!(jobs.get(), Ok(0));
    // SAFETY: no other thread of this program holds a lock that the copy takes, and the copy ends by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            // It has got nothing: what is open is the original's.
            let is_right = jobs.task_done().is_err() && jobs.get() == Ok(1) && jobs.task_done().is_ok();
            drop(jobs);
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(if is_right { 7 } else { 1 }) }
        }
        copy => {
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(copy, &raw mut status, 0) }, copy);
            assert_eq!(libc::WEXITSTATUS(status), 7);
            jobs.task_done().unwrap();
            assert_eq!((jobs.get(), jobs.task_done(), jobs.join()), (Ok(2), Ok(()), Ok(())));
            // The program ends with a handle that is open.
            std::mem::forget(jobs);
        }
    }
}

/// A client that has got an item and waits for another one, and a copy that has its connections and does nothing.
#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn leaves_a_copy() {
    let jobs: Queue<u64> = Manager::connect(told_path(), KEY).unwrap().get("jobs").unwrap();
    assert_eq!(jobs.get(), Ok(0));
    let (tell, told) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || {
        tell.send(Place::here()).unwrap();
        jobs.get()
    });
    told.recv().unwrap().until_asleep();
    // SAFETY: the other thread waits in the system, and the copy does nothing but wait and end by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            let mut byte = 0_u8;
            // SAFETY: reads into a byte that is there.
            while unsafe { libc::read(0, (&raw mut byte).cast(), 1) } > 0 {}
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(0) }
        }
        copy => println!("copied to {copy}"),
    }
    drop(waiting.join());
}

once! {
    fn what_a_dead_client_had_is_not_kept_for_its_copy() {
        let path = path();
        let mut server = start("serves a queue", &path);
        server.until("serving");
        let mut input = server.child.stdin.take().unwrap();
        writeln!(input, "0").unwrap();
        let jobs: Queue<u64> = Manager::connect(&path, KEY).unwrap().get("jobs").unwrap();
        let mut client = start("leaves a copy", &path);
        let copy = client.until("copied to ");
        let copies = client.child.stdin.take();
        client.child.kill().unwrap();
        client.wait();
        // It lives, and has every connection of the dead.
        let streams = descriptors_of(&copy).into_values().filter(|target| target.starts_with("socket:")).count();
        assert!(streams >= 2, "{streams}");
        let left = ChannelError::Abandoned { process: format!("client {} of jobs", client.pid()) };
        assert_eq!(jobs.join(), Err(left));
        writeln!(input, "1").unwrap();
        assert_eq!(jobs.get_timeout(Duration::from_secs(30)), Ok(1), "it was taken for the copy");
        assert_eq!(jobs.task_done(), Ok(()));
        drop((copies, input));
        assert_eq!(server.until("ended with "), "0");
        assert!(server.wait().success());
    }

    fn a_copy_of_a_client_by_a_bare_fork_is_a_client_and_ends_nothing() {
        let path = path();
        let mut server = start("serves a queue", &path);
        server.until("serving");
        let mut input = server.child.stdin.take().unwrap();
        (0..3).for_each(|item| writeln!(input, "{item}").unwrap());
        let (mut program, _) = command("copies itself");
        program.env(PATH, &path);
        let remains = output(program);
        assert!(remains.status.success(), "{remains:?}");
        let jobs: Queue<u64> = Manager::connect(&path, KEY).unwrap().get("jobs").unwrap();
        assert_eq!((jobs.join(), jobs.put(3), jobs.get()), (Ok(()), Ok(()), Ok(3)));
        drop(input);
        assert_eq!(server.until("ended with "), "0");
        assert!(server.wait().success());
    }

    fn a_client_for_whom_there_is_no_thread_is_told() {
        let path = path();
        let mut server = start("has no room for threads", &path);
        server.until("and a queue");
        let remote = Manager::connect(&path, KEY).unwrap();
        let (list, queue): (List<u64>, Queue<u8>) = (remote.get("list").unwrap(), remote.get("queue").unwrap());
        // A connection for the queue, whose client is nobody yet.
        assert_eq!(list.len(), Ok(0));
        let mut input = server.child.stdin.take().unwrap();
        writeln!(input).unwrap();
        server.until("full");
        assert_eq!(Manager::connect(&path, KEY).unwrap_err(), ServeError::Busy { path: path.clone() });
        let refused = queue.put(1).unwrap_err();
        let is_told = matches!(&refused.fate, ChannelError::Io { reason } if reason.contains("as many connections"));
        assert!(is_told, "{refused:?}");
        assert_eq!(list.len(), Ok(0), "who is inside is served on");
        drop(input);
        server.until("ended");
        assert!(server.wait().success());
    }

    fn a_client_is_told_of_the_end_of_the_server() {
        let path = path();
        let mut server = start("serves", &path);
        server.until("serving");
        let mut clients: Vec<Program> = (0..2).map(|_| start("counts", &path)).collect();
        clients.iter_mut().for_each(|client| drop(client.until("counting")));
        let remote = Manager::connect(&path, KEY).unwrap();
        let dict: Dict<String, u64> = remote.get("dict").unwrap();
        dict.insert("one".into(), 1).unwrap();
        drop(server.child.stdin.take());
        server.until("ended");
        assert!(server.wait().success());
        for client in &mut clients {
            assert_eq!(client.until("told: "), "Shutdown");
            assert!(client.wait().success());
        }
        assert_eq!(dict.len(), Err(CallError::Shutdown));
        assert!(!path.parent().unwrap().exists(), "nothing is left");
    }

    fn a_client_of_a_server_that_is_killed_is_told_and_finds_the_next_one() {
        let path = path();
        for round in 0..3 {
            let mut server = start("serves", &path);
            server.until("serving");
            let mut client = start("counts", &path);
            client.until("counting");
            let remote = Manager::connect(&path, KEY).unwrap();
            let dict: Dict<String, u64> = remote.get("dict").unwrap();
            assert_eq!(dict.insert(round.to_string(), 1), Ok(None), "this one has never seen it");
            server.child.kill().unwrap();
            server.wait();
            // In a call or between two.
            let told = client.until("told: ");
            assert!(told.starts_with("Io") || told == "Shutdown", "{told}");
            assert!(client.wait().success());
            // Nothing was under way here.
            let error = dict.len().unwrap_err();
            assert_eq!(error, CallError::Shutdown);
            assert_eq!(Manager::connect(&path, KEY).unwrap_err(), ServeError::NotFound { path: path.clone() });
            assert!(path.exists(), "a program that is killed leaves its socket");
        }
        let manager = Manager::new().unwrap();
        manager.serve(&path, KEY).unwrap();
        drop(manager);
        assert!(!path.parent().unwrap().exists(), "whoever takes over takes away what was left");
    }

    fn a_call_in_progress_of_a_server_that_is_killed_is_told_as_one_that_may_have_been_done() {
        let path = path();
        // One that is stopped dies before it has read what it was asked.
        for is_stopped in [false, true] {
            let mut server = start("waits for a bell", &path);
            server.until("waiting");
            let bell: BellProxy = Manager::connect(&path, KEY).unwrap().get("bell").unwrap();
            let (same, (ready, announced)) = (bell.clone(), csproc::channel());
            if is_stopped {
                stop(server.pid());
            }
            let hears = std::thread::spawn(move || {
                Place::announce(&ready);
                same.hear()
            });
            announced.read().unwrap().until_asleep();
            server.child.kill().unwrap();
            server.wait();
            let error = hears.join().unwrap().unwrap_err();
            let expected = format!("the manager at {}: it has ended, or closed the connection, before", path.display());
            assert!(matches!(&error, CallError::Io { reason } if reason.starts_with(&expected)), "{error}");
            assert_eq!(bell.ring(), Err(CallError::Shutdown), "this was not even sent");
        }
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    fn clients_that_are_killed_harm_nobody() {
        let path = path();
        let mut server = start("serves", &path);
        server.until("serving");
        let list: List<u64> = Manager::connect(&path, KEY).unwrap().get("list").unwrap();
        for _ in 0..5 {
            let mut clients: Vec<Program> = (0..2).map(|_| start("counts", &path)).collect();
            clients.iter_mut().for_each(|client| drop(client.until("counting")));
            let count = list.len().unwrap();
            while list.len().unwrap() < count + 100 {}
            clients.iter_mut().for_each(|client| client.child.kill().unwrap());
            for client in &mut clients {
                client.wait();
            }
        }
        // What the dead had begun is finished, perhaps only now.
        list.push(u64::MAX).unwrap();
        assert_eq!(list.contains(&u64::MAX), Ok(true));
        drop(server.child.stdin.take());
        server.until("ended");
        assert!(server.wait().success());
    }

    fn a_thousand_processes_of_a_client_are_killed_in_their_calls() {
        let path = path();
        let mut server = start("serves", &path);
        server.until("serving");
        let list: List<u64> = Manager::connect(&path, KEY).unwrap().get("list").unwrap();
        let pushed = std::cell::Cell::new(0);
        kill_a_thousand(
            || push_until_it_is_gone(list.clone()),
            || {
                pushed.set(pushed.get() + list.len().unwrap());
                list.clear().unwrap();
            },
        );
        assert!(pushed.get() > 0, "nobody came to a call");
        // What the dead had begun is finished, perhaps only now.
        list.push(u64::MAX).unwrap();
        assert_eq!(list.contains(&u64::MAX), Ok(true));
        drop(server.child.stdin.take());
        server.until("ended");
        assert!(server.wait().success());
    }

    fn who_waits_for_what_another_program_does_is_in_no_deadlock() {
        let path = path();
        let mut server = start("waits for a bell", &path);
        server.until("waiting");
        let bell: BellProxy = Manager::connect(&path, KEY).unwrap().get("bell").unwrap();
        // Its main thread waits for an event that nobody in the program will set.
        let since = bell.looks().unwrap();
        while bell.looks().unwrap() < since + 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        bell.ring().unwrap();
        server.until("rung");
        assert!(server.wait().success());
    }

    fn a_server_that_panics_leaves_nothing() {
        let path = path();
        let mut server = start("ends by a panic", &path);
        server.until("serving");
        assert!(!server.wait().success());
        assert!(!path.parent().unwrap().exists());
    }

    fn a_call_waits_for_a_server_that_is_stopped() {
        let path = path();
        let mut server = start("serves", &path);
        server.until("serving");
        let list: List<u64> = Manager::connect(&path, KEY).unwrap().get("list").unwrap();
        stop(server.pid());
        let (ready, announced) = csproc::channel();
        let caller = std::thread::spawn(move || {
            Place::announce(&ready);
            list.push(1).and_then(|()| list.len())
        });
        announced.read().unwrap().until_asleep();
        assert!(!caller.is_finished());
        go_on(server.pid());
        assert_eq!(caller.join().unwrap(), Ok(1));
        drop(server.child.stdin.take());
        server.until("ended");
    }

    fn a_proxy_in_a_process_of_a_client_is_told_as_well() {
        let path = path();
        let mut server = start("serves", &path);
        server.until("serving");
        let remote = Manager::connect(&path, KEY).unwrap();
        let list: List<u64> = remote.get("list").unwrap();
        let child = Spawn!(push_until_it_is_gone(list)).unwrap();
        let own: List<u64> = remote.get("list").unwrap();
        while own.len().unwrap() < 10 {}
        drop(server.child.stdin.take());
        server.until("ended");
        assert_eq!(child.join().values().unwrap(), CallError::Shutdown);
        let gone: Result<Shared<u8>, CallError> = remote.get("value");
        assert_eq!(gone.unwrap_err(), CallError::Shutdown);
    }
}

#[process]
fn push_until_it_is_gone(list: List<u64>) -> CallError {
    loop {
        if let Err(error) = list.push(0) {
            return error;
        }
    }
}
