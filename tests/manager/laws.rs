//! Each call is one step for everybody else, and what an object does is what its type does.
//!
//! Knows nothing of failures.

use crate::Object;
use csproc::prelude::*;
use csproc::shared::{CallError, Dict, List, ManagerHandle, Shared};
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::time::{Duration, Instant};

const TIMES: u64 = 300;

#[process]
fn count(dict: Dict<String, u64>, value: Shared<Vec<u64>>, namespace: Namespace) -> csproc::Result<()> {
    for turn in 0..TIMES {
        dict.update(format!("{}", turn % 3), 0, |count| *count += 1)?;
        value.update(|value| value[0] += 1)?;
        namespace.update("count", |count: &mut u64| *count += 1)?;
    }
    Ok(())
}

/// Reads in one call, and writes in another.
#[process]
fn count_in_two_steps(value: Shared<Vec<u64>>, meet: Barrier) -> csproc::Result<()> {
    let before = value.get()?[0];
    meet.sync()?;
    Ok(value.set(vec![before + 1])?)
}

#[process]
fn transfer(accounts: Dict<u8, i64>, seed: u64) -> csproc::Result<()> {
    for turn in 0..TIMES {
        let (from, to) = ((seed + turn) as u8 % 5, (seed * 3 + turn * 7) as u8 % 5);
        accounts.with((from, to), |accounts, (from, to)| {
            *accounts.entry(from).or_default() -= 1;
            *accounts.entry(to).or_default() += 1;
        })?;
    }
    Ok(())
}

/// However it is looked at, nothing is missing.
#[process]
fn audit_accounts(accounts: Dict<u8, i64>) -> csproc::Result<()> {
    for _ in 0..TIMES {
        assert_eq!(accounts.values()?.iter().sum::<i64>(), 500);
        assert_eq!(accounts.look((), |accounts, ()| accounts.values().sum::<i64>())?, 500);
    }
    Ok(())
}

#[process]
fn push_in_order(list: List<(u64, u64)>, number: u64) -> csproc::Result<()> {
    for turn in 0..TIMES {
        list.push((number, turn))?;
    }
    Ok(())
}

#[process]
fn make_objects(manager: ManagerHandle) -> csproc::Result<(List<String>, Shared<u64>)> {
    Ok((manager.list([String::from("made elsewhere")])?, manager.value(7)?))
}

over_both! {
    fn changes_are_steps_and_none_is_lost(placement) {
        let manager = Manager::new().unwrap();
        let (dict, value) = (manager.dict().unwrap(), manager.value(vec![0]).unwrap());
        let namespace = manager.namespace().unwrap();
        namespace.set("count", 0_u64).unwrap();
        let worker = || count(dict.clone(), value.clone(), namespace.clone()).on(placement);
        Parallel!(for _ in 0..4 => worker()).values().unwrap();
        assert_eq!(dict.values().unwrap(), [4 * TIMES / 3; 3]);
        assert_eq!(value.get().unwrap(), [4 * TIMES]);
        assert_eq!(namespace.get::<u64>("count").unwrap(), 4 * TIMES);
    }

    fn two_calls_are_two_steps(placement) {
        let manager = Manager::new().unwrap();
        let (value, meet) = (manager.value(vec![0]).unwrap(), Barrier::new(3));
        Parallel!(for _ in 0..3 => count_in_two_steps(value.clone(), meet.clone()).on(placement)).values().unwrap();
        assert_eq!(value.get().unwrap(), [1], "all have read before one has written");
    }

    fn nobody_sees_half_of_a_call(placement) {
        let manager = Manager::new().unwrap();
        let accounts = manager.dict_from((0..5).map(|number| (number, 100))).unwrap();
        Parallel!(
            for seed in 0..3 => transfer(accounts.clone(), seed).on(placement),
            audit_accounts(accounts.clone()).on(placement),
        ).values().unwrap();
    }

    fn the_calls_of_one_process_keep_their_order(placement) {
        let manager = Manager::new().unwrap();
        let list = manager.list([]).unwrap();
        Parallel!(for number in 0..3 => push_in_order(list.clone(), number).on(placement)).values().unwrap();
        let items = list.to_vec().unwrap();
        for number in 0..3 {
            let turns = items.iter().filter(|(who, _)| *who == number).map(|(_, turn)| *turn);
            assert!(turns.eq(0..TIMES));
        }
    }

    fn objects_are_made_from_everywhere_and_outlive_their_makers(placement) {
        let manager = Manager::new().unwrap();
        let (list, value) = Parallel!(make_objects(manager.handle()).on(placement)).values().unwrap();
        assert_eq!(list.get(0).unwrap().unwrap(), "made elsewhere");
        assert_eq!(value.get(), Ok(7));
    }
}

