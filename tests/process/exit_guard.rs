//! The end of a process is an event like any other: a guard that fires however it came, whenever it is asked for,
//! beside other guards.
//!
//! Knows nothing of what ends a process, or of how an alternation chooses.

use crate::harness::cast::source;
use crate::outcome::{How, cause_of};
use csproc::prelude::*;
use csproc::{Cause, ExitGuard, ProcessId};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// Ends when it is told to, or when the channel is retired; in this way.
#[process]
fn end(input: Reader<u64>, how: Option<How>) -> u64 {
    let value = input.read().unwrap_or(0);
    if let Some(how) = how {
        how.happen();
    }
    value
}

#[process]
fn watch(guards: Vec<ProcessId>, ready: Writer<()>) -> Result<usize, ChannelError> {
    let guards: Vec<ExitGuard> = guards.into_iter().map(ProcessId::exit_guard).collect();
    ready.write(())?;
    guards.iter().try_for_each(ExitGuard::wait)?;
    Ok(guards.len())
}

fn start(placement: Placement, how: Option<How>) -> (Child<u64>, Writer<u64>) {
    let c = Channel::new();
    (Spawn!(end(c.reader(), how).named("watched").on(placement)).unwrap(), c.writer())
}

/// The ways to end that a placement has; `None` is to return.
fn ways(placement: Placement) -> &'static [Option<How>] {
    match placement {
        Placement::Process => {
            &[None, Some(How::Panic), Some(How::Exit(0)), Some(How::Exit(3)), Some(How::Abort), Some(How::Signal(9))]
        }
        _ => &[None, Some(How::Panic)],
    }
}

/// Whether the guard is the one that fires.
type Policy = fn(&ExitGuard, &Reader<u64>) -> Result<bool, ChannelError>;

/// Both guards that there are for a child.
fn guards(child: &Child<u64>) -> [ExitGuard; 2] {
    [child.exit_guard(), child.id().exit_guard()]
}

/// Whether it fires at once, asked in every way there is.
fn fires(guard: &ExitGuard) -> bool {
    let mut alternation = Alternation::new();
    let gone = alternation.guard(guard);
    let never = alternation.skip();
    let fired = alternation.pri_select().unwrap();
    let dynamic = fired.index() == 0;
    if dynamic {
        fired.take(gone)
    } else {
        fired.take(never)
    }
    let fixed = PriSelect! { guard => true, skip => false }.unwrap();
    assert_eq!(dynamic, fixed);
    fixed
}

