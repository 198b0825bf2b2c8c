//! Law 2, for any guards in any order: exactly one fires, the others leave no trace, and an alternation never meets
//! itself.
//!
//! Knows nothing of buffers, poison and priority: those laws are in `model`.

use crate::harness::cast::{announce_and_read, announce_and_write, collect, source};
use crate::harness::place::Place;
use crate::policy::{POLICIES, Policy, channels, read_all, readers, writers};
use csproc::prelude::*;
use proptest::prelude::*;
use std::time::Duration;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(&POLICIES[..])
}

/// Which channel each guard is over: each of them at least once, some several times, in any order.
fn guards(channels: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..channels, 0..5).prop_flat_map(move |extra| {
        let mut guards: Vec<usize> = (0..channels).collect();
        guards.extend(extra);
        Just(guards).prop_shuffle()
    })
}

fn poisoned() -> Channel<u64> {
    let dead = Channel::new();
    dead.reader().poison();
    dead
}

/// Reads until all have retired; so many guards more are absent although their channel is poisoned.
#[process]
fn choose(inputs: Vec<Reader<u64>>, guards: Vec<usize>, absent: usize, policy: Policy) -> Vec<Vec<u64>> {
    let dead = poisoned();
    let nobody = dead.reader();
    let mut alt = Alternation::new();
    for _ in 0..absent {
        let stop = alt.read(&nobody);
        alt.enable(stop, false);
    }
    let tokens: Vec<_> = guards.iter().map(|channel| alt.read(&inputs[*channel])).collect();
    let mut read = vec![Vec::new(); inputs.len()];
    loop {
        match policy.select(&mut alt) {
            Ok(fired) => {
                let guard = fired.index() - absent;
                read[guards[guard]].push(fired.take(tokens[guard]));
            }
            Err(ChannelError::Retired) => {
                let ended = guards[alt.failed().unwrap() - absent];
                for (_, token) in guards.iter().zip(&tokens).filter(|(channel, _)| **channel == ended) {
                    alt.enable(*token, false);
                }
            }
            Err(ChannelError::NoGuards) => return read,
            Err(other) => panic!("{other}"),
        }
    }
}

/// Offers a different value at each guard in each round; gives, for each channel, the values of the guards that fired.
#[process]
fn offer(outs: Vec<Writer<u64>>, guards: Vec<usize>, base: u64, rounds: u64, policy: Policy) -> Vec<Vec<u64>> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = guards.iter().map(|channel| alt.write(&outs[*channel], 0)).collect();
    let mut written = vec![Vec::new(); outs.len()];
    for round in 0..rounds {
        let value = |guard: usize| base + round * 100 + guard as u64;
        for (guard, token) in tokens.iter().enumerate() {
            alt.set(*token, value(guard));
        }
        let fired = policy.select(&mut alt).unwrap().index();
        written[guards[fired]].push(value(fired));
    }
    written
}

/// Reads whatever comes from all of them, with one alternation that is used again and again.
#[process]
fn choose_all(inputs: Vec<Reader<u64>>, policy: Policy) -> csproc::Result<Vec<(usize, u64)>> {
    read_all(&inputs, policy)
}

/// Both ends of one channel in one alternation.
#[process]
fn either(ready: Writer<Place>, input: Reader<u64>, out: Writer<u64>, value: u64) -> csproc::Result<Option<u64>> {
    Place::announce(&ready);
    Ok(AltSelect! {
        v = input.read() => Some(v),
        out.write(value) => None,
    }?)
}

