//! Whoever is killed at a random moment has left a trace that can be read, and that agrees with what the others say.
//!
//! Knows nothing of the moments; each step of the recorder is tried in `tests/model`.

use crate::begin;
use csproc::prelude::*;
use csproc::trace::{self, Event, Outcome, What};
use std::time::{Duration, Instant};

#[process]
fn relay(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    for value in input {
        output.write(value)?;
    }
    Ok(())
}

#[process]
fn feed(output: Writer<u64>, input: Reader<u64>) -> csproc::Result<()> {
    for value in 0.. {
        output.write(value)?;
        if value > 3 {
            AltSelect! { _ = input.read() => (), skip => () }?;
        }
        while input.try_read().is_ok() {}
    }
    Ok(())
}

fn is_done(event: &&Event) -> bool {
    matches!(event.what(), What::Wrote | What::Read) && event.outcome() == Outcome::Done
}

/// Kills the relay between them, and reads what is left.
fn kill_one(number: u64) -> usize {
    let there = Channel::builder().name("there").build().unwrap();
    let back = Channel::builder().name("back").buffer(Buffer::OverwriteOldest(2)).build().unwrap();
    let (relayed, fed) = (relay(there.reader(), back.writer()), feed(there.writer(), back.reader()));
    let (relayed, fed) = (relayed.named(format!("relay {number}")), fed.named(format!("feed {number}")));
    drop((there, back));
    let feeding = Spawn!(fed).unwrap();
    let victim = Spawn!(relayed).unwrap();
    std::thread::sleep(Duration::from_micros(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53));
    victim.kill().unwrap();
    let error = victim.join().unwrap_err();
    let _ = feeding.join().unwrap();
    let trace = trace::last(usize::MAX);
    let (its, other) = (format!("relay {number}"), format!("feed {number}"));
    let mut before = 0;
    for event in trace.of(&its) {
        assert!(event.number() > before || event.what() == What::Waits, "{trace}");
        before = event.number();
    }
    // Of what the living have recorded on the channel without a buffer, one event at most has no other side: that
    // which the dead had not written down. It names the dead.
    let there = |event: &&Event| event.channel() == Some("there") && is_done(event);
    let paired: Vec<&Event> = trace.pairs().flat_map(|(written, read)| [written, read]).collect();
    let oldest = trace
        .of(&its)
        .map(Event::number)
        .min()
        .unwrap_or(u64::MAX)
        .max(trace.of(&other).map(Event::number).min().unwrap_or(0));
    let alone: Vec<&Event> =
        trace.of(&other).filter(there).filter(|event| event.number() > oldest && !paired.contains(event)).collect();
    assert!(alone.len() <= 1, "{alone:?} in\n{trace}");
    assert!(alone.iter().all(|event| event.partner().is_none_or(|partner| partner == its)), "{alone:?}");
    let alone = trace.of(&its).filter(there).filter(|event| event.number() > oldest && !paired.contains(event)).count();
    assert_eq!(alone, 0, "the living have written down all that they did:\n{trace}");
    error.last_events(&its).len()
}

alone! {
    fn the_dead_leave_a_trace_that_agrees_with_the_living() {
        let start = Instant::now();
        let (mut kills, mut told) = (0, 0);
        let wanted = if std::env::var_os("CSPROC_LONG").is_some() { 10_000 } else { 1000 };
        while kills < wanted && (wanted > 1000 || start.elapsed() < Duration::from_secs(20)) {
            if kills % 50 == 0 {
                begin();
            }
            told += usize::from(kill_one(kills) > 0);
            kills += 1;
        }
        assert!(kills > 20 && told > 0, "{kills} kills, {told} told");
        assert!(csproc::audit().is_clean());
    }
}
