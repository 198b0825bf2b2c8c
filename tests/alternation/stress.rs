//! Alternations that face each other, in opposite orders, in circles and in crowds: nobody waits for ever, and every
//! value arrives once.
//!
//! Knows nothing of what a single alternation does; that is in `laws` and `model`. With `CSPROC_LONG` set each test
//! takes a minute.

use crate::harness::place::Place;
use crate::policy::{POLICIES, Policy, channels, readers, writers};
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a party has written and read: for each, on which channel, and the value.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Diary {
    written: Vec<(usize, u64)>,
    read: Vec<(usize, u64)>,
}

/// A guard over the channel of that number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Side {
    Read(usize),
    Write(usize),
}

/// How a party chooses.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Manner {
    policy: Policy,
    /// After how many microseconds it gives up and tries again; none if it has no timer.
    patience: u64,
}

/// Ends that are not given are not touched; those that are given stay open until the party is through.
#[process]
fn party(
    inputs: Vec<Option<Reader<u64>>>,
    outs: Vec<Option<Writer<u64>>>,
    guards: Vec<Side>,
    count: u64,
    base: u64,
    manner: Manner,
) -> csproc::Result<Diary> {
    let mut diary = Diary::default();
    let mut alt = Alternation::new();
    let mut tokens = BTreeMap::new();
    let mut outputs = BTreeMap::new();
    for side in &guards {
        match *side {
            Side::Read(channel) => {
                let token = alt.read(inputs[channel].as_ref().unwrap());
                tokens.insert(token.index(), (channel, token));
            }
            Side::Write(channel) => {
                let token = alt.write(outs[channel].as_ref().unwrap(), base);
                outputs.insert(token.index(), (channel, token));
            }
        }
    }
    if manner.patience > 0 {
        alt.after(Duration::from_micros(manner.patience));
    }
    let mut done = 0;
    while done < count {
        let fired = match manner.policy.select(&mut alt) {
            Ok(fired) => fired,
            // Somebody was through first.
            Err(ChannelError::Retired) => break,
            Err(error) => return Err(error.into()),
        };
        if let Some((channel, token)) = tokens.get(&fired.index()) {
            diary.read.push((*channel, fired.take(*token)));
        } else if let Some((channel, _)) = outputs.get(&fired.index()) {
            diary.written.push((*channel, base + done));
        } else {
            continue;
        }
        done += 1;
        for (_, token) in outputs.values() {
            alt.set(*token, base + done);
        }
    }
    Ok(diary)
}

/// Writes its number, and how often it has written before, until nobody reads.
#[process]
fn press(ready: Writer<Place>, out: Writer<(usize, usize)>, number: usize) -> csproc::Result<()> {
    Place::announce(&ready);
    drop(ready);
    (0..).try_for_each(|count| Ok(out.write((number, count))?))
}

/// Hears whoever comes for a while; and then, again and again, waits until everybody waits, and gives how often each
/// was heard in as many selections as there are writers.
#[process]
fn hear(
    ready: Reader<Place>,
    inputs: Vec<Reader<(usize, usize)>>,
    writers: usize,
    free: usize,
    batches: usize,
) -> csproc::Result<Vec<Vec<usize>>> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alt.read(input)).collect();
    let mut heard = vec![0; inputs.len() * writers];
    let places: Vec<Place> = ready.into_iter().collect();
    let mut hear = |heard: &mut [usize], selections: usize| -> csproc::Result<()> {
        for _ in 0..selections {
            let fired = alt.fair_select()?;
            let from = fired.index();
            let (number, count) = fired.take(tokens[from]);
            assert_eq!(number / writers, from, "writer {number} writes to another channel");
            assert_eq!(count, heard[number], "values of writer {number} are lost, doubled or out of order");
            heard[number] += 1;
        }
        Ok(())
    };
    let mut batch = || {
        hear(&mut heard, free)?;
        // Twice, as one that sleeps for another reason at the first look does not at the second.
        (0..2).for_each(|_| places.iter().for_each(|place| place.until_asleep()));
        let before = heard.clone();
        hear(&mut heard, places.len())?;
        Ok(heard.iter().zip(before).map(|(after, before)| after - before).collect())
    };
    (0..batches).map(|_| batch()).collect()
}

/// Every value was read once, from the channel it was written to; and those that one party read of another on one
/// channel, in order.
fn check(diaries: &[Diary]) {
    let mut written: Vec<(usize, u64)> = diaries.iter().flat_map(|diary| diary.written.clone()).collect();
    let mut read: Vec<(usize, u64)> = diaries.iter().flat_map(|diary| diary.read.clone()).collect();
    written.sort_unstable();
    read.sort_unstable();
    let lost: Vec<_> = written.iter().filter(|value| read.binary_search(value).is_err()).collect();
    assert_eq!(written, read, "lost: {lost:?}");
    for diary in diaries {
        let mut last = BTreeMap::new();
        for (channel, value) in &diary.read {
            let before = last.insert((*channel, value / BASE), *value);
            assert!(before < Some(*value), "{value} was overtaken by {before:?} on channel {channel}");
        }
    }
}

/// Values of one party are between two multiples of this.
const BASE: u64 = 1_000_000;

