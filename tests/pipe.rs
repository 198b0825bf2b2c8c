//! Pipes keep their laws: what is sent is received in order, an end that goes is told, whichever way it goes, and a
//! message that was looked at stays first in line.
//!
//! Knows nothing of the channels that a pipe is made of; they are tested in `tests/channel`.

#[macro_use]
#[path = "harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;

use csproc::prelude::*;
use csproc::shared::{pipe_with, simplex};
use harness::place::Place;
use harness::scenario::{Scenario, play_in_small_arena};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const SCENARIOS: &[Scenario] = &[("a full arena", a_full_arena), ("no room for a pipe", no_room_for_a_pipe)];

type End = PipeEnd<u64, u64>;

#[test]
fn play_scenario() {
    harness::scenario::play(&[SCENARIOS]);
}

#[process]
fn echo(conn: End) -> csproc::Result<u64> {
    let mut count = 0;
    while let Ok(value) = conn.recv() {
        conn.send(value + 1)?;
        count += 1;
    }
    Ok(count)
}

#[process]
fn send_some(conn: End, count: u64) -> csproc::Result<()> {
    for value in 0..count {
        conn.send(value)?;
    }
    Ok(())
}

/// Sends, and stays until it is killed or told to go.
#[process]
fn send_and_stay(conn: End, count: u64, until: Reader<()>) -> csproc::Result<()> {
    for value in 0..count {
        conn.send(value)?;
    }
    Ok(until.read()?)
}

#[process]
fn send_and_panic(conn: End) {
    conn.send(1).unwrap();
    panic!("with a pipe in hand");
}

#[process]
fn announce_and_recv(place: Writer<Place>, conn: End) -> Result<u64, ChannelError> {
    Place::announce(&place);
    conn.recv()
}

#[process]
fn announce_and_poll(place: Writer<Place>, conn: End) -> (bool, Result<u64, ChannelError>) {
    Place::announce(&place);
    (conn.poll(Duration::MAX), conn.try_recv())
}

/// Receives an end, and drains it.
#[process]
fn drain_mobile(ends: Reader<End>) -> csproc::Result<(Vec<u64>, ChannelError)> {
    let conn = ends.read()?;
    let mut all = Vec::new();
    loop {
        match conn.recv() {
            Ok(value) => all.push(value),
            Err(error) => return Ok((all, error)),
        }
    }
}

/// Polls, and gives the end back.
#[process]
fn poll_and_return(conn: End) -> (bool, End) {
    (conn.poll(Duration::from_secs(60)), conn)
}

/// Sends and receives in one alternation, so many of each.
#[process]
fn both_at_once(conn: End, count: u64) -> csproc::Result<Vec<u64>> {
    let (mut sent, mut received) = (0, Vec::new());
    while sent < count || (received.len() as u64) < count {
        FairSelect! {
            value = conn if (received.len() as u64) < count => received.push(value),
            conn.write(sent) if sent < count => sent += 1,
        }?;
    }
    Ok(received)
}

#[process]
fn return_poison(conn: End, trigger: Reader<u8>) -> csproc::Result<()> {
    trigger.read()?;
    drop(conn);
    Ok(())
}

