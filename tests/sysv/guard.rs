//! A queue as a guard: it takes what it delivers and nothing else, keeps nobody from firing, and sleeps while it waits.
//!
//! Knows nothing of how an alternation chooses.

use crate::harness::place::Place;
use crate::queue;
use csproc::prelude::*;
use csproc::sysv::MessageQueue;
use std::fs;
use std::time::{Duration, Instant};

#[process]
fn answer(queue: MessageQueue, rounds: u64) -> csproc::Result<()> {
    for _ in 0..rounds {
        let (request, _) = queue.receive(1)?;
        queue.send(request, 2)?;
    }
    Ok(())
}

/// Takes requests as a guard beside a channel, until the channel ends; says how many came from the queue.
#[process]
fn take_both(queue: MessageQueue, own: Reader<u64>) -> csproc::Result<(u64, u64)> {
    let requests = queue.bridge(1);
    let (mut foreign, mut near) = (0, 0);
    loop {
        let more = AltSelect! {
            _m = requests.read() => { foreign += 1; true },
            _v = own.read() => { near += 1; true },
        };
        match more {
            Ok(_) => (),
            Err(error) if error.is_retired() => return Ok((foreign, near)),
            Err(error) => Err(error)?,
        }
    }
}

/// The threads of bridges in this program.
fn helpers() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "csproc-bridge"))
        .map(|task| task.file_name().to_string_lossy().parse().unwrap())
        .collect()
}

