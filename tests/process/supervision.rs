//! Processes that are started again keep their arguments and ends, up to the intensity that was asked for.
//!
//! Knows nothing of how a crash is noticed. The strategies of supervisors are those of Erlang/OTP's `supervisor`, by
//! its documentation.

use crate::harness::cast::{announce_and_read, source};
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use crate::harness::system::children;
use crate::outcome::{How, cause_of};
use csproc::prelude::*;
use csproc::{Cause, ExitGuard, Failure, ProcessId, Strategy, Supervisor};
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[("crash and start again", crash_and_start_again)];

const HOUR: Duration = Duration::from_secs(3600);

#[process]
fn read_once(input: Reader<u64>) -> Result<u64, ChannelError> {
    input.read()
}

fn again(max: u32) -> OnCrash {
    OnCrash::Restart { max, within: HOUR }
}

/// The ways to crash that a placement has.
fn ways(placement: Placement) -> &'static [How] {
    match placement {
        Placement::Process => &[How::Panic, How::Abort, How::Exit(3), How::Signal(9)],
        _ => &[How::Panic],
    }
}

/// Passes values on, and crashes at each one that `every` divides.
#[process]
fn crash_at(input: Reader<u64>, out: Writer<u64>, every: u64, how: How) -> Result<(), ChannelError> {
    for value in input {
        if value % every == every - 1 {
            how.happen();
        }
        out.write(value)?;
    }
    Ok(())
}

#[process]
fn sink(input: Reader<u64>) -> (Vec<u64>, ChannelError) {
    let mut seen = Vec::new();
    loop {
        match input.read() {
            Ok(value) => seen.push(value),
            Err(error) => return (seen, error),
        }
    }
}

/// Says that it runs, and crashes.
#[process]
fn crash_at_once(started: Writer<u64>, how: How, pause: Duration) -> csproc::Result<()> {
    started.write(1)?;
    std::thread::sleep(pause);
    how.happen();
    Ok(())
}

/// A process crashes one time too often, and a child of a supervisor twice.
fn crash_and_start_again() {
    let c = Channel::new();
    let network = network!(
        for _ in 0..1 => crash_at_once(c.writer(), How::Signal(9), Duration::ZERO).on_crash(again(2)),
        sink(c.reader()),
    );
    network.run().unwrap_err();
    let c = Channel::new();
    let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(1, HOUR);
    supervisor.child(crash_at_once(c.writer(), How::Exit(3), Duration::ZERO).named("child"));
    supervisor.child(sink(c.reader()));
    supervisor.run().unwrap_err();
}

