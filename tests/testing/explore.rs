//! Every schedule: how many there are is known beforehand.
//!
//! Knows nothing of how they are visited.

use csproc::prelude::*;
use csproc::testing::{Outcome, Run, Runnable, explore, replay};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[process]
fn writes(out: Writer<u32>, values: Vec<u32>) -> csproc::Result<()> {
    values.into_iter().try_for_each(|value| out.write(value))?;
    Ok(())
}

#[process]
fn relays(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

#[process]
fn reads_all(input: Reader<u32>) -> Vec<u32> {
    input.into_iter().collect()
}

#[process]
fn serves(inputs: Vec<Reader<u32>>, requests: usize, over: Vec<Writer<u32>>) -> csproc::Result<Vec<u32>> {
    let mut seen = Vec::new();
    for _ in 0..requests {
        let mut alternation = Alternation::new();
        let guards: Vec<_> = inputs.iter().map(|input| alternation.read(input)).collect();
        let fired = alternation.select()?;
        seen.extend(guards.into_iter().find(|guard| fired.is(*guard)).map(|guard| fired.take(guard)));
    }
    over.iter().try_for_each(|over| over.write(0))?;
    Ok(seen)
}

/// Does not retire its channel while others are served.
#[process]
fn asks(out: Writer<u32>, requests: u32, over: Reader<u32>) -> csproc::Result<u32> {
    (0..requests).try_for_each(|value| out.write(value))?;
    Ok(over.read()?)
}

#[process]
fn eats(left: Lock, right: Lock) -> csproc::Result<()> {
    let _left = left.acquire()?;
    let _right = right.acquire()?;
    Ok(())
}

fn pipeline(stages: usize, messages: u32, room: usize) -> impl Runnable {
    let channel = |_| if room == 0 { Channel::new() } else { Channel::buffered(Buffer::Fifo(room)) };
    let channels: Vec<Channel<u32>> = (0..=stages).map(channel).collect();
    network!(
        writes(channels[0].writer(), (0..messages).collect()),
        for i in 0..stages => relays(channels[i].reader(), channels[i + 1].writer()),
        reads_all(channels[stages].reader())
    )
}

fn philosophers(n: usize, one_is_left_handed: bool) -> impl Runnable {
    let forks: Vec<Lock> = (0..n).map(|_| Lock::new()).collect();
    network!(for i in 0..n => {
        let (mut first, mut second) = (forks[i].clone(), forks[(i + 1) % n].clone());
        if one_is_left_handed && i == 0 {
            std::mem::swap(&mut first, &mut second);
        }
        eats(first, second)
    })
}

fn any_to_one(n: usize) -> impl Runnable {
    let c = Channel::new();
    network!(for i in 0..n => writes(c.writer(), vec![i as u32]), reads_all(c.reader()))
}

fn server(clients: usize, requests: u32) -> impl Runnable {
    let channels: Vec<Channel<u32>> = (0..clients).map(|_| Channel::new()).collect();
    let over: Vec<Channel<u32>> = (0..clients).map(|_| Channel::new()).collect();
    network!(
        for i in 0..clients => asks(channels[i].writer(), requests, over[i].reader()),
        serves(
            channels.iter().map(Channel::reader).collect(),
            clients * requests as usize,
            over.iter().map(Channel::writer).collect()
        )
    )
}

/// How many runs there were, and how many of them were given up.
fn runs<N: Runnable>(build: impl Fn() -> N + Sync) -> (u64, u64) {
    let explored = explore().check_only(build, |_| true).unwrap();
    assert!(explored.complete, "{explored}");
    (explored.executions, explored.blocked)
}

fn factorial(n: u64) -> u64 {
    (1..=n).product()
}

#[test]
fn a_pipeline_has_one_schedule_whatever_its_length() {
    for (stages, messages) in [(1, 1), (4, 4), (8, 8)] {
        assert_eq!(runs(|| pipeline(stages, messages, 0)), (1, 0), "{stages} stages");
        assert_eq!(runs(|| pipeline(stages, messages, 2)), (1, 0), "{stages} stages with buffers");
    }
}

#[test]
fn writers_of_one_channel_come_in_each_order() {
    for n in 1..=5 {
        assert_eq!(runs(|| any_to_one(n)), (factorial(n as u64), 0), "{n} writers");
    }
}

#[test]
fn a_server_sees_its_clients_in_each_order_that_keeps_theirs() {
    for (n, k) in [(2, 1), (2, 2), (3, 1), (2, 4), (3, 2)] {
        let ways = factorial(n * k) / factorial(k).pow(n as u32);
        assert_eq!(runs(|| server(n as usize, k as u32)), (ways, 0), "{n} clients, {k} requests");
    }
}

/// Who of two neighbours comes first is an orientation of the circle; the two that go round are the deadlock.
#[test]
fn philosophers_have_a_schedule_for_each_orientation_of_their_circle() {
    for n in 2..=5 {
        assert_eq!(runs(|| philosophers(n, false)), ((1 << n) - 1, 0), "{n} philosophers");
        assert_eq!(runs(|| philosophers(n, true)), ((1 << n) - 2, 0), "{n} philosophers, one of them left-handed");
    }
}

#[test]
fn the_deadlock_of_the_philosophers_is_found_at_its_shortest_and_runs_again() {
    for n in 2..=5 {
        let found = explore().check(|| philosophers(n, false)).unwrap_err();
        assert!(matches!(found.outcome(), Outcome::Deadlock(_)), "{found}");
        assert_eq!(found.trace().len(), n, "{found}");
        let text = found.to_string();
        assert!(text.contains(found.token()) && text.contains("explore.rs:"), "{text}");
        let again = replay(found.token(), || philosophers(n, false));
        assert!(!again.is_deadlock_free() && again.parts_from_schedule().is_none(), "{again}");
    }
}

#[test]
fn as_many_threads_as_there_are_visit_the_same() {
    for workers in [1, 4] {
        let explored = explore().workers(workers).check_only(|| server(3, 2), |_| true).unwrap();
        assert_eq!(explored.executions, 90, "{workers} workers: {explored}");
    }
}

#[process]
fn fills_and_poisons(out: Writer<u32>) -> csproc::Result<()> {
    out.write(1)?;
    out.poison();
    Ok(())
}

#[process]
fn writes_or_reads(out: Writer<u32>, input: Reader<u32>) -> csproc::Result<u32> {
    Ok(AltSelect! { out.write(2) => 0, v = input.read() => v }?)
}

/// Its guard to write is told of the poison, and its guard to read has what was left before.
#[test]
fn who_may_be_told_of_poison_may_read_what_was_left_all_the_same() {
    let network = || {
        let c = Channel::buffered(Buffer::Fifo(1));
        network!(fills_and_poisons(c.writer()), writes_or_reads(c.writer(), c.reader()))
    };
    let seen = |how| {
        let seen = Mutex::new(BTreeSet::new());
        let see = |run: &Run<(csproc::Result<()>, csproc::Result<u32>)>| {
            let Some((_, chosen)) = run.result() else { panic!("{run}") };
            seen.lock().expect("nobody panics").insert(format!("{:?}", chosen.as_ref().ok()));
            true
        };
        let explored = explore().reduced(how).check_only(network, see).unwrap_or_else(|found| panic!("{found}"));
        (explored.executions, seen.into_inner().expect("nobody panics"))
    };
    assert_eq!(seen(2), seen(1));
    assert_eq!(seen(2).1.into_iter().collect::<Vec<_>>(), ["None", "Some(0)", "Some(1)"]);
}

#[process]
fn waits_or_times_out(input: Reader<u32>) -> Option<u32> {
    input.read_timeout(Duration::from_secs(5)).ok()
}

#[process]
fn writes_after(out: Writer<u32>, seconds: u64) {
    csproc::time::sleep(Duration::from_secs(seconds));
    let _ = out.write(1);
}

#[test]
fn time_passes_when_nothing_else_is_possible_so_a_writer_in_time_is_in_time() {
    let timely = |seconds| {
        move || {
            let c = Channel::new();
            network!(waits_or_times_out(c.reader()), writes_after(c.writer(), seconds))
        }
    };
    let explored = explore().check_with(timely(4), |run| run.result().is_some_and(|(got, ())| got.is_some())).unwrap();
    assert!(explored.complete, "{explored}");
    explore().check_with(timely(6), |run| run.result().is_some_and(|(got, ())| got.is_none())).unwrap();
    // At the same time, either is possible.
    let both = Mutex::new(BTreeSet::new());
    let see = |run: &Run<(Option<u32>, ())>| {
        both.lock().unwrap().insert(run.result().unwrap().0);
        true
    };
    explore().check_with(timely(5), see).unwrap();
    assert_eq!(both.into_inner().unwrap(), BTreeSet::from([None, Some(1)]));
}

#[process]
fn prefers(first: Reader<u32>, second: Reader<u32>) -> Result<u32, ChannelError> {
    PriSelect! { a = first.read() => a, b = second.read() => b }
}

#[test]
fn priority_is_for_those_who_are_there_so_either_is_served() {
    for room in [0, 1] {
        let served = Mutex::new(BTreeSet::new());
        let channel = || if room == 0 { Channel::new() } else { Channel::buffered(Buffer::Fifo(room)) };
        let build = || {
            let (c, d) = (channel(), channel());
            network!(prefers(c.reader(), d.reader()), writes(c.writer(), vec![1]), writes(d.writer(), vec![2]))
        };
        let explored = explore().check_only(build, |run| {
            served.lock().unwrap().extend(run.result().and_then(|(served, ..)| served.as_ref().ok()).copied());
            true
        });
        assert!(explored.unwrap().complete);
        assert_eq!(served.into_inner().unwrap(), BTreeSet::from([1, 2]), "room for {room}");
    }
}

#[test]
fn what_was_bounded_does_not_say_that_it_holds() {
    let limited = [explore().max_executions(3), explore().max_time(Duration::ZERO), explore().max_preemptions(0)];
    for exploration in limited {
        let explored = exploration.check_only(|| any_to_one(4), |_| true).unwrap();
        assert!(!explored.complete && !explored.bounds.is_empty(), "{explored}");
        assert!(explored.to_string().contains("bounded by"), "{explored}");
    }
}

#[process]
fn differs() -> csproc::Result<()> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let c = Channel::<u32>::new();
    let d = c.clone();
    match RUNS.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => Parallel!(writes(c.writer(), vec![1]), reads_all(c.reader())).map(drop)?,
        _ => Parallel!(writes(d.writer(), vec![1]), writes(d.writer(), vec![2]), reads_all(c.reader())).map(drop)?,
    }
    Ok(())
}

