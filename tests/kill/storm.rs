//! Networks under load lose processes at random moments, and others are stopped for a while: nothing arrives twice, and
//! nothing is lost but what was in the hands of the dead.
//!
//! Knows nothing of where a process was when it died; single places are tested in `step`. The seed is printed when a
//! round fails; `CSPROC_KILL_SEED` plays the rounds from that seed on, and `CSPROC_KILLS` says after how many kills to
//! end.

use crate::estate::Estate;
use csproc::prelude::*;
use csproc::{Cause, Child, Failure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a surviving writer writes in one round.
const VALUES: u64 = 150;

pub(crate) fn kills_wanted() -> u64 {
    match std::env::var("CSPROC_KILLS") {
        Ok(text) => text.parse().expect("CSPROC_KILLS is a number"),
        Err(_) if crate::is_long() => 10_000,
        Err(_) => 150,
    }
}

pub(crate) fn first_seed() -> u64 {
    match std::env::var("CSPROC_KILL_SEED") {
        Ok(text) => text.parse().expect("CSPROC_KILL_SEED is a number"),
        Err(_) => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64,
    }
}

/// Xorshift (Marsaglia 2003), scattered first so that neighbouring seeds differ.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    pub(crate) fn pause(&mut self, most: u64) {
        let wait = Duration::from_micros(self.below(most));
        let start = Instant::now();
        while start.elapsed() < wait {
            std::thread::yield_now();
        }
    }
}

/// Writes numbered values, one after the other, on any of its ends, until nobody reads. Gives the number that everybody
/// below was written, but for those in `lost`, of which a reader died that had them in its hands.
fn produce(outs: &[Writer<u64>], id: u64, count: u64, alternate: bool) -> (u64, Vec<u64>) {
    let mut lost = Vec::new();
    for number in 0..count {
        let value = id << 32 | number;
        let written = if alternate {
            let mut alternation = Alternation::new();
            for out in outs {
                alternation.write(out, value);
            }
            alternation.select().map(drop)
        } else {
            outs[number as usize % outs.len()].write(value).map_err(|error| error.fate)
        };
        match written {
            Ok(()) => (),
            Err(ChannelError::Lost { cause: Cause::Killed { signal: 9 }, .. }) => lost.push(value),
            Err(error) if error.is_retired() => return (number, lost),
            Err(error) => panic!("{error:?}"),
        }
    }
    (count, lost)
}

/// Reads from any of its ends until nobody writes.
fn consume(inputs: &[Reader<u64>], alternate: bool, extended: bool, mut keep: impl FnMut(u64)) {
    let mut open: Vec<&Reader<u64>> = inputs.iter().collect();
    let mut turn = 0;
    while !open.is_empty() {
        turn += 1;
        let (place, error) = if alternate {
            let mut alternation = Alternation::new();
            let tokens: Vec<_> = open.iter().map(|r| alternation.read(r)).collect();
            match alternation.select() {
                Ok(fired) => {
                    let place = fired.index();
                    keep(fired.take(tokens[place]));
                    continue;
                }
                Err(error) => (alternation.failed().unwrap(), error),
            }
        } else {
            // One after the other, and each only for a moment, for the others must not wait for ever.
            let place = turn % open.len();
            let read = match extended {
                true if open.len() == 1 => open[place].read_extended(|value| value),
                _ => open[place].read_timeout(Duration::from_micros(200)),
            };
            match read {
                Ok(value) => {
                    keep(value);
                    continue;
                }
                Err(ChannelError::TimedOut) => continue,
                Err(error) => (place, error),
            }
        };
        assert!(error.is_retired(), "{error:?}");
        open.remove(place);
    }
}

#[process(on_crash = "retire")]
fn produce_for_ever(outs: Vec<Writer<u64>>, id: u64, alternate: bool) {
    produce(&outs, id, u64::from(u32::MAX), alternate);
}

/// Notes what it has read where it outlives the process: the operating system writes eight bytes whole or not at all.
#[process(on_crash = "retire")]
fn consume_for_ever(inputs: Vec<Reader<u64>>, alternate: bool, extended: bool, log: PathBuf) {
    let mut log = File::options().append(true).open(log).unwrap();
    consume(&inputs, alternate, extended, |value| log.write_all(&value.to_ne_bytes()).unwrap());
}

fn noted(log: &Path) -> Vec<u64> {
    let bytes = std::fs::read(log).unwrap();
    bytes.chunks_exact(8).map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap())).collect()
}

