//! C++CSP2's tests of poison, and of poison in alternations and buffers, by their behaviour.
//!
//! Knows nothing of C++CSP2's implementation. Its tests of barriers are in `barriers`.

use crate::harness::cast::poisonous_source;
use crate::harness::place::Place;
use crate::policy::{POLICIES, Policy, read_all};
use csproc::Cause;
use csproc::prelude::*;

#[process]
fn read_then_poison(input: Reader<u64>, count: u64) -> csproc::Result<Vec<u64>> {
    let read = (0..count).map(|_| input.read()).collect::<Result<_, _>>()?;
    input.poison();
    Ok(read)
}

/// Writes through an alternation until the channel ends; gives what was written, and why it ended.
#[process]
fn offer_for_ever(out: Writer<u64>, idle: Reader<u64>) -> (u64, Option<ChannelError>) {
    for i in 0.. {
        let written = FairSelect! {
            _v = idle.read() => panic!("nobody writes here"),
            out.write(i) => (),
        };
        if let Err(error) = written {
            return (i, Some(error));
        }
    }
    (0, None)
}

#[process]
fn choose_for_ever(inputs: Vec<Reader<u64>>, policy: Policy) -> (Vec<u64>, Option<ChannelError>) {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alt.read(input)).collect();
    let mut read = Vec::new();
    loop {
        match policy.select(&mut alt) {
            Ok(fired) => {
                let from = fired.index();
                read.push(fired.take(tokens[from]));
            }
            Err(error) => return (read, Some(error)),
        }
    }
}

#[process]
fn drain(input: Reader<u64>) -> (Vec<u64>, Option<ChannelError>) {
    let mut read = Vec::new();
    loop {
        match input.read() {
            Ok(value) => read.push(value),
            Err(error) => return (read, Some(error)),
        }
    }
}

/// Waits in an alternation over both, and gives the result.
#[process]
fn wait_for_either(ready: Writer<Place>, a: Reader<u64>, b: Writer<u64>) -> Result<bool, ChannelError> {
    Place::announce(&ready);
    AltSelect! {
        _v = a.read() => true,
        b.write(1) => false,
    }
}

#[process]
fn read_extended_then_poison(input: Reader<u64>, ready: Writer<u64>) -> csproc::Result<u64> {
    let held = input.extended()?;
    input.poison();
    ready.write(*held)?;
    Ok(held.finish())
}

#[process]
fn write_once(out: Writer<u64>) -> Result<(), ChannelError> {
    Ok(out.write(7)?)
}

#[process(name = "unlucky")]
fn fill_and_stay(out: Writer<u64>, ready: Writer<u64>) -> csproc::Result<()> {
    (0..3).try_for_each(|i| out.write(i))?;
    ready.write(0)?;
    loop {
        std::thread::park();
    }
}

#[process(name = "unlucky")]
fn hold_and_stay(_input: Reader<u64>, ready: Writer<u64>) -> csproc::Result<()> {
    ready.write(0)?;
    loop {
        std::thread::park();
    }
}

