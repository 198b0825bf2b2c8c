//! Law 7: however a process ends, its network hears of it by name and cause, its peers are told, and the others'
//! results are kept.
//!
//! Knows nothing of how the death of a process is noticed.

use crate::harness::cast::{announce_and_write, counting_relay, identity, source, strict_relay};
use crate::harness::ignored::ignores;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::{Cause, Failure};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum How {
    Panic,
    PanicWithText,
    PanicWithValue,
    Exit(i32),
    Abort,
    Signal(i32),
    OverflowTheStack,
}

impl How {
    pub(crate) fn happen(self) {
        match self {
            How::Panic => panic!("out of cheese"),
            How::PanicWithText => panic!("{} of cheese", "out"),
            How::PanicWithValue => std::panic::panic_any(7_u8),
            How::Exit(code) => std::process::exit(code),
            How::Abort => std::process::abort(),
            How::Signal(number) => {
                kill_process(getpid(), Signal::from_named_raw(number).unwrap()).unwrap();
                loop {
                    std::thread::park();
                }
            }
            How::OverflowTheStack => {
                std::hint::black_box(fall(std::hint::black_box(1)));
            }
        }
    }
}

#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn fall(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    fall(depth + 1) + room[(depth % 64) as usize]
}

/// Writes `count` values, then crashes.
#[process]
pub(crate) fn crash_with(_held: Writer<u64>, how: How) {
    how.happen();
}

#[process]
fn crash_after(how: How, out: Writer<u64>, count: u64) -> csproc::Result<()> {
    for i in 0..count {
        out.write(i)?;
    }
    how.happen();
    Ok(())
}

#[process]
fn read_to_the_end(input: Reader<u64>) -> (u64, ChannelError) {
    let mut count = 0;
    loop {
        match input.read() {
            Ok(_) => count += 1,
            Err(error) => return (count, error),
        }
    }
}

#[process]
fn write_to_the_end(out: Writer<u64>) -> ChannelError {
    loop {
        if let Err(error) = out.write(1) {
            return error.fate;
        }
    }
}

#[process]
fn read_and_crash(input: Reader<u64>, how: How) -> csproc::Result<()> {
    input.read()?;
    how.happen();
    Ok(())
}

/// Catches its own panic and goes on.
#[process]
fn survive(out: Writer<u64>, then: Option<How>) -> csproc::Result<()> {
    let kept = out.clone();
    let caught = std::panic::catch_unwind(move || {
        let _dropped_by_the_panic = kept;
        How::Panic.happen();
    });
    assert!(caught.is_err());
    out.write(1)?;
    out.write(2)?;
    if let Some(how) = then {
        how.happen();
    }
    Ok(())
}

#[process]
fn outer(placement: Placement, propagate: bool) -> csproc::Result<u64> {
    let c = Channel::new();
    let r = c.reader();
    let ran =
        Parallel!(identity(1_u64).on(placement), crash_after(How::Panic, c.writer(), 0).named("inner").on(placement),);
    assert!(r.read().unwrap_err().is_lost());
    if propagate {
        drop(ran?);
    }
    Ok(5)
}

#[process]
fn unwrapping_outer(placement: Placement) -> u64 {
    let c = Channel::new();
    Parallel!(crash_after(How::Panic, c.writer(), 0).named("inner").on(placement)).unwrap().unwrap();
    5
}

#[process(on_crash = "retire")]
fn mild(out: Writer<u64>) {
    let _end = out;
    How::Panic.happen();
}

/// The one failure of a network, which names the process.
pub(crate) fn cause_of(error: &NetworkError, name: &str) -> Cause {
    match error.failures() {
        [Failure::Crashed { process, cause, .. }] if process == name => cause.clone(),
        other => panic!("expected that `{name}` crashed: {other:?}"),
    }
}

fn panicked(cause: &Cause) -> (&str, &str) {
    match cause {
        Cause::Panicked { message, location } => (message, location),
        other => panic!("expected a panic: {other:?}"),
    }
}

/// Crashes a process and checks what its network and its peer hear.
fn hears(placement: Placement, how: How, expected: &dyn Fn(&Cause) -> bool) {
    let c = Channel::new();
    let network = network!(
        identity(String::from("kept")).on(placement),
        crash_after(how, c.writer(), 3).named("culprit").on(placement),
        read_to_the_end(c.reader()).on(placement),
    );
    let error = network.run().unwrap_err();
    let cause = cause_of(&error, "culprit");
    assert!(expected(&cause), "{how:?} became {cause:?}");
    assert!(error.to_string().contains(&format!("process `culprit` {cause}")), "{error}");
    let results = error.results();
    assert_eq!((results.len(), results.get::<String>(0).as_deref()), (3, Some("kept")));
    let (count, fate) = results.get::<(u64, ChannelError)>(2).unwrap();
    assert_eq!((count, fate), (3, ChannelError::Lost { process: String::from("culprit"), cause }));
}

