//! Go's tests of communication (`test/chan`), by their behaviour: in chains and sieves, by those who wait and those
//! who only try.
//!
//! Knows nothing of Go's implementation; what its tests say of the choice itself is in `go_select`, what goes with
//! its run-time system in `go_runtime`. `default` is `skip` here.

use crate::harness::cast::relay;
use crate::policy::{POLICIES, Policy, channels, writers};
use csproc::prelude::*;
use serde::{Deserialize, Serialize};

/// The ways in which `select7` communicates: some wait, some try again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    Plain,
    One,
    BesideAbsent,
    BesideAnother,
    Polled,
}

const WAYS: [Way; 5] = [Way::Plain, Way::One, Way::BesideAbsent, Way::BesideAnother, Way::Polled];

#[process]
fn read_so(way: Way, input: Reader<u64>, silent: Reader<u64>) -> csproc::Result<u64> {
    let value = match way {
        Way::Plain => input.read(),
        Way::One => AltSelect! { v = input.read() => v },
        Way::BesideAbsent => AltSelect! {
            v = silent.read() if false => v,
            v = input.read() => v,
        },
        Way::BesideAnother => AltSelect! {
            v = input.read() => v,
            v = silent.read() => v,
        },
        Way::Polled => loop {
            let value = AltSelect! {
                v = input.read() => Some(v),
                skip => None,
            };
            if let Some(value) = value.transpose() {
                break value;
            }
            std::thread::yield_now();
        },
    };
    Ok(value?)
}

#[process]
fn write_so(way: Way, out: Writer<u64>, silent: Reader<u64>, value: u64) -> csproc::Result<()> {
    match way {
        Way::Plain => out.write(value)?,
        Way::One => AltSelect! { out.write(value) => () }?,
        Way::BesideAbsent => AltSelect! {
            v = silent.read() if false => panic!("nobody has written {v}"),
            out.write(value) => (),
        }?,
        Way::BesideAnother => AltSelect! {
            out.write(value) => (),
            v = silent.read() => panic!("nobody has written {v}"),
        }?,
        Way::Polled => loop {
            let written = AltSelect! {
                out.write(value) => true,
                skip => false,
            };
            if written? {
                break;
            }
            std::thread::yield_now();
        },
    }
    Ok(())
}

/// Offers each value to all of them at once.
#[process]
fn offer_to_all(outs: Vec<Writer<u64>>, count: u64, policy: Policy) -> csproc::Result<()> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = outs.iter().map(|out| alt.write(out, 0)).collect();
    for value in 0..count {
        tokens.iter().for_each(|token| alt.set(*token, value));
        policy.select(&mut alt)?;
    }
    Ok(())
}

/// Awaits its turn, reads, and gives the next one its turn.
#[process]
fn read_in_turn(input: Reader<u64>, turn: Reader<u64>, next: Writer<u64>) -> csproc::Result<u64> {
    turn.read()?;
    let value = input.read()?;
    next.write(1)?;
    Ok(value)
}

#[process]
fn add_one(left: Writer<u64>, right: Reader<u64>) -> csproc::Result<()> {
    Ok(left.write(1 + right.read()?)?)
}

/// Tries what is not ready, then what is.
#[process]
fn poll<T: Message + Clone + PartialEq + std::fmt::Debug>(c: Vec<(Reader<T>, Writer<T>)>, value: T, capacity: usize) {
    for (input, out) in &c {
        let read = || PriSelect! { v = input.read() => Some(v), skip => None }.unwrap();
        let write = || AltSelect! { out.write(value.clone()) => true, skip => false }.unwrap();
        assert_eq!(read(), None);
        assert_eq!(input.try_read(), Err(ChannelError::WouldBlock));
        for _ in 0..capacity {
            assert!(write(), "there is room for {value:?}");
        }
        assert!(!write(), "{value:?} was written although there is no room and no reader");
        for _ in 0..capacity {
            assert_eq!(read().as_ref(), Some(&value));
        }
        assert_eq!(read(), None);
    }
}

/// Offers itself in vain now and then, until somebody waits at the other end.
#[process]
fn poll_until_met(way: Way, out: Writer<u64>, input: Reader<u64>) -> csproc::Result<u64> {
    write_so_now(way, &out)?;
    loop {
        let read = FairSelect! { v = input.read() => Some(v), skip => None }?;
        if let Some(value) = read {
            return Ok(value);
        }
        std::thread::yield_now();
    }
}

fn write_so_now(way: Way, out: &Writer<u64>) -> csproc::Result<()> {
    if way != Way::Polled {
        return Ok(out.write(1)?);
    }
    while !(FairSelect! { out.write(1) => true, skip => false })? {
        std::thread::yield_now();
    }
    Ok(())
}

#[process]
fn echo(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    Ok(out.write(input.read()? + 1)?)
}

#[process]
fn count_up(out: Writer<u64>) -> csproc::Result<()> {
    (2..).try_for_each(|number| Ok(out.write(number)?))
}

#[process]
fn sift(input: Reader<u64>, out: Writer<u64>, prime: u64) -> csproc::Result<()> {
    input.iter().filter(|number| number % prime != 0).try_for_each(|number| Ok(out.write(number)?))
}

#[process]
fn write_conditions(out: Writer<bool>, yes: bool, no: bool) -> csproc::Result<()> {
    let differ = |a: bool, b: bool| a != b;
    out.write(no || yes)?;
    AltSelect! { out.write(yes && no) => () }?;
    AltSelect! { out.write(if yes { differ(yes, no) } else { return Ok(()) }) => () }?;
    Ok(())
}