over_both! {
    fn what_one_end_sends_the_other_receives_in_order_both_ways(placement) {
        let (mine, theirs) = pipe();
        let child = Spawn!(echo(theirs).on(placement)).unwrap();
        for value in 0..100 {
            mine.send(value).unwrap();
        }
        for value in 0..100 {
            assert_eq!(mine.recv(), Ok(value + 1));
        }
        mine.close();
        assert_eq!(child.join().unwrap().unwrap(), 100);
    }

    fn a_message_outlives_its_sender_however_large(placement) {
        let (mine, theirs) = pipe();
        Parallel!(send_some(theirs, 1000).on(placement)).values().unwrap();
        for value in 0..1000 {
            assert_eq!(mine.recv(), Ok(value));
        }
        assert_eq!(mine.recv(), Err(ChannelError::Retired));
        let error = mine.send(7).unwrap_err();
        assert_eq!((error.value, error.fate), (7, ChannelError::Retired));
    }

    fn a_crash_is_told_behind_what_was_sent(placement) {
        let (mine, theirs) = pipe();
        let failed = Parallel!(send_and_panic(theirs).on(placement));
        assert!(failed.is_err());
        assert_eq!(mine.recv(), Ok(1));
        assert!(matches!(mine.recv(), Err(ChannelError::Lost { process, .. }) if process == "send_and_panic"));
        assert!(mine.poll(Duration::MAX));
        let error = mine.send(7).unwrap_err();
        assert!(error.is_lost() && error.value == 7, "{error}");
    }

    fn an_end_that_was_polled_moves_with_what_is_first_in_line(placement) {
        let (mine, theirs) = pipe::<u64, u64>();
        for value in 0..3 {
            mine.send(value).unwrap();
        }
        let (polled, theirs) = Parallel!(poll_and_return(theirs).on(placement)).unwrap();
        assert!(polled && theirs.poll(Duration::ZERO));
        let (to, ends) = csproc::channel();
        let child = Spawn!(drain_mobile(ends).on(placement)).unwrap();
        to.write(theirs).unwrap();
        mine.send(3).unwrap();
        mine.close();
        assert_eq!(child.join().unwrap().unwrap(), (vec![0, 1, 2, 3], ChannelError::Retired));
    }

    fn who_polls_in_vain_learns_of_the_message_that_comes(placement) {
        let (mine, theirs) = pipe();
        let (place, places) = csproc::channel();
        let child = Spawn!(announce_and_poll(place, theirs).on(placement)).unwrap();
        places.read().unwrap().until_asleep();
        mine.send(7).unwrap();
        assert_eq!(child.join().unwrap(), (true, Ok(7)));
    }

    fn who_polls_in_vain_learns_of_the_end(placement) {
        let (mine, theirs) = pipe();
        let (place, places) = csproc::channel();
        let child = Spawn!(announce_and_poll(place, theirs).on(placement)).unwrap();
        places.read().unwrap().until_asleep();
        mine.close();
        assert_eq!(child.join().unwrap(), (true, Err(ChannelError::Retired)));
    }

    fn who_waits_is_told_of_poison(placement) {
        let (mine, theirs) = pipe();
        let (place, places) = csproc::channel();
        let child = Spawn!(announce_and_recv(place, theirs).on(placement)).unwrap();
        places.read().unwrap().until_asleep();
        poison!(mine);
        assert_eq!(child.join().unwrap(), Err(ChannelError::Poisoned));
        assert!(mine.recv().unwrap_err().is_poisoned() && mine.send(1).unwrap_err().is_poisoned());
    }

    fn a_process_that_returns_poison_passes_it_on(placement) {
        let (mine, theirs) = pipe::<u64, u64>();
        let (w, r) = csproc::channel::<u8>();
        let child = Spawn!(return_poison(theirs, r).on(placement)).unwrap();
        w.poison();
        assert!(child.join().unwrap().is_err());
        assert_eq!(mine.recv(), Err(ChannelError::Poisoned));
        assert!(mine.send(1).unwrap_err().is_poisoned());
    }

    fn two_ends_that_send_and_receive_at_once_lose_nothing(placement) {
        for buffer in [Buffer::Unbounded, Buffer::Fifo(2), Buffer::Fifo(0)] {
            let (one, other) = pipe_with(buffer).unwrap();
            let players = (both_at_once(one, 500).on(placement), both_at_once(other, 500).on(placement));
            let (a, b) = Parallel!(players.0, players.1).values().unwrap();
            assert!(a.into_iter().eq(0..500) && b.into_iter().eq(0..500));
        }
    }
}

