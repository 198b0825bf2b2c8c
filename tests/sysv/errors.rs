//! Every error says what is wrong with which queue, semaphore or segment, and what helps.
//!
//! Knows nothing of what they are good for.

use crate::harness::scenario::{Remains, Scenario, command, output};
use crate::{queue, segment, semaphore};
use csproc::sysv::{Key, MessageQueue, Semaphore, SharedMemory, SysvError};
use nix::unistd::{Uid, geteuid, seteuid};
use std::fs;
use std::process::Command;

pub(crate) const SCENARIOS: &[Scenario] =
    &[("somebody_else", somebody_else), ("at_the_limits", at_the_limits), ("long_messages", long_messages)];

/// Plays a scenario among queues of its own, where limits can be changed; nothing if the system does not allow that.
fn apart(scenario: &str) -> Option<Remains> {
    let (played, _) = command(scenario);
    let mut apart = Command::new("unshare");
    apart.args(["--user", "--map-root-user", "--ipc"]).arg(played.get_program()).args(played.get_args());
    apart.envs(played.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let is_allowed = Command::new("unshare").args(["--user", "--map-root-user", "--ipc", "true"]).output();
    if is_allowed.is_ok_and(|tried| tried.status.success()) {
        return Some(output(apart));
    }
    eprintln!("skipped");
    None
}

fn set_limit(name: &str, value: usize) {
    fs::write(format!("/proc/sys/kernel/{name}"), value.to_string()).unwrap();
}

fn at_the_limits() {
    set_limit("msgmni", 1);
    let queue = queue();
    let error = MessageQueue::create(7).unwrap_err();
    assert!(matches!(error, SysvError::Limit { .. }), "{error:?}");
    assert!(error.to_string().contains("/proc/sys/kernel/msgmni") && error.to_string().contains("ipcrm -Q"), "{error}");
    drop(queue);
    // Of this namespace, so nobody else can have taken it.
    assert_eq!(MessageQueue::open(7), Err(SysvError::NotFound { key: Key::from(7) }));
    let queue = MessageQueue::create(7).unwrap().remove_on_drop();

    let (limited, known) = (semaphore(1), segment(4096));
    fs::write("/proc/sys/kernel/sem", "100 100 10 1").unwrap();
    set_limit("shmmni", 1);
    let too_many = [Semaphore::create(8, 1).unwrap_err(), SharedMemory::create(8, 1).unwrap_err()];
    for (error, [place, remedy]) in too_many.iter().zip([["kernel/sem", "ipcrm -S"], ["shmmni", "ipcrm -M"]]) {
        assert!(matches!(error, SysvError::Limit { .. }), "{error:?}");
        assert!(error.to_string().contains(place) && error.to_string().contains(remedy), "{error}");
    }
    drop((limited, known));
    set_limit("shmmax", 5000);
    let error = SharedMemory::create(8, 5001).unwrap_err();
    assert!(matches!(error, SysvError::Limit { .. }) && error.to_string().contains("shmmax"), "{error:?}");
    set_limit("shmall", 1);
    let all = SharedMemory::create(8, 4096).unwrap().remove_on_drop();
    fs::write("/proc/sys/kernel/shmmni", "100").unwrap();
    let error = SharedMemory::create(9, 1).unwrap_err();
    assert!(matches!(error, SysvError::Limit { .. }) && error.to_string().contains("shmall"), "{error:?}");
    drop(all);

    set_limit("msgmax", 100);
    assert_eq!(queue.send([0; 101], 1), Err(SysvError::TooLong { bytes: 101, limit: 100 }));
    assert_eq!(queue.send([0; 100], 1), Ok(()));
    println!("all limits met");
}

/// Longer than what most systems allow, and longer than what is allowed by the time they are read.
fn long_messages() {
    set_limit("msgmax", 1 << 20);
    set_limit("msgmnb", 1 << 22);
    let queue = queue();
    queue.set_capacity(1 << 22).unwrap();
    for length in [8193, 20_000, 1 << 20] {
        queue.send(vec![length as u8; length], 3).unwrap();
        queue.send("behind it", 3).unwrap();
    }
    set_limit("msgmax", 10);
    for length in [8193, 20_000, 1 << 20] {
        assert_eq!(queue.receive(3), Ok((vec![length as u8; length], 3)));
        assert_eq!(queue.receive(3).unwrap().0, b"behind it");
    }
    println!("all lengths came");
}

/// A process that may not use a queue.
fn somebody_else() {
    let queue = MessageQueue::options().mode(0).create(Key::from_path("/proc/self/exe", b'e').unwrap()).unwrap();
    let queue = queue.remove_on_drop();
    let refused = |key: Key, list: &str, result: Result<(), SysvError>, action: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, SysvError::Permission { key: told, .. } if told == key), "{action}: {error:?}");
        let text = error.to_string();
        assert!(text.contains(action) && text.contains(&format!("{key:#010x}")) && text.contains(list), "{text}");
    };
    let denied = |result, action| refused(queue.key(), "`ipcs -q`", result, action);
    let key = Key::from_path("/proc/self/exe", b'f').unwrap();
    let semaphore = Semaphore::options().mode(0).create(key, 1).unwrap().remove_on_drop();
    let segment = SharedMemory::options().mode(0).create(key, 1).unwrap().remove_on_drop();
    let look_only = SharedMemory::options().mode(0o444).create(Key::PRIVATE, 1).unwrap().remove_on_drop();
    let is_root = geteuid().is_root();
    if is_root {
        seteuid(Uid::from_raw(65_534)).unwrap();
    }
    denied(MessageQueue::create(queue.key()).map(drop), "open");
    denied(queue.send("x", 1), "send to");
    denied(queue.receive(0).map(drop), "receive from");
    denied(queue.status().map(drop), "look at");
    for (list, result, action) in [
        ("`ipcs -s`", Semaphore::create(key, 1).map(drop), "open"),
        ("`ipcs -s`", semaphore.try_acquire().map(drop), "acquire"),
        ("`ipcs -s`", semaphore.post(1), "post to"),
        ("`ipcs -s`", semaphore.wait_zero(), "wait for"),
        ("`ipcs -s`", semaphore.value().map(drop), "look at"),
        ("`ipcs -s`", semaphore.set_value(1), "change"),
        ("`ipcs -m`", SharedMemory::create(key, 1).map(drop), "open"),
        ("`ipcs -m`", segment.attach().map(drop), "attach"),
        ("`ipcs -m`", segment.attach_read_only().map(drop), "attach"),
        ("`ipcs -m`", segment.status().map(drop), "look at"),
    ] {
        refused(key, list, result, action);
    }
    assert_eq!(Semaphore::open(key).unwrap(), *semaphore, "who may not look takes it as it is");
    assert!(matches!(look_only.attach(), Err(SysvError::Permission { .. })));
    assert_eq!(look_only.attach_read_only().unwrap().read(0, 1), Ok(vec![0]));
    assert!(semaphore.bridge().try_read().unwrap_err().to_string().contains("may not acquire"));
    let told = queue.bridge(0).try_read().unwrap_err().to_string();
    assert!(told.contains("may not receive from"), "{told}");
    if is_root {
        denied(queue.set_mode(0o666), "change");
        denied(queue.remove(), "remove");
        refused(key, "`ipcs -s`", semaphore.remove(), "remove");
        refused(key, "`ipcs -m`", segment.remove(), "remove");
        seteuid(Uid::from_raw(0)).unwrap();
    }
    println!("all denied");
}

