//! A bridge that is dropped while it waits leaves neither a thread nor a descriptor, and one that waits costs nothing.
//!
//! Knows nothing of values.

use crate::harness::cast::read_one;
use crate::harness::looks::Looks;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use csproc::bridge::{self, Bridge, Crossbeam, Source};
use csproc::prelude::*;
use ipc_channel::ipc::{IpcOneShotServer, IpcSender};
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[("many_bridges", many_bridges)];

/// The threads of bridges in this program.
fn helpers() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "csproc-bridge"))
        .map(|task| task.file_name().to_string_lossy().parse().unwrap())
        .collect()
}

/// Comes back once no bridge has a thread. The system shows a thread that has been joined for a moment longer.
fn until_no_helper_is_left() {
    while !helpers().is_empty() {
        std::thread::yield_now();
    }
}

/// How often a thread went to sleep.
fn naps(thread: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

/// Waits for a while in an alternation that comes to nothing.
fn wait_in_vain<S: Source>(foreign: &Bridge<S>) {
    for _ in 0..20 {
        let waited = AltSelect! { _v = foreign.read() => false, after(Duration::from_micros(50)) => true };
        assert_eq!(waited, Ok(true));
    }
    let found = loop {
        // It may not have got its name yet.
        let found = helpers();
        if !found.is_empty() {
            break found;
        }
        std::thread::yield_now();
    };
    assert_eq!(found.len(), 1, "one bridge has one thread");
    Place { pid: std::process::id(), thread: found[0] }.until_asleep();
}

#[process]
fn swap(input: Reader<u32>, out: Writer<u32>) {
    while input.read().is_ok_and(|v| out.write(v).is_ok()) {}
}

alone! {
    fn dropping_a_bridge_that_waits_leaves_nothing() {
        for _ in 0..50 {
            let (_sender, receiver) = crossbeam_channel::bounded::<u8>(0);
            let foreign = bridge::crossbeam(receiver);
            wait_in_vain(&foreign);
            drop(foreign);
            until_no_helper_is_left();

            let (_sender, receiver) = ipc_channel::ipc::channel::<u8>().unwrap();
            let foreign = bridge::ipc(receiver).unwrap();
            wait_in_vain(&foreign);
            drop(foreign);
            until_no_helper_is_left();

            let (output, _input) = std::io::pipe().unwrap();
            let readable = bridge::readable(output);
            wait_in_vain(&readable);
            let output = readable.into_inner();
            until_no_helper_is_left();
            drop(output);
        }
    }

    fn the_foreign_sender_sees_that_the_bridge_is_gone() {
        let (near_sender, receiver) = crossbeam_channel::unbounded();
        let near = bridge::crossbeam(receiver);
        let (far_sender, receiver) = ipc_channel::ipc::channel().unwrap();
        let far = bridge::ipc(receiver).unwrap();
        wait_in_vain(&near);
        drop(near);
        wait_in_vain(&far);
        drop(far);
        assert!(near_sender.send(1).is_err());
        assert!(far_sender.send(1).is_err());
    }

    fn a_bridge_without_an_alternation_has_no_thread() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let foreign = bridge::crossbeam(receiver);
        sender.send(1).unwrap();
        assert_eq!(foreign.read(), Ok(1));
        assert!(foreign.read_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
        sender.send(2).unwrap();
        assert_eq!(AltSelect! { v = foreign.read() => v }, Ok(2));
        until_no_helper_is_left();
    }

    fn waiting_takes_no_processor_time() {
        let (near_sender, receiver) = crossbeam_channel::unbounded();
        let near = bridge::crossbeam(receiver);
        let (far_sender, receiver) = ipc_channel::ipc::channel::<u8>().unwrap();
        let far = bridge::ipc(receiver).unwrap();
        let (say, said) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn(move || {
            say.send(Place::here()).unwrap();
            AltSelect! { v = near.read() => v, v = far.read() => v }
        });
        let place = said.recv().unwrap();
        place.until_asleep();
        while helpers().len() < 2 {
            std::thread::yield_now();
        }
        let mut sleepers = helpers();
        sleepers.push(place.thread);

        let (c, d) = (Channel::new(), Channel::new());
        let (w, r) = (c.writer(), d.reader());
        let partner = Spawn!(swap(c.reader(), d.writer()).on(Placement::Thread)).unwrap();
        // Falling asleep may take a few naps; whoever looks again and again never stops taking them.
        loop {
            let before: Vec<u64> = sleepers.iter().map(|thread| naps(*thread)).collect();
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(200) {
                w.write(1).unwrap();
                r.read().unwrap();
            }
            if sleepers.iter().map(|thread| naps(*thread)).eq(before) {
                break;
            }
        }
        drop((w, r));
        partner.join().unwrap();
        near_sender.send(1).unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(1));
        drop(far_sender);
    }
}

