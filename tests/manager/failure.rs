//! Whatever fails in an object, or kills it, is told to those who call it, and to nobody else.
//!
//! Knows nothing of where a process is when it is killed; that is tested in `tests/kill`.

use crate::Object;
use crate::harness::looks::Looks;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, play_in_small_arena};
use csproc::prelude::*;
use csproc::shared::{CallError, List, Managed, Shared};
use csproc::{MessageError, WaitsFor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) const SCENARIOS: &[Scenario] = &[("a full arena", a_full_arena)];

fn is_panic_of(error: &CallError, name: &str, said: &str) -> bool {
    matches!(error, CallError::Lost { process, cause: Cause::Panicked { message, location } }
        if process == name && message == said && location.starts_with("tests/manager/failure.rs:"))
}

/// A value that cannot be serialized.
#[derive(Debug, PartialEq, Deserialize)]
struct Never;

impl Serialize for Never {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

/// A value that cannot be put together again.
#[derive(Debug, PartialEq, Serialize)]
struct OneWay;

impl<'de> Deserialize<'de> for OneWay {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<OneWay, D::Error> {
        Err(serde::de::Error::custom("not back"))
    }
}

#[process]
fn push_until_it_is_gone(list: List<u32>, ready: Writer<()>) -> csproc::Result<CallError> {
    list.push(0)?;
    ready.write(())?;
    loop {
        if let Err(error) = list.push(1) {
            return Ok(error);
        }
    }
}

/// Has others do what it is told not to.
#[process]
fn call(object: Managed<Object<u32>>, reply: Writer<u32>) -> csproc::Result<()> {
    let result = object.with(1, |object, by| {
        object.0 += by;
        object.0
    })?;
    Ok(reply.write(result)?)
}

once! {
    fn a_panic_is_the_crash_of_that_object_and_of_no_other() {
        let manager = Manager::new().unwrap();
        let (one, other) = (manager.value(1).unwrap(), manager.value(2).unwrap());
        let error = one.update(|_| panic!("no more")).unwrap_err();
        assert!(is_panic_of(&error, "manager: value 1", "no more"), "{error}");
        assert_eq!(one.get(), Err(error.clone()), "later calls are told the same");
        assert_eq!(one.clone().get(), Err(error));
        assert_eq!(other.get(), Ok(2));
        assert_eq!(manager.value(3).unwrap().get(), Ok(3));
        manager.shutdown().unwrap();
        assert!(is_panic_of(&one.get().unwrap_err(), "manager: value 1", "no more"));
    }

    fn a_panic_that_is_resumed_is_told_as_a_panic() {
        let manager = Manager::new().unwrap();
        let (one, other) = (manager.value(1).unwrap(), manager.value(2).unwrap());
        let again = |_: &mut u32| std::panic::resume_unwind(Box::new("seen before"));
        for value in [&one, &other] {
            // The hook of panics does not see it; so what it says is known once it has ended the process.
            let told = [value.update(again), value.update(|_| ())];
            let is_panic = |told: &Result<(), CallError>| {
                matches!(told, Err(CallError::Lost { cause: Cause::Panicked { .. }, .. }))
            };
            assert!(told.iter().all(is_panic), "{told:?}");
        }
        manager.shutdown().unwrap();
        let told = one.get().unwrap_err().to_string();
        assert!(told.contains("`manager: value 1`, which panicked at an unknown place: seen before"), "{told}");
    }

    fn all_who_wait_for_an_object_that_panics_are_told() {
        let manager = Manager::new().unwrap();
        let list = manager.list([]).unwrap();
        let (ready, started) = csproc::channel();
        let worker = || push_until_it_is_gone(list.clone(), ready.clone());
        let workers = network!(for _ in 0..3 => worker()).spawn().unwrap();
        (0..3).for_each(|_| started.read().unwrap());
        let error = list.with((), |_, ()| -> () { panic!("all of you") }).unwrap_err();
        assert!(is_panic_of(&error, "manager: list 1", "all of you"), "{error}");
        for error in workers.join().values().unwrap() {
            assert!(is_panic_of(&error, "manager: list 1", "all of you"), "{error}");
        }
    }

    fn a_maker_that_panics_makes_nothing_and_harms_nobody() {
        let manager = Manager::new().unwrap();
        let error = manager.create_with((), |()| -> Object<u8> { panic!("no clay") }).unwrap_err();
        assert!(is_panic_of(&error, "manager: Object 1", "no clay"), "{error}");
        assert_eq!(manager.value(1).unwrap().get(), Ok(1));
    }

    fn what_is_dropped_with_a_panic_harms_nobody() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let manager = Manager::new().unwrap();
        let bomb = manager.create_with((), |()| Object(Bomb)).unwrap();
        let other = manager.value(1).unwrap();
        drop(bomb);
        assert_eq!(other.get(), Ok(1));
        manager.shutdown().unwrap();
    }

