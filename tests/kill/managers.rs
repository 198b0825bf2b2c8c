//! Managers under load lose callers, objects and whole managers at random moments, and stand still for a while: each
//! call that was answered has happened once, whoever calls the dead is told who it was, and the others go on.
//!
//! Knows nothing of single instructions. `CSPROC_KILLS` says after how many kills to end.

use crate::harness::looks::Looks;
use crate::harness::pause::{go_on, stop};
use crate::harness::place::Place;
use crate::storm::{Dice, hunt, rage};
use csproc::prelude::*;
use csproc::shared::{CallError, Dict, Managed, ManagedType, ManagerHandle, Shared};
use csproc::{Cause, Child};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::thread::JoinHandle;

/// An object that may be anything.
struct Held<T>(T);

impl<T: 'static> ManagedType for Held<T> {
    type Proxy = Managed<Held<T>>;
    const NAME: &'static str = "Held";
}

/// What a manager has for its callers.
#[derive(Clone, Serialize, Deserialize)]
struct Kit {
    manager: ManagerHandle,
    counts: Dict<u64, u64>,
    /// Two numbers that are the same whenever nobody changes them.
    pair: Managed<Held<(u64, u64)>>,
    end: Managed<Held<Option<Writer<u64>>>>,
    values: Dict<u64, Shared<u64>>,
}

impl Kit {
    fn of(manager: &ManagerHandle) -> Kit {
        Kit {
            manager: manager.clone(),
            counts: manager.dict().unwrap(),
            pair: manager.create_with((), |()| Held((0, 0))).unwrap(),
            end: manager.create_with((), |()| Held(None)).unwrap(),
            values: manager.dict().unwrap(),
        }
    }

    fn pid(&self) -> u32 {
        self.pair.with((), |_, ()| std::process::id()).unwrap()
    }
}

/// Whether this is what callers of an object are told that has crashed in [`crash`].
fn is_crash(error: &CallError) -> bool {
    matches!(error, CallError::Lost { cause: Cause::Panicked { .. }, .. })
}

/// Has an object crash that others call meanwhile.
fn crash(kit: &Kit, id: u64, turn: u64) -> Result<(), CallError> {
    let doomed = kit.manager.value(turn)?;
    kit.values.insert(id, doomed.clone())?;
    // Without the hook of panics, which would print each of them.
    let crashed: Result<(), _> = doomed.with((), |_, ()| std::panic::resume_unwind(Box::new("on purpose")));
    match crashed {
        // It may be killed while it unwinds, with its manager.
        Err(error) if is_crash(&error) => assert!(matches!(doomed.get(), Err(CallError::Lost { .. }))),
        other => other?,
    }
    Ok(())
}

/// One thing of all that is done with managers.
fn act(kit: &Kit, id: u64, turn: u64) -> Result<(), CallError> {
    match turn % 7 {
        0 => {
            let list = kit.manager.list(0..3)?;
            list.push(id)?;
            assert_eq!(list.to_vec()?, [0, 1, 2, id]);
        }
        1 => {
            let c = Channel::new();
            kit.end.with(c.writer(), |end, w| drop(end.0.replace(w)))?;
        }
        2 => {
            let (one, other) = kit.pair.look((), |pair, ()| pair.0)?;
            assert_eq!(one, other);
        }
        3 => kit.pair.with((), |pair, ()| {
            pair.0.0 += 1;
            std::thread::yield_now();
            pair.0.1 += 1;
        })?,
        4 => {
            kit.values.insert(id, kit.manager.value(turn)?)?;
            // That of a neighbour: it may have crashed.
            if let Some(value) = kit.values.get(&(id ^ 1))? {
                match value.get() {
                    Err(error) if is_crash(&error) => (),
                    other => drop(other?),
                }
            }
        }
        5 => {
            let r = kit.pair.with(turn, |_, turn| {
                let c = Channel::buffered(Buffer::Fifo(1));
                c.writer().write(turn).unwrap();
                c.reader()
            })?;
            assert_eq!(r.read(), Ok(turn));
        }
        _ => crash(kit, id, turn)?,
    }
    Ok(())
}

