//! The engine makes the choice, as on any rendezvous channel: guards that lose, writes that time out and ends that go
//! leave no trace, and no descriptor.
//!
//! Knows nothing of crashes.

use crate::harness::place::Place;
use crate::harness::system::descriptors_of;
use crate::{carried, kinds};
use csproc::prelude::*;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};
use std::time::{Duration, Instant};

/// A receiver that gives this number.
fn holding(number: u64) -> IpcReceiver<u64> {
    let (sender, receiver) = ipc::channel().unwrap();
    sender.send(number).unwrap();
    receiver
}

#[process]
fn read_all(input: Reader<IpcReceiver<u64>>) -> (Vec<u64>, ChannelError) {
    let mut numbers = Vec::new();
    loop {
        match input.read() {
            Ok(receiver) => numbers.push(receiver.recv().unwrap()),
            Err(error) => return (numbers, error),
        }
    }
}

#[process]
fn write_until_refused(out: Writer<IpcReceiver<u64>>) -> (u64, ChannelError, u64) {
    for i in 0.. {
        if let Err(error) = out.write(holding(i)) {
            return (i, error.fate, error.value.recv().unwrap());
        }
    }
    unreachable!()
}

#[process]
fn announce_and_read(ready: Writer<Place>, input: Reader<IpcReceiver<u64>>) -> Result<u64, ChannelError> {
    Place::announce(&ready);
    Ok(input.read()?.recv().unwrap())
}

#[process]
fn announce_and_write(ready: Writer<Place>, out: Writer<IpcReceiver<u64>>) -> Result<(), (ChannelError, u64)> {
    // The first value opens the inbox of the process, which may sleep for a moment.
    let value = out.try_write(holding(9)).unwrap_err().value;
    Place::announce(&ready);
    out.write(value).map_err(|error| (error.fate, error.value.recv().unwrap()))
}

/// Takes part in alternations on both sides of two channels until the stop comes; one of the two never meets anybody.
#[process]
fn alternate(
    go: Reader<u64>,
    input: Reader<IpcReceiver<u64>>,
    silent: Reader<IpcReceiver<u64>>,
    out: Writer<IpcReceiver<u64>>,
    deaf: Writer<(IpcSender<u64>, IpcSharedMemory)>,
    done: Writer<u64>,
) -> csproc::Result<u64> {
    let (lost, _receiver) = ipc::channel()?;
    let memory = IpcSharedMemory::from_bytes(b"lost");
    let mut read = 0;
    let mut written = 0;
    let mut goes = 0;
    loop {
        let more = FairSelect! {
            n = go.read() => { goes += n; n > 0 },
            v = input.read() => { read += v.recv()?; true },
            _v = silent.read() => unreachable!("nobody writes"),
            out.write(holding(written)) if goes > written => { written += 1; true },
            deaf.write((lost.clone(), memory.clone())) => unreachable!("nobody reads"),
        }?;
        if !more {
            done.write(read)?;
            return Ok(written);
        }
    }
}

