//! Reading works while the arena is full, so a full arena can be drained; and what could not be made says what is used
//! up, and costs nothing.
//!
//! Knows nothing of how a block is kept back. The program fills an arena of its own, which is small.

use crate::harness::scenario::{Scenario, play_in_small_arena};
use csproc::prelude::*;
use std::thread;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("drain a full arena", drain_a_full_arena),
    ("ever new readers", ever_new_readers),
    ("no end is left", no_end_is_left),
    ("no channel is left", no_channel_is_left),
];

const MESSAGES: u64 = 1000;

/// A channel with so many messages, and no writer.
fn filled() -> Reader<u64> {
    let c = Channel::buffered(Buffer::Fifo(MESSAGES as usize));
    let (out, input) = (c.writer(), c.reader());
    (0..MESSAGES).for_each(|_| out.write(1).unwrap());
    input
}

/// Writes until the arena is full, and says how often.
fn fill(out: &Writer<[u64; 4]>) -> usize {
    let mut count = 0;
    loop {
        match out.write([0; 4]).map_err(ChannelError::from) {
            Ok(()) => count += 1,
            Err(ChannelError::Invalid(error)) => {
                assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");
                return count;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[process]
fn sum_up(go: Reader<u8>, input: Reader<u64>) -> u64 {
    go.read().unwrap_err();
    input.into_iter().sum()
}

fn drain_a_full_arena() {
    let (here, there, fresh) = (filled(), filled(), filled());
    let (go, rest) = (Channel::<u8>::new(), Channel::buffered(Buffer::Unbounded));
    let (start, out, drain) = (go.writer(), rest.writer(), rest.reader());
    let child = Spawn!(sum_up(go.reader(), there)).unwrap();
    drop((go, rest));
    let count = fill(&out);
    // A thread that has just filled the arena, one that has not communicated yet, and a process.
    assert_eq!(here.into_iter().sum::<u64>(), MESSAGES);
    fill(&out);
    assert_eq!(thread::spawn(move || fresh.into_iter().sum::<u64>()).join().unwrap(), MESSAGES);
    fill(&out);
    drop(start);
    assert_eq!(child.join().unwrap(), MESSAGES);
    let more = fill(&out);
    out.write([0; 4]).unwrap_err();
    drop(out);
    let drained = thread::spawn(move || drain.iter().count()).join().unwrap();
    assert!(drained >= count + more, "{drained} of {count} and {more}");
    assert_eq!(filled().into_iter().sum::<u64>(), MESSAGES);
}

/// The reserve comes back from each reader: there are more of them, one after the other, than contexts.
fn ever_new_readers() {
    let rest = Channel::buffered(Buffer::Unbounded);
    let (out, keep) = (rest.writer(), rest.reader());
    drop(rest);
    fill(&out);
    for _ in 0..5000 {
        let c = Channel::<u8>::new();
        let (w, r) = (c.writer(), c.reader());
        drop(c);
        let reader = thread::spawn(move || r.read_timeout(std::time::Duration::ZERO));
        assert_eq!(reader.join().unwrap(), Err(ChannelError::TimedOut));
        drop(w);
    }
    drop(keep);
}

/// Whatever is made now says that these are used up.
#[track_caller]
fn assert_used_up(what: &str) {
    let says = |error: ChannelError| assert!(error.to_string().contains(what), "{error}");
    let c = Channel::<u8>::new();
    says(c.writer().write(1).unwrap_err().fate);
    says(c.clone().reader().clone().read().unwrap_err());
    says(Channel::<u8>::buffered(Buffer::Unbounded).writer().clone().try_write(1).unwrap_err().fate);
    says(csproc::Barrier::new(1).sync().unwrap_err());
    says(csproc::Barrier::new(1).clone().sync().unwrap_err());
}

fn no_end_is_left() {
    let (c, outer) = (Channel::<u8>::new(), Channel::<Reader<u8>>::buffered(Buffer::Unbounded));
    let (out, input) = (outer.writer(), outer.reader());
    let mut kept = Vec::new();
    let unmade = loop {
        let end = c.reader();
        match end.try_read() {
            Err(ChannelError::WouldBlock) => kept.push(end),
            _ => break end,
        }
    };
    for _ in 0..100 {
        assert_used_up("channel ends of the arena are in use");
    }
    let refused = out.write(unmade).unwrap_err();
    assert!(refused.fate.to_string().contains("channel ends of the arena"), "{refused}");
    drop(kept);
    let c = Channel::<u8>::new();
    out.write(c.reader()).unwrap();
    assert_eq!(input.read().unwrap().try_read(), Err(ChannelError::WouldBlock));
}

fn no_channel_is_left() {
    let mut kept = Vec::new();
    while let Ok(channel) = Channel::<u8>::builder().build() {
        kept.push(channel);
    }
    for _ in 0..100 {
        assert_used_up("channels of the arena are in use");
    }
    drop(kept);
    assert_eq!(filled().into_iter().sum::<u64>(), MESSAGES);
}

once! {
    fn law_14_a_full_arena_can_be_drained_by_anybody() {
        play_in_small_arena("drain a full arena");
    }

    fn law_14_the_blocks_that_readers_borrow_come_back() {
        play_in_small_arena("ever new readers");
    }

    fn an_end_that_could_not_be_made_says_what_is_used_up_and_costs_nothing() {
        play_in_small_arena("no end is left");
        play_in_small_arena("no channel is left");
    }
}