over_both! {
    fn a_crashed_process_goes_on_with_its_arguments_and_ends_and_nobody_notices(placement) {
        for how in ways(placement) {
            let (c, d) = (Channel::new(), Channel::new());
            let (sent, passed, (seen, end)) = Parallel!(
                source(c.writer(), 0..20).on(placement),
                crash_at(c.reader(), d.writer(), 5, *how).on(placement).on_crash(again(10)),
                sink(d.reader()).on(placement),
            )
            .unwrap();
            sent.unwrap();
            passed.unwrap();
            // What it had read is gone with it; nothing else, and nothing twice.
            assert!(seen.into_iter().eq((0..20).filter(|value| value % 5 != 4)), "{how:?}");
            assert!(end.is_retired(), "{end:?}");
        }
    }

    fn one_crash_too_many_and_its_peers_lose_it(placement) {
        for how in ways(placement) {
            let c = Channel::new();
            let network = network!(
                crash_at_once(c.writer(), *how, Duration::ZERO).named("culprit").on(placement).on_crash(again(3)),
                sink(c.reader()).on(placement),
            );
            let error = network.run().unwrap_err();
            let cause = cause_of(&error, "culprit");
            let (starts, end) = error.results().get::<(Vec<u64>, ChannelError)>(1).unwrap();
            assert_eq!(starts.len(), 4, "{how:?}");
            assert!(matches!(error.failures(), [Failure::Crashed { restarts: 3, .. }]), "{error:?}");
            assert!(error.to_string().contains("it had been started again 3 times"), "{error}");
            assert_eq!(end, ChannelError::Lost { process: String::from("culprit"), cause });
        }
    }

    fn crashes_that_lie_far_apart_do_not_add_up(placement) {
        let c = Channel::new();
        let patient = OnCrash::Restart { max: 1, within: Duration::from_micros(1) };
        let slow = crash_at(c.reader(), Channel::new().writer(), 1, How::Panic).on(placement).on_crash(patient);
        let (sent, passed) = Parallel!(source(c.writer(), 0..6).on(placement), slow).unwrap();
        assert_eq!((sent, passed), (Ok(()), Ok(())));
    }

    fn a_process_that_may_not_be_started_again_is_lost_at_its_first_crash(placement) {
        let c = Channel::new();
        let once = crash_at_once(c.writer(), How::Panic, Duration::ZERO).on(placement).on_crash(again(0));
        let error = Parallel!(once.named("culprit"), sink(c.reader()).on(placement)).unwrap_err();
        cause_of(&error, "culprit");
        let (starts, end) = error.results().get::<(Vec<u64>, ChannelError)>(1).unwrap();
        assert!(starts.len() == 1 && end.is_lost());
    }

    fn every_process_of_a_list_is_started_again_by_itself(placement) {
        let (c, d) = (Channel::new(), Channel::new());
        let crashing = crash_at(c.reader(), d.writer(), 7, How::Panic).on(placement).on_crash(again(100));
        let (sent, _, (mut seen, _)) =
            Parallel!(source(c.writer(), 0..50).on(placement), crashing * 3, sink(d.reader()).on(placement)).unwrap();
        sent.unwrap();
        seen.sort_unstable();
        assert!(seen.into_iter().eq((0..50).filter(|value| value % 7 != 6)));
    }
}

once! {
    fn a_child_that_its_starter_kills_is_not_started_again() {
        let (c, ready) = (Channel::<u64>::new(), Channel::new());
        let (w, announced) = (c.writer(), ready.reader());
        let child = Spawn!(announce_and_read(ready.writer(), c.reader()).named("victim").on_crash(again(9))).unwrap();
        announced.read().unwrap().until_asleep();
        child.kill().unwrap();
        let error = child.join().unwrap_err();
        assert_eq!(cause_of(&error, "victim"), Cause::Killed { signal: 9 });
        assert!(w.write(1).unwrap_err().fate.is_lost());
        assert!(announced.read().unwrap_err().is_lost());
    }

    /// Killed from outside, at any moment; `Child::pid` names the one that runs now.
    fn whoever_kills_it_nothing_is_delivered_twice() {
        const VALUES: u64 = 2000;
        let (c, d, ready) = (Channel::new(), Channel::new(), Channel::new());
        let announced = ready.reader();
        let relay = relay(ready.writer(), c.reader(), d.writer()).on_crash(again(1000));
        let relay = Spawn!(relay).unwrap();
        let ends = network!(source(c.writer(), 0..VALUES), sink(d.reader())).spawn().unwrap();
        drop((c, d, ready));
        let mut kills = 0;
        for round in 0..20_u64 {
            let Ok(place) = announced.read() else { break };
            for _ in 0..round * 977 % 3000 {
                std::thread::yield_now();
            }
            // Gone by itself, perhaps.
            kills += usize::from(kill_by_pid(place.pid));
        }
        drop(announced);
        let (sent, (seen, end)) = ends.join().unwrap();
        assert_eq!(sent, Ok(()));
        assert!(end.is_retired(), "{end:?}");
        relay.join().unwrap().unwrap();
        assert!(seen.is_sorted_by(|first, second| first < second), "a value came twice or out of order");
        assert!(seen.len() + kills >= VALUES as usize, "{} values and {kills} kills", seen.len());
    }
}

#[process]
fn relay(ready: Writer<Place>, input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    // Nobody listens any more once there were enough kills.
    let _ = ready.write(Place::here());
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

fn kill_by_pid(pid: u32) -> bool {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok()
}

/// What a supervised child is told to do.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Order {
    Crash(How),
    Return(u64),
}