over_both! {
    fn what_is_not_written_comes_back_whole(placement) {
        let (c, ready) = (carried(), Channel::new());
        let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
        let short = Duration::from_millis(1);
        let mut receiver = holding(5);
        for _ in 0..3 {
            let error = w.try_write(receiver).unwrap_err();
            assert!(error.fate.is_would_block());
            let error = w.write_timeout(error.value, short).unwrap_err();
            assert!(error.fate.is_timed_out());
            let error = w.write_deadline(error.value, Instant::now()).unwrap_err();
            assert!(error.fate.is_timed_out());
            receiver = error.value;
        }
        let child = Spawn!(announce_and_read(ready.writer(), c.reader()).on(placement)).unwrap();
        drop(r);
        announced.read().unwrap().until_asleep();
        w.try_write(receiver).unwrap();
        assert_eq!(child.join().unwrap(), Ok(5));
        let error = w.write(holding(6)).unwrap_err();
        assert!(error.fate.is_retired());
        assert_eq!(error.value.recv().unwrap(), 6);
    }

    fn reads_that_do_not_wait_for_ever(placement) {
        let (c, ready) = (carried(), Channel::new());
        let (r, announced, hold, _more) = (c.reader(), ready.reader(), c.writer(), ready.writer());
        assert!(r.try_read().unwrap_err().is_would_block());
        assert!(r.read_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
        assert!(r.read_deadline(Instant::now()).unwrap_err().is_timed_out());
        for way in 0..3 {
            let child = Spawn!(announce_and_write(ready.writer(), c.writer()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            let value = match way {
                0 => r.try_read(),
                1 => r.read_timeout(Duration::from_secs(3600)),
                _ => r.read_deadline(Instant::now()),
            };
            assert_eq!(value.unwrap().recv().unwrap(), 9);
            assert_eq!(child.join().unwrap(), Ok(()));
        }
        drop(hold);
        assert!(r.read().unwrap_err().is_retired());
    }

    fn poison_and_retire_end_a_waiting_write_and_read(placement) {
        for poisoned in [true, false] {
            let (c, ready) = (carried(), Channel::new());
            let (r, announced) = (c.reader(), ready.reader());
            let child = Spawn!(announce_and_write(ready.writer(), c.writer()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            if poisoned { r.poison() } else { r.retire() }
            let fate = if poisoned { ChannelError::Poisoned } else { ChannelError::Retired };
            assert_eq!(child.join().unwrap(), Err((fate.clone(), 9)), "with the value, which is whole");

            let (c, ready) = (carried(), Channel::new());
            let (w, announced) = (c.writer(), ready.reader());
            let child = Spawn!(announce_and_read(ready.writer(), c.reader()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            if poisoned { w.poison() } else { w.retire() }
            assert_eq!(child.join().unwrap(), Err(fate));
        }
    }

    fn law_5_a_completed_communication_is_never_poisoned(placement) {
        for round in 0..20 {
            let c = carried();
            let poisoner = c.reader();
            let network = network!(write_until_refused(c.writer()).on(placement), read_all(c.reader()).on(placement));
            let network = network.spawn().unwrap();
            let mut taken = Vec::new();
            for _ in 0..round {
                taken
                    .extend(poisoner.read_timeout(Duration::from_micros(500)).map(|receiver| receiver.recv().unwrap()));
            }
            poisoner.poison();
            let ((written, fate, kept), (read, readers_fate)) = network.join().unwrap();
            assert_eq!((fate, readers_fate), (ChannelError::Poisoned, ChannelError::Poisoned));
            assert_eq!(kept, written, "the value that was not written comes back whole");
            taken.extend(read);
            taken.sort_unstable();
            assert!(taken.into_iter().eq(0..written), "what was read is not what was written");
        }
    }

    fn an_extended_rendezvous_holds_the_writer(placement) {
        let (c, ready) = (carried(), Channel::new());
        let (r, announced, _hold, _more) = (c.reader(), ready.reader(), c.writer(), ready.writer());
        for way in 0..3 {
            let child = Spawn!(announce_and_write(ready.writer(), c.writer()).on(placement)).unwrap();
            let place = announced.read().unwrap();
            match way {
                0 => assert_eq!(
                    r.read_extended(|receiver| {
                        place.until_asleep();
                        receiver.recv().unwrap()
                    }),
                    Ok(9)
                ),
                1 => {
                    let value = r.extended().unwrap();
                    place.until_asleep();
                    assert_eq!(value.finish().recv().unwrap(), 9);
                }
                _ => {
                    let number = PriSelect! { v = r.read_extended() => v.recv().unwrap() };
                    assert_eq!(number, Ok(9));
                }
            }
            assert_eq!(child.join().unwrap(), Ok(()));
        }
    }

    fn alternations_choose_between_both_sides(placement) {
        let (go, input, silent, out, deaf, done) =
            (Channel::new(), carried(), carried(), carried(), carried(), Channel::new());
        let (g, w, r, d) = (go.writer(), input.writer(), out.reader(), done.reader());
        let (_silent, _deaf) = (silent.writer(), deaf.reader());
        let arguments =
            alternate(go.reader(), input.reader(), silent.reader(), out.writer(), deaf.writer(), done.writer());
        let child = Spawn!(arguments.on(placement)).unwrap();
        let mut alternation = Alternation::new();
        let reading = alternation.read(&r);
        let writing = alternation.write(&w, holding(0));
        let (mut sent, mut total, mut got) = (1, 0, 0);
        g.write(50).unwrap();
        while got < 50 || sent <= 50 {
            alternation.enable(writing, sent <= 50);
            let fired = alternation.fair_select().unwrap();
            if fired.index() == reading.index() {
                assert_eq!(fired.take(reading).recv().unwrap(), got);
                got += 1;
            } else {
                total += sent - 1;
                alternation.set(writing, holding(sent));
                sent += 1;
            }
        }
        drop(alternation);
        g.write(0).unwrap();
        assert_eq!(d.read().unwrap(), total);
        assert_eq!(child.join().unwrap().unwrap(), 50);
    }
}

#[process]
fn lose_often(
    rounds: u64,
    silent: Writer<(IpcReceiver<u64>, IpcSharedMemory)>,
    ping: Reader<u64>,
) -> csproc::Result<()> {
    let mut alternation = Alternation::new();
    let reading = alternation.read(&ping);
    let writing = alternation.write(&silent, (holding(1), IpcSharedMemory::from_byte(1, 10)));
    for i in 0..rounds {
        match i % 3 {
            0 => PriSelect! {
                silent.write((holding(i), IpcSharedMemory::from_byte(1, 10))) => unreachable!("nobody reads"),
                v = ping.read() => v,
            }
            .map(drop)?,
            1 => {
                let fired = alternation.select()?;
                fired.take(reading);
                alternation.set(writing, (holding(i), IpcSharedMemory::from_byte(1, 10)));
            }
            _ => {
                let error = silent.try_write((holding(i), IpcSharedMemory::from_byte(1, 10))).unwrap_err();
                assert_eq!(error.value.0.recv()?, i);
                ping.read()?;
            }
        }
    }
    Ok(())
}

isolated! {
    fn ten_thousand_guards_that_lose_leave_no_descriptor() {
        let (silent, ping) = (carried(), Channel::new());
        let (_never, w) = (silent.reader(), ping.writer());
        let child = Spawn!(lose_often(10_000, silent.writer(), ping.reader())).unwrap();
        let pid = child.pid().unwrap().to_string();
        let mut early = None;
        for i in 0..10_000 {
            w.write(i).unwrap();
            if i == 100 {
                early = Some(descriptors_of(&pid).len());
            }
            if i % 1000 == 999 {
                let now = descriptors_of(&pid).len();
                let early = early.unwrap();
                // What a single write has open at the moment, more or less.
                assert!(now.abs_diff(early) <= 16, "{early} descriptors have become {now}");
            }
        }
        child.join().unwrap().unwrap();
    }

    fn ten_thousand_guards_that_lose_on_a_thread_leave_no_descriptor() {
        let (silent, ping) = (carried(), Channel::new());
        let (_never, w) = (silent.reader(), ping.writer());
        let child = Spawn!(lose_often(10_000, silent.writer(), ping.reader()).on(Placement::Thread)).unwrap();
        for i in 0..10_000 {
            w.write(i).unwrap();
        }
        child.join().unwrap().unwrap();
    }

    fn a_thousand_values_leave_no_descriptor_in_either_process() {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(read_all(c.reader())).unwrap();
        let pid = child.pid().unwrap().to_string();
        let mut early = None;
        for i in 0..1000 {
            w.write(holding(i)).unwrap();
            if i == 10 {
                early = Some(kinds(&descriptors_of(&pid)).get("socket").copied().unwrap_or(0));
            }
        }
        let late = kinds(&descriptors_of(&pid)).get("socket").copied().unwrap_or(0);
        assert!(late.abs_diff(early.unwrap()) <= 8, "{early:?} sockets have become {late}");
        drop(w);
        let (numbers, fate) = child.join().unwrap();
        assert!(numbers.into_iter().eq(0..1000));
        assert!(fate.is_retired());
    }
}
