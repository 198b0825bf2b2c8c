//! What another program shares is used as one's own is: the same methods, results and errors, in all processes.
//!
//! Knows nothing of who dies. The two programs are one here: that makes no difference, for nothing but the socket leads
//! from a client to the objects.

use crate::harness::place::Place;
use crate::{KEY, path, served};
use csproc::prelude::*;
use csproc::shared::{CallError, Dict, Event, List, Remote, ServeError, Shared};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// An enum, as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
enum Object {
    Number(i64),
    Text(String),
}

mod elsewhere {
    /// The same as it is in another program, where it lies in another module.
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct Point {
        pub(super) x: i32,
        pub(super) y: i32,
    }
}

mod changed {
    /// It is not the same any more.
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct Point {
        pub(super) x: i64,
        pub(super) y: i32,
    }
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Point {
    x: i32,
    y: i32,
}

/// An object that, when it is called, waits for what does not come.
struct Ear(Event, Writer<Place>);

#[managed]
impl Ear {
    pub(crate) fn of(event: Event, ready: Writer<Place>) -> Ear {
        Ear(event, ready)
    }

    pub(crate) fn hear(&mut self) {
        Place::announce(&self.1);
        self.0.wait().unwrap();
    }
}

#[process]
fn push(list: List<u32>, from: u32, count: u32) -> csproc::Result<()> {
    (from..from + count).try_for_each(|number| list.push(number))?;
    Ok(())
}

#[process]
fn sum(remote: Remote) -> csproc::Result<u32> {
    Ok(remote.get::<List<u32>>("numbers")?.iter()?.sum())
}

#[process]
fn listen(list: List<List<u8>>, input: Reader<u8>, ready: Writer<Place>) -> csproc::Result<usize> {
    // The list waits meanwhile.
    let count = list.with((input, ready), |list, (input, ready)| {
        Place::announce(&ready);
        input.read().map_or(0, |_| list.len())
    })?;
    Ok(count)
}

over_both! {
    fn a_proxy_travels_to_other_processes_and_leads_to_the_same_object(placement) {
        let (manager, _, connect) = served();
        let numbers = manager.list([1_u32, 2]).unwrap();
        manager.share("numbers", &numbers).unwrap();
        let remote = connect();
        let there: List<u32> = remote.get("numbers").unwrap();
        let pushes = |from| push(there.clone(), from, 100).on(placement);
        Parallel!(pushes(0), pushes(100), pushes(200)).values().unwrap();
        assert_eq!(numbers.len(), Ok(302));
        let total = Parallel!(sum(remote.clone()).on(placement)).values().unwrap();
        assert_eq!(total, 3 + (0..300).sum::<u32>());
    }
}

once! {
    fn a_list_has_its_methods() {
        let (manager, _, connect) = served();
        manager.share("list", &manager.list(["b".to_string()]).unwrap()).unwrap();
        let list: List<String> = connect().get("list").unwrap();
        let text = String::from;
        list.push(text("c")).unwrap();
        list.insert(0, text("a")).unwrap();
        list.extend([text("d"), text("e")]).unwrap();
        assert_eq!((list.len(), list.is_empty(), list.get(1)), (Ok(5), Ok(false), Ok(Some(text("b")))));
        assert_eq!((list.get(5), list.pop(), list.remove(0)), (Ok(None), Ok(Some(text("e"))), Ok(text("a"))));
        list.swap(0, 2).unwrap();
        list.set(1, text("x")).unwrap();
        list.reverse().unwrap();
        assert_eq!(list.to_vec().unwrap(), ["b", "x", "d"]);
        assert_eq!((list.contains(&text("x")), list.position(&text("d"))), (Ok(true), Ok(Some(2))));
        list.truncate(1).unwrap();
        assert_eq!(format!("{list:?} {list}"), r#"["b"] ["b"]"#);
        list.clear().unwrap();
        assert!(list.iter().unwrap().next().is_none());
        let out = CallError::OutOfRange { index: 3, len: 0 };
        assert_eq!((list.set(3, text("")), list.remove(3)), (Err(out.clone()), Err(out.clone())));
        assert_eq!((list.insert(3, text("")), list.swap(1, 3)), (Err(out.clone()), Err(out)));
        assert_eq!(list.sort(), Err(CallError::Elsewhere));
        assert_eq!(list.with((), |_, ()| ()), Err(CallError::Elsewhere));
        assert_eq!(list.look((), |_, ()| ()), Err(CallError::Elsewhere));
    }

    fn numbers_and_bytes_go_as_they_are_in_every_method() {
        // A vector of numbers has a way of its own in messages of one program.
        let (manager, _, connect) = served();
        manager.share("rows", &manager.list([vec![1_u8, 2], vec![]]).unwrap()).unwrap();
        manager.share("bytes", &manager.value(vec![3_u16; 1000]).unwrap()).unwrap();
        manager.share("map", &manager.dict::<Vec<u8>, Vec<i64>>().unwrap()).unwrap();
        let remote = connect();
        let rows: List<Vec<u8>> = remote.get("rows").unwrap();
        rows.push(vec![9; 300]).unwrap();
        assert_eq!(rows.to_vec().unwrap(), [vec![1, 2], vec![], vec![9; 300]]);
        assert_eq!(rows.position(&vec![]), Ok(Some(1)));
        let bytes: Shared<Vec<u16>> = remote.get("bytes").unwrap();
        assert_eq!(bytes.replace(vec![7]), Ok(vec![3; 1000]));
        assert_eq!(bytes.get(), Ok(vec![7]));
        let map: Dict<Vec<u8>, Vec<i64>> = remote.get("map").unwrap();
        assert_eq!(map.insert(vec![1, 2, 3], vec![-1]), Ok(None));
        assert_eq!(map.get(&vec![1, 2, 3]), Ok(Some(vec![-1])));
    }

    fn a_dictionary_has_its_methods() {
        let (manager, _, connect) = served();
        manager.share("dict", &manager.dict::<Object, Object>().unwrap()).unwrap();
        let dict: Dict<Object, Object> = connect().get("dict").unwrap();
        let (one, two) = (Object::Number(1), Object::Text("two".into()));
        assert_eq!(dict.insert(one.clone(), two.clone()), Ok(None));
        assert_eq!(dict.insert(one.clone(), one.clone()), Ok(Some(two.clone())));
        dict.extend([(two.clone(), one.clone())]).unwrap();
        assert_eq!(dict.get_or_insert(two.clone(), two.clone()), Ok(one.clone()));
        assert_eq!((dict.len(), dict.is_empty(), dict.contains_key(&two)), (Ok(2), Ok(false), Ok(true)));
        assert_eq!(dict.keys(), Ok(vec![one.clone(), two.clone()]));
        assert_eq!(dict.values(), Ok(vec![one.clone(), one.clone()]));
        assert_eq!(format!("{dict}"), r#"{Number(1): Number(1), Text("two"): Number(1)}"#);
        assert_eq!(dict.remove(&two), Ok(Some(one.clone())));
        assert_eq!(dict.items(), Ok(vec![(one.clone(), one.clone())]));
        assert_eq!(dict.update(one, two, |_| ()), Err(CallError::Elsewhere));
        dict.clear().unwrap();
        assert_eq!(dict.get(&Object::Number(1)), Ok(None));
    }

    fn a_namespace_has_values_of_both_programs() {
        let (manager, _, connect) = served();
        let here = manager.namespace().unwrap();
        manager.share("names", &here).unwrap();
        let there: Namespace = connect().get("names").unwrap();
        here.set("x", 1_i32).unwrap();
        there.set("y", 2_i32).unwrap();
        there.set("bytes", vec![1_u8]).unwrap();
        there.set("point", elsewhere::Point { x: 1, y: 2 }).unwrap();
        assert_eq!((there.get::<i32>("x"), there.get::<i32>("y")), (Ok(1), Ok(2)));
        assert_eq!((here.get::<i32>("x"), here.get::<i32>("y")), (Ok(1), Ok(2)));
        assert_eq!((here.get("bytes"), there.get("bytes")), (Ok(vec![1_u8]), Ok(vec![1_u8])));
        assert_eq!(here.get("point"), Ok(Point { x: 1, y: 2 }), "of a type of the same name in another module");
        // What came from the other program is changed where it is, and seen there.
        here.update("y", |y: &mut i32| *y += 40).unwrap();
        assert_eq!(here.update_with("point", 6, |point: &mut Point, x| std::mem::replace(&mut point.x, x)), Ok(1));
        assert_eq!((there.get("y"), there.get("point")), (Ok(42), Ok(elsewhere::Point { x: 6, y: 2 })));
        assert_eq!(there.to_string(), "Namespace(bytes = [1], point = Point { x: 6, y: 2 }, x = 1, y = 42)");
        assert_eq!(format!("{there:?}"), format!("{here:?}"));
        let error = there.get::<changed::Point>("point").unwrap_err();
        let stored = "Point with other fields";
        assert!(matches!(&error, CallError::WrongType { stored: is, .. } if is == stored), "{error}");
        assert_eq!(there.names().unwrap(), ["bytes", "point", "x", "y"]);
        let wrong = |stored: &str, asked: &str| {
            Err(CallError::WrongType { name: "x".into(), stored: stored.into(), asked: asked.into() })
        };
        assert_eq!(there.get::<u8>("x"), wrong("i32", "u8"));
        there.set("x", 3_u64).unwrap();
        assert_eq!(here.get::<u8>("x"), wrong("u64", "u8"));
        assert_eq!(here.update("x", |_: &mut u8| ()), wrong("u64", "u8").map(|_: u8| ()));
        assert_eq!(there.get::<u8>("z"), Err(CallError::Missing { name: "z".into() }));
        assert_eq!(there.update("x", |_: &mut u64| ()), Err(CallError::Elsewhere));
        assert_eq!((there.remove("x"), here.remove("x")), (Ok(true), Ok(false)));
    }

    fn an_object_is_found_by_its_name_as_what_it_is() {
        let (manager, _, connect) = served();
        let remote = connect();
        let missing = CallError::Missing { name: "list".into() };
        assert_eq!(remote.get::<List<u32>>("list").unwrap_err(), missing);
        manager.share("list", &manager.list([1_u32]).unwrap()).unwrap();
        let list: List<u32> = remote.get("list").unwrap();
        let wrong = |asked: &str| {
            CallError::WrongType { name: "list".into(), stored: "List<u32>".into(), asked: asked.into() }
        };
        assert_eq!(remote.get::<List<i32>>("list").unwrap_err(), wrong("List<i32>"));
        assert_eq!(remote.get::<Namespace>("list").unwrap_err(), wrong("Namespace"));
        manager.share("points", &manager.list([Point { x: 1, y: 2 }]).unwrap()).unwrap();
        let points: List<elsewhere::Point> = remote.get("points").unwrap();
        assert_eq!(points.get(0), Ok(Some(elsewhere::Point { x: 1, y: 2 })));
        let error = remote.get::<List<changed::Point>>("points").unwrap_err();
        let stored = "List<Point> with other methods or fields".into();
        let expected = CallError::WrongType { name: "points".into(), stored, asked: "List<Point>".into() };
        assert_eq!(error, expected);
        manager.share("list", &manager.list([2_u32]).unwrap()).unwrap();
        let other: List<u32> = remote.get("list").unwrap();
        assert_eq!((list.to_vec(), other.to_vec()), (Ok(vec![1]), Ok(vec![2])));
        let long = "x".repeat(256);
        let error = manager.share(&long, &list).unwrap_err();
        assert!(matches!(error, CallError::Invalid(_)) && error.to_string().contains("at most 255"), "{error}");
    }

    fn what_cannot_go_to_another_program_is_refused_and_harms_nothing() {
        let (manager, _, connect) = served();
        manager.share("lists", &manager.list([manager.list([1_u8]).unwrap()]).unwrap()).unwrap();
        manager.share("text", &manager.value(String::from("x")).unwrap()).unwrap();
        let remote = connect();
        let lists: List<List<u8>> = remote.get("lists").unwrap();
        let own = manager.list([2_u8]).unwrap();
        for error in [lists.push(own).unwrap_err(), lists.get(0).unwrap_err()] {
            assert!(matches!(error, CallError::Invalid(_)), "{error}");
            assert!(error.to_string().contains("not into a file or a socket"), "{error}");
        }
        assert_eq!(lists.len(), Ok(1));
        // A proxy of the other program is no end of a channel: it goes as what it is, a way to that program.
        let text: Shared<String> = remote.get("text").unwrap();
        manager.share("values", &manager.list([text.clone()]).unwrap()).unwrap();
        let values: List<Shared<String>> = remote.get("values").unwrap();
        values.push(text.clone()).unwrap();
        assert_eq!(values.get(1).unwrap().unwrap().get(), Ok("x".into()));
        // 64 MiB are the limit, in both directions.
        let error = text.set("x".repeat(65 << 20)).unwrap_err();
        assert!(error.to_string().contains("too many to go to another program"), "{error}");
        text.set("y".repeat(40 << 20)).unwrap();
        manager.share("pair", &manager.list(["x".repeat(40 << 20), "y".repeat(40 << 20)]).unwrap()).unwrap();
        let pair: List<String> = remote.get("pair").unwrap();
        let error = pair.to_vec().unwrap_err();
        assert!(error.to_string().contains("too many to go to another program"), "{error}");
        assert_eq!(pair.get(1).unwrap().map(|text| text.len()), Some(40 << 20));
    }

    fn a_crash_of_an_object_is_told_to_other_programs() {
        let (manager, _, connect) = served();
        let (one, other) = (manager.value(1).unwrap(), manager.value(2).unwrap());
        manager.share("one", &one).unwrap();
        manager.share("other", &other).unwrap();
        let remote = connect();
        let there: Shared<i32> = remote.get("one").unwrap();
        let error = one.update(|_| panic!("no more")).unwrap_err();
        assert!(matches!(&error, CallError::Lost { process, .. } if process == "manager: value 1"), "{error}");
        assert_eq!(there.get(), Err(error));
        assert_eq!(remote.get::<Shared<i32>>("other").unwrap().get(), Ok(2));
    }

    fn an_object_is_kept_by_its_manager_however_many_proxies_come_and_go() {
        let (manager, _, connect) = served();
        manager.share("list", &manager.list([1]).unwrap()).unwrap();
        for _ in 0..20 {
            let list: List<i32> = connect().get("list").unwrap();
            list.push(1).unwrap();
        }
        assert_eq!(connect().get::<List<i32>>("list").unwrap().len(), Ok(21));
    }

    fn a_place_is_served_once_and_others_are_told() {
        let (manager, path, connect) = served();
        let another = Manager::new().unwrap();
        assert_eq!(another.serve(&path, KEY), Err(ServeError::InUse { path: path.clone() }));
        assert_eq!(manager.serve(&path, KEY), Err(ServeError::InUse { path: path.clone() }));
        let second = path.with_file_name("second");
        another.serve(&second, b"another key").unwrap();
        for wrong in [KEY, b"another ke", b"another keys", b""] {
            assert_eq!(Manager::connect(&second, wrong).unwrap_err(), ServeError::Key { path: second.clone() });
        }
        let error = manager.serve(path.with_file_name("third"), &[0; 4097]).unwrap_err();
        assert!(matches!(error, ServeError::LongKey { limit: 4096, .. }), "{error}");
        Manager::connect(&second, b"another key").unwrap();
        let (remote, mode) = (connect(), |path| fs::metadata(path).unwrap().permissions().mode() & 0o777);
        assert_eq!(format!("{remote:?}"), format!("Remote({path:?})"));
        assert_eq!([mode(path.parent().unwrap()), mode(&path)], [0o700, 0o600]);
        drop(another);
        assert!(!second.exists());
        drop(manager);
        assert!(!path.parent().unwrap().exists());
    }

    fn calls_in_progress_are_finished_and_others_are_told_when_a_manager_ends() {
        let (manager, path, connect) = served();
        let list = manager.list([manager.list([1_u8]).unwrap()]).unwrap();
        manager.share("list", &list).unwrap();
        manager.share("other", &manager.value(1).unwrap()).unwrap();
        let remote = connect();
        let there: List<List<u8>> = remote.get("list").unwrap();
        let other: Shared<i32> = remote.get("other").unwrap();
        let (word, input) = csproc::channel();
        let (ready, announced) = csproc::channel();
        let child = Spawn!(listen(list.clone(), input, ready)).unwrap();
        announced.read().unwrap().until_asleep();
        // One call of another program waits behind it.
        let waiting = std::thread::spawn(move || there.len());
        let ender = std::thread::spawn(move || drop(manager));
        while other.get() != Err(CallError::Shutdown) {
            std::thread::yield_now();
        }
        assert!(!ender.is_finished(), "a call is in progress");
        word.write(7).unwrap();
        assert_eq!(child.join().values().unwrap(), 1);
        ender.join().unwrap();
        // Whether it was begun before the end is for the threads to say; it hangs in no case.
        let waited = waiting.join().unwrap();
        assert!(matches!(waited, Ok(1) | Err(CallError::Shutdown)), "{waited:?}");
        assert_eq!(Manager::connect(&path, KEY).unwrap_err(), ServeError::NotFound { path });
        assert_eq!(format!("{other:?}"), "Shared(<manager is gone>)");
    }

    fn a_call_in_progress_of_a_manager_that_is_killed_is_lost() {
        let (manager, path, connect) = served();
        let (event, (ready, announced)) = (Event::new(), csproc::channel());
        manager.share("ear", &EarProxy::of(&manager, event, ready).unwrap()).unwrap();
        let there: EarProxy = connect().get("ear").unwrap();
        let same = there.clone();
        let hears = std::thread::spawn(move || same.hear());
        announced.read().unwrap().until_asleep();
        manager.kill();
        let lost = CallError::Lost { process: "manager: Ear 1".into(), cause: Cause::Killed { signal: 9 } };
        assert_eq!(hears.join().unwrap(), Err(lost));
        assert_eq!(there.hear(), Err(CallError::Shutdown));
        assert!(!path.exists());
    }

    fn another_manager_at_the_same_path_is_not_taken_for_the_one_that_was_there() {
        let path = path();
        let one = Manager::new().unwrap();
        one.serve(&path, KEY).unwrap();
        one.share("value", &one.value(1).unwrap()).unwrap();
        let remote = Manager::connect(&path, KEY).unwrap();
        let there: Shared<i32> = remote.get("value").unwrap();
        drop(one);
        let other = Manager::new().unwrap();
        other.serve(&path, KEY).unwrap();
        other.share("value", &other.value(2).unwrap()).unwrap();
        assert_eq!((there.get(), there.set(3)), (Err(CallError::Shutdown), Err(CallError::Shutdown)));
        assert_eq!(remote.get::<Shared<i32>>("value").unwrap_err(), CallError::Shutdown);
        let anew = Manager::connect(&path, KEY).unwrap();
        assert_eq!(anew.get::<Shared<i32>>("value").unwrap().get(), Ok(2));
    }

    fn many_call_at_once_each_over_a_connection_of_its_own() {
        let (manager, _, connect) = served();
        manager.share("list", &manager.list::<u32>([]).unwrap()).unwrap();
        let list: List<u32> = connect().get("list").unwrap();
        std::thread::scope(|scope| {
            for number in 0..20 {
                let list = &list;
                scope.spawn(move || (0..50).for_each(|_| list.push(number).unwrap()));
            }
        });
        let mut all = list.to_vec().unwrap();
        all.sort_unstable();
        assert!(all.into_iter().eq((0..20).flat_map(|number| [number; 50])));
    }
}

alone! {
    fn nothing_is_left_of_a_manager_that_was_served() {
        let (manager, path, connect) = served();
        manager.share("list", &manager.list([1]).unwrap()).unwrap();
        let list: List<i32> = connect().get("list").unwrap();
        assert_eq!(list.len(), Ok(1));
        drop((list, manager));
        assert!(!path.parent().unwrap().exists());
        let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        let left: Vec<String> =
            names.filter(|name| name.starts_with("csproc-gateway") || name.starts_with("csproc-client")).collect();
        assert_eq!(left, Vec::<String>::new());
    }
}