/// Kills all of them at random moments, and stops some for a while before. Gives how many were alive until then.
pub(crate) fn hunt(mut victims: Vec<Child<()>>, dice: &mut Dice, stops: &mut u64) -> u64 {
    let mut killed = 0;
    while !victims.is_empty() {
        dice.pause(2500);
        let prey = dice.below(victims.len() as u64) as usize;
        let pid = victims[prey].pid().map(|pid| Pid::from_raw(pid.cast_signed()));
        match dice.below(3) {
            0 => {
                // Ended by itself, perhaps: then there is nobody to stop.
                if let Some(pid) = pid
                    && kill(pid, Signal::SIGSTOP).is_ok()
                {
                    dice.pause(1500);
                    let _ = kill(pid, Signal::SIGCONT);
                    *stops += 1;
                }
            }
            _ => {
                let victim = victims.swap_remove(prey);
                victim.kill().unwrap();
                match victim.join() {
                    Ok(()) => (),
                    Err(error) => {
                        let [Failure::Crashed { cause, .. }] = error.failures() else { panic!("{error}") };
                        assert_eq!(*cause, Cause::Killed { signal: 9 }, "{error}");
                        killed += 1;
                    }
                }
            }
        }
    }
    killed
}

/// Many to many over channels of one kind.
fn traffic(dice: &mut Dice, stops: &mut u64) -> u64 {
    let buffer = match dice.below(8) {
        0 => Buffer::Fifo(1),
        1 => Buffer::Fifo(3),
        2 => Buffer::OverwriteOldest(2),
        3 => Buffer::OverwriteNewest(2),
        4 => Buffer::DropNewest(2),
        _ => Buffer::Fifo(0),
    };
    let lossless = matches!(buffer, Buffer::Fifo(_));
    let count = [1, 1, 3][dice.below(3) as usize];
    let channels: Vec<Channel<u64>> = (0..count).map(|_| Channel::buffered(buffer)).collect();
    let ins = || channels.iter().map(Channel::reader).collect::<Vec<_>>();
    let outs = || channels.iter().map(Channel::writer).collect::<Vec<_>>();
    let mut chance = |of: u64| dice.below(of) == 0;
    let (alternate_in, alternate_out, extended) = (chance(2), chance(2), chance(2));
    let logs: Vec<PathBuf> =
        (0..2).map(|i| std::env::temp_dir().join(format!("csproc-kill-{}-{i}", std::process::id()))).collect();
    for log in &logs {
        File::create(log).unwrap();
    }
    let mut victims: Vec<Child<()>> =
        (0..2).map(|id| Spawn!(produce_for_ever(outs(), id, alternate_out)).unwrap()).collect();
    for log in &logs {
        victims.push(Spawn!(consume_for_ever(ins(), alternate_in, extended, log.clone())).unwrap());
    }
    let producers: Vec<JoinHandle<(u64, Vec<u64>)>> = (2..4)
        .map(|id| {
            let outs = outs();
            std::thread::spawn(move || produce(&outs, id, VALUES, alternate_out))
        })
        .collect();
    let consumers: Vec<JoinHandle<Vec<u64>>> = (0..2)
        .map(|_| {
            let ins = ins();
            std::thread::spawn(move || {
                let mut values = Vec::new();
                consume(&ins, alternate_in, extended, |value| values.push(value));
                values
            })
        })
        .collect();
    drop(channels);
    let killed = hunt(victims, dice, stops);
    let written: Vec<(u64, Vec<u64>)> = producers.into_iter().map(|producer| producer.join().unwrap()).collect();
    let read: Vec<Vec<u64>> = consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect();
    let mut seen: HashSet<u64> = HashSet::new();
    let mut highest: HashMap<u64, u64> = HashMap::new();
    for values in read.into_iter().chain(logs.iter().map(|log| noted(log))) {
        if count == 1 {
            let mut last = HashMap::new();
            for value in &values {
                let before = last.insert(value >> 32, *value);
                assert!(before.is_none_or(|before| before < *value), "{value:x} came after {before:x?}");
            }
        }
        for value in values {
            assert!(seen.insert(value), "{value:x} arrived twice");
            let high = highest.entry(value >> 32).or_default();
            *high = (*high).max(value & 0xffff_ffff);
        }
    }
    for log in &logs {
        std::fs::remove_file(log).unwrap();
    }
    if lossless {
        for ((reached, lost), id) in written.iter().zip(2..) {
            assert_eq!(*reached, VALUES, "there were readers to the end");
            assert!(lost.iter().all(|value| value >> 32 == id));
            highest.insert(id, VALUES - 1);
        }
        let missing: Vec<String> = highest
            .iter()
            .flat_map(|(id, high)| (0..=*high).map(move |number| id << 32 | number))
            .filter(|value| !seen.contains(value))
            .map(|value| format!("{value:x}"))
            .collect();
        assert!(missing.len() <= logs.len(), "more is lost than two dead readers had in their hands: {missing:?}");
    }
    killed
}