once! {
    fn who_may_not_use_a_queue_is_told_its_key_and_what_he_may_not() {
        let (command, _) = command("somebody_else");
        let remains = output(command);
        assert!(remains.status.success() && remains.stdout.contains("all denied"), "{remains:?}");
    }

    fn a_limit_of_the_system_is_told_with_its_place() {
        let Some(remains) = apart("at_the_limits") else { return };
        assert!(remains.status.success() && remains.stdout.contains("all limits met"), "{remains:?}");
    }

    fn a_message_is_received_however_long_the_system_allows_it_to_be() {
        let Some(remains) = apart("long_messages") else { return };
        assert!(remains.status.success() && remains.stdout.contains("all lengths came"), "{remains:?}");
    }

    fn what_cannot_be_a_message_is_refused_at_once() {
        let queue = queue();
        for kind in [0, -1, i64::MIN] {
            assert_eq!(queue.send("x", kind), Err(SysvError::Kind { kind }));
            assert_eq!(queue.receive_except(kind), Err(SysvError::Kind { kind }));
        }
        queue.set_capacity(100).unwrap();
        let error = queue.send([0; 101], 1).unwrap_err();
        assert_eq!(error, SysvError::TooLong { bytes: 101, limit: 100 });
        assert!(error.to_string().contains("101") && error.to_string().contains("msgmax"), "{error}");
        assert_eq!(queue.status().unwrap().messages, 0);
    }

    fn a_queue_that_is_there_or_not_is_told_with_its_key_and_the_remedy() {
        let key = Key::from_path(std::env::current_exe().unwrap(), b't').unwrap();
        let missing = MessageQueue::open(key).unwrap_err();
        assert_eq!(missing, SysvError::NotFound { key });
        assert!(missing.to_string().contains(&format!("{key} ({key:#010x})")), "{missing}");
        let _owner = MessageQueue::create(key).unwrap().remove_on_drop();
        let there = MessageQueue::create_new(key).unwrap_err();
        assert_eq!(there, SysvError::AlreadyExists { key });
        assert!(there.to_string().contains(&format!("`ipcrm -Q {key:#010x}`")), "{there}");
        assert_eq!(MessageQueue::open(Key::PRIVATE), Err(SysvError::NotFound { key: Key::PRIVATE }));
    }

    fn what_the_kernel_would_take_for_something_else_is_refused() {
        for mode in [0o1000, 0o2600, 0o200_000, u32::MAX] {
            let error = MessageQueue::options().mode(mode).create(Key::PRIVATE).unwrap_err();
            assert!(matches!(error, SysvError::System { errno: libc::EINVAL, .. }), "{error:?}");
            let error = Semaphore::options().mode(mode).create(Key::PRIVATE, 1).unwrap_err();
            assert!(error.to_string().starts_with("semget with the mode"), "{error}");
            let error = SharedMemory::options().mode(mode).create_new(Key::PRIVATE, 1).unwrap_err();
            assert!(error.to_string().starts_with("shmget with the mode"), "{error}");
        }
        for (path, project) in [("/no/such/file", 1), ("/", 0), ("/\0", 1)] {
            let error = Key::from_path(path, project).unwrap_err();
            assert!(error.to_string().starts_with("ftok(\"/"), "{error}");
        }
    }
}