    fn a_manager_that_is_killed_is_lost_with_all_its_objects() {
        let manager = Manager::named("ledger").unwrap();
        let (value, list) = (manager.value(1).unwrap(), manager.list([1]).unwrap());
        let handle = manager.handle();
        let (c, d) = (Channel::new(), Channel::<u8>::new());
        let (ready, announced) = (c.writer(), c.reader());
        let (_word, input) = (d.writer(), d.reader());
        let caller = value.clone();
        let called = std::thread::spawn(move || {
            caller.with((ready, input), |_, (ready, input)| {
                Place::announce(&ready);
                input.read().is_ok()
            })
        });
        announced.read().unwrap().until_asleep();
        manager.kill();
        let lost = |name: &str| CallError::Lost { process: String::from(name), cause: Cause::Killed { signal: 9 } };
        assert_eq!(called.join().unwrap(), Err(lost("ledger: value 1")), "the call in progress");
        assert_eq!(value.get(), Err(lost("ledger: value 1")));
        assert_eq!(list.len(), Err(lost("ledger: list 2")));
        assert_eq!(handle.value(1).unwrap_err(), lost("ledger"));
    }

    fn an_object_that_exits_ends_its_manager() {
        let manager = Manager::new().unwrap();
        let (one, other) = (manager.value(1).unwrap(), manager.value(2).unwrap());
        let lost = |name: &str| CallError::Lost { process: String::from(name), cause: Cause::Exited { code: 3 } };
        assert_eq!(one.update(|_| std::process::exit(3)), Err(lost("manager: value 1")));
        assert_eq!(other.get(), Err(lost("manager: value 2")));
        assert!(manager.shutdown().unwrap_err().to_string().contains("exited with code 3"));
    }

    fn what_cannot_travel_is_told_and_the_object_goes_on() {
        let manager = Manager::new().unwrap();
        let value = manager.value(1_u32).unwrap();
        let reason = |error: CallError| match error {
            CallError::Invalid(MessageError::Encode { reason, type_name })
            | CallError::Invalid(MessageError::Decode { reason, type_name }) => (reason, type_name),
            error => panic!("{error:?}"),
        };
        let (said, about) = reason(value.with(Never, |_, _| ()).unwrap_err());
        assert!(said.contains("not today") && about.contains("Never"), "{said} of {about}");
        let (said, about) = reason(value.with((), |_, ()| Never).unwrap_err());
        assert!(said.contains("not today") && about.contains("Never"), "{said} of {about}");
        let (said, about) = reason(value.with(OneWay, |_, _| ()).unwrap_err());
        assert!(said.contains("not back") && about.contains("OneWay"), "{said} of {about}");
        let (said, _) = reason(value.with((), |_, ()| OneWay).unwrap_err());
        assert!(said.contains("not back"), "{said}");
        let (said, _) = reason(manager.list([OneWay]).unwrap_err());
        assert!(said.contains("not back"), "{said}");
        let (said, _) = reason(manager.list([Never]).unwrap_err());
        assert!(said.contains("not today"), "{said}");
        assert_eq!(value.get(), Ok(1));
    }

    fn a_process_that_cannot_call_ends_as_with_any_other_error() {
        let manager = Manager::new().unwrap();
        let object = manager.create_with(1, Object).unwrap();
        let (w, r) = csproc::channel();
        manager.shutdown().unwrap();
        let error = Parallel!(call(object, w)).values().unwrap_err();
        assert!(error.to_string().contains("the manager has ended"), "{error}");
        assert_eq!(r.read(), Err(ChannelError::Retired), "it does not poison what it was given");
    }

    fn when_the_arena_is_full_it_is_told() {
        play_in_small_arena("a full arena");
    }
}

fn a_full_arena() {
    let manager = Manager::new().unwrap();
    let list = manager.list::<Vec<u8>>([]).unwrap();
    let mut objects = Vec::new();
    let error = loop {
        match manager.value(0_u8) {
            Ok(object) => objects.push(object),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, CallError::Invalid(_)), "{error:?}");
    assert!(objects.iter().all(|object| object.get() == Ok(0)), "{} objects work", objects.len());
    drop(objects);
    list.push(vec![1]).unwrap();
    let error = list.extend((0..64).map(|_| vec![0; 1 << 20])).unwrap_err();
    assert!(matches!(error, CallError::Invalid(MessageError::Memory { .. })), "{error:?}");
    assert_eq!(list.len(), Ok(1));
    manager.shutdown().unwrap();
}