#[test]
fn a_network_that_does_not_do_the_same_twice_is_found() {
    let found = explore().workers(1).check(|| network!(differs(), differs())).unwrap_err();
    assert!(matches!(found.outcome(), Outcome::Nondeterministic(_)), "{found}");
}

/// Run by the test below, in a process of its own: until it is told that its line was seen.
#[test]
fn a_long_exploration() {
    let Ok(seen) = std::env::var("CSPROC_SEEN") else { return };
    let found = explore().check_only(|| server(4, 3), |_| !Path::new(&seen).exists());
    assert!(found.is_err());
}

#[test]
fn a_terminal_shows_how_far_a_long_exploration_is_and_the_line_is_gone_at_its_end() {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let terminal = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(terminal).unwrap();
    let seen = std::env::temp_dir().join(format!("csproc-seen-{}", std::process::id()));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "explore::a_long_exploration"])
        .env("CSPROC_SEEN", &seen)
        .env("TERM", "xterm")
        .stdout(Stdio::null())
        .stderr(terminal)
        .spawn()
        .unwrap();
    let (mut screen, mut shown, mut part) = (File::from(screen), Vec::new(), [0; 4096]);
    // Nobody has the terminal any more when reading fails.
    while let Ok(count @ 1..) = screen.read(&mut part) {
        shown.extend_from_slice(&part[..count]);
        if String::from_utf8_lossy(&shown).contains(" places to go on from") {
            File::create(&seen).unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    std::fs::remove_file(&seen).unwrap();
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("csproc: ") && shown.contains(" schedules, "), "{shown:?}");
    assert!(shown.ends_with("\x1b8\x1b[J"), "{shown:?}");
}