/// Says which child it is, waits for an order, and follows it.
#[process]
fn obey(number: u64, started: Writer<(u64, u32)>, orders: Reader<Order>) -> csproc::Result<u64> {
    started.write((number, std::process::id()))?;
    match orders.read()? {
        Order::Return(value) => Ok(value),
        Order::Crash(how) => {
            how.happen();
            Ok(0)
        }
    }
}

/// Says who it is, and follows an order.
#[process]
fn identify_and_obey(started: Writer<(u64, ProcessId)>, number: u64, orders: Reader<Order>) -> csproc::Result<()> {
    started.write((number, csproc::current().id()))?;
    if let Order::Crash(how) = orders.read()? {
        how.happen();
    }
    Ok(())
}

/// A supervisor with three children at work in a thread of its own.
struct Company {
    started: Reader<(u64, u32)>,
    orders: Vec<Writer<Order>>,
    thread: std::thread::JoinHandle<Result<csproc::Results, NetworkError>>,
}

impl Company {
    fn found(strategy: Strategy, placement: Placement, intensity: u32) -> Company {
        let started = Channel::new();
        let mut supervisor = Supervisor::new(strategy).intensity(intensity, HOUR);
        let mut orders = Vec::new();
        for number in 0..3_u64 {
            let c = Channel::new();
            orders.push(c.writer());
            let child = obey(number, started.writer(), c.reader()).named(format!("child {number}")).on(placement);
            assert_eq!(supervisor.child(child), number as usize);
        }
        let reader = started.reader();
        Company { started: reader, orders, thread: std::thread::spawn(|| supervisor.run()) }
    }