over_both! {
    fn law_7_a_panic_is_heard_with_message_and_place(placement) {
        hears(placement, How::Panic, &|cause| {
            let (message, location) = panicked(cause);
            message == "out of cheese" && location.starts_with(file!()) && location.split(':').count() == 3
        });
        hears(placement, How::PanicWithText, &|cause| panicked(cause).0 == "out of cheese");
        hears(placement, How::PanicWithValue, &|cause| panicked(cause).0 == "a panic that is not a text");
    }

    fn law_7_writers_hear_of_the_loss_of_a_reader(placement) {
        let c = Channel::new();
        let network = network!(
            read_and_crash(c.reader(), How::Panic).named("culprit").on(placement),
            write_to_the_end(c.writer()).on(placement),
        );
        let error = network.run().unwrap_err();
        let cause = cause_of(&error, "culprit");
        assert_eq!(
            error.results().of::<ChannelError>("write_to_the_end"),
            Some(ChannelError::Lost { process: String::from("culprit"), cause })
        );
    }

    fn law_7_the_rest_of_the_network_ends(placement) {
        let channels: Vec<Channel<u64>> = (0..4).map(|_| Channel::new()).collect();
        let network = network!(
            write_to_the_end(channels[0].writer()).on(placement),
            counting_relay(channels[0].reader(), channels[1].writer()).on(placement),
            crash_in_the_middle(channels[1].reader(), channels[2].writer()).on(placement),
            strict_relay(channels[2].reader(), channels[3].writer()).on(placement),
            read_to_the_end(channels[3].reader()).on(placement),
        );
        let error = network.run().unwrap_err();
        let cause = cause_of(&error, "crash_in_the_middle");
        let lost = ChannelError::Lost { process: String::from("crash_in_the_middle"), cause };
        let results = error.results();
        // The relay before returns the loss, which spreads as poison; so does the strict relay after.
        assert_eq!(results.get::<ChannelError>(0), Some(ChannelError::Poisoned));
        assert_eq!(results.get::<csproc::Result<u64>>(1).unwrap().unwrap_err().channel_error(), Some(&lost));
        assert_eq!(results.get::<csproc::Result<()>>(3).unwrap().unwrap_err().channel_error(), Some(&lost));
        assert_eq!(results.get::<(u64, ChannelError)>(4).unwrap().1, ChannelError::Poisoned);
    }

    fn law_7_a_crash_retires_the_ends_of_a_process_that_asks_for_it(placement) {
        let c = Channel::new();
        let network = network!(
            crash_after(How::Panic, c.writer(), 2).on_crash(OnCrash::Retire).on(placement),
            read_to_the_end(c.reader()).on(placement),
        );
        let error = network.run().unwrap_err();
        assert_eq!(error.results().get(1), Some((2_u64, ChannelError::Retired)));

        let c = Channel::new();
        let r = c.reader();
        Parallel!(mild(c.writer()).on(placement)).unwrap_err();
        assert_eq!(r.read().unwrap_err(), ChannelError::Retired);
    }

    fn law_7_a_process_that_catches_its_panic_goes_on(placement) {
        let c = Channel::new();
        let network = network!(survive(c.writer(), None).on(placement), read_to_the_end(c.reader()).on(placement));
        let (ended, read) = network.run().unwrap();
        ended.unwrap();
        assert_eq!(read, (2, ChannelError::Retired));
    }

    fn law_7_a_caught_panic_is_not_the_reason_of_a_later_one(placement) {
        let c = Channel::new();
        let network = network!(
            survive(c.writer(), Some(How::PanicWithValue)).on(placement),
            read_to_the_end(c.reader()).on(placement),
        );
        let error = network.run().unwrap_err();
        assert_eq!(panicked(&cause_of(&error, "survive")).0, "a panic that is not a text");
        assert!(error.results().get::<(u64, ChannelError)>(1).unwrap().1.is_lost());
    }

    fn a_crash_in_a_nested_network_is_the_inner_network_s_error(placement) {
        assert_eq!(outer(placement, false).on(placement).run().unwrap().unwrap(), 5);
        let error = outer(placement, true).on(placement).run().unwrap().unwrap_err();
        assert!(error.to_string().contains("1 of 2 processes did not end normally"), "{error}");
        assert!(error.to_string().contains("process `inner` panicked at"), "{error}");
        let error = unwrapping_outer(placement).on(placement).run().unwrap_err();
        let cause = cause_of(&error, "unwrapping_outer");
        assert!(panicked(&cause).0.contains("process `inner` panicked at"), "{cause:?}");
    }

    fn a_sequence_stops_after_a_failure(placement) {
        let (c, never) = (Channel::new(), Channel::new());
        let (r, rest) = (never.reader(), c.reader());
        let network = network!(Sequence!(
            identity(1_u64).on(placement),
            crash_after(How::Panic, c.writer(), 0).on(placement),
            crash_after(How::Panic, never.writer(), 1).named("never").on(placement),
        ));
        let error = network.run().unwrap_err();
        cause_of(&error, "crash_after");
        assert_eq!(error.results().get::<u64>(0), Some(1));
        assert_eq!(r.read().unwrap_err(), ChannelError::Retired, "what was not started gives its ends up");
        assert!(rest.read().unwrap_err().is_lost());
    }

    fn an_error_lists_every_process_that_did_not_end_normally(placement) {
        let c = Channel::<u64>::new();
        let error = Parallel!(
            for i in 0..6 => crash_if(i % 2 == 0, i).named(format!("number {i}")).on(placement),
            identity(String::from("kept")).on(placement),
        )
        .unwrap_err();
        drop(c);
        let failed: Vec<&str> = error.failures().iter().map(Failure::process).collect();
        assert_eq!(failed, ["number 0", "number 2", "number 4"]);
        let text = error.to_string();
        assert!(
            text.starts_with("3 of 7 processes did not end normally:\n  process `number 0` panicked at "),
            "{text}"
        );
        assert_eq!(text.lines().count(), 4, "{text}");
        let results = error.results();
        assert_eq!(results.len(), 7);
        assert_eq!(
            (0..6).map(|i| results.get::<u64>(i)).collect::<Vec<_>>(),
            [None, Some(1), None, Some(3), None, Some(5)]
        );
        assert_eq!(results.of::<String>("identity").as_deref(), Some("kept"));
        assert_eq!(results.get::<u64>(6), None, "a result is not of another type");
        assert_eq!(results.get::<u64>(7), None);
    }
}