/// Calls again and again, and notes each count that was answered where it outlives the process.
#[process]
fn call_for_ever(kit: Kit, id: u64, log: PathBuf) {
    let mut log = File::options().append(true).open(log).unwrap();
    for turn in 0_u64.. {
        kit.counts.update(id, 0, |count| *count += 1).unwrap();
        log.write_all(&[0]).unwrap();
        act(&kit, id, turn).unwrap();
    }
}

/// What one who survives calls in one round.
const CALLS: u64 = 50;

/// Callers are killed; one manager serves on.
fn callers(dice: &mut Dice, stops: &mut u64) -> u64 {
    let manager = Manager::new().unwrap();
    let kit = Kit::of(&manager);
    let logs: Vec<PathBuf> =
        (0..3).map(|i| std::env::temp_dir().join(format!("csproc-calls-{}-{i}", std::process::id()))).collect();
    let victims: Vec<Child<()>> = (0..)
        .zip(&logs)
        .map(|(id, log)| {
            File::create(log).unwrap();
            let policy = [OnCrash::Poison, OnCrash::Retire][dice.below(2) as usize];
            Spawn!(call_for_ever(kit.clone(), id, log.clone()).on_crash(policy)).unwrap()
        })
        .collect();
    let survivors: Vec<JoinHandle<()>> = (3..5)
        .map(|id| {
            let kit = kit.clone();
            std::thread::spawn(move || {
                for turn in 0..CALLS {
                    kit.counts.update(id, 0, |count| *count += 1).unwrap();
                    act(&kit, id, turn).unwrap();
                }
            })
        })
        .collect();
    let killed = hunt(victims, dice, stops);
    survivors.into_iter().for_each(|survivor| survivor.join().unwrap());
    let count = |id| kit.counts.get(&id).unwrap().unwrap_or(0);
    for (id, log) in (0..).zip(&logs) {
        let (counted, answered) = (count(id), std::fs::metadata(log).unwrap().len());
        assert!((answered..=answered + 1).contains(&counted), "{counted} counts, {answered} of them answered");
        std::fs::remove_file(log).unwrap();
    }
    assert_eq!((count(3), count(4)), (CALLS, CALLS));
    let (one, other) = kit.pair.look((), |pair, ()| pair.0).unwrap();
    assert_eq!(one, other);
    manager.shutdown().unwrap();
    killed
}

/// Calls one manager after the other until the last of them is gone; what it was told of each.
fn call_until_gone(mut kits: Vec<Kit>, id: u64) -> Vec<CallError> {
    let mut told = Vec::new();
    for turn in 0_u64.. {
        let Some(place) = turn.checked_rem(kits.len() as u64) else { break };
        if let Err(error) = act(&kits[place as usize], id, turn / 3) {
            told.push(error);
            kits.remove(place as usize);
        }
    }
    told
}

#[process]
fn call_all_until_gone(kits: Vec<Kit>, id: u64) -> Vec<CallError> {
    call_until_gone(kits, id)
}

/// Managers are killed in the middle of calls, one after the other.
fn managers(dice: &mut Dice, stops: &mut u64) -> u64 {
    const MANAGERS: u64 = 3;
    let mut managers: Vec<Manager> = (0..MANAGERS).map(|i| Manager::named(&format!("m{i}")).unwrap()).collect();
    let kits: Vec<Kit> = managers.iter().map(|manager| Kit::of(manager)).collect();
    let mut pids: Vec<u32> = kits.iter().map(Kit::pid).collect();
    let processes = Spawn!(for id in 0..2 => call_all_until_gone(kits.clone(), id)).unwrap();
    let threads: Vec<JoinHandle<Vec<CallError>>> = (2..4)
        .map(|id| {
            let kits = kits.clone();
            std::thread::spawn(move || call_until_gone(kits, id))
        })
        .collect();
    drop(kits);
    while !managers.is_empty() {
        dice.pause(5000);
        let prey = dice.below(managers.len() as u64) as usize;
        if dice.below(3) == 0 {
            stop(pids[prey]);
            dice.pause(1500);
            go_on(pids[prey]);
            *stops += 1;
        } else {
            pids.swap_remove(prey);
            managers.swap_remove(prey).kill();
        }
    }
    let mut told = processes.join().unwrap();
    told.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    for told in told {
        assert_eq!(told.len() as u64, MANAGERS, "{told:?}");
        for error in told {
            let CallError::Lost { process, cause: Cause::Killed { signal: 9 } } = &error else { panic!("{error:?}") };
            assert!(process.starts_with('m'), "{error}");
        }
    }
    MANAGERS
}