once! {
    fn a_killed_end_is_told_behind_what_was_sent() {
        let (mine, theirs) = pipe::<u64, u64>();
        let (_until, reader) = csproc::channel();
        let child = Spawn!(send_and_stay(theirs, 3, reader)).unwrap();
        assert!(mine.poll(Duration::MAX));
        while mine.poll(Duration::ZERO) && mine.recv().unwrap() < 2 {
            mine.poll(Duration::MAX);
        }
        child.kill().unwrap();
        assert!(matches!(mine.recv(), Err(ChannelError::Lost { process, .. }) if process == "send_and_stay"));
        // What it received with has gone before, whoever has joined it.
        assert!(mine.send(1).unwrap_err().is_lost());
        assert!(child.join().is_err());
    }

    fn a_message_that_the_killed_had_sent_is_received() {
        let (mine, theirs) = pipe::<u64, u64>();
        let (until, reader) = csproc::channel();
        let child = Spawn!(send_and_stay(theirs, 1000, reader)).unwrap();
        // It has sent all of them when it waits here.
        assert!(until.write_timeout((), Duration::from_secs(60)).is_ok());
        child.join().unwrap().unwrap();
        let (until, reader) = csproc::channel::<()>();
        let (other, theirs) = pipe::<u64, u64>();
        let child = Spawn!(send_and_stay(theirs, 1000, reader)).unwrap();
        let place = loop {
            match until.try_write(()) {
                // It waits now: nothing is sent any more.
                Ok(()) => break child,
                Err(error) => assert!(error.is_would_block()),
            }
        };
        let _ = place.kill();
        let _ = place.join();
        for conn in [mine, other] {
            for value in 0..1000 {
                assert_eq!(conn.recv(), Ok(value));
            }
            assert!(conn.recv().is_err());
        }
    }

    fn a_timeout_is_over_when_the_time_is_and_not_before() {
        let (mine, theirs) = pipe_with::<u64, u64>(Buffer::Fifo(1)).unwrap();
        mine.send(1).unwrap();
        for micros in [0, 1, 700, 20_000] {
            let (start, timeout) = (Instant::now(), Duration::from_micros(micros));
            assert!(!mine.poll(timeout) && start.elapsed() >= timeout);
            let start = Instant::now();
            assert!(mine.recv_timeout(timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
            let start = Instant::now();
            assert!(mine.send_timeout(2, timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
        }
        assert!(mine.try_send(2).unwrap_err().is_would_block() && mine.try_recv().unwrap_err().is_would_block());
        assert_eq!(theirs.recv_timeout(Duration::MAX), Ok(1));
    }

    fn in_a_pipe_without_room_a_send_ends_with_its_receive_or_poll() {
        let (mine, theirs) = pipe_with::<u64, u64>(Buffer::Fifo(0)).unwrap();
        assert!(mine.try_send(1).unwrap_err().is_would_block());
        std::thread::scope(|threads| {
            let sender = threads.spawn(|| (mine.send(1), mine.send(2)));
            assert!(theirs.poll(Duration::MAX));
            assert!(theirs.poll(Duration::ZERO), "it stays first in line");
            assert_eq!((theirs.recv(), theirs.recv()), (Ok(1), Ok(2)));
            let (first, second) = sender.join().unwrap();
            assert!(first.is_ok() && second.is_ok());
        });
    }

    fn a_failed_send_leaves_an_end_as_it_was() {
        let (mine, theirs) = pipe::<u64, u64>();
        mine.send(1).unwrap();
        assert!(theirs.poll(Duration::ZERO));
        let (to, ends) = csproc::channel();
        drop(ends);
        let theirs = to.write(theirs).unwrap_err().into_value();
        mine.send(2).unwrap();
        assert_eq!((theirs.recv(), theirs.recv()), (Ok(1), Ok(2)));
        theirs.send(3).unwrap();
        assert_eq!(mine.recv(), Ok(3));
    }

    fn an_end_in_a_message_that_nobody_reads_goes_with_it() {
        let (mine, theirs) = pipe::<u64, u64>();
        let (to, ends) = csproc::shared::simplex();
        to.write(theirs).unwrap();
        mine.send(1).unwrap();
        drop((to, ends));
        assert_eq!(mine.recv(), Err(ChannelError::Retired));
    }

    fn an_end_can_send_an_end_of_its_own_kind() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Offer(u64, Option<PipeEnd<Offer, Offer>>);
        let (a, b) = pipe::<Offer, Offer>();
        let (c, d) = pipe::<Offer, Offer>();
        a.send(Offer(1, Some(d))).unwrap();
        let Offer(1, Some(d)) = b.recv().unwrap() else { panic!("the end has not come") };
        d.send(Offer(2, None)).unwrap();
        assert_eq!(c.recv().unwrap().0, 2);
    }

    fn what_is_no_value_of_the_type_is_an_error_and_not_the_end() {
        #[derive(serde::Serialize)]
        struct Wrong(u8);
        impl<'de> serde::Deserialize<'de> for Wrong {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Wrong, D::Error> {
                match u8::deserialize(deserializer)? {
                    0 => Err(serde::de::Error::custom("0 is nothing")),
                    value => Ok(Wrong(value)),
                }
            }
        }
        let (a, b) = pipe::<Wrong, ()>();
        a.send(Wrong(0)).unwrap();
        a.send(Wrong(1)).unwrap();
        assert!(b.poll(Duration::ZERO));
        let error = b.recv().map(drop).unwrap_err();
        assert!(matches!(&error, ChannelError::Invalid(_)) && error.to_string().contains("0 is nothing"), "{error}");
        assert_eq!(b.recv().map(|wrong| wrong.0), Ok(1));
    }

    fn a_simplex_pipe_is_two_ends_of_one_channel() {
        let (w, r) = simplex();
        assert_eq!(w.channel_id(), r.channel_id());
        std::thread::spawn(move || (0..100).try_for_each(|value: u64| w.write(value))).join().unwrap().unwrap();
        assert!(r.into_iter().eq(0..100));
    }

    fn a_full_arena_refuses_what_is_sent_and_can_be_drained() {
        play_in_small_arena("a full arena");
    }

    fn a_pipe_that_has_no_room_says_so() {
        play_in_small_arena("no room for a pipe");
    }

    fn a_pipe_is_two_queues() {
        let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
        let steps = prop::collection::vec((any::<bool>(), step()), 0..60);
        let buffer = prop_oneof![Just(Buffer::Unbounded), (1..4_usize).prop_map(Buffer::Fifo)];
        proptest!(config, |(buffer in buffer, steps in steps)| {
            compare_with_queues(buffer, steps)?;
        });
    }
}

alone! {
    fn two_ends_that_both_receive_are_a_deadlock_with_names() {
        let (mine, theirs) = pipe::<u64, u64>();
        let mine = mine.named("tennis");
        let places = Channel::buffered(Buffer::Unbounded);
        let network = network!(announce_and_recv(places.writer(), mine), announce_and_recv(places.writer(), theirs));
        let error = network.run().unwrap_err().to_string();
        assert!(error.contains("deadlock") && error.contains("tennis"), "{error}");
    }
}

/// What may be done with an end.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send(u64),
    Recv,
    Poll,
    /// Into a message and out of it.
    Move,
    Close,
    Poison,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..1000_u64).prop_map(Step::Send),
        16 => Just(Step::Recv),
        8 => Just(Step::Poll),
        4 => Just(Step::Move),
        1 => Just(Step::Close),
        1 => Just(Step::Poison),
    ]
}