fn waits_of<'a>(report: &'a csproc::DeadlockReport, name: &str) -> &'a WaitsFor {
    let process = report.processes().iter().find(|process| process.name == name);
    &process.unwrap_or_else(|| panic!("{report}")).waits_for[0]
}

/// The first object waits for the second, which calls the first one.
#[process]
fn call_back(one: Shared<u32>, other: Shared<u32>) -> csproc::Result<CallError> {
    let answer = one.with((one.clone(), other), |_, (one, other)| {
        other.with(one, |_, one| {
            one.get().unwrap_err() // blocks: inner
        })
    })?;
    Ok(answer?)
}

#[process]
fn look_in(value: Shared<u32>) -> csproc::Result<()> {
    while value.get()? != 0 {}
    Ok(())
}

#[process]
fn read_what_nobody_writes(input: Reader<u8>, list: List<u8>) -> csproc::Result<u8> {
    list.push(1)?;
    Ok(input.read()?)
}

alone! {
    fn an_object_that_is_called_back_is_a_deadlock_with_its_lines() {
        let manager = Manager::new().unwrap();
        let (one, other) = (manager.value(1).unwrap(), manager.value(2).unwrap());
        let error = Parallel!(call_back(one.clone(), other.clone())).unwrap_err();
        let report = error.deadlock().unwrap_or_else(|| panic!("{error:?}"));
        let (first, second) = (waits_of(report, "manager: value 1"), waits_of(report, "manager: value 2"));
        assert_eq!((&*first.action, &*first.channel), ("release", "manager: value 2"));
        assert_eq!((&*second.action, &*second.channel), ("write", "manager: value 1"));
        let inner = include_str!("failure.rs").lines().position(|line| line.ends_with("// blocks: inner")).unwrap() + 1;
        let place = format!("tests/manager/failure.rs:{inner}:");
        assert!(report.processes().iter().any(|process| process.location.starts_with(&place)), "{report}");
        // Told of it was the call that had come back; both objects go on, and may come to the next one.
        for (first, second) in [(&one, &other), (&one, &other), (&other, &one)] {
            assert_eq!((one.get(), other.get()), (Ok(1), Ok(2)));
            assert!(Parallel!(call_back(first.clone(), second.clone())).unwrap_err().deadlock().is_some());
        }
        assert_eq!((one.get(), other.get()), (Ok(1), Ok(2)));
        manager.shutdown().unwrap();
    }

    fn who_waits_behind_a_call_that_comes_back_is_told_with_it_or_served_after_it() {
        let manager = Manager::new().unwrap();
        let (one, other) = (manager.value(1).unwrap(), manager.value(2).unwrap());
        let caller = || look_in(one.clone());
        let callers = network!(for _ in 0..3 => caller()).spawn().unwrap();
        let error = Parallel!(call_back(one.clone(), other.clone())).unwrap_err();
        assert!(error.deadlock().is_some(), "{error}");
        assert_eq!((one.update(|one| *one = 0), one.get()), (Ok(()), Ok(0)));
        // Those who were not in it go on until the value is 0; the others have ended with it.
        match callers.join() {
            Ok(told) => assert!(told.iter().all(|told| told.is_ok()), "{told:?}"),
            Err(error) => assert!(error.deadlock().is_some(), "{error}"),
        }
        manager.shutdown().unwrap();
    }

    fn an_object_that_calls_itself_is_a_deadlock_and_goes_on() {
        let manager = Manager::new().unwrap();
        let one = manager.value(1).unwrap();
        let told = one.with(one.clone(), |_, one| one.get()).unwrap().unwrap_err();
        assert!(told.deadlock().is_some(), "{told:?}");
        assert_eq!(one.get(), Ok(1));
        manager.shutdown().unwrap();
    }

    fn an_object_at_rest_is_in_no_deadlock() {
        let manager = Manager::new().unwrap();
        let list = manager.list([]).unwrap();
        let c = Channel::<u8>::new();
        let _w = c.writer();
        let error = Parallel!(read_what_nobody_writes(c.reader(), list.clone())).unwrap_err();
        let report = error.deadlock().unwrap_or_else(|| panic!("{error}"));
        assert!(report.processes().iter().all(|process| !process.name.starts_with("manager")), "{report}");
        assert_eq!(list.to_vec(), Ok(vec![1]));
    }

    fn a_manager_that_nobody_calls_is_no_deadlock() {
        let manager = Manager::new().unwrap();
        let list = manager.list([1]).unwrap();
        Looks::from_now().wait_for_a_proof();
        assert_eq!(list.len(), Ok(1));
    }
}