over_both! {
    fn it_fires_however_the_process_ends(placement) {
        for how in ways(placement) {
            let (child, w) = start(placement, *how);
            let guards = guards(&child);
            assert!(guards.iter().all(|guard| !fires(guard)), "{how:?}");
            w.write(7).unwrap();
            for guard in &guards {
                guard.wait().unwrap();
                // A process stays dead.
                assert!(fires(guard) && fires(guard), "{how:?}");
            }
            // Its ends are gone, and what it came to is there.
            let fate = w.write(8).unwrap_err().fate;
            let result = child.try_join().expect("it can be joined without waiting");
            match how {
                None => assert_eq!((result.unwrap(), fate), (7, ChannelError::Retired)),
                Some(_) => assert!(result.is_err() && fate.is_lost(), "{how:?}: {fate:?}"),
            }
        }
    }

    fn it_fires_in_every_policy_of_choice(placement) {
        let silent = Channel::<u64>::new();
        let (silence, _kept) = (silent.reader(), silent.writer());
        let policies: [Policy; 6] = [
            |gone, silence| AltSelect! { _v = silence.read() => false, gone => true, after(HOUR) => false },
            |gone, silence| PriSelect! { _v = silence.read() => false, gone => true, after(HOUR) => false },
            |gone, silence| FairSelect! { _v = silence.read() => false, gone => true, after(HOUR) => false },
            |gone, silence| chosen(gone, silence, Alternation::select),
            |gone, silence| chosen(gone, silence, Alternation::pri_select),
            |gone, silence| chosen(gone, silence, Alternation::fair_select),
        ];
        for policy in policies {
            // The process ends while the guard is waited for, or has ended before.
            let (child, w) = start(placement, None);
            let guards = guards(&child);
            let writer = std::thread::spawn(move || w.write(7).unwrap());
            for guard in &guards {
                assert_eq!(policy(guard, &silence), Ok(true));
            }
            writer.join().unwrap();
            assert_eq!(child.join().unwrap(), 7);
            for guard in &guards {
                assert_eq!(policy(guard, &silence), Ok(true));
            }
        }
    }

    fn it_fires_at_once_when_it_is_asked_for_after_the_end(placement) {
        let (child, w) = start(placement, None);
        w.write(7).unwrap();
        child.exit_guard().wait().unwrap();
        let id = child.id();
        assert!(guards(&child).iter().all(fires));
        // The result is handed out, and the guard still fires.
        assert_eq!(child.try_join().unwrap().unwrap(), 7);
        assert!(guards(&child).iter().all(fires));
        drop(child);
        assert!(fires(&id.exit_guard()), "of a process that nobody remembers");
    }

    /// A slot is given to the next process when its own is joined: often enough here to be so in some round at least.
    fn of_the_process_that_has_its_slot_by_now_it_tells_nothing(placement) {
        for how in ways(placement) {
            let mut old = Vec::new();
            let mut guards_of_old = Vec::new();
            for _ in 0..20 {
                let (child, w) = start(placement, *how);
                guards_of_old.extend(guards(&child));
                w.write(7).unwrap();
                child.exit_guard().wait().unwrap();
                assert_eq!(child.try_join().unwrap().is_ok(), how.is_none());
                old.push(child);
            }
            let young: Vec<_> = (0..20).map(|_| start(placement, None)).collect();
            for child in &old {
                assert!(child.is_finished() && guards(child).iter().all(fires), "{how:?}");
                assert_eq!((child.pid(), child.restarts()), (None, 0));
                // Nobody is left to be ended.
                child.terminate().and_then(|()| child.kill()).unwrap();
            }
            assert!(guards_of_old.iter().all(fires), "{how:?}");
            for (number, (child, w)) in (0..).zip(young) {
                assert!(guards(&child).iter().all(|guard| !fires(guard)), "{how:?}");
                w.write(number).unwrap();
                assert_eq!(child.join().unwrap(), number);
            }
        }
    }

    fn beside_channels_nothing_that_was_said_is_lost(placement) {
        for count in [0, 1, 20] {
            let c = Channel::new();
            let r = c.reader();
            let child = Spawn!(source(c.writer(), 0..count).on(placement)).unwrap();
            let gone = child.exit_guard();
            let mut seen = Vec::new();
            drop(c);
            loop {
                let over = AltSelect! {
                    value = r.read() => { seen.push(value); false },
                    gone => true,
                };
                match over {
                    Ok(over) if over => break,
                    Ok(_) => (),
                    // The channel may retire first.
                    Err(error) => {
                        assert_eq!(error, ChannelError::Retired);
                        gone.wait().unwrap();
                        break;
                    }
                }
            }
            assert!(seen.into_iter().eq(0..count), "a rendezvous took place before its writer ended");
            assert_eq!(child.join().unwrap(), Ok(()));
        }
    }

    fn priority_holds_between_an_end_and_a_message(placement) {
        let (child, w) = start(placement, None);
        w.write(7).unwrap();
        let gone = child.exit_guard();
        gone.wait().unwrap();
        let c = Channel::buffered(Buffer::Fifo(1));
        let r = c.reader();
        c.writer().write(1).unwrap();
        assert_eq!(PriSelect! { gone => 0, v = r.read() => v }, Ok(0));
        assert_eq!(PriSelect! { v = r.read() => v, gone => 0 }, Ok(1));
        // In turn, as both are ready again and again.
        let c = Channel::buffered(Buffer::Unbounded);
        let (w, r) = (c.writer(), c.reader());
        let mut taken = 0;
        for i in 0..10 {
            w.write(i).unwrap();
            taken += FairSelect! { gone => 0, _v = r.read() => 1 }.unwrap();
        }
        assert_eq!(taken, 5);
    }

    fn many_guards_each_fire_once_their_process_has_ended(placement) {
        const COUNT: usize = 12;
        let (children, writers): (Vec<_>, Vec<_>) = (0..COUNT).map(|_| start(placement, None)).unzip();
        let guards: Vec<ExitGuard> = children.iter().map(Child::exit_guard).collect();
        let mut alternation = Alternation::new();
        let tokens: Vec<_> = guards.iter().map(|guard| alternation.guard(guard)).collect();
        // One after the other, in an order of its own: only the guard of the one that ends fires.
        for step in 0..COUNT {
            let number = step * 5 % COUNT;
            writers[number].write(number as u64).unwrap();
            let fired = alternation.fair_select().unwrap();
            assert_eq!(fired.index(), number);
            fired.take(tokens[number]);
            alternation.enable(tokens[number], false);
        }
        for (number, child) in children.into_iter().enumerate() {
            assert_eq!(child.join().unwrap(), number as u64);
        }
    }

    fn any_number_of_processes_may_wait_for_one_end(placement) {
        let (first, w) = start(placement, Some(How::Panic));
        let (second, v) = start(placement, None);
        let ready = Channel::new();
        let announced = ready.reader();
        let ids = vec![first.id(), second.id(), first.id()];
        let watchers = network!(for _ in 0..4 => watch(ids.clone(), ready.writer()).on(placement)).spawn().unwrap();
        (0..4).for_each(|_| announced.read().unwrap());
        v.write(1).unwrap();
        second.exit_guard().wait().unwrap();
        assert!(watchers.try_join().is_none(), "one of the two still runs");
        w.write(1).unwrap();
        let counts = watchers.join().unwrap();
        assert!(counts.iter().all(|count| *count == Ok(3)), "{counts:?}");
        assert!(matches!(cause_of(&first.join().unwrap_err(), "watched"), Cause::Panicked { .. }));
    }

    fn the_guard_of_a_network_fires_when_all_of_it_has_ended(placement) {
        let (c, d) = (Channel::new(), Channel::new());
        let (w, v) = (c.writer(), d.writer());
        let network = network!(
            end(c.reader(), None).on(placement),
            Sequence!(end(d.reader(), None).on(placement), source(d.writer(), 0..0).on(placement)),
        );
        let child = network.spawn().unwrap();
        let gone = child.exit_guard();
        assert!(!fires(&gone));
        // In either order: the first part ends, the other goes on.
        w.write(1).unwrap();
        let late = PriSelect! { gone => false, after(Duration::from_millis(100)) => true };
        assert_eq!(late, Ok(true));
        v.write(2).unwrap();
        gone.wait().unwrap();
        assert!(fires(&gone));
        assert_eq!(child.join().unwrap(), (1, (2, Ok(()))));
    }

    fn of_a_process_that_is_started_again_it_fires_when_it_ends_for_good(placement) {
        let c = Channel::new();
        let w = c.writer();
        let again = OnCrash::Restart { max: 2, within: HOUR };
        let child = Spawn!(end(c.reader(), Some(How::Panic)).named("watched").on(placement).on_crash(again)).unwrap();
        let gone = child.exit_guard();
        for _ in 0..2 {
            w.write(1).unwrap();
            assert!(!fires(&gone));
        }
        w.write(1).unwrap();
        gone.wait().unwrap();
        cause_of(&child.join().unwrap_err(), "watched");
    }
}