/// All the ends, whoever uses which.
fn all<T>(ends: Vec<T>) -> Vec<Option<T>> {
    ends.into_iter().map(Some).collect()
}

/// None of them.
fn nothing<T>(count: usize) -> Vec<Option<T>> {
    (0..count).map(|_| None).collect()
}

/// One of nine manners. Those who meet do not all tire: two that only try can miss each other for ever.
fn manner(number: u64, may_tire: bool) -> Manner {
    let patience = if may_tire { [0, 1, 30][number as usize / 3 % 3] } else { 0 };
    Manner { policy: POLICIES[number as usize % 3], patience }
}

rounds_over_both! {
    /// Both prefer what the other one likes least; and what one writes and the other reads may go either way.
    fn two_alternations_in_opposite_orders_agree(placement, round) {
        for (writing, reading) in (0..3).flat_map(|w| (0..3).map(move |r| (w + round, r + round / 3))) {
            for (guards, facing) in [
                (vec![Side::Write(0), Side::Write(1)], vec![Side::Read(1), Side::Read(0)]),
                (vec![Side::Write(0), Side::Read(1)], vec![Side::Write(1), Side::Read(0)]),
                (vec![Side::Write(0), Side::Read(0)], vec![Side::Write(0), Side::Read(0)]),
            ] {
                let c = channels(2);
                let cast = [(guards, BASE, manner(writing, true)), (facing, 2 * BASE + 7, manner(reading, false))];
                let diaries = Parallel!(for (guards, base, manner) in cast =>
                    party(all(readers(&c)), all(writers(&c)), guards, 200, base, manner).on(placement))
                .unwrap();
                let diaries: Vec<Diary> = diaries.into_iter().map(Result::unwrap).collect();
                check(&diaries);
                // Each communication is one of both, so that they come to their ends together.
                assert!(diaries.iter().all(|diary| diary.written.len() + diary.read.len() == 200));
                assert_eq!(diaries[0].written, diaries[1].read);
                assert_eq!(diaries[1].written, diaries[0].read);
            }
        }
    }

    /// Each of three writes to the next and reads from the one before: whoever is through first ends the others.
    fn cyclic_alternations_of_three_go_round(placement, round) {
        for turn in 0..6 {
            let c = channels(3);
            let r = |at: usize| (0..3).map(|i| (i == at).then(|| c[at].reader())).collect();
            let w = |at: usize| (0..3).map(|i| (i == at).then(|| c[at].writer())).collect();
            let guards = |at: usize| {
                let guards = [Side::Write(at), Side::Read((at + 2) % 3)];
                if turn % 2 == 0 { guards.to_vec() } else { guards.into_iter().rev().collect() }
            };
            let diaries = Parallel!(for at in 0..3 => {
                let base = (at as u64 + 1) * BASE;
                let manner = manner(round + turn * 3 + at as u64, at == 0);
                party(r((at + 2) % 3), w(at), guards(at), 400, base, manner).on(placement)
            })
            .unwrap();
            let diaries: Vec<Diary> = diaries.into_iter().map(Result::unwrap).collect();
            check(&diaries);
            assert!(diaries.iter().any(|diary| diary.written.len() + diary.read.len() == 400));
        }
    }

    /// The stressed alternation of the CSP literature: eight writers at each of eight channels, one reader. How often
    /// each is heard while they run freely is up to the scheduler; of those that wait, each is heard once before any
    /// is heard twice.
    fn stressed_alternation_hears_everybody_alike(placement, _round) {
        let (c, ready) = (channels(8), Channel::new());
        let (pressed, heard) = Parallel!(
            for number in 0..64 => press(ready.writer(), c[number / 8].writer(), number).on(placement),
            hear(ready.reader(), readers(&c), 8, 500, 10).on(placement),
        )
        .unwrap();
        assert_eq!(heard.unwrap(), vec![vec![1; 64]; 10]);
        for ended in pressed {
            assert_eq!(ended.unwrap_err().channel_error(), Some(&ChannelError::Retired));
        }
    }

    fn four_alternating_writers_against_four_alternating_readers(placement, round) {
        for turn in 0..3 {
            let c = channels(4);
            let order = |at: usize| (0..4).map(move |i| (at + if at.is_multiple_of(2) { i } else { 4 - i }) % 4);
            let (written, read) = Parallel!(
                for at in 0..4 => {
                    let guards = order(at).map(Side::Write).collect();
                    let base = (at as u64 + 1) * BASE;
                    let manner = manner(round + turn * 3 + at as u64, true);
                    party(nothing(4), all(writers(&c)), guards, 400, base, manner).on(placement)
                },
                for at in 0..4 => {
                    let guards = order(at + 1).map(Side::Read).collect();
                    let manner = manner(round / 3 + turn * 2 + at as u64, false);
                    party(all(readers(&c)), nothing(4), guards, u64::MAX, at as u64 * 13, manner).on(placement)
                },
            )
            .unwrap();
            let diaries: Vec<Diary> = written.into_iter().chain(read).map(Result::unwrap).collect();
            check(&diaries);
            assert!(diaries[..4].iter().all(|diary| diary.written.len() == 400));
        }
    }
}
