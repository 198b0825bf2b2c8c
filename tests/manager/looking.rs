//! Those who look at an object do so at once, and those who change it do so alone.
//!
//! Knows nothing of how many threads an object has.

use crate::Object;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output, play_in_small_arena};
use csproc::prelude::*;
use csproc::shared::{CallError, Managed};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::os::unix::process::CommandExt;

pub(crate) const SCENARIOS: &[Scenario] = &[("no thread", no_thread), ("no room", no_room)];

type Hall = Managed<Object<u32>>;

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Looks, says so, and looks until it is told to stop.
#[process]
fn visit(hall: Hall, entered: Writer<u32>, leave: Reader<()>) -> csproc::Result<u32> {
    let seen = hall.look((entered, leave), |hall, (entered, leave)| {
        entered.write(hall.0).map_err(ChannelError::from)?;
        leave.read()?;
        Ok::<_, ChannelError>(hall.0)
    })?;
    Ok(seen?)
}

#[process]
fn change(hall: Hall, ready: Writer<Place>) -> csproc::Result<u32> {
    Place::announce(&ready);
    Ok(hall.with(1, |hall, by| {
        hall.0 += by;
        hall.0
    })?)
}

#[process]
fn look_and_change(hall: Managed<Object<(u64, u64)>>, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        let (one, other) = hall.look((), |hall, ()| hall.0)?;
        assert_eq!(one, other);
        hall.with((), |hall, ()| {
            hall.0.0 += 1;
            std::thread::yield_now();
            hall.0.1 += 1;
        })?;
    }
    Ok(())
}

over_both! {
    fn several_look_at_once_and_who_changes_waits_for_them(placement) {
        if processors() < 2 {
            println!("left out: they look one after the other on one processor");
            return;
        }
        let manager = Manager::new().unwrap();
        let hall = manager.create_with(1, Object).unwrap();
        let (entered, came) = csproc::channel();
        let (leave, leaving) = csproc::channel::<()>();
        let visitor = || visit(hall.clone(), entered.clone(), leaving.clone()).on(placement);
        let visitors = network!(for _ in 0..2 => visitor()).spawn().unwrap();
        assert_eq!((came.read(), came.read()), (Ok(1), Ok(1)), "both are inside");
        let (ready, announced) = csproc::channel();
        let changer = Spawn!(change(hall.clone(), ready).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        assert!(!changer.is_finished());
        (0..2).for_each(|_| leave.write(()).unwrap());
        assert_eq!(visitors.join().values().unwrap(), [1, 1]);
        assert_eq!(changer.join().unwrap().unwrap(), 2);
    }

    fn nobody_looks_while_somebody_changes(placement) {
        let manager = Manager::new().unwrap();
        let hall = manager.create_with((0, 0), Object).unwrap();
        Parallel!(for _ in 0..4 => look_and_change(hall.clone(), 200).on(placement)).values().unwrap();
        assert_eq!(hall.look((), |hall, ()| hall.0), Ok((800, 800)));
    }
}

/// An object that nobody can help is looked at all the same, and goes with its last proxy.
fn is_looked_at_alone(manager: Manager, hall: Managed<Object<Writer<u8>>>, r: &Reader<u8>) {
    for turn in 0..20 {
        assert_eq!(hall.look(turn, |_, turn| turn), Ok(turn));
        assert_eq!(hall.with(turn, |_, turn| turn), Ok(turn));
    }
    drop(hall);
    assert_eq!(r.read(), Err(ChannelError::Retired));
    manager.shutdown().unwrap();
}

fn no_thread() {
    let manager = Manager::new().unwrap();
    let (w, r) = csproc::channel();
    let hall = manager.create_with(w, Object).unwrap();
    let limited = hall.with((), |_, ()| {
        setrlimit(Resource::Nproc, Rlimit { current: Some(1), maximum: Some(1) }).unwrap();
        std::thread::Builder::new().spawn(|| ()).is_err()
    });
    assert_eq!(limited, Ok(true));
    is_looked_at_alone(manager, hall, &r);
}

fn no_room() {
    let manager = Manager::new().unwrap();
    let (w, r) = csproc::channel();
    let hall = manager.create_with(w, Object).unwrap();
    // Room for the gate of those who look, and none for a helper; and before that, none for the gate either.
    let mut all: Vec<_> = std::iter::from_fn(|| Channel::<u8>::builder().build().ok()).collect();
    assert_eq!(hall.look(1, |_, turn| turn), Ok(1));
    all.pop();
    assert!(matches!(manager.value(1), Err(CallError::Invalid(_))), "there is no room for an object");
    is_looked_at_alone(manager, hall, &r);
}

once! {
    /// The limit does not bind a privileged user, who plays this as nobody.
    fn an_object_that_no_thread_can_help_is_looked_at_alone() {
        let mut command = command("no thread").0;
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn an_object_for_whose_helper_there_is_no_room_is_looked_at_alone() {
        play_in_small_arena("no room");
    }

    fn a_panic_of_one_who_looks_is_the_crash_of_the_object() {
        let manager = Manager::new().unwrap();
        let other = manager.value(1).unwrap();
        for turn in 0..20 {
            let hall = manager.create_with(1, Object).unwrap();
            // It has a thread more from now on, and either of them may be the one that panics.
            hall.look((), |_, ()| ()).unwrap();
            let error = hall.look(turn, |_, turn: u32| panic!("in turn {turn}")).map(|()| 0).unwrap_err();
            let CallError::Lost { process, cause: Cause::Panicked { message, .. } } = &error else {
                panic!("{error:?}")
            };
            assert!(process.starts_with("manager: Object ") && *message == format!("in turn {turn}"), "{error}");
            assert_eq!(hall.with((), |_, ()| ()), Err(error.clone()));
            assert_eq!(hall.look((), |_, ()| ()), Err(error));
        }
        assert_eq!(other.get(), Ok(1));
        manager.shutdown().unwrap();
    }

    fn an_object_that_was_looked_at_goes_with_its_last_proxy() {
        let manager = Manager::new().unwrap();
        let (w, r) = csproc::channel::<u8>();
        let object = manager.create_with(w, Object).unwrap();
        object.look((), |_, ()| ()).unwrap();
        object.look((), |_, ()| ()).unwrap();
        drop(object);
        assert_eq!(r.read(), Err(ChannelError::Retired));
    }
}

alone! {
    fn one_who_looks_and_is_called_back_for_a_change_is_a_deadlock() {
        let manager = Manager::new().unwrap();
        let (hall, other) = (manager.create_with(1, Object).unwrap(), manager.value(0).unwrap());
        let answer = hall.look((hall.clone(), other), |_, (hall, other)| {
            other.with(hall, |_, hall: Hall| hall.with((), |hall, ()| hall.0))
        });
        let told = match answer {
            Ok(Ok(Err(error)) | Err(error)) | Err(error) => error,
            answer => panic!("{answer:?}"),
        };
        assert!(told.deadlock().is_some(), "{told:?}");
        assert_eq!(hall.with((), |hall, ()| hall.0), Ok(1));
        assert_eq!(hall.look((), |hall, ()| hall.0), Ok(1));
    }
}
