//! Killed after any single instruction of a call, a caller has called or has not, and the object goes on; and when the
//! process of the object is killed there, whoever has called is answered, or told who was lost.
//!
//! Knows nothing of how a call travels.

use crate::explore::{BOTH, Peer, explore, follow, is_lost, spawn};
use crate::harness::place::Place;
use crate::tracer::{Cut, Walk, begin, end, stepped, walk_thread};
use csproc::prelude::*;
use csproc::shared::{CallError, Dict, Managed, ManagedType, ManagerHandle};
use serde::{Deserialize, Serialize};

/// An object that may be anything.
struct Held<T>(T);

impl<T: 'static> ManagedType for Held<T> {
    type Proxy = Managed<Held<T>>;
    const NAME: &'static str = "Held";
}

#[process]
fn insert(dict: Dict<u64, u64>, ready: Writer<()>) {
    // What the first call of a process makes exists already.
    dict.remove(&0).unwrap();
    ready.write(()).unwrap();
    assert_eq!(stepped(|| dict.insert(1, 9)), Ok(None));
}

/// A victim that calls. If the object is busy, then with somebody who waits until the victim sleeps.
fn insert_scene(is_busy: bool, policy: OnCrash, cut: Cut) -> Walk {
    let manager = Manager::new().unwrap();
    let dict = manager.dict().unwrap();
    let (warm, is_warm) = csproc::channel();
    let victim = spawn(insert(dict.clone(), warm), policy);
    is_warm.read().unwrap();
    let ((word, r), (ready, announced)) = (csproc::channel::<()>(), csproc::channel());
    let busy = is_busy.then(|| {
        let dict = dict.clone();
        let peer = Peer::start(move || {
            dict.with((ready, r), |_, (ready, r)| {
                Place::announce(&ready);
                r.read()
            })
        });
        announced.read().unwrap();
        peer
    });
    let mut word = is_busy.then_some(word);
    let mut go_on = || word.take().into_iter().for_each(|word| word.write(()).unwrap());
    let walk = follow(victim, cut, &mut go_on);
    go_on();
    assert!(busy.is_none_or(|busy| busy.end() == Ok(Ok(()))));
    let stored = dict.get(&1).unwrap();
    assert!(stored == Some(9) || stored.is_none() && !walk.finished, "{stored:?}");
    assert_eq!(dict.insert(2, 4), Ok(None));
    assert_eq!(dict.get(&2), Ok(Some(4)));
    manager.shutdown().unwrap();
    walk
}

#[process]
fn hand_over(shelf: Managed<Held<Option<Writer<u64>>>>, w: Writer<u64>) {
    shelf.with((), |_, ()| ()).unwrap();
    stepped(|| shelf.with(w, |shelf, w| shelf.0 = Some(w))).unwrap();
}

/// A victim that calls with an end, which the object keeps.
fn hand_over_scene(policy: OnCrash, cut: Cut) -> Walk {
    let manager = Manager::new().unwrap();
    let shelf = manager.create_with((), |()| Held(None)).unwrap();
    let (w, r) = csproc::channel();
    let walk = follow(spawn(hand_over(shelf.clone(), w), policy), cut, &mut || ());
    let is_kept = shelf.with((), |shelf, ()| shelf.0.is_some()).unwrap();
    assert!(is_kept || !walk.finished);
    drop(shelf);
    let fate = r.read().unwrap_err();
    // Until it is answered, the caller has the end, too.
    let may_be_lost = policy == OnCrash::Poison && !walk.finished;
    assert!(fate.is_retired() || may_be_lost && is_lost(&fate), "{fate:?}");
    manager.shutdown().unwrap();
    walk
}

#[process]
fn let_go(shelf: Managed<Held<Writer<u64>>>) {
    shelf.with((), |_, ()| ()).unwrap();
    stepped(|| drop(shelf));
}

/// A victim that drops the last proxy of an object.
fn let_go_scene(policy: OnCrash, cut: Cut) -> Walk {
    let manager = Manager::new().unwrap();
    let (w, r) = csproc::channel::<u64>();
    let shelf = manager.create_with(w, Held).unwrap();
    let walk = follow(spawn(let_go(shelf), policy), cut, &mut || ());
    assert_eq!(r.read(), Err(ChannelError::Retired), "the object has gone with its last proxy");
    assert_eq!(manager.value(1).unwrap().get(), Ok(1));
    manager.shutdown().unwrap();
    walk
}

#[process]
fn make(manager: ManagerHandle) {
    manager.value(0_u64).unwrap();
    stepped(|| manager.value(1_u64)).unwrap();
}

/// A victim that makes an object.
fn make_scene(policy: OnCrash, cut: Cut) -> Walk {
    let manager = Manager::new().unwrap();
    let walk = follow(spawn(make(manager.handle()), policy), cut, &mut || ());
    assert_eq!(manager.value(2).unwrap().get(), Ok(2));
    manager.shutdown().unwrap();
    walk
}

