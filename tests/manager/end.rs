//! However a manager ends, calls in progress are finished, the others are told, and nothing is left.
//!
//! Knows nothing of crashes.

use crate::Object;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::{CallError, List, Managed, ManagerHandle};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Listener = Managed<Object<Reader<u8>>>;

/// An object that, when it is called, waits for a word on a channel.
fn listener(manager: &ManagerHandle) -> (Listener, Writer<u8>) {
    let (w, r) = csproc::channel::<u8>();
    (manager.create_with(r, Object).unwrap(), w)
}

fn listen(object: &Listener, ready: Writer<Place>) -> Result<u8, CallError> {
    object.with(ready, |object, ready| {
        Place::announce(&ready);
        object.0.read().unwrap()
    })
}

#[process]
fn leave_a_manager(out: Writer<List<u32>>, how: String) -> csproc::Result<()> {
    let manager = Manager::new()?;
    out.write(manager.list([1])?)?;
    match how.as_str() {
        "return" => (),
        "forget" => std::mem::forget(manager),
        "exit" => std::process::exit(0),
        "panic" => panic!("with a manager"),
        _ => std::process::abort(),
    }
    Ok(())
}

#[process]
fn make_until_it_ends(manager: ManagerHandle) -> CallError {
    loop {
        if let Err(error) = manager.value(1) {
            return error;
        }
    }
}

once! {
    fn calls_in_progress_are_finished_and_others_are_told() {
        for way in ["drop", "shutdown"] {
            let manager = Manager::new().unwrap();
            let (object, word) = listener(&manager);
            let other = manager.list([1]).unwrap();
            let (ready, announced) = csproc::channel();
            let (caller, late) = (object.clone(), object.clone());
            let called = std::thread::spawn(move || listen(&caller, ready));
            announced.read().unwrap().until_asleep();
            let (ending, ended) = std::sync::mpsc::channel();
            let ender = std::thread::spawn(move || {
                if way == "drop" { drop(manager) } else { manager.shutdown().unwrap() }
                ending.send(()).unwrap();
            });
            // It waits while the manager ends.
            assert_eq!(late.with((), |_, ()| ()), Err(CallError::Shutdown));
            while other.len() != Err(CallError::Shutdown) {
                std::thread::yield_now();
            }
            assert!(ended.try_recv().is_err(), "a call is in progress");
            word.write(7).unwrap();
            assert_eq!(called.join().unwrap(), Ok(7));
            ender.join().unwrap();
            assert_eq!(object.with((), |_, ()| ()), Err(CallError::Shutdown));
        }
    }

    fn what_is_printed_tells_that_the_manager_is_gone() {
        let manager = Manager::new().unwrap();
        let (list, dict) = (manager.list([1]).unwrap(), manager.dict::<u8, u8>().unwrap());
        let (namespace, value) = (manager.namespace().unwrap(), manager.value(1).unwrap());
        let handle = manager.handle();
        manager.shutdown().unwrap();
        assert_eq!(format!("{list} {list:?}"), "List(<manager is gone>) List(<manager is gone>)");
        assert_eq!(format!("{dict} {dict:?}"), "Dict(<manager is gone>) Dict(<manager is gone>)");
        assert_eq!(format!("{namespace} {value:?}"), "Namespace(<manager is gone>) Shared(<manager is gone>)");
        assert_eq!(handle.list([1]).unwrap_err(), CallError::Shutdown);
    }

    fn a_manager_ends_with_the_block_that_panics() {
        let mut kept = None;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let manager = Manager::new().unwrap();
            kept = Some(manager.list([1]).unwrap());
            std::panic::resume_unwind(Box::new("in the block"));
        }));
        assert!(panicked.is_err());
        assert_eq!(kept.unwrap().len(), Err(CallError::Shutdown));
    }

    fn who_makes_objects_all_the_time_does_not_keep_a_manager_from_its_end() {
        let manager = Manager::new().unwrap();
        let makers = network!(for _ in 0..3 => make_until_it_ends(manager.handle())).spawn().unwrap();
        drop(manager);
        assert_eq!(makers.join().unwrap(), [const { CallError::Shutdown }; 3]);
    }

    fn a_manager_is_killed_with_the_process_that_has_it() {
        for how in ["exit", "abort"] {
            let (w, r) = csproc::channel();
            let child = Spawn!(leave_a_manager(w, String::from(how))).unwrap();
            let list = r.read().unwrap();
            assert!(child.join().is_err());
            while list.len() == Ok(1) {
                std::thread::yield_now();
            }
            let lost = CallError::Lost { process: "manager: list 1".into(), cause: Cause::Killed { signal: 9 } };
            assert_eq!(list.len(), Err(lost), "{how}");
        }
    }

    fn a_manager_without_objects_ends() {
        Manager::new().unwrap().shutdown().unwrap();
        drop(Manager::new().unwrap());
    }
}

over_both! {
    fn a_manager_ends_with_the_process_that_has_it(placement) {
        for how in ["return", "forget", "panic"] {
            let (w, r) = csproc::channel();
            let child = Spawn!(leave_a_manager(w, String::from(how)).on(placement)).unwrap();
            let list = r.read().unwrap();
            let _ = child.join();
            while list.len() == Ok(1) {
                std::thread::yield_now();
            }
            assert_eq!(list.len(), Err(CallError::Shutdown), "{how}");
        }
    }
}