fn chosen<'a>(
    gone: &'a ExitGuard,
    silence: &'a Reader<u64>,
    select: impl FnOnce(&mut Alternation<'a>) -> Result<csproc::Fired, ChannelError>,
) -> Result<bool, ChannelError> {
    let mut alternation = Alternation::new();
    let _said = alternation.read(silence);
    let end = alternation.guard(gone);
    let _never = alternation.after(HOUR);
    let fired = select(&mut alternation)?;
    assert_eq!(fired.index(), 1);
    fired.take(end);
    Ok(true)
}

once! {
    fn it_fires_for_a_process_that_is_killed() {
        for before in [true, false] {
            let (child, w) = start(Placement::Process, None);
            let guards = guards(&child);
            if before {
                child.kill().unwrap();
            } else {
                // Killed while it is waited for.
                let killer = std::thread::scope(|scope| {
                    let killer = scope.spawn(|| child.kill());
                    guards[0].wait().unwrap();
                    killer.join().unwrap()
                });
                killer.unwrap();
            }
            guards.iter().for_each(|guard| guard.wait().unwrap());
            assert!(w.write(1).unwrap_err().fate.is_lost());
            let error = child.try_join().unwrap().unwrap_err();
            assert_eq!(cause_of(&error, "watched"), Cause::Killed { signal: 9 });
        }
    }

    fn a_process_that_has_a_guard_of_itself_or_of_the_program_waits_in_vain() {
        let program = csproc::current().id().exit_guard();
        assert!(!fires(&program));
        assert!(!watch_itself().run().unwrap());
        assert!(!watch_itself().on(Placement::Thread).run().unwrap());
    }
}

#[process]
fn watch_itself() -> bool {
    fires(&csproc::current().id().exit_guard())
}