    /// The children that start now.
    fn starts(&self, count: usize) -> Vec<u64> {
        let mut numbers: Vec<u64> = (0..count).map(|_| self.started.read().unwrap().0).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Lets all return, and gives the results.
    fn close(self) -> Vec<u64> {
        for (number, order) in self.orders.iter().enumerate() {
            order.write(Order::Return(number as u64)).unwrap();
        }
        let results = self.thread.join().unwrap().unwrap();
        assert!(self.started.read().unwrap_err().is_retired());
        (0..3).map(|place| results.get::<csproc::Result<u64>>(place).unwrap().unwrap()).collect()
    }
}

over_both! {
    fn otp_one_for_one_starts_the_one_that_crashed(placement) {
        for how in ways(placement) {
            let company = Company::found(Strategy::OneForOne, placement, 5);
            assert_eq!(company.starts(3), [0, 1, 2]);
            for crashing in [1, 0, 2, 1] {
                company.orders[crashing].write(Order::Crash(*how)).unwrap();
                assert_eq!(company.starts(1), [crashing as u64]);
            }
            assert_eq!(company.close(), [0, 1, 2]);
        }
    }

    fn otp_more_crashes_than_the_intensity_end_the_supervisor(placement) {
        let company = Company::found(Strategy::OneForOne, placement, 1);
        assert_eq!(company.starts(3), [0, 1, 2]);
        company.orders[0].write(Order::Return(7)).unwrap();
        company.orders[1].write(Order::Crash(How::Panic)).unwrap();
        assert_eq!(company.starts(1), [1]);
        if placement == Placement::Thread {
            // It cannot be ended from outside; the supervisor waits for it.
            company.orders[2].write(Order::Return(9)).unwrap();
        }
        company.orders[1].write(Order::Crash(How::Panic)).unwrap();
        let error = company.thread.join().unwrap().unwrap_err();
        let crash = error.failures().iter().find(|failure| failure.process() == "child 1");
        assert!(matches!(crash, Some(Failure::Crashed { restarts: 1, cause: Cause::Panicked { .. }, .. })), "{error}");
        assert_eq!(error.results().get::<csproc::Result<u64>>(0).unwrap().unwrap(), 7);
        // The crashed child's channel is lost; so are those of the children that were ended with it.
        let fate = company.orders[1].write(Order::Return(1)).unwrap_err().fate;
        assert!(fate.is_lost(), "{fate:?}");
        assert!(company.orders[2].write(Order::Return(1)).is_err());
    }
}

over_both! {
    /// What has returned stays returned, also when the one that crashes has the same name.
    fn children_of_one_name_are_told_apart(placement) {
        let (started, orders) = (Channel::new(), [Channel::new(), Channel::new()]);
        let (reader, keep) = (started.reader(), orders.each_ref().map(Channel::writer));
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(0, HOUR);
        for (number, c) in (0..).zip(&orders) {
            supervisor.child(obey(number, started.writer(), c.reader()).named("twin").on(placement));
        }
        drop((started, orders));
        let thread = std::thread::spawn(|| supervisor.run());
        reader.read().and(reader.read()).unwrap();
        keep[0].write(Order::Return(7)).unwrap();
        // Its channel retires when the supervisor has seen that it is done.
        while keep[0].try_write(Order::Return(8)).unwrap_err().fate.is_would_block() {
            std::thread::yield_now();
        }
        keep[1].write(Order::Crash(How::Panic)).unwrap();
        let error = thread.join().unwrap().unwrap_err();
        assert!(matches!(error.failures(), [Failure::Crashed { process, .. }] if process == "twin"), "{error}");
        assert_eq!(error.results().get::<csproc::Result<u64>>(0).unwrap().unwrap(), 7);
        assert!(error.results().get::<csproc::Result<u64>>(1).is_none());
    }
}

once! {
    fn otp_one_for_all_starts_all() {
        let company = Company::found(Strategy::OneForAll, Placement::Process, 5);
        assert_eq!(company.starts(3), [0, 1, 2]);
        for crashing in [1, 0, 2] {
            company.orders[crashing].write(Order::Crash(How::Panic)).unwrap();
            assert_eq!(company.starts(3), [0, 1, 2]);
        }
        assert_eq!(company.close(), [0, 1, 2]);
    }

    fn otp_rest_for_one_starts_the_one_that_crashed_and_those_after_it() {
        let company = Company::found(Strategy::RestForOne, Placement::Process, 5);
        assert_eq!(company.starts(3), [0, 1, 2]);
        for (crashing, wanted) in [(1, vec![1, 2]), (0, vec![0, 1, 2]), (2, vec![2])] {
            company.orders[crashing].write(Order::Crash(How::Abort)).unwrap();
            assert_eq!(company.starts(wanted.len()), wanted);
        }
        assert_eq!(company.close(), [0, 1, 2]);
    }

    /// To be started again, and then for good.
    fn otp_children_are_ended_in_the_reverse_order_of_their_start() {
        const CHILDREN: u64 = 8;
        for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
            let started = Channel::new();
            let announced = started.reader();
            let mut supervisor = Supervisor::new(strategy).intensity(1, HOUR);
            let mut orders = Vec::new();
            for number in 0..CHILDREN {
                let c = Channel::new();
                orders.push(c.writer());
                let child = identify_and_obey(started.writer(), number, c.reader());
                supervisor.child(child.named(format!("child {number}")));
            }
            drop(started);
            let thread = std::thread::spawn(|| supervisor.run());
            for _ in 0..2 {
                let mut children: Vec<_> = (0..CHILDREN).map(|_| announced.read().unwrap()).collect();
                children.sort_unstable_by_key(|(number, _)| *number);
                let guards: Vec<ExitGuard> = children.iter().map(|(_, id)| id.exit_guard()).collect();
                orders[0].write(Order::Crash(How::Abort)).unwrap();
                guards[1].wait().unwrap();
                for later in guards[2..].iter().rev() {
                    assert_eq!(PriSelect! { later => true, skip => false }, Ok(true), "{strategy:?}");
                }
            }
            // Each was lost before the next one was ended, so whoever was the first is named.
            let fate = announced.read().unwrap_err();
            assert!(matches!(&fate, ChannelError::Lost { process, .. } if process == "child 7"), "{fate:?}");
            thread.join().unwrap().unwrap_err();
        }
    }