#[process]
fn crash_in_the_middle(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    for _ in 0..5 {
        out.write(input.read()?)?;
    }
    panic!("enough");
}

#[process]
fn crash_if(crash: bool, value: u64) -> u64 {
    assert!(!crash, "{value} is even");
    value
}

once! {
    fn law_7_an_exit_is_heard_with_its_code() {
        hears(Placement::Process, How::Exit(3), &|cause| *cause == Cause::Exited { code: 3 });
        hears(Placement::Process, How::Exit(255), &|cause| *cause == Cause::Exited { code: 255 });
    }

    fn law_7_an_exit_without_error_is_no_return() {
        hears(Placement::Process, How::Exit(0), &|cause| *cause == Cause::Exited { code: 0 });
    }

    fn law_7_an_exit_with_the_code_of_a_panic_is_no_panic() {
        hears(Placement::Process, How::Exit(101), &|cause| *cause == Cause::Exited { code: 101 });
    }

    fn law_7_a_signal_is_heard_with_its_number() {
        for signal in [Signal::ABORT, Signal::SEGV, Signal::BUS, Signal::TERM, Signal::KILL, Signal::INT] {
            let number = signal.as_raw();
            // A shell that starts the tests beside itself lets them ignore SIGINT, and their processes with them.
            if ignores("self", number) {
                continue;
            }
            hears(Placement::Process, How::Signal(number), &|cause| *cause == Cause::Killed { signal: number });
        }
        hears(Placement::Process, How::Abort, &|cause| *cause == Cause::Killed { signal: 6 });
    }

    fn law_7_a_stack_overflow_ends_only_the_process_it_happens_in() {
        let overflows = |cause: &Cause| matches!(cause, Cause::StackOverflow { stack: 8_388_608 });
        hears(Placement::Process, How::OverflowTheStack, &overflows);
    }

    fn law_7_a_child_that_is_killed_while_it_waits_is_lost_to_its_peers() {
        let (c, ready) = (Channel::new(), Channel::new());
        let (r, w, announced) = (c.reader(), c.writer(), ready.reader());
        // A writer waits; it is killed, and the channel is lost to the other ends of both sides.
        let child = Spawn!(announce_and_write(ready.writer(), c.writer(), 1).named("victim")).unwrap();
        announced.read().unwrap().until_asleep();
        child.kill().unwrap();
        let error = child.join().unwrap_err();
        assert_eq!(cause_of(&error, "victim"), Cause::Killed { signal: 9 });
        let lost = ChannelError::Lost { process: String::from("victim"), cause: Cause::Killed { signal: 9 } };
        assert_eq!(r.try_read().unwrap_err(), lost);
        assert_eq!(r.read().unwrap_err(), lost);
        assert_eq!(w.write(1).unwrap_err().fate, lost);
        assert_eq!(
            lost.to_string(),
            "the channel was lost with process `victim`, which was killed by signal 9 (SIGKILL)"
        );
    }

    fn law_7_peers_that_wait_for_a_killed_process_are_woken() {
        for _ in 0..20 {
            let (c, ready) = (Channel::new(), Channel::<Place>::new());
            let announced = ready.reader();
            let victim = Spawn!(hold(ready.writer(), c.writer()).named("victim")).unwrap();
            let place = announced.read().unwrap();
            let peers = network!(read_to_the_end(c.reader()), read_to_the_end(c.reader()).on(Placement::Thread));
            let peers = peers.spawn().unwrap();
            place.until_asleep();
            victim.kill().unwrap();
            let ((_, first), (_, second)) = peers.join().unwrap();
            assert!(first.is_lost() && second.is_lost());
            victim.join().unwrap_err();
        }
    }

    fn law_7_a_caught_panic_is_not_the_reason_of_a_later_exit() {
        let c = Channel::new();
        let network = network!(survive(c.writer(), Some(How::Exit(3))), read_to_the_end(c.reader()));
        let error = network.run().unwrap_err();
        assert_eq!(cause_of(&error, "survive"), Cause::Exited { code: 3 });
    }

    fn law_7_a_process_killed_in_full_traffic_leaves_a_channel_that_works() {
        for round in 0..30_u64 {
            let c = Channel::new();
            let r = c.reader();
            let victim = Spawn!(source(c.writer(), 0..u64::MAX).on_crash(OnCrash::Retire).named("victim")).unwrap();
            let network = network!(source(c.writer(), 0..400), read_to_the_end(c.reader())).spawn().unwrap();
            for _ in 0..round * 5 {
                r.read().unwrap();
            }
            victim.kill().unwrap();
            victim.join().unwrap_err();
            let mut own = 0;
            while r.read().is_ok() {
                own += 1;
            }
            let (sent, (count, fate)) = network.join().unwrap();
            sent.unwrap();
            assert_eq!(fate, ChannelError::Retired);
            assert!(own + count + round * 5 >= 400);
        }
    }

    fn law_7_processes_killed_at_once_in_full_traffic_are_all_heard_of() {
        for _ in 0..40 {
            let c = Channel::new();
            let r = c.reader();
            let victims: Vec<_> = (0..6)
                .map(|i| match i % 2 {
                    0 => Spawn!(source(c.writer(), 0..u64::MAX)).unwrap(),
                    _ => Spawn!(read_for_ever(c.reader())).unwrap(),
                })
                .collect();
            for _ in 0..50 {
                r.read().unwrap();
            }
            for victim in &victims {
                victim.kill().unwrap();
            }
            while r.read().is_ok() {}
            assert!(r.read().unwrap_err().is_lost());
            for victim in victims {
                // Killed, or it heard of another one's death first and ended in order.
                if let Ok(heard) = victim.join() {
                    assert!(heard.unwrap_err().channel_error().unwrap().is_lost());
                }
            }
        }
    }

    fn a_process_killed_with_its_children_takes_them_along() {
        let (ready, until) = (Channel::new(), Channel::<u64>::new());
        let announced = ready.reader();
        let parent = Spawn!(have_children(ready.writer(), until.writer())).unwrap();
        let places: Vec<Place> = (0..3).map(|_| announced.read().unwrap()).collect();
        parent.kill().unwrap();
        parent.join().unwrap_err();
        for place in places {
            while crate::harness::system::seen(&format!("/proc/{}/stat", place.pid)).is_some() {
                std::thread::yield_now();
            }
        }
        let fate = until.reader().read().unwrap_err();
        assert!(fate.is_lost(), "{fate:?}");
    }
}

#[process]
fn hold(ready: Writer<Place>, _out: Writer<u64>) -> csproc::Result<()> {
    ready.write(Place::here())?;
    let c = Channel::<()>::new();
    let (_never, r) = (c.writer(), c.reader());
    // With a limit, for otherwise this would be a deadlock.
    Ok(r.read_timeout(std::time::Duration::from_secs(3600))?)
}

#[process]
fn read_for_ever(input: Reader<u64>) -> csproc::Result<()> {
    loop {
        input.read()?;
    }
}

#[process]
fn have_children(ready: Writer<Place>, out: Writer<u64>) -> csproc::Result<()> {
    let grandchild = Spawn!(hold_nested(ready.clone(), out.clone()))?;
    Parallel!(hold(ready, out))?.and(grandchild.join()?)
}

#[process]
fn hold_nested(ready: Writer<Place>, out: Writer<u64>) -> csproc::Result<()> {
    ready.write(Place::here())?;
    Parallel!(hold(ready, out))?
}