/// Says where it is before its call, in which it is told to wait.
#[process]
fn call_and_wait(counter: Managed<Held<u64>>, ready: Writer<Place>, until: Reader<()>) -> csproc::Result<u64> {
    Place::announce(&ready);
    Ok(counter.with((ready, until), |counter, (ready, until)| {
        Place::announce(&ready);
        until.read().unwrap();
        counter.0 += 1;
        counter.0
    })?)
}

#[process]
fn count(counter: Managed<Held<u64>>) -> csproc::Result<u64> {
    Ok(counter.with((), |counter, ()| {
        counter.0 += 1;
        counter.0
    })?)
}

alone! {
    fn callers_and_managers_that_are_killed_at_random_take_nothing_with_them() {
        rage("managers", &[("callers", callers), ("callers", callers), ("managers", managers)]);
    }

    fn who_is_stopped_in_a_call_holds_up_nobody_and_is_answered_when_it_goes_on() {
        let manager = Manager::new().unwrap();
        let counter = manager.create_with(0, Held).unwrap();
        let ((ready, announced), (word, until)) = (csproc::channel(), csproc::channel());
        let caller = Spawn!(call_and_wait(counter.clone(), ready, until)).unwrap();
        let (place, object): (Place, Place) = (announced.read().unwrap(), announced.read().unwrap());
        place.until_asleep();
        object.until_asleep();
        stop(place.pid);
        word.write(()).unwrap();
        assert_eq!(Parallel!(count(counter.clone())).values().unwrap(), 2);
        Looks::from_now().wait_for_a_proof();
        assert!(!caller.is_finished());
        go_on(place.pid);
        assert_eq!(caller.join().unwrap().unwrap(), 1);
        manager.shutdown().unwrap();
    }

    fn who_calls_a_manager_that_is_stopped_waits_until_it_goes_on() {
        let manager = Manager::new().unwrap();
        let counter = manager.create_with(0, Held).unwrap();
        let pid = counter.with((), |_, ()| std::process::id()).unwrap();
        stop(pid);
        let callers = Spawn!(for _ in 0..3 => count(counter.clone())).unwrap();
        let handle = manager.handle();
        let maker = std::thread::spawn(move || handle.value(7).unwrap().get());
        // Nobody is told of a deadlock, although all of them wait.
        Looks::from_now().wait_for_a_proof();
        assert!(!callers.is_finished() && !maker.is_finished());
        go_on(pid);
        let mut counts = callers.join().values().unwrap();
        counts.sort_unstable();
        assert_eq!((counts, maker.join().unwrap()), (vec![1, 2, 3], Ok(7)));
        manager.shutdown().unwrap();
    }

    fn who_calls_a_manager_that_is_killed_while_it_is_stopped_is_told() {
        let manager = Manager::new().unwrap();
        let counter = manager.create_with(0, Held).unwrap();
        stop(counter.with((), |_, ()| std::process::id()).unwrap());
        let caller = counter.clone();
        let called = std::thread::spawn(move || caller.with((), |_, ()| ()));
        manager.kill();
        let lost = CallError::Lost { process: String::from("manager: Held 1"), cause: Cause::Killed { signal: 9 } };
        assert_eq!(called.join().unwrap(), Err(lost.clone()));
        assert_eq!(counter.with((), |_, ()| ()), Err(lost));
    }
}