over_both! {
    /// `testPoison0`, `testPoisonAny2`: poison reaches the other side, after everything that was communicated.
    fn test_poison_ends_the_other_side_after_what_was_communicated(placement) {
        for policy in POLICIES {
            let (c, d) = (Channel::new(), Channel::new());
            let _open = d.writer();
            let (sent, (read, error)) = Parallel!(
                poisonous_source(c.writer(), 20).on(placement),
                choose_for_ever(vec![d.reader(), c.reader(), c.reader()], policy).on(placement),
            )
            .unwrap();
            sent.unwrap();
            assert!(read.into_iter().eq(0..20));
            assert_eq!(error, Some(ChannelError::Poisoned));
        }
    }

    fn test_poison_from_the_reader_ends_an_offering_writer(placement) {
        let (c, idle) = (Channel::new(), Channel::new());
        let _open = idle.writer();
        let ((written, error), read) = Parallel!(
            offer_for_ever(c.writer(), idle.reader()).on(placement),
            read_then_poison(c.reader(), 20).on(placement),
        )
        .unwrap();
        assert_eq!((written, error), (20, Some(ChannelError::Poisoned)));
        assert!(read.unwrap().into_iter().eq(0..20));
    }

    /// `testLatePoison`, Sputh's law: what has been communicated is not poisoned afterwards.
    fn test_late_poison_does_not_reach_a_completed_communication(placement) {
        for _ in 0..100 {
            let c = Channel::new();
            let (written, read) = Parallel!(
                write_once(c.writer()).on(Placement::Thread),
                read_then_poison(c.reader(), 1).on(Placement::Thread),
            )
            .unwrap();
            assert_eq!((written, read.unwrap()), (Ok(()), vec![7]));
        }
        let c = Channel::new();
        let (written, read) =
            Parallel!(poisonous_source(c.writer(), 1000).on(placement), drain(c.reader()).on(placement)).unwrap();
        written.unwrap();
        assert_eq!(read.0.len(), 1000);
    }

    /// `testExtendedPoison`: the writer that is held was served, whatever happens to the channel.
    fn test_poison_in_an_extended_rendezvous_does_not_reach_its_writer(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let r = ready.reader();
        let writer = Spawn!(write_once(c.writer()).on(placement)).unwrap();
        let reader = Spawn!(read_extended_then_poison(c.reader(), ready.writer()).on(placement)).unwrap();
        assert_eq!(r.read(), Ok(7));
        assert_eq!(reader.join().unwrap().unwrap(), 7);
        assert_eq!(writer.join().unwrap(), Ok(()));
        assert!(c.writer().write(1).unwrap_err().fate.is_poisoned());
    }

    fn poison_and_retirement_reach_a_waiting_alternation_through_either_guard(placement) {
        for (through_output, poison) in [(false, false), (false, true), (true, false), (true, true)] {
            let (c, d, ready) = (Channel::new(), Channel::new(), Channel::new());
            let (w, r, announced) = (c.writer(), d.reader(), ready.reader());
            let waiter = Spawn!(wait_for_either(ready.writer(), c.reader(), d.writer()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            match (through_output, poison) {
                (false, true) => w.poison(),
                (false, false) => w.retire(),
                (true, true) => r.poison(),
                (true, false) => r.retire(),
            }
            let error = waiter.join().unwrap().unwrap_err();
            assert_eq!(error, if poison { ChannelError::Poisoned } else { ChannelError::Retired });
        }
    }

    /// `Poison0`–`Poison3` of the buffered channels: a writer's poison comes after what is in the buffer, a reader's at
    /// once.
    fn test_poison_of_a_buffer_comes_after_its_contents_from_a_writer(placement) {
        for policy in POLICIES {
            let c = Channel::buffered(Buffer::Fifo(10));
            Parallel!(poisonous_source(c.writer(), 10).on(placement)).unwrap().unwrap();
            assert_eq!(c.len(), 10);
            let (read, error) = Parallel!(choose_for_ever(vec![c.reader()], policy).on(placement)).unwrap();
            assert!(read.into_iter().eq(0..10));
            assert_eq!(error, Some(ChannelError::Poisoned));
            assert!(c.writer().write(1).unwrap_err().fate.is_poisoned());
        }
    }

    fn test_poison_of_a_buffer_discards_its_contents_from_a_reader(placement) {
        let c = Channel::buffered(Buffer::Fifo(10));
        let w = c.writer();
        (0..10).for_each(|i| w.write(i).unwrap());
        let read = Parallel!(read_then_poison(c.reader(), 4).on(placement)).unwrap().unwrap();
        assert!(read.into_iter().eq(0..4));
        assert_eq!(c.len(), 0);
        assert_eq!(c.reader().read(), Err(ChannelError::Poisoned));
    }

    fn retirement_of_a_buffer_comes_after_its_contents(placement) {
        for policy in POLICIES {
            let c = [Channel::buffered(Buffer::Unbounded), Channel::buffered(Buffer::Fifo(20))];
            let w = [c[0].writer(), c[1].writer()];
            w.iter().for_each(|w| (0..20).for_each(|i| w.write(i).unwrap()));
            drop(w);
            let r = [c[0].reader(), c[1].reader()];
            assert_eq!(read_all(&r, policy).unwrap().len(), 40);
            let c = Channel::buffered(Buffer::Fifo(3));
            let (w, r) = (c.writer(), c.reader());
            w.write(1).unwrap();
            drop(r);
            assert_eq!(c.len(), 0);
            let (sent, kept) = (Parallel!(write_once(c.writer()).on(placement)).unwrap(), w.write(2));
            assert_eq!(sent, Err(ChannelError::Retired));
            assert!(kept.unwrap_err().fate.is_retired());
        }
    }
}

once! {
    fn a_writer_that_waits_for_room_is_poisoned_at_once_and_its_value_is_not_read() {
        let (c, ready) = (Channel::buffered(Buffer::Fifo(2)), Channel::new());
        let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
        (0..2).for_each(|i| w.write(i).unwrap());
        let (other, at) = (c.writer(), ready.writer());
        let writer = std::thread::spawn(move || {
            Place::announce(&at);
            other.write(9_u64).map_err(ChannelError::from)
        });
        announced.read().unwrap().until_asleep();
        w.poison();
        assert_eq!(writer.join().unwrap(), Err(ChannelError::Poisoned));
        assert_eq!((r.read(), r.read(), r.read()), (Ok(0), Ok(1), Err(ChannelError::Poisoned)));
    }

    fn what_a_killed_writer_left_in_a_buffer_is_read_first() {
        for policy in POLICIES {
            let (c, ready) = (Channel::buffered(Buffer::Fifo(5)), Channel::new());
            let (r, announced) = (c.reader(), ready.reader());
            let writer = Spawn!(fill_and_stay(c.writer(), ready.writer())).unwrap();
            announced.read().unwrap();
            writer.kill().unwrap();
            writer.join().unwrap_err();
            let (read, error) = Parallel!(choose_for_ever(vec![r], policy)).unwrap();
            assert_eq!(read, [0, 1, 2]);
            let lost = ChannelError::Lost { process: String::from("unlucky"), cause: Cause::Killed { signal: 9 } };
            assert_eq!(error, Some(lost));
        }
    }

    fn what_a_killed_reader_had_not_read_is_discarded() {
        let (c, ready) = (Channel::buffered(Buffer::Fifo(5)), Channel::new());
        let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
        (0..3).for_each(|i| w.write(i).unwrap());
        let reader = Spawn!(hold_and_stay(c.reader(), ready.writer())).unwrap();
        announced.read().unwrap();
        reader.kill().unwrap();
        reader.join().unwrap_err();
        assert_eq!(c.len(), 0);
        assert!(r.read().unwrap_err().is_lost());
        assert!(w.write(1).unwrap_err().fate.is_lost());
    }
}
