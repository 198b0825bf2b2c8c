//! Processes share a queue: what they send is received once, whoever dies.
//!
//! Knows nothing of alternation.

use crate::harness::looks::Looks;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use crate::{is_listed, queue};
use csproc::prelude::*;
use csproc::sysv::{Key, MessageQueue};

pub(crate) const SCENARIOS: &[Scenario] = &[("an_owner_is_copied", an_owner_is_copied)];

#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn an_owner_is_copied() {
    let owner = queue();
    // SAFETY: the copy makes one system call and ends by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            drop(owner);
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(0) }
        }
        copy => {
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(copy, &raw mut status, 0) }, copy);
            assert!(status == 0 && is_listed(owner.id()));
            println!("still there");
        }
    }
}

/// Passes on what comes from a queue, by itself and as a guard.
#[process]
fn pass_on(queue: MessageQueue, out: Writer<Vec<u8>>) -> csproc::Result<()> {
    out.write(queue.receive(1)?.0)?;
    let two = queue.bridge(2);
    out.write(AltSelect! { m = two.read() => m.0 }?)?;
    Ok(())
}

#[process]
fn numbers(queue: MessageQueue, from: u64, count: u64) -> csproc::Result<()> {
    for number in from..from + count {
        queue.send(number.to_ne_bytes(), 1)?;
    }
    Ok(())
}

#[process]
fn collect(queue: MessageQueue, count: u64) -> csproc::Result<Vec<u64>> {
    (0..count).map(|_| Ok(u64::from_ne_bytes(queue.receive(1)?.0.as_slice().try_into()?))).collect()
}

/// Requests are of kind 1, with the kind of the answer in front; an empty one ends the server.
#[process]
fn squarer(queue: MessageQueue) -> csproc::Result<()> {
    loop {
        let (request, _) = queue.receive(1)?;
        let Some((kind, number)) = request.split_at_checked(8) else { return Ok(()) };
        let number = u64::from_ne_bytes(number.try_into()?);
        queue.send((number * number).to_ne_bytes(), i64::from_ne_bytes(kind.try_into()?))?;
    }
}

#[process]
fn client(queue: MessageQueue, own: i64, count: u64) -> csproc::Result<u64> {
    let mut right = 0;
    for number in (0..count).map(|number| number * 1000 + own as u64) {
        queue.send([own.to_ne_bytes(), number.to_ne_bytes()].concat(), 1)?;
        let (answer, kind) = queue.receive(own)?;
        right += u64::from(kind == own && answer == (number * number).to_ne_bytes());
    }
    Ok(right)
}

#[process]
fn receive_one(queue: MessageQueue, place: Writer<Place>) -> csproc::Result<Vec<u8>> {
    Place::announce(&place);
    Ok(queue.receive(1)?.0)
}

#[process]
fn send_one(queue: MessageQueue, place: Writer<Place>) -> csproc::Result<()> {
    Place::announce(&place);
    Ok(queue.send([9; 1000], 2)?)
}

#[process]
fn own(ids: Writer<i32>, how: String) -> csproc::Result<()> {
    let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    ids.write(queue.id())?;
    match how.as_str() {
        "panics" => panic!("the owner panics"),
        "fails" => Err(std::io::Error::other("the owner fails"))?,
        _ => Ok(()),
    }
}

over_both! {
    fn every_message_goes_from_one_sender_to_one_receiver(placement) {
        let queue = queue();
        let handle = || (*queue).clone();
        let ((), taken) = Parallel!(
            for part in 0..3 => numbers(handle(), part * 1000, 1000).on(placement),
            for _ in 0..3 => collect(handle(), 1000).on(placement),
        ).values().map(|(_, taken)| ((), taken)).unwrap();
        for part in &taken {
            for sender in 0..3 {
                let of_one: Vec<&u64> = part.iter().filter(|number| **number / 1000 == sender).collect();
                assert!(of_one.is_sorted(), "what one sender sends keeps its order");
            }
        }
        let mut all = taken.concat();
        all.sort();
        assert!(all.into_iter().eq(0..3000));
        assert_eq!(queue.status().unwrap().messages, 0);
    }

    fn clients_that_ask_by_kind_each_get_their_own_answers(placement) {
        let queue = queue();
        let handle = || (*queue).clone();
        let server = Spawn!(squarer(handle()).on(placement)).unwrap();
        let right = Parallel!(for own in 2..10 => client(handle(), own, 100).on(placement)).values().unwrap();
        assert_eq!(right, [100; 8]);
        queue.send("", 1).unwrap();
        server.join().unwrap().unwrap();
    }

    fn the_queue_of_an_owner_that_ends_is_gone(placement) {
        for how in ["returns", "fails", "panics"] {
            let c = Channel::new();
            let ids = c.reader();
            let owner = Spawn!(own(c.writer(), how.to_string()).on(placement)).unwrap();
            let id = ids.read().unwrap();
            let ended = match owner.join() {
                Err(_) => "panics",
                Ok(Err(_)) => "fails",
                Ok(Ok(())) => "returns",
            };
            assert_eq!(ended, how);
            assert!(!is_listed(id), "{how}");
        }
    }
}

