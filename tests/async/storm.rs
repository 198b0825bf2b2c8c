//! Futures that are dropped at random points while partners commit: every message is read once; and whoever is killed
//! among them leaves nothing behind, and nobody who waits.
//!
//! Knows nothing of one future alone; that is in `cancel`.

use crate::executor::{Executor, poll_once};
use csproc::prelude::*;
use std::task::Poll;

const MESSAGES: u64 = 2000;

/// A small generator (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Writes the numbers below `end`, with futures that are dropped again and again before they are ready: a write that
/// was dropped is not made again only if it was known to be written, so each number may come more than once.
#[process]
fn write(out: Writer<u64>, seed: u64, end: u64) -> csproc::Result<()> {
    let mut dice = Dice(seed);
    for value in 0..end {
        let mut writing = out.write_async(value);
        for _ in 0..dice.roll(4) {
            match poll_once(&mut writing) {
                Poll::Ready(result) => {
                    result?;
                    break;
                }
                Poll::Pending => std::thread::yield_now(),
            }
        }
        drop(writing);
        Executor::Plain.block_on(out.write_async(MESSAGES + value))?;
    }
    Ok(())
}

/// Reads with futures that are dropped again and again, alone and in a selection. Gives what it has read.
#[process]
fn read(input: Reader<u64>, seed: u64) -> Vec<u64> {
    let mut dice = Dice(seed);
    let mut values = Vec::new();
    loop {
        let came = if dice.roll(2) == 0 {
            let mut reading = input.read_async();
            poll_a_while(&mut reading, &mut dice)
        } else {
            let mut alt = Alternation::new();
            let token = alt.read(&input);
            let mut selecting = alt.select_async();
            poll_a_while(&mut selecting, &mut dice).map(|fired| fired.map(|fired| fired.take(token)))
        };
        match came {
            Some(Ok(value)) => values.push(value),
            Some(Err(_)) => return values,
            None => (),
        }
    }
}

fn poll_a_while<F: Future + Unpin>(future: &mut F, dice: &mut Dice) -> Option<F::Output> {
    for _ in 0..dice.roll(6) {
        if let Poll::Ready(output) = poll_once(future) {
            return Some(output);
        }
        std::thread::yield_now();
    }
    None
}

over_both! {
    fn no_message_is_lost_or_read_twice(placement) {
        let c = Channel::new();
        let writers: Vec<_> = (1..=2).map(|seed| write(c.writer(), seed, MESSAGES).on(placement)).collect();
        let readers: Vec<_> = (3..=4).map(|seed| read(c.reader(), seed).on(placement)).collect();
        drop(c);
        let (written, read) = Parallel!(writers, readers).unwrap();
        assert!(written.iter().all(Result::is_ok), "{written:?}");
        let mut counts = vec![0_usize; 2 * MESSAGES as usize];
        read.iter().flatten().for_each(|value| counts[*value as usize] += 1);
        let (dropped, kept) = counts.split_at(MESSAGES as usize);
        assert!(kept.iter().all(|count| *count == 2), "of what two writers wrote to the end, something is missing");
        assert!(dropped.iter().all(|count| *count <= 2), "a write that was dropped was made twice");
    }
}

once! {
    fn who_is_killed_among_futures_that_are_dropped_is_told_of() {
        for round in 0..20 {
            let c = Channel::new();
            // Whenever that is, it has more to write.
            let writer = Spawn!(write(c.writer(), 1 + round, u64::MAX - MESSAGES)).unwrap();
            let reader = Spawn!(read(c.reader(), 100 + round)).unwrap();
            // At a moment that the round chooses, by what the two have done by then.
            let own = c.reader();
            drop(c);
            for _ in 0..round * 7 {
                let _ = Executor::Plain.block_on(own.read_async()).unwrap();
            }
            if round % 2 == 0 {
                writer.kill().unwrap();
                assert!(writer.join().is_err());
                // What was on its way may come first.
                while let Ok(_on_its_way) = Executor::Plain.block_on(own.read_async()) {}
                assert!(Executor::Plain.block_on(own.read_async()).unwrap_err().is_lost());
                reader.join().unwrap();
            } else {
                reader.kill().unwrap();
                assert!(reader.join().is_err());
                assert!(writer.join().unwrap().is_err());
                assert!(Executor::Plain.block_on(own.read_async()).unwrap_err().is_lost());
            }
        }
    }
}
