//! What a semaphore of the kernel is: so many have permits at once, whoever dies; who waits is told; and it is a guard.
//!
//! Knows nothing of what a permit allows.

use crate::harness::killing::kill_a_thousand;
use crate::harness::looks::Looks;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use crate::{asleep, is_in, semaphore};
use csproc::prelude::*;
use csproc::shared::Atomic;
use csproc::sysv::{Key, Permit, Semaphore, SysvError};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier as ThreadBarrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[("a_permit_is_copied", a_permit_is_copied), ("spend", spend)];

#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn a_permit_is_copied() {
    let owner = semaphore(1);
    let permit = owner.acquire().unwrap();
    // SAFETY: the copy makes no more than system calls and ends by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            drop((permit, owner));
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(0) }
        }
        copy => {
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(copy, &raw mut status, 0) }, copy);
            assert!(status == 0 && is_in("sem", owner.id()));
            assert_eq!(owner.value(), Ok(0));
            drop(permit);
            assert_eq!(owner.value(), Ok(1));
            println!("given back once");
        }
    }
}

const SPENDER: &str = "CSPROC_TEST_SEMAPHORE";

/// Takes three permits of a semaphore of its starter's: spends one, leaks one, and gives one back.
fn spend() {
    let number: i32 = std::env::var(SPENDER).unwrap().parse().unwrap();
    let semaphore = Semaphore::open(number).unwrap();
    let [spent, leaked, given] = [(); 3].map(|()| semaphore.acquire().unwrap());
    spent.forget().unwrap();
    std::mem::forget(leaked);
    drop(given);
    assert_eq!(semaphore.value(), Ok(1));
    println!("spent");
}

/// Counts how many have a permit at once, and says the most that it has seen.
#[process]
fn enter(seats: Semaphore, inside: Atomic<u32>, times: u32) -> csproc::Result<u32> {
    let mut most = 0;
    for _ in 0..times {
        let _seat = seats.acquire()?;
        most = most.max(inside.fetch_add(1) + 1);
        thread::yield_now();
        inside.fetch_sub(1);
    }
    Ok(most)
}

#[process]
fn hold(semaphore: Semaphore, permits: usize, held: Writer<Place>) -> csproc::Result<()> {
    let _permit = semaphore.acquire_many(permits)?;
    held.write(Place::here())?;
    loop {
        thread::park();
    }
}

/// Takes permits, one and several, by itself and as a guard, and gives them back, for ever.
#[process]
fn come_and_go(semaphore: Semaphore) -> csproc::Result<()> {
    let permits = semaphore.bridge();
    loop {
        drop((semaphore.acquire()?, semaphore.try_acquire()));
        drop(semaphore.acquire_many(3)?);
        drop(permits.read()?);
    }
}

#[process]
fn wait_for(semaphore: Semaphore, place: Writer<Place>) -> csproc::Result<()> {
    Place::announce(&place);
    semaphore.acquire()?.forget()?;
    Ok(())
}

/// Takes a permit as a guard beside a channel until that has ended, and gives each back; says how many it has had.
#[process]
fn take_as_guard(semaphore: Semaphore, own: Reader<u64>) -> csproc::Result<u64> {
    let permits = semaphore.bridge();
    let mut taken = 0;
    loop {
        match AltSelect! { p = permits.read() => { taken += 1; p.forget()?; true }, _v = own.read() => false } {
            Ok(_) => (),
            Err(error) if error.is_retired() => return Ok(taken),
            Err(error) => Err(error)?,
        }
    }
}