once! {
    fn a_receiver_that_is_killed_while_it_waits_takes_nothing() {
        let queue = queue();
        let handle = || (*queue).clone();
        let places = Channel::<Place>::new();
        let r = places.reader();
        let victim = Spawn!(receive_one(handle(), places.writer())).unwrap();
        r.read().unwrap().until_asleep();
        victim.kill().unwrap();
        assert!(victim.join().is_err());
        queue.send("for the next one", 1).unwrap();
        // The death of the first has ended its channel.
        let places = Channel::<Place>::new();
        let r = places.reader();
        let next = Spawn!(receive_one(handle(), places.writer())).unwrap();
        r.read().unwrap();
        assert_eq!(next.join().unwrap().unwrap(), b"for the next one");
    }

    fn a_sender_that_is_killed_while_it_waits_leaves_nothing() {
        let queue = queue();
        while queue.try_send([7; 1000], 1).is_ok() {}
        let full = queue.status().unwrap().messages;
        let places = Channel::<Place>::new();
        let r = places.reader();
        let victim = Spawn!(send_one((*queue).clone(), places.writer())).unwrap();
        r.read().unwrap().until_asleep();
        victim.kill().unwrap();
        assert!(victim.join().is_err());
        for _ in 0..full {
            assert_eq!(queue.receive(0), Ok((vec![7; 1000], 1)));
        }
        assert!(queue.try_receive(0).unwrap_err().is_would_block());
    }

    fn a_copy_by_a_bare_fork_owns_no_queue() {
        let remains = output(command("an_owner_is_copied").0);
        assert!(remains.status.success() && remains.stdout.contains("still there"), "{remains:?}");
    }
}

alone! {
    fn who_waits_for_a_queue_is_in_no_deadlock() {
        let queue = queue();
        let (w, r) = csproc::channel();
        let child = Spawn!(pass_on((*queue).clone(), w)).unwrap();
        let reader = std::thread::spawn(move || (r.read(), r.read()));
        Looks::from_now().wait_for_a_proof();
        queue.send("one", 1).unwrap();
        Looks::from_now().wait_for_a_proof();
        queue.send("two", 2).unwrap();
        assert_eq!(reader.join().unwrap(), (Ok(b"one".to_vec()), Ok(b"two".to_vec())));
        child.join().unwrap().unwrap();
    }
}

/// Goes on after a poison with a queue and nothing else, until it is killed.
#[process]
fn hear_of_a_poison_and_use_a_queue(queue: MessageQueue, sends: bool, dead: Reader<u64>, dropped: Writer<u64>) {
    assert!(dead.read().unwrap_err().is_poisoned());
    drop(dropped);
    if sends {
        queue.send("said", 1).unwrap();
    } else {
        // Nobody sends of this kind.
        queue.receive(2).unwrap();
    }
    loop {
        std::thread::park();
    }
}

once! {
    fn law_7_an_end_dropped_after_a_poison_retires_with_the_use_of_a_queue() {
        for sends in [true, false] {
            let owner = queue();
            let [dead, dropped] = [(); 2].map(|()| Channel::new());
            let r = dropped.reader();
            dead.writer().poison();
            let child = hear_of_a_poison_and_use_a_queue(owner.clone(), sends, dead.reader(), dropped.writer());
            let child = Spawn!(child).unwrap();
            drop((dead, dropped));
            assert_eq!(r.read(), Err(ChannelError::Retired), "sends: {sends}");
            child.kill().unwrap();
            child.join().unwrap_err();
        }
    }
}