over_both! {
    /// `select7`: every way to read meets every way to write.
    fn select7_every_way_to_read_meets_every_way_to_write(placement) {
        let silent = Channel::new();
        let _silent = (silent.writer(), silent.reader());
        for (reads, writes) in WAYS.into_iter().flat_map(|reads| WAYS.map(|writes| (reads, writes))) {
            // Two that only try can miss each other for ever.
            if reads == Way::Polled && writes == Way::Polled {
                continue;
            }
            let c = Channel::new();
            let (sent, read) = Parallel!(
                write_so(writes, c.writer(), silent.reader(), 10).on(placement),
                read_so(reads, c.reader(), silent.reader()).on(placement),
            )
            .unwrap();
            sent.unwrap();
            assert_eq!(read.unwrap(), 10, "{writes:?} {reads:?}");
        }
    }

    /// `doubleselect`: a value that is offered to several is received once.
    fn doubleselect_never_sends_a_value_twice(placement) {
        for policy in POLICIES {
            let (c, all) = (channels(4), Channel::new());
            let r = all.reader();
            let sender = Spawn!(offer_to_all(writers(&c), 1000, policy).on(placement)).unwrap();
            let mux = Spawn!(for c in &c => relay(c.reader(), all.writer()).on(placement)).unwrap();
            let mut seen: Vec<u64> = r.into_iter().collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..1000));
            sender.join().unwrap().unwrap();
            mux.join().unwrap().into_iter().for_each(Result::unwrap);
        }
    }

    /// `fifo`, without and with a buffer: what is written by one arrives in that order, whoever reads.
    fn fifo_values_arrive_in_order(placement) {
        let c = Channel::buffered(Buffer::Fifo(10));
        let w = c.writer();
        (0..10).for_each(|value| w.write(value).unwrap());
        drop(w);
        assert!(c.reader().into_iter().eq(0..10));

        let (c, turns) = (Channel::new(), channels(11));
        let (w, start, end) = (c.writer(), turns[0].writer(), turns[10].reader());
        let chain = Spawn!(for i in 0..10 =>
            read_in_turn(c.reader(), turns[i].reader(), turns[i + 1].writer()).on(placement))
        .unwrap();
        start.write(0).unwrap();
        (0..10).for_each(|value| w.write(value).unwrap());
        end.read().unwrap();
        let read: Vec<u64> = chain.join().unwrap().into_iter().map(Result::unwrap).collect();
        assert!(read.into_iter().eq(0..10));
    }

    /// `goroutines`: a long chain.
    fn goroutines_a_long_chain_adds_up(placement) {
        let count = if placement == Placement::Thread { 200 } else { 40 };
        let c = channels(count + 1);
        let (leftmost, rightmost) = (c[0].reader(), c[count].writer());
        let links = Spawn!(for i in 0..count => add_one(c[i].writer(), c[i + 1].reader()).on(placement)).unwrap();
        rightmost.write(1).unwrap();
        assert_eq!(leftmost.read(), Ok(1 + count as u64));
        links.join().unwrap().into_iter().for_each(Result::unwrap);
    }

    /// `nonblock`: what is not ready is skipped, for values of every kind.
    fn nonblock_tries_without_waiting(placement) {
        fn both<T: Message + Clone + PartialEq + std::fmt::Debug>(placement: Placement, value: T) {
            let ends = |c: &Channel<T>| (c.reader(), c.writer());
            let (c, b) = (Channel::new(), Channel::buffered(Buffer::Fifo(10)));
            Parallel!(
                poll(vec![ends(&c), ends(&Channel::new())], value.clone(), 0).on(placement),
                poll(vec![ends(&b), ends(&b)], value, 10).on(placement),
            )
            .unwrap();
        }
        both(placement, 5_u8);
        both(placement, u64::MAX);
        both(placement, -1.5_f64);
        both(placement, true);
        both(placement, ());
        both(placement, String::from("hello"));
        both(placement, [(1_u32, 'a'), (2, 'b')]);
        both(placement, vec![0_u64; 1000]);
    }

    /// `nonblock`, second half: who only tries does meet who waits.
    fn nonblock_meets_who_waits(placement) {
        for way in [Way::Plain, Way::Polled] {
            let (c, d) = (Channel::new(), Channel::new());
            let (polled, echoed) = Parallel!(
                poll_until_met(way, c.writer(), d.reader()).on(placement),
                echo(c.reader(), d.writer()).on(placement),
            )
            .unwrap();
            echoed.unwrap();
            assert_eq!(polled.unwrap(), 2);
        }
    }

    /// `sieve1`: a chain that grows by a process for each prime, and ends by retirement.
    fn sieve1_primes(placement) {
        let c = Channel::new();
        let source = Spawn!(count_up(c.writer()).on(placement)).unwrap();
        let (mut numbers, mut primes, mut filters) = (c.reader(), Vec::new(), Vec::new());
        drop(c);
        for _ in 0..15 {
            let prime = numbers.read().unwrap();
            primes.push(prime);
            let next = Channel::new();
            let sifted = next.reader();
            filters.push(Spawn!(sift(numbers, next.writer(), prime).on(placement)).unwrap());
            numbers = sifted;
        }
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
        drop(numbers);
        let ends = filters.into_iter().map(|filter| filter.join().unwrap()).chain([source.join().unwrap()]);
        assert!(ends.map(Result::unwrap_err).all(|error| error.channel_error() == Some(&ChannelError::Retired)));
    }

    /// `sendstmt`: the value is any expression.
    fn sendstmt_the_value_is_any_expression(placement) {
        let c = Channel::new();
        let r = c.reader();
        let sent = Spawn!(write_conditions(c.writer(), true, false).on(placement)).unwrap();
        assert_eq!(r.iter().collect::<Vec<bool>>(), [true, false, true]);
        sent.join().unwrap().unwrap();
    }
}