fn shows(value: &(impl Debug + Display), text: &str) {
    assert_eq!(value.to_string(), text);
}

once! {
    fn a_list_does_what_a_vector_does() {
        let manager = Manager::new().unwrap();
        let list = manager.list(["b", "a"].map(String::from)).unwrap();
        list.push("c".into()).unwrap();
        list.insert(3, "d".into()).unwrap();
        list.insert(0, "e".into()).unwrap();
        assert_eq!(list.to_vec().unwrap(), ["e", "b", "a", "c", "d"]);
        list.sort().unwrap();
        list.swap(0, 4).unwrap();
        list.reverse().unwrap();
        assert_eq!(list.iter().unwrap().collect::<String>(), "adcbe");
        assert_eq!(list.remove(1).unwrap(), "d");
        assert_eq!(list.position(&"c".into()), Ok(Some(1)));
        assert_eq!((list.contains(&"c".into()), list.contains(&"d".into())), (Ok(true), Ok(false)));
        list.set(1, "z".into()).unwrap();
        assert_eq!((list.get(1).unwrap(), list.get(9).unwrap()), (Some("z".into()), None));
        list.extend(["x".into(), "y".into()]).unwrap();
        list.truncate(5).unwrap();
        assert_eq!((list.len(), list.pop()), (Ok(5), Ok(Some("x".into()))));
        shows(&list, r#"["a", "z", "b", "e"]"#);
        list.clear().unwrap();
        assert_eq!((list.is_empty(), list.pop()), (Ok(true), Ok(None)));
    }

    fn a_place_that_a_list_does_not_have_is_an_error_and_changes_nothing() {
        let manager = Manager::new().unwrap();
        let list = manager.list([1, 2]).unwrap();
        let none = |index| CallError::OutOfRange { index, len: 2 };
        assert_eq!(list.insert(3, 0), Err(none(3)));
        assert_eq!(list.remove(2), Err(none(2)));
        assert_eq!(list.set(usize::MAX, 0), Err(none(usize::MAX)));
        assert_eq!((list.swap(0, 2), list.swap(7, 1)), (Err(none(2)), Err(none(7))));
        assert_eq!(list.to_vec().unwrap(), [1, 2]);
        assert_eq!(none(2).to_string(), "there is no place 2 in a list of 2 items, whose first place is 0");
    }

    fn a_dict_does_what_a_map_does_in_the_order_of_its_keys() {
        let manager = Manager::new().unwrap();
        let dict = manager.dict::<String, u32>().unwrap();
        assert_eq!((dict.insert("two".into(), 1), dict.insert("two".into(), 2)), (Ok(None), Ok(Some(1))));
        dict.extend([("three".into(), 3), ("one".into(), 1)]).unwrap();
        assert_eq!(dict.keys().unwrap(), ["one", "three", "two"]);
        assert_eq!(dict.values().unwrap(), [1, 3, 2]);
        assert_eq!((dict.get(&"two".into()), dict.get(&"four".into())), (Ok(Some(2)), Ok(None)));
        assert_eq!((dict.contains_key(&"one".into()), dict.len()), (Ok(true), Ok(3)));
        assert_eq!((dict.get_or_insert("one".into(), 9), dict.get_or_insert("four".into(), 4)), (Ok(1), Ok(4)));
        dict.update("five".into(), 4, |five| *five += 1).unwrap();
        assert_eq!((dict.remove(&"five".into()), dict.remove(&"five".into())), (Ok(Some(5)), Ok(None)));
        shows(&dict, r#"{"four": 4, "one": 1, "three": 3, "two": 2}"#);
        dict.clear().unwrap();
        assert_eq!((dict.is_empty(), dict.items()), (Ok(true), Ok(vec![])));
    }

    fn a_namespace_keeps_values_of_any_types_and_knows_them() {
        let manager = Manager::new().unwrap();
        let namespace = manager.namespace().unwrap();
        assert_eq!(format!("{namespace} {namespace:?}"), "Namespace() Namespace");
        namespace.set("x", 1).unwrap();
        namespace.set("name", String::from("Ada")).unwrap();
        assert_eq!(format!("{namespace}"), r#"Namespace(name = "Ada", x = 1)"#);
        assert_eq!(format!("{namespace:?}"), r#"Namespace { name: "Ada", x: 1 }"#);
        let missing = CallError::Missing { name: "y".into() };
        assert_eq!(namespace.get::<i32>("y"), Err(missing.clone()));
        assert_eq!(namespace.update("y", |y: &mut i32| *y += 1), Err(missing));
        let wrong =
            CallError::WrongType { name: "x".into(), stored: "i32".into(), asked: "alloc::string::String".into() };
        assert_eq!(namespace.get::<String>("x"), Err(wrong.clone()));
        assert_eq!(namespace.update("x", String::clear), Err(wrong));
        let length = namespace.update_with("name", '!', |name: &mut String, last| {
            name.push(last);
            name.len()
        });
        assert_eq!(length, Ok(4));
        // Another type under the same name.
        namespace.set("x", vec![1_u8]).unwrap();
        assert_eq!(namespace.get::<Vec<u8>>("x"), Ok(vec![1]));
        assert_eq!((namespace.remove("x"), namespace.names()), (Ok(true), Ok(vec!["name".into()])));
    }

    fn an_object_that_is_no_message_is_made_where_it_stays() {
        let manager = Manager::new().unwrap();
        let made = manager.create_with(5, |number: u64| Object(std::rc::Rc::new(number))).unwrap();
        let (pid, number) = made.with((), |object, ()| (std::process::id(), *object.0)).unwrap();
        assert_eq!(number, 5);
        assert_ne!(pid, std::process::id());
    }

    fn large_values_and_results_travel() {
        let manager = Manager::new().unwrap();
        let list = manager.list(0..300_000_u64).unwrap();
        assert!(list.iter().unwrap().eq(0..300_000));
        list.extend(300_000..600_000).unwrap();
        let sum = list.look((), |list, ()| list.iter().sum::<u64>()).unwrap();
        assert_eq!(sum, 600_000 * 599_999 / 2);
    }

    fn numbers_go_in_one_piece_and_other_things_one_by_one() {
        const LENGTH: usize = 1 << 20;
        let manager = Manager::new().unwrap();
        let (list, value) = (manager.list(vec![7_u8; LENGTH]).unwrap(), manager.value(vec![7_u8; LENGTH]).unwrap());
        // The fastest of some times, and how many of them came.
        fn fastest<T>(work: impl Fn() -> Result<Vec<T>, CallError>) -> (Duration, usize) {
            let one = || {
                let began = Instant::now();
                let length = work().unwrap().len();
                (began.elapsed(), length)
            };
            (0..5).map(|_| one()).min().unwrap()
        }
        let (slow, length) = fastest(|| list.with(LENGTH, |_, length| vec![true; length]));
        assert_eq!(length, LENGTH);
        for (what, (fast, length)) in [
            ("a result", fastest(|| list.with(LENGTH, |_, length| vec![7_u8; length]))),
            ("a result of a look", fastest(|| list.look(LENGTH, |_, length| vec![7_u8; length]))),
            ("an argument and a result", fastest(|| list.with(vec![7_u8; LENGTH], |_, bytes: Vec<u8>| bytes))),
            ("a list", fastest(|| list.to_vec())),
            ("a value", fastest(|| value.get())),
        ] {
            assert_eq!(length, LENGTH, "{what}");
            assert!(3 * fast < slow, "{what} took {fast:?}, and as many bools {slow:?}");
        }
        assert!(list.to_vec().unwrap().iter().all(|byte| *byte == 7));
    }

    fn a_handle_of_a_dict_shows_its_order_to_all() {
        let manager = Manager::new().unwrap();
        let dict = manager.dict_from([(3, 'c'), (1, 'a'), (2, 'b'), (1, 'z')]).unwrap();
        let expected: BTreeMap<i32, char> = [(1, 'z'), (2, 'b'), (3, 'c')].into();
        assert_eq!(dict.with((), |map, ()| map.clone()), Ok(expected));
    }
}
