//! Every error says what is wrong with which queue, and what helps.
//!
//! Knows nothing of what queues are good for.

use crate::harness::scenario::{Remains, Scenario, command, output};
use crate::queue;
use csproc::sysv::{Key, MessageQueue, SysvError};
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
    let denied = |result: Result<(), SysvError>, action: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, SysvError::Permission { key, .. } if key == queue.key()), "{action}: {error:?}");
        let text = error.to_string();
        let key = format!("{:#010x}", queue.key());
        assert!(text.contains(action) && text.contains(&key) && text.contains("`ipcs -q`"), "{text}");
    };
    let is_root = geteuid().is_root();
    if is_root {
        seteuid(Uid::from_raw(65_534)).unwrap();
    }
    denied(MessageQueue::create(queue.key()).map(drop), "open");
    denied(queue.send("x", 1), "send to");
    denied(queue.receive(0).map(drop), "receive from");
    denied(queue.status().map(drop), "look at");
    let told = queue.bridge(0).try_read().unwrap_err().to_string();
    assert!(told.contains("may not receive from"), "{told}");
    if is_root {
        denied(queue.set_mode(0o666), "change");
        denied(queue.remove(), "remove");
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
        }
        for (path, project) in [("/no/such/file", 1), ("/", 0), ("/\0", 1)] {
            let error = Key::from_path(path, project).unwrap_err();
            assert!(error.to_string().starts_with("ftok(\"/"), "{error}");
        }
    }
}