#[process(on_crash = "retire")]
fn sync_for_ever(barrier: Barrier, ready: Writer<()>) {
    ready.write(()).unwrap();
    while barrier.sync().is_ok() {}
}

/// Parties of a barrier die; the others meet on.
fn meetings(dice: &mut Dice, stops: &mut u64) -> u64 {
    let (barrier, ready) = (Barrier::new(5), Channel::new());
    let victims: Vec<Child<()>> =
        (0..3).map(|_| Spawn!(sync_for_ever(barrier.clone(), ready.writer())).unwrap()).collect();
    let started = ready.reader();
    for _ in 0..3 {
        started.read().unwrap();
    }
    let survivors: Vec<_> = (0..2)
        .map(|_| {
            let barrier = barrier.clone();
            std::thread::spawn(move || (0..VALUES).for_each(|_| barrier.sync().unwrap()))
        })
        .collect();
    drop(barrier);
    let killed = hunt(victims, dice, stops);
    for survivor in survivors {
        survivor.join().unwrap();
    }
    killed
}

#[process(on_crash = "retire")]
fn ask_for_ever(requests: Writer<(u64, Writer<u64>)>) {
    for number in 0.. {
        let answer = Channel::new();
        let r = answer.reader();
        requests.write((number, answer.writer())).unwrap();
        drop(answer);
        assert_eq!(r.read().unwrap(), number + 1);
    }
}

/// Clients that die send the ends on which they want their answers.
fn services(dice: &mut Dice, stops: &mut u64) -> u64 {
    let requests = Channel::<(u64, Writer<u64>)>::new();
    let victims: Vec<Child<()>> = (0..3).map(|_| Spawn!(ask_for_ever(requests.writer())).unwrap()).collect();
    let servers: Vec<_> = (0..2)
        .map(|_| {
            let requests = requests.reader();
            std::thread::spawn(move || {
                for (number, answer) in requests {
                    if let Err(error) = answer.write(number + 1) {
                        assert!(error.fate.is_retired(), "{error:?}");
                    }
                }
            })
        })
        .collect();
    drop(requests);
    let killed = hunt(victims, dice, stops);
    for server in servers {
        server.join().unwrap();
    }
    killed
}

#[process]
fn double(value: u64) -> u64 {
    value * 2
}

#[process(on_crash = "retire")]
fn have_children_for_ever() {
    for number in 0.. {
        let kept = Spawn!(double(number)).unwrap();
        assert_eq!(Parallel!(double(number), double(1).on(Placement::Thread)).unwrap(), (number * 2, 2));
        assert_eq!(kept.join().unwrap(), number * 2);
    }
}

/// Parents die at any moment of starting and joining their children.
fn families(dice: &mut Dice, stops: &mut u64) -> u64 {
    let victims: Vec<Child<()>> = (0..3).map(|_| Spawn!(have_children_for_ever()).unwrap()).collect();
    dice.pause(4000);
    hunt(victims, dice, stops)
}

/// Loses processes, and gives how many; whom it has stopped for a while is added to the second argument.
pub(crate) type Network = fn(&mut Dice, &mut u64) -> u64;

/// Runs one of these networks after the other, until so many processes were killed as are wanted.
pub(crate) fn rage(of: &str, networks: &[(&str, Network)]) {
    let (first, wanted) = (first_seed(), kills_wanted());
    let (mut killed, mut stops, mut rounds) = (0, 0, 0);
    while killed < wanted {
        let seed = first.wrapping_add(rounds);
        let (name, network) = networks[(seed % networks.len() as u64) as usize];
        let what = format!("{name}, CSPROC_KILL_SEED={seed} (round {rounds} from {first})");
        let ran = catch_unwind(AssertUnwindSafe(|| network(&mut Dice::new(seed), &mut stops)));
        killed += ran.unwrap_or_else(|_| panic!("{what}"));
        Estate::EMPTY.restored(&what);
        rounds += 1;
    }
    crate::report(&format!("kill::{of}: {rounds} rounds, {killed} processes killed, {stops} stopped for a while"));
}

alone! {
    fn processes_killed_and_stopped_at_random_take_nothing_with_them() {
        rage("storm", &[
            ("traffic", traffic),
            ("meetings", meetings),
            ("traffic", traffic),
            ("services", services),
            ("traffic", traffic),
            ("families", families),
        ]);
    }
}
