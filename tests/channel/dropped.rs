//! Law 7: a process that goes on after it has heard of a poison has not ended with it: what it drops retires as soon as
//! it does anything else.
//!
//! Knows nothing of processes that return the poison; those are in `poison`.

use crate::harness::cast::{collect, read_one};
use csproc::prelude::*;
use std::time::Duration;

/// What a process goes on with.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Next {
    Read,
    ReadForLong,
    ReadExtended,
    Write,
    WriteForLong,
    Select,
    SelectOfASet,
    Sync,
    Run,
    Join,
}

const WAITS: [Next; 10] = [
    Next::Read,
    Next::ReadForLong,
    Next::ReadExtended,
    Next::Write,
    Next::WriteForLong,
    Next::Select,
    Next::SelectOfASet,
    Next::Sync,
    Next::Run,
    Next::Join,
];

const LONG: Duration = Duration::from_secs(3600);

#[process]
fn hear_of_a_poison_and_go_on(
    next: Next,
    dead: Reader<u64>,
    dropped: Writer<u64>,
    input: Reader<u64>,
    out: Writer<u64>,
    barrier: Barrier,
) -> csproc::Result<()> {
    let child = if next == Next::Join { Some(Spawn!(read_one(input.clone()).on(Placement::Thread))?) } else { None };
    assert!(dead.read().unwrap_err().is_poisoned());
    drop(dropped);
    match next {
        Next::Read => drop(input.read()?),
        Next::ReadForLong => drop(input.read_timeout(LONG)?),
        Next::ReadExtended => drop(input.extended()?.finish()),
        Next::Write => out.write(1)?,
        Next::WriteForLong => out.write_timeout(1, LONG)?,
        Next::Select => AltSelect! { _v = input.read() => () }?,
        Next::SelectOfASet => {
            let mut alt = Alternation::new();
            alt.read(&input);
            drop(alt.select()?);
        }
        Next::Sync => barrier.sync()?,
        Next::Run => drop(read_one(input).on(Placement::Thread).run()??),
        Next::Join => drop(child.unwrap().join()??),
    }
    Ok(())
}

/// What a process goes on with that does not wait.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum AtOnce {
    Poison,
    PoisonBothSides,
    Retire,
    Try,
}

/// Uses nothing of this library afterwards, until it is killed.
#[process]
fn hear_of_a_poison_and_stay(next: AtOnce, dead: Reader<u64>, dropped: Writer<u64>, out: Writer<u64>) {
    let own = Channel::<u64>::new();
    assert!(dead.read().unwrap_err().is_poisoned());
    drop(dropped);
    match next {
        AtOnce::Poison => out.poison(),
        AtOnce::PoisonBothSides => own.poison(),
        AtOnce::Retire => out.retire(),
        AtOnce::Try => assert!(out.try_write(1).unwrap_err().fate.is_would_block()),
    }
    loop {
        std::thread::park();
    }
}

/// Returns the poison, and drops an end that it was given and one that it has made.
#[process]
fn hear_of_a_poison_and_return_it(
    dead: Reader<u64>,
    _given: Writer<u64>,
    out: Writer<Reader<u64>>,
) -> csproc::Result<()> {
    let (_own, r) = csproc::channel();
    out.write(r)?;
    Ok(dead.read().map(drop)?)
}

/// Ends without waiting for a child that reads what the dropped end has written.
#[process]
fn hear_of_a_poison_and_leave_a_child(placement: Placement, dead: Reader<u64>, out: Writer<u64>, input: Reader<u64>) {
    drop(Spawn!(collect(input).on(placement)).unwrap());
    assert!(dead.read().unwrap_err().is_poisoned());
    drop(out);
}

over_both! {
    fn law_7_returned_poison_ends_the_channels_that_were_given_and_no_others(placement) {
        let [dead, given] = [(); 2].map(|()| Channel::new());
        let made = Channel::new();
        let (r, own) = (given.reader(), made.reader());
        let child = Spawn!(hear_of_a_poison_and_return_it(dead.reader(), given.writer(), made.writer()).on(placement));
        drop((given, made));
        let own = own.read().unwrap();
        dead.writer().poison();
        assert_eq!((r.read(), own.read()), (Err(ChannelError::Poisoned), Err(ChannelError::Retired)));
        child.unwrap().join().unwrap().unwrap_err();
    }

    fn law_7_a_process_has_let_go_of_its_ends_before_it_waits_for_its_children(placement) {
        let [dead, c] = [(); 2].map(|()| Channel::new());
        dead.writer().poison();
        let leaves = hear_of_a_poison_and_leave_a_child(placement, dead.reader(), c.writer(), c.reader()).on(placement);
        drop((dead, c));
        leaves.run().unwrap();
    }

    fn law_7_an_end_dropped_after_a_poison_retires_with_whatever_comes_next(placement) {
        for next in WAITS {
            let [dead, dropped, there, back] = [(); 4].map(|()| Channel::new());
            let barrier = Barrier::new(2);
            let (r, w, answer) = (dropped.reader(), there.writer(), back.reader());
            let heard = hear_of_a_poison_and_go_on(
                next,
                dead.reader(),
                dropped.writer(),
                there.reader(),
                back.writer(),
                barrier.clone(),
            );
            dead.writer().poison();
            drop((dead, dropped, there, back));
            let child = Spawn!(heard.on(placement)).unwrap();
            // It waits for what follows.
            assert_eq!(r.read(), Err(ChannelError::Retired), "{next:?}");
            match next {
                Next::Write | Next::WriteForLong => assert_eq!(answer.read(), Ok(1)),
                Next::Sync => barrier.sync().unwrap(),
                _ => w.write(1).unwrap(),
            }
            child.join().unwrap().unwrap();
        }
    }
}

once! {
    fn law_7_an_end_dropped_after_a_poison_retires_with_what_does_not_wait_either() {
        for next in [AtOnce::Poison, AtOnce::PoisonBothSides, AtOnce::Retire, AtOnce::Try] {
            let [dead, dropped, c] = [(); 3].map(|()| Channel::new());
            let (r, _kept) = (dropped.reader(), c.reader());
            dead.writer().poison();
            let child = Spawn!(hear_of_a_poison_and_stay(next, dead.reader(), dropped.writer(), c.writer())).unwrap();
            drop((dead, dropped, c));
            assert_eq!(r.read(), Err(ChannelError::Retired), "{next:?}");
            child.kill().unwrap();
            child.join().unwrap_err();
        }
    }
}