/// Everything happens in one thread, so each step has one right answer.
fn compare_with_queues(buffer: Buffer, steps: Vec<(bool, Step)>) -> Result<(), TestCaseError> {
    let limit = if let Buffer::Fifo(limit) = buffer { limit } else { usize::MAX };
    let (a, b) = pipe_with::<u64, u64>(buffer).unwrap();
    let mut ends = [Some(a), Some(b)];
    // What each end is still to receive.
    let mut queues = [VecDeque::new(), VecDeque::new()];
    let (mut poisoned, mut closed) = (false, false);
    let (to, from) = simplex();
    for (side, step) in steps {
        let (here, there) = (usize::from(side), usize::from(!side));
        let Some(end) = &ends[here] else { continue };
        let fate = match (poisoned, closed) {
            (true, _) => Some(ChannelError::Poisoned),
            (_, true) => Some(ChannelError::Retired),
            _ => None,
        };
        match step {
            Step::Send(value) => {
                let expected = match &fate {
                    Some(fate) => Err(fate.clone()),
                    None if queues[there].len() >= limit => Err(ChannelError::WouldBlock),
                    None => {
                        queues[there].push_back(value);
                        Ok(())
                    }
                };
                prop_assert_eq!(end.try_send(value).map_err(ChannelError::from), expected);
            }
            Step::Recv => {
                let expected = queues[here].pop_front().ok_or(fate.unwrap_or(ChannelError::WouldBlock));
                prop_assert_eq!(end.try_recv(), expected);
            }
            Step::Poll => prop_assert_eq!(end.poll(Duration::ZERO), !queues[here].is_empty() || fate.is_some()),
            Step::Move => {
                to.write(ends[here].take().unwrap()).unwrap();
                ends[here] = Some(from.read().unwrap());
            }
            Step::Close => {
                ends[here].take().unwrap().close();
                closed = true;
                queues[here].clear();
            }
            Step::Poison => {
                end.poison();
                poisoned = true;
                queues[here].clear();
            }
        }
    }
    Ok(())
}

fn a_full_arena() {
    let (mine, theirs) = pipe::<(u64, [u64; 4]), ()>();
    let mut sent = 0;
    let error = loop {
        match mine.send((sent, [7; 4])) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.fate, ChannelError::Invalid(_)) && error.to_string().contains("CSPROC_ARENA"), "{error}");
    assert_eq!(error.value, (sent, [7; 4]));
    assert!(theirs.poll(Duration::ZERO));
    for number in 0..sent {
        assert_eq!(theirs.recv(), Ok((number, [7; 4])));
    }
    mine.send((0, [0; 4])).unwrap();
    assert_eq!(theirs.recv(), Ok((0, [0; 4])));
}

fn no_room_for_a_pipe() {
    let mut kept = Vec::new();
    let error = loop {
        match pipe_with::<u8, u8>(Buffer::Unbounded) {
            Ok(ends) => kept.push(ends),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("of the arena are in use"), "{error}");
    let (a, b) = pipe::<u8, u8>();
    for error in [a.send(1).unwrap_err().fate, b.recv().unwrap_err(), b.send(1).unwrap_err().fate] {
        assert!(error.to_string().contains("of the arena are in use"), "{error}");
    }
    assert!(a.poll(Duration::MAX), "`recv` comes back at once");
    drop((a, b, kept));
    let (a, b) = pipe::<u8, u8>();
    a.send(1).unwrap();
    assert_eq!(b.recv(), Ok(1));
}