#[process]
fn wait_on_a_bridge(ready: Writer<Place>, input: Reader<u8>) -> csproc::Result<u8> {
    let (_sender, receiver) = crossbeam_channel::unbounded();
    let foreign = bridge::crossbeam(receiver);
    Place::announce(&ready);
    Ok(AltSelect! { v = foreign.read() => v, v = input.read() => v }?)
}

/// Waits for a program of which nobody here knows.
#[process]
fn read_from_afar(name_for: Writer<String>, out: Writer<u64>) -> csproc::Result<()> {
    let (server, name) = IpcOneShotServer::<u64>::new()?;
    name_for.write(name)?;
    drop(name_for);
    let (receiver, _) = server.accept()?;
    let foreign = bridge::ipc(receiver)?;
    out.write(AltSelect! { v = foreign.read() => v }?)?;
    Ok(())
}

#[process]
fn panic_with_a_bridge() {
    let (_sender, receiver) = crossbeam_channel::unbounded::<u8>();
    let foreign = bridge::crossbeam(receiver);
    PriSelect! { _v = foreign.read() => (), skip => panic!("on purpose") }.unwrap();
}

over_both! {
    fn a_process_that_waits_on_a_bridge_can_be_ended(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (w, announced) = (c.writer(), ready.reader());
        let child = Spawn!(wait_on_a_bridge(ready.writer(), c.reader()).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        w.poison();
        assert_eq!(child.join().unwrap().unwrap_err().channel_error(), Some(&ChannelError::Poisoned));
    }

    fn waiting_on_a_bridge_is_no_deadlock(placement) {
        let (c, names) = (Channel::new(), Channel::<String>::new());
        let name = names.reader();
        let elsewhere = std::thread::spawn(move || {
            let sender = IpcSender::connect(name.read().unwrap()).unwrap();
            drop(name);
            sender.send(0_u64).unwrap();
            // Time enough to be taken for one.
            Looks::from_now().wait_for_a_proof();
            sender.send(7).unwrap();
        });
        let (sent, read) = Parallel!(
            read_from_afar(names.writer(), c.writer()).on(placement),
            read_one(c.reader()).on(placement),
        )
        .unwrap();
        sent.unwrap();
        assert_eq!(read.unwrap(), 7);
        elsewhere.join().unwrap();
    }

    fn a_process_that_panics_takes_its_bridges_along(placement) {
        let error = Parallel!(panic_with_a_bridge().on(placement)).unwrap_err();
        assert!(error.to_string().contains("on purpose"), "{error}");
    }
}

/// Many more than the arena has room for at once.
fn many_bridges() {
    for round in 0..10_000_u32 {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let foreign = bridge::crossbeam(receiver);
        assert_eq!(PriSelect! { v = foreign.read() => v, skip => u32::MAX }, Ok(u32::MAX));
        sender.send(round).unwrap();
        if round.is_multiple_of(2) {
            assert_eq!(AltSelect! { v = foreign.read() => v }, Ok(round));
        }
    }
}

static LEFT: Mutex<Option<Bridge<Crossbeam<u32>>>> = Mutex::new(None);

#[process(thread)]
fn leave_a_bridge() {
    let foreign = LEFT.lock().unwrap().take().unwrap();
    assert_eq!(PriSelect! { v = foreign.read() => v, skip => 0 }, Ok(0));
    *LEFT.lock().unwrap() = Some(foreign);
}

once! {
    fn a_bridge_that_is_gone_leaves_nothing_in_the_arena() {
        let (mut command, _) = command("many_bridges");
        command.env("CSPROC_ARENA", "4M");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn a_bridge_outlives_the_process_that_used_it() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        *LEFT.lock().unwrap() = Some(bridge::crossbeam(receiver));
        for value in 0..10 {
            Parallel!(leave_a_bridge()).unwrap();
            let foreign = LEFT.lock().unwrap().take().unwrap();
            let place = Place::here();
            let sender = sender.clone();
            let elsewhere = std::thread::spawn(move || {
                place.until_asleep();
                sender.send(value).unwrap();
            });
            assert_eq!(AltSelect! { v = foreign.read() => v }, Ok(value));
            elsewhere.join().unwrap();
            *LEFT.lock().unwrap() = Some(foreign);
        }
        LEFT.lock().unwrap().take();
    }
}