/// How often a thread went to sleep.
fn naps(thread: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

over_both! {
    fn a_waiting_alternation_learns_of_every_message(placement) {
        const ROUNDS: u64 = 100;
        let queue = queue();
        let server = Spawn!(answer((*queue).clone(), ROUNDS).on(placement)).unwrap();
        let (_silent, r) = csproc::channel::<u8>();
        let answers = queue.bridge(2);
        for round in 0..ROUNDS {
            queue.send(round.to_ne_bytes(), 1).unwrap();
            let got = AltSelect! { m = answers.read() => m, _v = r.read() => unreachable!() };
            assert_eq!(got, Ok((round.to_ne_bytes().to_vec(), 2)));
        }
        server.join().unwrap().unwrap();
    }

    fn alternations_that_compete_for_messages_lose_and_double_none(placement) {
        const EACH: u64 = 400;
        let queue = queue();
        let channels: Vec<Channel<u64>> = (0..2).map(|_| Channel::new()).collect();
        let takers = Spawn!(for c in channels.iter() => take_both((*queue).clone(), c.reader()).on(placement)).unwrap();
        let writers: Vec<Writer<u64>> = channels.iter().map(Channel::writer).collect();
        for number in 0..EACH {
            queue.send("", 1).unwrap();
            writers[number as usize % 2].write(number).unwrap();
        }
        while queue.status().unwrap().messages > 0 {
            std::thread::yield_now();
        }
        drop((writers, channels));
        let counts: Vec<(u64, u64)> = takers.join().unwrap().into_iter().map(|counts| counts.unwrap()).collect();
        assert_eq!(counts.iter().map(|(foreign, _)| foreign).sum::<u64>(), EACH);
        assert_eq!(counts.iter().map(|(_, near)| near).sum::<u64>(), EACH);
    }
}

once! {
    fn a_guard_that_loses_has_taken_nothing() {
        let queue = queue();
        let c = Channel::<u64>::buffered(Buffer::Fifo(100));
        let (w, r) = (c.writer(), c.reader());
        for number in 0..60 {
            queue.send([number as u8; 3], 1).unwrap();
            w.write(number).unwrap();
        }
        let any = queue.bridge(0);
        for number in 0..10 {
            assert_eq!(PriSelect! { v = r.read() => Some(v), _m = any.read() => None }, Ok(Some(number)));
            assert_eq!(queue.status().unwrap().messages, 60);
        }
        let mut taken = 0;
        for _ in 0..50 {
            let first = AltSelect! { _v = r.read() => None, m = any.read() => Some(m.0) };
            if let Some(bytes) = first.unwrap() {
                assert_eq!(bytes, [taken; 3]);
                taken += 1;
            }
            assert_eq!(queue.status().unwrap().messages, 60 - usize::from(taken));
        }
        drop(any);
        assert_eq!(queue.receive(0).unwrap().0, [taken; 3]);
    }

    fn a_guard_ahead_of_another_takes_what_is_there_and_one_behind_takes_nothing() {
        let queue = queue();
        let (one, two) = (queue.bridge(1), queue.bridge(2));
        for round in 0..20 {
            queue.send([round], 1).unwrap();
            queue.send([round], 2).unwrap();
            let first = PriSelect! { m = two.read() => m, m = one.read() => m, skip => unreachable!() };
            assert_eq!(first, Ok((vec![round], 2)));
            assert_eq!(queue.status().unwrap().messages, 1);
            let second = PriSelect! { m = two.read() => m, m = one.read() => m, skip => unreachable!() };
            assert_eq!(second, Ok((vec![round], 1)));
        }
    }

    fn messages_of_another_kind_fire_nothing_and_keep_nobody_from_firing() {
        let queue = queue();
        queue.send("", 1).unwrap();
        let two = queue.bridge(2);
        for _ in 0..20 {
            assert_eq!(PriSelect! { _m = two.read() => 'm', skip => 's' }, Ok('s'));
            assert_eq!(PriSelect! { _m = two.read() => 'm', at(Instant::now()) => 't' }, Ok('t'));
            assert_eq!(AltSelect! { _m = two.read() => 'm', after(Duration::from_micros(200)) => 't' }, Ok('t'));
        }
        let (w, r) = csproc::channel::<u8>();
        let writer = std::thread::spawn(move || (0..20).map(|v| w.write(v).unwrap()).count());
        for v in 0..20 {
            assert_eq!(PriSelect! { _m = two.read() => 255, v = r.read() => v }, Ok(v));
        }
        writer.join().unwrap();
        queue.send("now", 2).unwrap();
        assert_eq!(AltSelect! { m = two.read() => m.0 }, Ok(b"now".to_vec()));
        assert_eq!(queue.status().unwrap().messages, 1);
    }

    fn a_queue_that_is_removed_ends_the_alternation_that_waits_for_it() {
        let queue = queue();
        let handle = (*queue).clone();
        let (say, said) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn(move || {
            let any = handle.bridge(0);
            say.send(Place::here()).unwrap();
            let ended = AltSelect! { _m = any.read() => () };
            (ended, any.read(), any.try_read())
        });
        said.recv().unwrap().until_asleep();
        queue.remove().unwrap();
        let (ended, read, tried) = waiter.join().unwrap();
        assert_eq!(ended, Err(ChannelError::Retired));
        assert_eq!((read, tried), (Err(ChannelError::Retired), Err(ChannelError::Retired)));
    }

    fn a_bridge_by_itself_reads_as_the_queue_does() {
        let queue = queue();
        let two = queue.bridge(2);
        assert!(two.try_read().unwrap_err().is_would_block());
        assert!(two.read_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
        queue.send("a", 2).unwrap();
        queue.send("b", 1).unwrap();
        queue.send("c", 2).unwrap();
        assert_eq!(two.read().unwrap().0, b"a");
        assert_eq!(two.read_deadline(Instant::now()).unwrap().0, b"c");
        assert_eq!(two.into_inner(), *queue);
        let any = queue.bridge(0);
        queue.send("d", 1).unwrap();
        assert_eq!(any.iter().map(|message| message.0).take(2).collect::<Vec<_>>(), [b"b", b"d"]);
        queue.remove().unwrap();
        assert_eq!(any.iter().next(), None, "a queue that was removed is the end");
    }
}

alone! {
    fn a_guard_that_waits_sleeps_most_of_the_time_and_its_thread_ends_with_it() {
        // With nothing in the queue, and with messages that are not wanted.
        for others in [0, 5] {
            let queue = queue();
            (0..others).for_each(|_| queue.send("", 1).unwrap());
            let two = queue.bridge(2);
            let wait = |time| AltSelect! { _m = two.read() => 'm', after(time) => 't' };
            assert_eq!(wait(Duration::from_millis(50)), Ok('t'));
            let [helper] = helpers()[..] else { panic!("one bridge has one thread: {:?}", helpers()) };
            let (before, start) = (naps(helper), Instant::now());
            assert_eq!(wait(Duration::from_millis(400)), Ok('t'));
            let (slept, looks) = (naps(helper) - before, start.elapsed().as_millis() as u64 / 5);
            // One nap for each look, and as many while it waits to be asked again.
            assert!(slept <= 2 * looks + 10, "{slept} naps in a time for {looks}");
            assert!(slept > 0, "it looks now and then");
            drop(two);
            while !helpers().is_empty() {
                std::thread::yield_now();
            }
        }
    }
}