    fn a_thread_cannot_be_ended_with_others() {
        for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
            let mut supervisor = Supervisor::new(strategy);
            supervisor.child(source(Channel::new().writer(), 0..0).named("thread").on(Placement::Thread));
            let error = supervisor.run().unwrap_err();
            assert!(matches!(error.failures(), [Failure::Start { process, .. }] if process == "thread"), "{error}");
            assert!(error.to_string().contains("Placement::Process"), "{error}");
        }
    }

    fn a_supervisor_in_a_deadlock_is_named_by_the_line_that_runs_it() {
        let c = Channel::<u64>::new();
        let _writer = c.writer();
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        supervisor.child(read_once(c.reader()));
        let place = format!("{}:{}", file!(), line!() + 1);
        let error = supervisor.run().unwrap_err();
        let report = error.deadlock().unwrap_or_else(|| panic!("{error}"));
        // Other threads of the program may be in it, too.
        assert!(report.processes().iter().any(|process| process.location.starts_with(&place)), "{place}: {report}");
    }

    fn a_thread_that_waits_for_nobody_when_its_supervisor_fails_is_told_with_the_crash() {
        let (c, started) = (Channel::<u64>::new(), Channel::buffered(Buffer::Fifo(1)));
        let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(0, HOUR);
        supervisor.child(read_once(c.reader()).on(Placement::Thread));
        supervisor.child(crash_at_once(started.writer(), How::Panic, Duration::ZERO).on(Placement::Thread));
        let error = supervisor.run().unwrap_err();
        let report = error.deadlock().unwrap_or_else(|| panic!("{error}"));
        assert!(report.processes().iter().any(|process| process.name == "read_once"), "{report}");
        let crashed = |failure: &Failure| matches!(failure, Failure::Crashed { .. });
        assert!(error.failures().iter().any(crashed), "{error}");
    }

    fn a_supervisor_without_children_is_done() {
        assert!(Supervisor::new(Strategy::OneForOne).run().unwrap().is_empty());
    }

    fn a_supervisor_that_is_not_run_retires_the_ends_of_its_children() {
        let c = Channel::new();
        let r = c.reader();
        let mut supervisor = Supervisor::new(Strategy::OneForOne);
        supervisor.child(source(c.writer(), 0..1));
        drop(supervisor);
        assert!(r.read().unwrap_err().is_retired());
    }

    fn supervisors_in_processes_go_with_them() {
        let (started, orders) = (Channel::new(), Channel::new());
        let (reader, keep) = (started.reader(), orders.writer());
        let boss = Spawn!(supervise(started.writer(), orders.reader())).unwrap();
        drop((started, orders));
        let (_, pid) = reader.read().unwrap();
        keep.write(Order::Crash(How::Abort)).unwrap();
        let (_, second) = reader.read().unwrap();
        assert_ne!(pid, second);
        boss.kill().unwrap();
        boss.join().unwrap_err();
        assert!(keep.write(Order::Return(0)).is_err());
        while children().iter().any(|child| child.pid == second) {
            std::thread::yield_now();
        }
    }
}

#[process]
fn supervise(started: Writer<(u64, u32)>, orders: Reader<Order>) -> csproc::Result<()> {
    let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, HOUR);
    supervisor.child(obey(0, started, orders));
    supervisor.run()?;
    Ok(())
}

once! {
    fn each_restart_is_told_once() {
        let (command, _) = command("crash and start again");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
        let told: Vec<&str> = remains.stderr.lines().filter(|line| line.starts_with("csproc: ")).collect();
        let killed = "csproc: process `crash_at_once[0]` was killed by signal 9 (SIGKILL)";
        assert_eq!(
            told,
            [
                format!("{killed}; started again (1 of 2)"),
                format!("{killed}; started again (2 of 2)"),
                String::from(
                    "csproc: process `child` exited with code 3 before its function returned; \
                     started again (1 of 1)"
                ),
            ]
        );
    }
}