over_both! {
    fn any_order_of_guards_any_number_of_times_beside_any_stops_reads_the_same(placement) {
        let strategy = prop::collection::vec(0_u64..12, 1..5)
            .prop_flat_map(|counts| (guards(counts.len()), Just(counts), 0..3_usize, policy()));
        proptest!(cases(20), |((guards, counts, absent, policy) in strategy)| {
            let c = channels(counts.len());
            let (read, sent) = Parallel!(
                choose(readers(&c), guards, absent, policy).on(placement),
                for (c, count) in c.iter().zip(&counts) => source(c.writer(), 0..*count).on(placement),
            )
            .unwrap();
            sent.into_iter().for_each(Result::unwrap);
            let wanted: Vec<Vec<u64>> = counts.iter().map(|count| (0..*count).collect()).collect();
            prop_assert_eq!(read, wanted);
        });
    }

    fn exactly_the_guards_that_fired_were_written_and_a_loser_is_never_seen(placement) {
        let strategy = (1..5_usize).prop_flat_map(|count| (guards(count), Just(count), 0..15_u64, policy()));
        proptest!(cases(20), |((guards, count, rounds, policy) in strategy)| {
            let c = channels(count);
            let (written, read) = Parallel!(
                offer(writers(&c), guards, 0, rounds, policy).on(placement),
                for c in &c => collect(c.reader()).on(placement),
            )
            .unwrap();
            prop_assert_eq!(written, read);
            prop_assert!(c.iter().all(Channel::is_empty));
        });
    }

    fn alternations_on_both_sides_of_the_same_channels_agree_on_every_value(placement) {
        let strategy = (1..4_usize).prop_flat_map(|count| {
            let writers = prop::collection::vec((guards(count), 0..12_u64, policy()), 1..4);
            (Just(count), writers, prop::collection::vec(policy(), 1..4))
        });
        proptest!(cases(15), |((count, cast, policies) in strategy)| {
            let c = channels(count);
            let (written, read) = Parallel!(
                for (at, (guards, rounds, policy)) in cast.into_iter().enumerate() =>
                    offer(writers(&c), guards, at as u64 * 10_000, rounds, policy).on(placement),
                for policy in policies => choose_all(readers(&c), policy).on(placement),
            )
            .unwrap();
            let mut wanted: Vec<(usize, u64)> = Vec::new();
            for (channel, values) in written.iter().flat_map(|of_one| of_one.iter().enumerate()) {
                wanted.extend(values.iter().map(|value| (channel, *value)));
            }
            let read: Vec<Vec<(usize, u64)>> = read.into_iter().map(Result::unwrap).collect();
            for of_one in &read {
                for (channel, writer) in (0..count).flat_map(|c| (0..written.len() as u64).map(move |w| (c, w))) {
                    let mine = of_one.iter().filter(|(at, value)| *at == channel && value / 10_000 == writer);
                    prop_assert!(mine.is_sorted(), "values of one writer overtook each other: {of_one:?}");
                }
            }
            let mut read = read.concat();
            read.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(read, wanted);
        });
    }

    fn an_alternation_never_meets_itself_but_meets_a_reader(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
        let _kept = ready.writer();
        for policy in POLICIES {
            let other = Spawn!(announce_and_read(ready.writer(), c.reader()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            let mut alt = Alternation::new();
            for _ in 0..3 {
                alt.read(&r);
            }
            let output = alt.write(&w, 9);
            alt.read(&r);
            assert_eq!(policy.select(&mut alt).unwrap().index(), output.index());
            assert_eq!(other.join().unwrap().unwrap(), 9);
        }
    }

    fn an_alternation_never_meets_itself_but_meets_a_writer(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
        let _kept = ready.writer();
        for policy in POLICIES {
            let other = Spawn!(announce_and_write(ready.writer(), c.writer(), 7).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            let mut alt = Alternation::new();
            alt.write(&w, 8);
            let input = alt.read(&r);
            alt.write(&w, 9);
            let fired = policy.select(&mut alt).unwrap();
            assert_eq!(fired.index(), input.index());
            assert_eq!(fired.take(input), 7);
            other.join().unwrap().unwrap();
        }
    }

    fn two_alternations_over_both_ends_of_one_channel_meet_each_other(placement) {
        for _ in 0..20 {
            let (c, ready) = (Channel::new(), Channel::new());
            let announced = ready.reader();
            let pair = Spawn!(for value in [1, 2] =>
                either(ready.writer(), c.reader(), c.writer(), value).on(placement))
            .unwrap();
            announced.read().and(announced.read()).unwrap();
            let mut got: Vec<Option<u64>> = pair.join().unwrap().into_iter().map(Result::unwrap).collect();
            got.sort_unstable();
            assert!(got == [None, Some(1)] || got == [None, Some(2)], "{got:?}");
        }
    }
}

once! {
    fn an_alternation_over_both_ends_of_one_channel_waits() {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        for policy in POLICIES {
            let mut alt = Alternation::new();
            alt.read(&r);
            alt.write(&w, 1);
            alt.read(&r);
            let skip = alt.skip();
            assert_eq!(policy.select(&mut alt).unwrap().index(), skip.index());
            alt.enable(skip, false);
            let timer = alt.after(Duration::from_millis(2));
            assert_eq!(policy.select(&mut alt).unwrap().index(), timer.index());
        }
        assert!(r.try_read().unwrap_err().is_would_block(), "the alternation left an offer behind");
        assert!(w.try_write(2).unwrap_err().fate.is_would_block(), "the alternation left an offer behind");
    }

    fn no_guard_is_an_error_and_not_a_wait() {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        for policy in POLICIES {
            let mut alt = Alternation::new();
            assert_eq!(policy.select(&mut alt).unwrap_err(), ChannelError::NoGuards);
            let (input, output) = (alt.read(&r), alt.write(&w, 1));
            let timer = alt.after(Duration::ZERO);
            alt.enable(input, false);
            alt.enable(output, false);
            alt.enable(timer, false);
            assert_eq!(policy.select(&mut alt).unwrap_err(), ChannelError::NoGuards);
            alt.enable(timer, true);
            assert_eq!(policy.select(&mut alt).unwrap().index(), timer.index());
        }
    }

    fn a_written_guard_is_absent_until_it_is_set_again() {
        let c = Channel::buffered(Buffer::Unbounded);
        let (w, r) = (c.writer(), c.reader());
        let mut alt = Alternation::new();
        let output = alt.write(&w, 1);
        alt.select().unwrap();
        assert_eq!(alt.select().unwrap_err(), ChannelError::NoGuards);
        alt.set(output, 2);
        alt.select().unwrap();
        alt.set(output, 3);
        drop(alt);
        drop(w);
        assert_eq!(r.into_iter().collect::<Vec<u64>>(), [1, 2], "a value that was never chosen was written");
    }

    fn an_end_that_was_given_up_fires_nothing_though_others_go_on() {
        let c = Channel::buffered(Buffer::Fifo(3));
        let [w, other_w] = [(); 2].map(|()| c.writer());
        let [r, other_r] = [(); 2].map(|()| c.reader());
        other_w.write(1_u64).unwrap();
        let mut before = Alternation::new();
        let (read, written) = (before.read(&r), before.write(&w, 2));
        retire!(w, r);
        for selected in [
            PriSelect! { _v = r.read() => (), skip => () },
            PriSelect! { _v = r.read_extended() => (), skip => () },
            PriSelect! { w.write(2) => (), skip => () },
        ] {
            assert_eq!(selected, Err(ChannelError::Retired));
        }
        before.enable(written, false);
        assert_eq!(before.pri_select().unwrap_err(), ChannelError::Retired);
        before.enable(read, false);
        before.enable(written, true);
        assert_eq!(before.pri_select().unwrap_err(), ChannelError::Retired);
        assert_eq!((other_r.len(), other_r.read()), (1, Ok(1)));
    }

    fn a_message_that_was_not_chosen_is_gone_with_its_ends_when_the_body_runs() {
        let (deaf, _nobody) = csproc::channel();
        let c = Channel::buffered(Buffer::Fifo(3));
        let (go, full) = (c.reader(), c.writer());
        (0..3).for_each(|value| full.write(value).unwrap());
        let ended = |r: Reader<u64>| assert_eq!(r.read(), Err(ChannelError::Retired));
        let (w, r) = csproc::channel();
        AltSelect! { deaf.write(w) => panic!("nobody reads"), _v = go.read() => ended(r) }.unwrap();
        let (w, r) = csproc::channel();
        PriSelect! { deaf.write(w) => panic!("nobody reads"), _v = go.read() => ended(r) }.unwrap();
        let (w, r) = csproc::channel();
        FairSelect! { deaf.write(w) => panic!("nobody reads"), _v = go.read() => ended(r) }.unwrap();
    }
}
