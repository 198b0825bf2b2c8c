//! What the system refuses comes back as a typed error that names the thing and the remedy, and leaves nothing behind.
//!
//! Knows nothing of deaths in the middle of an operation.

use crate::estate::Estate;
use crate::harness::cast::identity;
use crate::harness::scenario::{Scenario, command, output};
use crate::harness::system::server;
use csproc::prelude::*;
use csproc::{Failure, StartError};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use std::os::unix::process::CommandExt;

pub(crate) const SCENARIOS: &[Scenario] = &[("no file", no_file), ("no process", no_process), ("full", full)];

#[process]
fn take(input: Reader<Vec<u8>>) -> usize {
    input.read().map_or(0, |bytes| bytes.len())
}

#[process]
fn length(bytes: Vec<u8>) -> usize {
    bytes.len()
}

fn no_file() {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: before.maximum }).unwrap();
    let answered = Parallel!(identity(1));
    setrlimit(Resource::Nofile, before).unwrap();
    assert_eq!(answered.unwrap(), 1);
    assert_eq!(Parallel!(identity(2)).unwrap(), 2);
    Estate::EMPTY.restored("no file");
}

fn no_process() {
    assert_eq!(Parallel!(identity(1)).unwrap(), 1);
    let server = Pid::from_raw(server().unwrap().pid.cast_signed());
    prlimit(server, Resource::Nproc, Rlimit { current: Some(1), maximum: Some(1) }).unwrap();
    let refused = Parallel!(identity(2), identity(3)).unwrap_err();
    assert_eq!(refused.failures().len(), 2, "{refused}");
    for failure in refused.failures() {
        let Failure::Start { source, .. } = failure else { panic!("{failure:?}") };
        assert!(matches!(source, StartError::System { code: 11, .. }), "{source:?}");
        assert!(source.to_string().contains("ulimit -u"), "{source}");
    }
    drop(refused);
    Estate::EMPTY.restored("no process");
}

/// Messages, channels and processes are refused by a full arena, and all is well once there is room.
fn full() {
    let c = Channel::<Vec<u8>>::buffered(Buffer::Unbounded);
    let (w, r) = (c.writer(), c.reader());
    let mut held = 0;
    let refused = loop {
        match w.write(vec![7; 60_000]) {
            Ok(()) => held += 1,
            Err(error) => break error,
        }
    };
    assert!(held > 10);
    assert_eq!(refused.value.len(), 60_000, "the value comes back");
    assert!(refused.fate.is_invalid() && refused.fate.to_string().contains("CSPROC_ARENA"), "{}", refused.fate);
    // Smaller ones, until there is room for nothing but what a reader brings along.
    while w.write(vec![7; 6000]).is_ok() {
        held += 1;
    }
    let error = Spawn!(length(vec![7; 60_000])).unwrap_err();
    assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");
    drop(error);
    for _ in 0..held {
        r.read().unwrap();
    }
    let child = Spawn!(take(c.reader())).unwrap();
    w.write(vec![1; 500]).unwrap();
    assert_eq!(child.join().unwrap(), 500);
    let mut channels = Vec::new();
    let error = loop {
        match Channel::<u8>::builder().build() {
            Ok(channel) => channels.push(channel),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");
    drop((c, w, r, channels));
    assert_eq!(Parallel!(identity(9)).unwrap(), 9);
    Estate::EMPTY.restored("full");
}

fn plays(scenario: &str, arena: &str) {
    let (mut command, _) = command(scenario);
    command.env("CSPROC_ARENA", arena);
    let remains = output(command);
    assert!(remains.status.success(), "{remains:?}");
}

once! {
    fn a_start_takes_no_descriptor_of_the_program() {
        plays("no file", "16G");
    }

    /// The limit does not bind a privileged user, who plays this as nobody.
    fn without_room_for_another_process_a_start_is_refused_by_name() {
        let (mut command, _) = command("no process");
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn a_full_arena_refuses_by_name_and_recovers() {
        plays("full", "8M");
    }
}
