//! `#[managed]` makes proxies that do what the methods of a type do.
//!
//! Knows nothing of what is said to those who misuse it; `tests/ui` holds that.

use csproc::prelude::*;
use csproc::shared::{CallError, List, Managed};
use std::cell::Cell;
use std::collections::BTreeMap;

/// A type with all forms of methods.
struct Ledger<K: Ord> {
    entries: BTreeMap<K, i64>,
    changes: u64,
}

#[managed]
impl<K: Message + Ord + Clone + Send + Sync + 'static> Ledger<K> {
    /// Nothing in it.
    pub(crate) fn new() -> Self {
        Ledger { entries: BTreeMap::new(), changes: 0 }
    }

    pub(crate) fn with_entries((first, amount): (K, i64), more: Vec<(K, i64)>) -> Ledger<K> {
        let entries = std::iter::once((first, amount)).chain(more).collect();
        Ledger { entries, changes: 0 }
    }

    pub(crate) fn add(&mut self, key: K, mut amount: i64) -> Option<i64> {
        self.count();
        amount += self.entries.get(&key).copied().unwrap_or(0);
        self.entries.insert(key, amount)
    }

    pub(crate) fn take(&mut self, key: K, amount: i64) -> Result<i64, String> {
        let Some(there) = self.entries.get_mut(&key).filter(|there| **there >= amount) else {
            return Err(format!("there are no {amount}"));
        };
        *there -= amount;
        Ok(*there)
    }

    pub(crate) fn swap(&mut self, (one, other): (K, K)) {
        let (a, b) = (self.entries.remove(&one), self.entries.remove(&other));
        self.entries.extend(a.map(|a| (other, a)));
        self.entries.extend(b.map(|b| (one, b)));
    }

    pub(crate) fn total(&self) -> i64 {
        self.entries.values().sum()
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Puts the keys into a list of the same manager or another.
    pub(crate) fn tell(&self, list: List<K>) -> Result<usize, CallError> {
        list.extend(self.entries.keys().cloned())?;
        list.len()
    }

    /// Nobody else has it.
    fn count(&mut self) {
        self.changes += 1;
    }

    /// Made without an object, and makes none.
    pub(crate) fn kind() -> &'static str {
        "ledger"
    }
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

mod elsewhere {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(crate) struct Text(pub(crate) String);

    #[csproc::shared::managed(crate = csproc)]
    impl Text {
        pub(crate) fn append(&mut self, more: String) {
            self.0.push_str(&more);
        }

        pub(crate) fn read(&self) -> String {
            self.0.clone()
        }
    }
}

#[process]
fn earn(ledger: LedgerProxy<String>, who: String, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        ledger.add(who.clone(), 1)?;
    }
    Ok(())
}

#[process]
fn visit(door: Door, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        door.visit()?;
    }
    Ok(())
}

over_both! {
    fn a_proxy_has_the_methods_of_the_type_in_all_processes(placement) {
        let manager = Manager::new().unwrap();
        let ledger = LedgerProxy::<String>::new(&manager).unwrap();
        let workers = |who: &str| earn(ledger.clone(), who.to_string(), 200).on(placement);
        Parallel!(workers("a"), workers("b"), workers("a")).values().unwrap();
        assert_eq!((ledger.total(), ledger.changes()), (Ok(600), Ok(600)));
        ledger.swap(("a".into(), "b".into())).unwrap();
        assert_eq!(ledger.take("b".into(), 300), Ok(Ok(100)));
        assert_eq!(ledger.take("b".into(), 300), Ok(Err("there are no 300".into())));
        let names = manager.list([]).unwrap();
        assert_eq!(ledger.tell(names.clone()), Ok(Ok(2)));
        assert_eq!(names.to_vec().unwrap(), ["a", "b"]);
        assert_eq!(Ledger::<String>::kind(), "ledger");
    }

    fn an_exclusive_type_need_not_be_sync(placement) {
        let manager = Manager::new().unwrap();
        let door = Door::begin(&manager.handle()).unwrap();
        Parallel!(for _ in 0..3 => visit(door.clone(), 100).on(placement)).values().unwrap();
        assert_eq!(door.visit(), Ok(301));
    }
}

once! {
    fn makers_have_any_name_and_visibility() {
        let manager = Manager::named("bank").unwrap();
        let ledger = LedgerProxy::with_entries(&manager, (7, 70), vec![(8, 80)]).unwrap();
        assert_eq!(ledger.add(7, 5), Ok(Some(70)));
        assert_eq!(ledger.total(), Ok(155));
        assert_eq!(format!("{ledger:?}"), r#"Managed("bank: Ledger 1")"#);
    }

    fn an_object_that_is_a_message_is_sent() {
        let manager = Manager::new().unwrap();
        let text = manager.create(elsewhere::Text(String::from("one"))).unwrap();
        text.append(String::from(" two")).unwrap();
        assert_eq!(text.read().unwrap(), "one two");
    }

    fn a_proxy_leads_to_what_can_be_done_with_every_object() {
        let manager = Manager::new().unwrap();
        let door = Door::begin(&manager).unwrap();
        let again: Door = Managed::<Visits>::clone(door.as_ref()).into();
        assert_eq!(door.as_ref().with(10, |visits, more| visits.0.replace(more)), Ok(0));
        assert_eq!(again.visit(), Ok(11));
    }

    fn a_method_that_panics_is_the_crash_of_its_object() {
        let manager = Manager::new().unwrap();
        let ledger = LedgerProxy::<u8>::new(&manager).unwrap();
        ledger.add(1, i64::MAX).unwrap();
        let error = ledger.as_ref().with((), |ledger, ()| -> () { panic!("{}", ledger.entries.len()) }).unwrap_err();
        assert!(matches!(&error, CallError::Lost { process, .. } if process == "manager: Ledger 1"), "{error}");
        assert_eq!(ledger.total(), Err(error));
    }
}
