//! Proxies go everywhere, are counted everywhere, and with the last one the object goes.
//!
//! Knows nothing of what objects do.

use crate::Object;
use csproc::prelude::*;
use csproc::shared::{Dict, List, Managed, ManagerHandle, Shared};

/// An object that tells, by the end of a channel, when it is dropped.
type Mortal = Managed<Object<Writer<u8>>>;

fn mortal(manager: &Manager) -> (Mortal, Reader<u8>) {
    let (w, r) = csproc::channel::<u8>();
    (manager.create_with(w, Object).unwrap(), r)
}

/// The object is there.
fn lives(end: &Reader<u8>) -> bool {
    end.try_read().unwrap_err().is_would_block()
}

#[process]
fn keep_until(proxy: Mortal, until: Reader<()>) {
    let _ = until.read();
    drop(proxy);
}

#[process]
fn hand_back(proxy: List<u32>) -> List<u32> {
    proxy
}

#[process]
fn send_on(proxies: Reader<List<u32>>, out: Writer<List<u32>>) -> csproc::Result<()> {
    for list in proxies {
        list.push(2)?;
        out.write(list)?;
    }
    Ok(())
}

#[process]
fn append_to_the_inner(outer: Dict<String, List<u32>>) -> csproc::Result<()> {
    let inner = outer.get(&"inner".into())?.expect("it is there");
    Ok(inner.push(7)?)
}

#[process]
fn return_poison(list: List<u32>, end: Reader<()>) -> csproc::Result<()> {
    list.push(1)?;
    Ok(end.read()?)
}

over_both! {
    fn an_object_goes_with_its_last_proxy(placement) {
        let manager = Manager::new().unwrap();
        let (proxy, end) = mortal(&manager);
        let other = proxy.clone();
        let (w, r) = csproc::channel::<()>();
        let child = Spawn!(keep_until(proxy.clone(), r).on(placement)).unwrap();
        drop(proxy);
        drop(other);
        assert!(lives(&end), "a process has it");
        drop(w);
        child.join().unwrap();
        assert_eq!(end.read(), Err(ChannelError::Retired));
    }

    fn proxies_travel_in_arguments_results_and_messages(placement) {
        let manager = Manager::new().unwrap();
        let list = manager.list([1]).unwrap();
        let list = Parallel!(hand_back(list).on(placement)).unwrap();
        let (to, from) = (Channel::new(), Channel::new());
        let (w, r) = (to.writer(), from.reader());
        let child = Spawn!(send_on(to.reader(), from.writer()).on(placement)).unwrap();
        w.write(list).unwrap();
        let list = r.read().unwrap();
        drop(w);
        child.join().unwrap().unwrap();
        assert_eq!(list.to_vec().unwrap(), [1, 2]);
    }

    fn an_object_in_an_object_is_changed_where_it_is(placement) {
        let manager = Manager::new().unwrap();
        let (outer, inner) = (manager.dict().unwrap(), manager.list([1]).unwrap());
        outer.insert(String::from("inner"), inner.clone()).unwrap();
        Parallel!(append_to_the_inner(outer).on(placement)).values().unwrap();
        assert_eq!(inner.to_vec().unwrap(), [1, 7]);
    }

    fn whoever_ends_with_poison_takes_no_object_along(placement) {
        let manager = Manager::new().unwrap();
        let list = manager.list([]).unwrap();
        let (w, r) = csproc::channel::<()>();
        w.poison();
        let ended = Parallel!(return_poison(list.clone(), r).on(placement)).unwrap();
        assert!(ended.is_err());
        assert_eq!(list.to_vec(), Ok(vec![1]));
    }
}

once! {
    fn an_object_lives_in_another_one_and_goes_with_it() {
        let manager = Manager::new().unwrap();
        let (proxy, end) = mortal(&manager);
        let outer = manager.list([proxy]).unwrap();
        assert!(lives(&end), "the list has it");
        let copy = outer.get(0).unwrap().unwrap();
        outer.clear().unwrap();
        assert!(lives(&end), "the copy has it");
        drop(copy);
        assert_eq!(end.read(), Err(ChannelError::Retired));
    }

    fn an_object_goes_with_a_client_that_is_killed() {
        let manager = Manager::new().unwrap();
        let (proxy, end) = mortal(&manager);
        let (_w, r) = csproc::channel::<()>();
        let child = Spawn!(keep_until(proxy, r)).unwrap();
        assert!(lives(&end));
        child.kill().unwrap();
        assert!(child.join().is_err());
        assert_eq!(end.read(), Err(ChannelError::Retired));
    }

    fn proxies_in_a_circle_go_with_the_manager() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Knot(Option<Shared<Knot>>, Writer<u8>);
        let manager = Manager::new().unwrap();
        let (w, r) = csproc::channel::<u8>();
        let knot = manager.value(Knot(None, w)).unwrap();
        knot.with(knot.clone(), |knot, itself| knot.0 = Some(itself)).unwrap();
        drop(knot);
        assert!(lives(&r), "it has itself");
        manager.shutdown().unwrap();
        assert_eq!(r.read(), Err(ChannelError::Retired));
    }

    fn an_object_makes_others_in_its_own_manager() {
        let manager = Manager::new().unwrap();
        let maker = manager.value(manager.handle()).unwrap();
        let list = maker
            .with((), |handle: &mut ManagerHandle, ()| handle.list([1, 2]).map_err(|error| error.to_string()))
            .unwrap()
            .unwrap();
        assert_eq!(list.to_vec().unwrap(), [1, 2]);
    }

    fn objects_call_objects_of_the_same_and_of_another_manager() {
        let (one, other) = (Manager::new().unwrap(), Manager::named("other").unwrap());
        let (a, b) = (one.value(1).unwrap(), other.value(10).unwrap());
        let c = one.value(100).unwrap();
        let sum = a.with((b, c), |a: &mut i32, (b, c)| {
            let parts = (b.get(), c.get());
            parts.0.and_then(|b| parts.1.map(|c| *a + b + c))
        });
        assert_eq!(sum, Ok(Ok(111)));
    }

    fn many_objects_come_and_go() {
        let manager = Manager::new().unwrap();
        for turn in 0..1000_u32 {
            let value = manager.value(turn).unwrap();
            assert_eq!(value.get(), Ok(turn));
        }
        let many: Vec<Shared<u32>> = (0..100).map(|number| manager.value(number).unwrap()).collect();
        assert!(many.iter().enumerate().all(|(number, value)| value.get() == Ok(number as u32)));
        manager.shutdown().unwrap();
    }

    fn a_proxy_says_what_it_is_called() {
        let manager = Manager::named("ledger").unwrap();
        let _first = manager.list::<u8>([]).unwrap();
        let (object, _end) = mortal(&manager);
        assert_eq!(format!("{object:?}"), r#"Managed("ledger: Object 2")"#);
        let name = object.with((), |_, ()| String::from(csproc::current().name())).unwrap();
        assert_eq!(name, "ledger: Object 2");
    }
}
