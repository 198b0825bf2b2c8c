//! Whoever is killed, and when: the other side gets the value, or a typed error, and never waits for the dead.
//!
//! Knows nothing of what the engine does about death; that is tested with it. With `CSPROC_LONG` there are more kills.

use crate::carried;
use csproc::prelude::*;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use std::time::{Duration, Instant};

fn kills() -> u64 {
    if std::env::var_os("CSPROC_LONG").is_some() { 3000 } else { 100 }
}

type Cargo = (u64, Vec<u8>, IpcReceiver<u64>);

/// A value whose receiver gives its number; every fourth one is larger than ipc-channel sends in one piece.
fn cargo(number: u64) -> Cargo {
    let (sender, receiver) = ipc::channel().unwrap();
    sender.send(number).unwrap();
    (number, vec![7; if number % 4 == 3 { 300 << 10 } else { 100 }], receiver)
}

fn check(cargo: &Cargo, number: u64) {
    assert_eq!((cargo.0, cargo.2.recv().unwrap()), (number, number));
}

#[process]
fn read_for_ever(ready: Writer<()>, input: Reader<Cargo>) -> csproc::Result<()> {
    ready.write(())?;
    let mut next = None;
    loop {
        let cargo = input.read()?;
        check(&cargo, cargo.0);
        assert!(next.is_none_or(|next| next == cargo.0));
        next = Some(cargo.0 + 1);
    }
}

#[process]
fn write_for_ever(ready: Writer<()>, out: Writer<Cargo>) -> csproc::Result<()> {
    ready.write(())?;
    for number in 0.. {
        out.write(cargo(number))?;
    }
    Ok(())
}

#[process]
fn select_for_ever(ready: Writer<()>, input: Reader<Cargo>, out: Writer<Cargo>) -> csproc::Result<()> {
    ready.write(())?;
    let mut number = 0;
    loop {
        AltSelect! {
            cargo = input.read() => check(&cargo, cargo.0),
            out.write(cargo(number)) => number += 1,
        }?;
    }
}

/// Kills a child after a time that differs from round to round, from nothing to what some values take.
fn kill_later(child: Child<csproc::Result<()>>, round: u64) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let wait = Duration::from_nanos((round * 7919 % 100) * (round % 5) * 4000);
        let start = Instant::now();
        while start.elapsed() < wait {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        assert!(child.join().is_err());
    })
}

fn is_killed(error: &ChannelError) -> bool {
    matches!(error, ChannelError::Lost { cause: csproc::Cause::Killed { signal: 9 }, .. })
}

isolated! {
    fn a_reader_killed_at_any_moment_is_lost_and_the_value_comes_back() {
        let mut whole = 0;
        for round in 0..kills() {
            let (c, ready) = (carried(), Channel::new());
            let (w, started) = (c.writer(), ready.reader());
            let child = Spawn!(read_for_ever(ready.writer(), c.reader())).unwrap();
            started.read().unwrap();
            let killer = kill_later(child, round);
            for number in 0.. {
                if let Err(error) = w.write(cargo(number)) {
                    assert!(is_killed(&error.fate), "{:?}", error.fate);
                    assert_eq!(error.value.0, number);
                    // Unless it was in the hands of the dead.
                    whole += u64::from(error.value.2.recv().is_ok_and(|kept| kept == number));
                    break;
                }
            }
            killer.join().unwrap();
        }
        assert!(whole > 0, "no value ever came back whole");
    }

    fn a_writer_killed_at_any_moment_is_lost() {
        for round in 0..kills() {
            let (c, ready) = (carried(), Channel::new());
            let (r, started) = (c.reader(), ready.reader());
            let child = Spawn!(write_for_ever(ready.writer(), c.writer())).unwrap();
            started.read().unwrap();
            let killer = kill_later(child, round);
            for number in 0.. {
                match r.read() {
                    Ok(cargo) => check(&cargo, number),
                    Err(error) => {
                        assert!(is_killed(&error), "{error:?}");
                        break;
                    }
                }
            }
            killer.join().unwrap();
        }
    }

    fn a_party_of_alternations_killed_at_any_moment_is_lost() {
        for round in 0..kills() {
            let (there, back, ready) = (carried(), carried(), Channel::new());
            let (w, r, started) = (there.writer(), back.reader(), ready.reader());
            let child = Spawn!(select_for_ever(ready.writer(), there.reader(), back.writer())).unwrap();
            started.read().unwrap();
            let killer = kill_later(child, round);
            let (mut sent, mut read) = (0, 0);
            let error = loop {
                let chosen = AltSelect! {
                    cargo = r.read() => { check(&cargo, read); read += 1 },
                    w.write(cargo(sent)) => sent += 1,
                };
                if let Err(error) = chosen {
                    break error;
                }
            };
            assert!(is_killed(&error), "{error:?}");
            killer.join().unwrap();
        }
    }

    /// Others that use the same channel go on: a sender of ipc-channel that is killed in the middle of a large message
    /// closes its receiver for all.
    fn one_of_several_writers_killed_leaves_the_others() {
        for round in 0..kills() / 10 {
            let (c, ready) = (carried(), Channel::new());
            let (r, started) = (c.reader(), ready.reader());
            let doomed = write_for_ever(ready.writer(), c.writer()).on_crash(OnCrash::Retire);
            let doomed = Spawn!(doomed).unwrap();
            started.read().unwrap();
            let other = Spawn!(write_some(c.writer(), 1_000_000, 20)).unwrap();
            let killer = kill_later(doomed, round);
            let mut others = 0;
            loop {
                match r.read() {
                    Ok(cargo) if cargo.0 >= 1_000_000 => {
                        check(&cargo, 1_000_000 + others);
                        others += 1;
                    }
                    Ok(cargo) => check(&cargo, cargo.0),
                    Err(error) if is_killed(&error) => (),
                    Err(error) => {
                        assert!(error.is_retired(), "{error:?}");
                        break;
                    }
                }
            }
            assert_eq!(others, 20);
            other.join().unwrap().unwrap();
            killer.join().unwrap();
        }
    }
}

#[process]
fn write_some(out: Writer<Cargo>, first: u64, count: u64) -> csproc::Result<()> {
    for number in 0..count {
        out.write(cargo(first + number))?;
    }
    Ok(())
}

#[process]
fn exit_at(input: Reader<IpcSender<u64>>, number: u64) -> csproc::Result<()> {
    for (i, sender) in input.into_iter().enumerate() {
        sender.send(i as u64)?;
        if i as u64 == number {
            std::process::exit(3);
        }
    }
    Ok(())
}

once! {
    fn a_reader_that_exits_is_lost_with_its_code() {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(exit_at(c.reader(), 2)).unwrap();
        let (sender, _receiver) = ipc::channel().unwrap();
        let error = (0..).find_map(|_| w.write(sender.clone()).err()).unwrap();
        assert!(
            matches!(error.fate, ChannelError::Lost { cause: csproc::Cause::Exited { code: 3 }, .. }),
            "{:?}",
            error.fate
        );
        assert!(child.join().is_err());
    }
}
