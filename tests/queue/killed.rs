//! Producers and consumers are killed at any moment: the others go on, no item comes twice, and none is gone but what
//! somebody had in hand.
//!
//! Knows nothing of the steps between which a process is killed; those are chosen by chance, and one by one in
//! `tests/model`.

use csproc::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many processes are killed at one queue.
const KILLS_IN_A_ROUND: usize = 25;

/// Which producer has put it, and how many it had put before.
type Item = (u64, u64);

/// Puts items until the queue is closed; says how many.
#[process]
fn produce(queue: Queue<Item>, number: u64, guarded: bool) -> csproc::Result<u64> {
    for place in 0.. {
        let item = (number, place);
        let put = if guarded {
            AltSelect! { queue.write(item) => () }
        } else {
            queue.put(item).map_err(ChannelError::from)
        };
        match put {
            Err(error) if error.is_retired() => return Ok(place),
            put => put?,
        }
    }
    Ok(0)
}

/// Passes on what it gets until the queue is closed.
#[process]
fn consume(queue: Queue<Item>, got: Queue<Item>, guarded: bool) -> csproc::Result<()> {
    loop {
        let item = if guarded {
            AltSelect! { item = queue => item }
        } else {
            queue.get()
        };
        match item {
            Err(error) if error.is_retired() => return Ok(()),
            item => got.put(item?)?,
        }
        queue.task_done()?;
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % sides as u64) as usize
    }
}

/// The processes at a queue, some of which are killed and replaced.
struct Workshop {
    queue: Queue<Item>,
    got: Queue<Item>,
    /// Takes what came out at once: a burial looks at all messages that there are.
    collector: JoinHandle<BTreeMap<u64, BTreeSet<u64>>>,
    /// Joins it again and again.
    joined: JoinHandle<()>,
    closed: Arc<AtomicBool>,
    guarded: bool,
    producers: Vec<(u64, Child<csproc::Result<u64>>)>,
    consumers: Vec<Child<csproc::Result<()>>>,
    /// How many producers there were.
    hired: u64,
    consumers_killed: usize,
}

impl Workshop {
    fn hire_producer(&mut self) {
        let child = Spawn!(produce(self.queue.clone(), self.hired, self.guarded)).unwrap();
        self.producers.push((self.hired, child));
        self.hired += 1;
    }

    fn hire_consumer(&mut self) {
        self.consumers.push(Spawn!(consume(self.queue.clone(), self.got.clone(), self.guarded)).unwrap());
    }

    fn kill_one(&mut self, dice: &mut Dice) {
        sleep(Duration::from_micros(dice.roll(400) as u64));
        if dice.roll(2) == 0 {
            let (_, victim) = self.producers.swap_remove(dice.roll(self.producers.len()));
            victim.kill().unwrap();
            assert!(victim.join().is_err());
            self.hire_producer();
        } else {
            let victim = self.consumers.swap_remove(dice.roll(self.consumers.len()));
            victim.kill().unwrap();
            assert!(victim.join().is_err());
            self.consumers_killed += 1;
            self.hire_consumer();
        }
    }

    /// Everything that was put and lost by nobody has come, once.
    fn close(self) {
        self.queue.close();
        self.closed.store(true, Ordering::Release);
        let put: BTreeMap<u64, u64> =
            self.producers.into_iter().map(|(number, child)| (number, child.join().unwrap().unwrap())).collect();
        for consumer in self.consumers {
            consumer.join().unwrap().unwrap();
        }
        assert_eq!(self.queue.get(), Err(ChannelError::Retired), "it is empty");
        self.joined.join().unwrap();
        match self.queue.join() {
            Ok(()) => (),
            Err(ChannelError::Lost { .. }) if self.consumers_killed > 0 => assert_eq!(self.queue.join(), Ok(())),
            Err(told) => panic!("{told:?}, and {} consumers were killed", self.consumers_killed),
        }
        self.got.close();
        let came = self.collector.join().unwrap();
        let mut missing = 0;
        for (number, places) in &came {
            // Of a producer that was killed it is only known what came.
            let count = put.get(number).copied().unwrap_or_else(|| places.last().map_or(0, |last| last + 1));
            assert!(places.last().is_none_or(|last| *last < count), "more came than producer {number} has put");
            missing += count as usize - places.len();
        }
        assert!(missing <= self.consumers_killed, "{missing} are missing, {} consumers killed", self.consumers_killed);
    }
}

/// What comes, by producer; nothing comes twice.
fn collect(got: Queue<Item>) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut came = BTreeMap::<u64, BTreeSet<u64>>::new();
    for (number, place) in got.results().map(Result::unwrap) {
        assert!(came.entry(number).or_default().insert(place), "item {place} of producer {number} came twice");
    }
    came
}

/// Waits for the tasks until the queue is closed and they are done. Nobody is told anything but that consumers died.
fn join_all(queue: &Queue<Item>, closed: &AtomicBool) {
    loop {
        let closed = closed.load(Ordering::Acquire);
        match queue.join_timeout(Duration::from_millis(20)) {
            Ok(()) if closed => return,
            Ok(()) | Err(ChannelError::TimedOut | ChannelError::Lost { .. }) => (),
            Err(told) => panic!("{told:?}"),
        }
    }
}

fn round(dice: &mut Dice, kills: usize) {
    let got = Queue::new();
    // The largest is like one without a limit, but what nobody gets in time does not fill the arena.
    let queue = Queue::bounded([0, 1, 3, 1000][dice.roll(4)]);
    let closed = Arc::new(AtomicBool::new(false));
    let mut workshop = Workshop {
        joined: std::thread::spawn({
            let (queue, closed) = (queue.clone(), Arc::clone(&closed));
            move || join_all(&queue, &closed)
        }),
        queue,
        closed,
        collector: std::thread::spawn({
            let got = got.clone();
            || collect(got)
        }),
        got,
        guarded: dice.roll(2) == 0,
        producers: Vec::new(),
        consumers: Vec::new(),
        hired: 0,
        consumers_killed: 0,
    };
    for _ in 0..2 {
        workshop.hire_producer();
        workshop.hire_consumer();
    }
    for _ in 0..kills {
        workshop.kill_one(dice);
    }
    workshop.close();
    let audit = csproc::audit();
    assert!(audit.is_clean(), "{audit}");
}

/// A number that the environment gives.
fn given(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

alone! {
    fn whoever_is_killed_the_others_go_on_and_nothing_comes_twice() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = given("CSPROC_KILL_SEED").unwrap_or(now.subsec_nanos().into());
        println!("CSPROC_KILL_SEED={seed}");
        let mut dice = Dice(seed);
        for _ in 0..given("CSPROC_KILLS").unwrap_or(250).div_ceil(KILLS_IN_A_ROUND as u64) {
            round(&mut dice, KILLS_IN_A_ROUND);
        }
    }
}
