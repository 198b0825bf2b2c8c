//! Objects of one's own types are called from another program by the proxies that `#[managed]` makes.
//!
//! Knows nothing of what the proxies do in one program; that is tested in `tests/manager`.

use crate::harness::scenario::{Program, Scenario, command};
use crate::{KEY, path, served};
use csproc::prelude::*;
use csproc::shared::{CallError, List, Shared};
use serde::{Deserialize, Deserializer, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;

pub(crate) const SCENARIOS: &[Scenario] = &[("calls a ledger", calls_a_ledger)];

/// A type with all forms of methods.
struct Ledger<K: Ord> {
    entries: BTreeMap<K, i64>,
}

#[managed]
impl<K: Message + Ord + Clone + Send + Sync + 'static> Ledger<K> {
    pub(crate) fn new() -> Self {
        Ledger { entries: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, key: K, amount: i64) -> Option<i64> {
        self.entries.insert(key, amount)
    }

    pub(crate) fn take(&mut self, key: K, amount: i64) -> Result<i64, String> {
        let there = self.entries.get_mut(&key).filter(|there| **there >= amount).ok_or("too few")?;
        *there -= amount;
        Ok(*there)
    }

    pub(crate) fn total(&self) -> i64 {
        self.entries.values().sum()
    }

    pub(crate) fn swap(&mut self, (one, other): (K, K)) {
        let (a, b) = (self.entries.remove(&one), self.entries.remove(&other));
        self.entries.extend(a.map(|a| (other, a)));
        self.entries.extend(b.map(|b| (one, b)));
    }

    pub(crate) fn fail(&mut self) {
        panic!("no more");
    }

    /// Puts the keys into a list, of this program or another.
    pub(crate) fn tell(&self, list: List<K>) -> Result<usize, CallError> {
        list.extend(self.entries.keys().cloned())?;
        list.len()
    }

    #[cfg(any())]
    pub(crate) fn nowhere(&self, _missing: Missing) {}
}

/// It is not `Sync`.
struct Visits(Cell<u64>);

#[managed(exclusive, proxy = Door)]
impl Visits {
    pub(crate) fn begin() -> Visits {
        Visits(Cell::new(0))
    }

    pub(crate) fn visit(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

/// Another program has made something else of the same name.
mod changed {
    pub(super) struct Visits;

    #[csproc::shared::managed]
    impl Visits {
        pub(crate) fn begin() -> Visits {
            Visits
        }

        pub(crate) fn visit(&self) -> u32 {
            0
        }
    }
}

/// A value that nobody survives to read.
#[derive(Debug, Serialize)]
struct Trap;

impl<'de> Deserialize<'de> for Trap {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Trap, D::Error> {
        std::panic::resume_unwind(Box::new("trapped"));
    }
}

#[process]
fn add(ledger: LedgerProxy<String>, key: String, count: i64) -> csproc::Result<()> {
    for number in 0..count {
        ledger.add(format!("{key} {number}"), 1)?;
    }
    Ok(())
}

#[process]
fn hand_on(ledger: LedgerProxy<u8>, list: List<u8>) -> (LedgerProxy<u8>, List<u8>) {
    (ledger, list)
}

/// Another program, in which the type is the same.
fn calls_a_ledger() {
    let path = std::env::var_os("CSPROC_TEST_PATH").unwrap();
    let ledger: LedgerProxy<String> = Manager::connect(path, KEY).unwrap().get("ledger").unwrap();
    ledger.add("theirs".into(), 5).unwrap();
    println!("total: {}", ledger.total().unwrap());
}

over_both! {
    fn all_methods_are_called_from_all_processes(placement) {
        let (manager, _, connect) = served();
        let here = LedgerProxy::<String>::new(&manager).unwrap();
        manager.share("ledger", &here).unwrap();
        let there: LedgerProxy<String> = connect().get("ledger").unwrap();
        let adds = |key: &str| add(there.clone(), key.into(), 50).on(placement);
        Parallel!(adds("a"), adds("b")).values().unwrap();
        assert_eq!((here.total(), there.total()), (Ok(100), Ok(100)));
        assert_eq!((there.add("a 0".into(), 7), there.add("new".into(), 1)), (Ok(Some(1)), Ok(None)));
        assert_eq!(there.take("a 0".into(), 5), Ok(Ok(2)));
        assert_eq!(there.take("a 0".into(), 5), Ok(Err("too few".into())));
        there.swap(("a 0".into(), "new".into())).unwrap();
        assert_eq!(here.take("new".into(), 0), Ok(Ok(2)));
        assert_eq!(there.as_ref().with((), |_, ()| ()), Err(CallError::Elsewhere));
    }
}

once! {
    fn two_programs_call_one_object() {
        let (manager, path) = (Manager::new().unwrap(), path());
        manager.serve(&path, KEY).unwrap();
        let ledger = LedgerProxy::<String>::new(&manager).unwrap();
        ledger.add("ours".into(), 3).unwrap();
        manager.share("ledger", &ledger).unwrap();
        let (mut program, tag) = command("calls a ledger");
        program.env("CSPROC_TEST_PATH", &path);
        let mut program = Program::start_as(&mut program, tag);
        assert_eq!(program.until("total: "), "8");
        assert!(program.wait().success());
        assert_eq!(ledger.total(), Ok(8));
    }

    fn an_exclusive_type_is_served_one_call_at_a_time() {
        let (manager, path, connect) = served();
        manager.share("door", &Door::begin(&manager).unwrap()).unwrap();
        let door: Door = connect().get("door").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| assert!(door.visit().is_ok())));
            }
        });
        assert_eq!(door.visit(), Ok(201));
        assert_eq!(format!("{door:?}"), format!("Managed({:?})", format!("door at {}", path.display())));
    }

    fn a_type_of_the_same_name_with_other_methods_is_another_one() {
        let (manager, _, connect) = served();
        manager.share("door", &Door::begin(&manager).unwrap()).unwrap();
        let error = connect().get::<changed::VisitsProxy>("door").unwrap_err();
        let expected = CallError::WrongType {
            name: "door".into(),
            stored: "Visits with other methods or fields".into(),
            asked: "Visits".into(),
        };
        assert_eq!(error, expected);
        assert_eq!(changed::VisitsProxy::begin(&manager).unwrap().visit(), Ok(0));
    }

    fn a_method_that_panics_is_the_crash_of_its_object_for_all_programs() {
        let (manager, _, connect) = served();
        let here = LedgerProxy::<u8>::new(&manager).unwrap();
        manager.share("ledger", &here).unwrap();
        let there: LedgerProxy<u8> = connect().get("ledger").unwrap();
        let error = there.fail().unwrap_err();
        assert!(matches!(&error, CallError::Lost { process, cause: Cause::Panicked { message, .. } }
            if process == "manager: Ledger 1" && message == "no more"), "{error}");
        assert_eq!((here.total(), there.total()), (Err(error.clone()), Err(error)));
    }

    fn an_object_of_the_other_program_can_be_an_argument() {
        let (manager, _, connect) = served();
        let ledger = LedgerProxy::<String>::new(&manager).unwrap();
        ledger.add("one".into(), 1).unwrap();
        let names = manager.list::<String>([]).unwrap();
        manager.share("ledger", &ledger).unwrap();
        manager.share("names", &names).unwrap();
        let remote = connect();
        let (ledger, names): (LedgerProxy<String>, List<String>) =
            (remote.get("ledger").unwrap(), remote.get("names").unwrap());
        assert_eq!(ledger.tell(names.clone()), Ok(Ok(1)));
        assert_eq!(names.to_vec().unwrap(), ["one"]);
        let own = manager.list::<String>([]).unwrap();
        let error = ledger.tell(own).unwrap_err();
        assert!(matches!(&error, CallError::Invalid(_)), "{error}");
    }

    fn a_proxy_is_a_plain_result_and_can_be_used_after_a_panic() {
        fn is_plain<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
        is_plain::<(List<u8>, Shared<u8>, Namespace, csproc::shared::Dict<u8, u8>)>();
        is_plain::<(Door, csproc::shared::Remote)>();
        let (manager, _, connect) = served();
        manager.share("ledger", &LedgerProxy::<u8>::new(&manager).unwrap()).unwrap();
        manager.share("list", &manager.list([1_u8]).unwrap()).unwrap();
        let remote = connect();
        let (ledger, list) = (remote.get("ledger").unwrap(), remote.get("list").unwrap());
        let (ledger, list) = Parallel!(hand_on(ledger, list)).values().unwrap();
        assert_eq!((ledger.total(), list.len()), (Ok(0), Ok(1)));
    }

    fn an_argument_that_panics_as_it_is_read_costs_its_own_connection_alone() {
        let (manager, _, connect) = served();
        let traps = manager.list::<Trap>([]).unwrap();
        manager.share("traps", &traps).unwrap();
        manager.share("value", &manager.value(1).unwrap()).unwrap();
        let remote = connect();
        let there: List<Trap> = remote.get("traps").unwrap();
        let value: Shared<i32> = remote.get("value").unwrap();
        for _ in 0..3 {
            let error = there.push(Trap).unwrap_err();
            assert!(matches!(&error, CallError::Io { .. }), "{error}");
            assert_eq!((value.get(), there.len()), (Ok(1), Ok(0)));
        }
        assert_eq!(traps.len(), Ok(0), "the object has never seen it");
    }
}