/// A semaphore that its maker has left before it gave it its value, or after, as Python gives it.
#[expect(unsafe_code, reason = "what nobody does who uses the library")]
fn raw(key: Key, value: Option<i32>) -> i32 {
    // SAFETY: the call takes three numbers.
    let id = unsafe { libc::semget(i32::from(key), 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    assert!(id >= 0);
    if let Some(value) = value {
        // SAFETY: this command takes a number.
        assert_eq!(unsafe { libc::semctl(id, 0, libc::SETVAL, value) }, 0);
    }
    id
}

fn key(letter: u8) -> Key {
    Key::from_path(std::env::current_exe().unwrap(), letter).unwrap()
}

fn sizes(permits: &[Permit]) -> Vec<usize> {
    permits.iter().map(Permit::count).collect()
}

over_both! {
    fn no_more_have_permits_than_there_are(placement) {
        let (seats, inside) = (semaphore(3), Atomic::new(0).unwrap());
        let most = Parallel!(
            for _ in 0..6 => enter((*seats).clone(), inside.clone(), 200).on(placement)
        ).values().unwrap();
        assert!(most.iter().all(|most| (1..=3).contains(most)), "{most:?}");
        assert_eq!((seats.value(), inside.load()), (Ok(3), 0));
    }

    fn every_permit_is_taken_once_also_by_guards(placement) {
        const EACH: usize = 300;
        let owner = semaphore(0);
        let channels: Vec<Channel<u64>> = (0..3).map(|_| Channel::new()).collect();
        let takers =
            Spawn!(for c in channels.iter() => take_as_guard((*owner).clone(), c.reader()).on(placement)).unwrap();
        let writers: Vec<Writer<u64>> = channels.iter().map(Channel::writer).collect();
        for number in 0..EACH {
            owner.post(1).unwrap();
            if number % 7 == 0 {
                writers[number % 3].write(1).unwrap();
            }
        }
        owner.wait_zero().unwrap();
        drop((writers, channels));
        let taken = takers.join().unwrap().into_iter().map(|taken| taken.unwrap()).sum::<u64>();
        assert_eq!((taken, owner.value()), (EACH as u64, Ok(0)));
    }
}

once! {
    fn the_permits_of_the_dead_come_back_unless_they_are_not_to() {
        let owner = semaphore(5);
        for (undoes, left) in [(true, 5), (false, 2)] {
            let c = Channel::new();
            let held = c.reader();
            let victim = Spawn!(hold((*owner).clone().undo(undoes), 3, c.writer())).unwrap();
            held.read().unwrap();
            assert_eq!(owner.value(), Ok(2));
            let waiter = undoes.then(|| {
                let other = (*owner).clone();
                asleep(move || other.acquire_many(4).unwrap().count())
            });
            victim.kill().unwrap();
            assert!(victim.join().is_err());
            if let Some(waiter) = waiter {
                assert_eq!(waiter.join().unwrap(), 4, "who waits is served by the death");
            }
            assert_eq!(owner.value(), Ok(left));
        }
    }

    fn as_many_permits_are_left_whoever_is_killed_at_whichever_moment() {
        let owner = semaphore(4);
        kill_a_thousand(|| come_and_go((*owner).clone()), || assert_eq!(owner.value(), Ok(4)));
    }

    fn who_is_killed_while_it_waits_takes_nothing() {
        let owner = semaphore(0);
        let c = Channel::new();
        let places = c.reader();
        let victim = Spawn!(wait_for((*owner).clone(), c.writer())).unwrap();
        places.read().unwrap().until_asleep();
        assert_eq!(owner.status().unwrap().waiting, 1);
        victim.kill().unwrap();
        assert!(victim.join().is_err());
        assert_eq!(owner.status().unwrap().waiting, 0);
        owner.post(1).unwrap();
        assert_eq!(owner.try_acquire().unwrap().count(), 1);
    }

    fn what_was_spent_stays_spent_and_what_was_leaked_comes_back() {
        let owner = Semaphore::create_new(key(b'1'), 3).unwrap().remove_on_drop();
        let mut program = command("spend").0;
        program.env(SPENDER, owner.key().to_string());
        let remains = output(program);
        assert!(remains.status.success() && remains.stdout.contains("spent"), "{remains:?}");
        assert_eq!(owner.value(), Ok(2));
    }

    fn a_copy_by_a_bare_fork_has_no_permit() {
        let remains = output(command("a_permit_is_copied").0);
        assert!(remains.status.success() && remains.stdout.contains("given back once"), "{remains:?}");
    }

    fn several_permits_are_taken_together_or_not_at_all() {
        let owner = semaphore(4);
        let held = [2, 0, 1].map(|permits| owner.acquire_many(permits).unwrap());
        assert_eq!((sizes(&held), owner.value()), (vec![2, 0, 1], Ok(1)));
        let other = (*owner).clone();
        let waiter = asleep(move || other.acquire_many(3).unwrap().count());
        owner.post(1).unwrap();
        assert!(!waiter.is_finished());
        assert_eq!(owner.value(), Ok(2), "what is too few stays there");
        owner.post(1).unwrap();
        assert_eq!(waiter.join().unwrap(), 3);
        drop(held);
        assert_eq!(owner.value(), Ok(6));
    }

    fn who_waits_for_zero_waits_until_the_last_is_taken() {
        let owner = semaphore(2);
        let other = (*owner).clone();
        let waiter = asleep(move || other.wait_zero());
        assert_eq!(owner.status().unwrap().waiting_for_zero, 1);
        let one = owner.acquire().unwrap();
        assert!(owner.wait_zero_timeout(Duration::from_millis(2)).unwrap_err().is_timed_out());
        assert!(!waiter.is_finished());
        let two = owner.acquire().unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(()));
        assert_eq!(owner.wait_zero_timeout(Duration::ZERO), Ok(()));
        drop((one, two));
    }

    fn a_timeout_is_over_when_the_time_is_and_not_before() {
        let owner = semaphore(0);
        for micros in [0, 1, 700, 20_000] {
            let (start, timeout) = (Instant::now(), Duration::from_micros(micros));
            assert!(owner.acquire_timeout(timeout).unwrap_err().is_timed_out());
            assert!(start.elapsed() >= timeout);
        }
        owner.post(2).unwrap();
        assert_eq!(owner.acquire_timeout(Duration::ZERO).unwrap().count(), 1, "what is there is taken without time");
        assert_eq!(owner.acquire_timeout(Duration::MAX).unwrap().count(), 1);
        assert_eq!(owner.value(), Ok(2));
        let other = (*owner).clone();
        owner.set_value(0).unwrap();
        let waiter = asleep(move || other.acquire_timeout(Duration::from_secs(3600)).map(|permit| permit.count()));
        owner.post(1).unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(1), "it is woken long before its time is up");
    }

    fn a_signal_ends_no_wait_and_moves_no_deadline() {
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::new(AtomicBool::new(false))).unwrap();
        let owner = semaphore(0);
        for timeout in [None, Some(Duration::from_millis(60))] {
            let (say, said) = mpsc::channel();
            let other = (*owner).clone();
            let waiter = thread::spawn(move || {
                say.send((Place::here(), pthread_self())).unwrap();
                let start = Instant::now();
                let taken = match timeout {
                    None => other.acquire(),
                    Some(timeout) => other.acquire_timeout(timeout),
                };
                (taken.and_then(Permit::forget), start.elapsed())
            });
            let (place, thread) = said.recv().unwrap();
            place.until_asleep();
            for _ in 0..20 {
                pthread_kill(thread, Signal::SIGUSR1).unwrap();
                if timeout.is_none() {
                    place.until_asleep();
                }
            }
            match timeout {
                None => {
                    assert!(!waiter.is_finished(), "a signal has ended the wait");
                    owner.post(1).unwrap();
                    assert_eq!(waiter.join().unwrap().0, Ok(()));
                }
                Some(timeout) => {
                    let (taken, elapsed) = waiter.join().unwrap();
                    assert!(taken.unwrap_err().is_timed_out() && elapsed >= timeout);
                }
            }
        }
    }

    fn removing_a_semaphore_tells_everybody_who_waits() {
        let (owner, full) = (semaphore(0), semaphore(1));
        let (one, two, three) = ((*owner).clone(), (*owner).clone(), (*full).clone());
        let waiters = [
            asleep(move || one.acquire().map(drop)),
            asleep(move || two.acquire_timeout(Duration::from_secs(3600)).map(drop)),
            asleep(move || three.wait_zero()),
        ];
        let held = full.acquire_many(0).unwrap();
        owner.remove().unwrap();
        full.remove().unwrap();
        for waiter in waiters {
            assert!(waiter.join().unwrap().unwrap_err().is_removed());
        }
        drop(held);
        assert!(owner.post(1).unwrap_err().is_removed());
        assert!(owner.value().unwrap_err().is_removed());
        assert!(owner.status().unwrap_err().is_removed());
        assert!(owner.set_value(1).unwrap_err().is_removed());
        assert!(owner.set_mode(0o600).unwrap_err().is_removed());
        assert!(owner.remove().unwrap_err().is_removed());
    }

    fn more_permits_than_a_semaphore_can_have_are_refused_and_change_nothing() {
        let is_limit = |result: Result<(), SysvError>| matches!(result, Err(SysvError::Limit { .. }));
        let owner = semaphore(32_767);
        assert!(is_limit(owner.post(1)) && is_limit(owner.post(40_000)) && is_limit(owner.set_value(32_768)));
        assert!(is_limit(owner.acquire_many(usize::MAX).map(drop)));
        assert!(is_limit(Semaphore::create(Key::PRIVATE, 32_768).map(drop)));
        assert_eq!(owner.value(), Ok(32_767));
        let all = owner.acquire_many(32_767).unwrap();
        // With so many given back for a moment there would be too many.
        owner.post(1).unwrap();
        assert_eq!(all.forget(), Ok(()));
        assert_eq!(owner.value(), Ok(1));
        owner.set_value(32_767).unwrap();
        let one = owner.acquire().unwrap();
        owner.post(1).unwrap();
        assert_eq!(one.forget(), Ok(()), "spent although it could not be given back for a moment");
        assert_eq!(owner.value(), Ok(32_767));
        owner.set_value(0).unwrap();
        assert_eq!(owner.post(0), Ok(()));
        assert_eq!(owner.value(), Ok(0));
    }

    fn a_key_names_one_semaphore_for_everybody_and_its_first_value_counts() {
        let key = key(b'2');
        for round in 0..60 {
            let start = Arc::new(ThreadBarrier::new(4));
            let makers: Vec<_> = (0..4)
                .map(|_| {
                    let start = start.clone();
                    thread::spawn(move || {
                        start.wait();
                        let made = Semaphore::create(key, 2).unwrap();
                        // One takes before the others may have found it.
                        drop(made.try_acquire().map(drop));
                        made.id()
                    })
                })
                .collect();
            let ids: Vec<i32> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
            let owner = Semaphore::open(key).unwrap().remove_on_drop();
            assert!(ids.iter().all(|id| *id == owner.id()), "{ids:?}");
            assert_eq!(owner.value(), Ok(2), "round {round}");
        }
        assert_eq!(Semaphore::open(key), Err(SysvError::NotFound { key }));
    }

    fn a_semaphore_without_a_value_is_told_and_one_that_was_set_is_not() {
        let key = key(b'3');
        let id = raw(key, None);
        for opened in [Semaphore::open(key), Semaphore::create(key, 1)] {
            let error = opened.unwrap_err();
            assert_eq!(error, SysvError::Unfinished { key });
            assert!(error.to_string().contains(&format!("`ipcrm -S {key:#010x}`")), "{error}");
        }
        // Its maker comes back late: somebody looks for the value again and again by then.
        let opening = asleep(move || Semaphore::open(key));
        raw_post(id);
        let owner = opening.join().unwrap().unwrap().remove_on_drop();
        assert_eq!((owner.id(), owner.value()), (id, Ok(1)));
        drop(owner);
        for value in [0, 2] {
            raw(key, Some(value));
            let owner = Semaphore::create(key, 9).unwrap().remove_on_drop();
            assert_eq!(owner.value(), Ok(value as usize));
        }
    }

    fn a_semaphore_ends_with_its_owner_and_with_no_handle() {
        let owner = semaphore(1);
        let handle = (*owner).clone();
        drop(handle.clone());
        assert!(is_in("sem", handle.id()));
        drop(owner);
        assert!(!is_in("sem", handle.id()));
        let kept = semaphore(1).keep();
        assert!(is_in("sem", kept.id()));
        kept.remove().unwrap();
        assert!(!is_in("sem", kept.id()));
    }

    fn a_handle_means_the_same_semaphore_wherever_it_is_decoded() {
        for undoes in [true, false] {
            let owner = semaphore(1);
            let handle = (*owner).clone().undo(undoes);
            let bytes = postcard::to_stdvec(&handle).unwrap();
            let decoded: Semaphore = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(decoded, handle);
            assert_ne!(decoded, handle.undo(!undoes));
        }
    }

    fn a_guard_that_loses_has_taken_nothing() {
        let owner = semaphore(60);
        let c = Channel::<u64>::buffered(Buffer::Fifo(100));
        let (w, r) = (c.writer(), c.reader());
        let permits = owner.bridge();
        let mut held = Vec::new();
        for number in 0..60 {
            w.write(number).unwrap();
            let first = AltSelect! { _v = r.read() => None, p = permits.read() => Some(p) }.unwrap();
            held.extend(first);
            assert_eq!(owner.value(), Ok(60 - held.len()));
        }
        assert!((1..60).contains(&held.len()), "each is chosen now and then: {}", held.len());
        drop(held);
        assert_eq!(owner.value(), Ok(60));
    }

    fn a_guard_waits_for_a_permit_and_ends_with_the_semaphore() {
        let owner = semaphore(0);
        let handle = (*owner).clone();
        let permits = handle.bridge();
        assert_eq!(AltSelect! { _p = permits.read() => 'p', after(Duration::from_millis(2)) => 't' }, Ok('t'));
        let waiter = asleep(move || {
            let permits = handle.undo(false).bridge();
            let first = AltSelect! { p = permits.read() => p.forget() };
            (first, AltSelect! { _p = permits.read() => () })
        });
        owner.post(1).unwrap();
        owner.wait_zero().unwrap();
        owner.remove().unwrap();
        assert_eq!(waiter.join().unwrap(), (Ok(Ok(())), Err(ChannelError::Retired)));
        assert_eq!(permits.try_read().unwrap_err(), ChannelError::Retired);
        assert_eq!(permits.into_inner(), *owner);
    }
}

#[expect(unsafe_code, reason = "what a maker does that is not of this library")]
fn raw_post(id: i32) {
    let mut step = libc::sembuf { sem_num: 0, sem_op: 1, sem_flg: 0 };
    // SAFETY: there is one step.
    assert_eq!(unsafe { libc::semop(id, &raw mut step, 1) }, 0);
}

alone! {
    fn who_waits_for_a_semaphore_is_in_no_deadlock() {
        let owner = semaphore(0);
        let places = Channel::new();
        let r = places.reader();
        let child = Spawn!(wait_for((*owner).clone(), places.writer())).unwrap();
        r.read().unwrap().until_asleep();
        let joined = thread::spawn(move || child.join());
        Looks::from_now().wait_for_a_proof();
        owner.post(1).unwrap();
        joined.join().unwrap().unwrap().unwrap();
    }
}