/// An answer at whose end, where it was made, there is a mark.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    count: u64,
    #[serde(skip)]
    mark: Option<fn()>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(mark) = self.mark {
            mark();
        }
    }
}

type Counter = Managed<Held<u64>>;

fn count(counter: &Counter) -> Result<u64, CallError> {
    counter.with((), |counter, ()| {
        counter.0 += 1;
        counter.0
    })
}

/// On a thread of its own: a context keeps in memory by whom it was left last, and that is to go, too.
fn elsewhere<R: Send + 'static>(call: impl FnOnce() -> R + Send + 'static) -> R {
    Peer::start(call).end()
}

/// Follows the thread of the object, which `mark` has come to its begin mark.
fn object_scene<R: Send + 'static>(
    mark: fn(&Counter) -> R,
    cut: Cut,
    asleep: &mut dyn FnMut(&Counter),
) -> (Walk, R, Counter) {
    let manager = Manager::new().unwrap();
    let (counter, other) = (manager.create_with(0, Held).unwrap(), manager.value(1).unwrap());
    let place = counter.with((), |_, ()| Place::here()).unwrap();
    assert_eq!(count(&counter), Ok(1));
    let caller = counter.clone();
    let called = Peer::start(move || mark(&caller));
    let walk = walk_thread(place.pid, place.thread, cut, &mut || asleep(&counter), &mut || ());
    let answer = called.end();
    assert_eq!(elsewhere(move || other.get()).is_err(), walk.killed);
    match manager.shutdown() {
        Ok(()) => assert!(!walk.killed),
        Err(error) => assert!(walk.killed && error.to_string().contains("killed by signal 9"), "{error}"),
    }
    (walk, answer, counter)
}

fn is_answered_or_lost(answer: &Result<u64, CallError>, count: u64, walk: &Walk) -> bool {
    match answer {
        Ok(answer) => *answer == count,
        Err(CallError::Lost { process, cause: Cause::Killed { signal: 9 } }) => {
            process == "manager: Held 1" && walk.killed
        }
        Err(_) => false,
    }
}

/// An object that answers, from the last line of the user's to the end of its answer.
fn answer_scene(_: OnCrash, cut: Cut) -> Walk {
    let ask = |counter: &Counter| {
        let answer = counter.with((), |counter, ()| {
            counter.0 += 1;
            begin();
            Answer { count: counter.0, mark: Some(end) }
        });
        answer.map(|answer| answer.count)
    };
    let (walk, answer, counter) = object_scene(ask, cut, &mut |_| ());
    assert!(is_answered_or_lost(&answer, 2, &walk), "{answer:?}");
    assert!(answer.is_ok() || !walk.finished, "it has answered");
    let later = elsewhere(move || count(&counter));
    assert_eq!(later == Err(CallError::Shutdown), !walk.killed);
    walk
}

/// An object that waits for a call, and takes it, up to the first line of the user's.
fn accept_scene(_: OnCrash, cut: Cut) -> Walk {
    let ask = |counter: &Counter| {
        let answer = counter.with((), |_, ()| Answer { count: 0, mark: Some(begin) });
        answer.map(|answer| answer.count)
    };
    let mut second = None;
    let (walk, first, counter) = object_scene(ask, cut, &mut |counter| {
        let counter = counter.clone();
        second = Some(Peer::start(move || {
            counter.with((), |counter, ()| {
                end();
                counter.0 += 1;
                counter.0
            })
        }));
    });
    assert_eq!(first, Ok(0));
    let answer = second.map_or_else(|| elsewhere(move || count(&counter)), Peer::end);
    assert!(is_answered_or_lost(&answer, 2, &walk), "{answer:?}");
    walk
}

const ONCE: [OnCrash; 1] = [OnCrash::Poison];

alone! {
    fn one_who_calls() {
        explore("one who calls", &BOTH, &|policy, cut| insert_scene(false, policy, cut));
    }

    fn one_who_waits_for_an_object() {
        explore("one who waits for an object", &BOTH, &|policy, cut| insert_scene(true, policy, cut));
    }

    fn one_who_calls_with_an_end() {
        explore("one who calls with an end", &BOTH, &hand_over_scene);
    }

    fn one_who_drops_the_last_proxy() {
        explore("one who drops the last proxy", &BOTH, &let_go_scene);
    }

    fn one_who_makes_an_object() {
        explore("one who makes an object", &ONCE, &make_scene);
    }

    fn an_object_that_answers() {
        explore("an object that answers", &ONCE, &answer_scene);
    }

    fn an_object_that_takes_a_call() {
        explore("an object that takes a call", &ONCE, &accept_scene);
    }
}
