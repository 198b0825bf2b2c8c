//! Killed after any single instruction of what is done with a loan, a process has it or somebody else has, whole; and
//! its memory comes back.
//!
//! Knows nothing of how a loan changes hands.

use crate::explore::{BOTH, explore, follow, spawn};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;
use csproc::{Flat, Loan, View};

/// More than a thread keeps in hand.
const LENGTH: usize = 40_000;

fn ones(w: &Writer<Flat<u64>>) -> Loan<u64> {
    let mut loan = w.loan_as_is(LENGTH).unwrap();
    loan.fill(1);
    loan
}

fn is_whole(view: &View<u64>, first: u64) {
    assert!(view.len() == LENGTH && view[0] == first && view[1..].iter().all(|value| *value == 1), "{:?}", &view[..9]);
}

#[process]
fn hold(out: Writer<Flat<u64>>) {
    let first = ones(&out);
    stepped(|| {
        let second = out.loan_as_is(LENGTH).unwrap();
        drop(first);
        drop(second);
    });
}

/// What the victim was lent goes with it.
fn hold_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::new();
    let _r = c.reader();
    follow(spawn(hold(c.writer()), policy), cut, &mut || ())
}

#[process]
fn send(out: Writer<Flat<u64>>) {
    let mut loan = ones(&out);
    loan[0] = 2;
    stepped(|| out.send(loan).unwrap());
}

/// It is in the channel, or gone with the victim.
fn send_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::buffered(Buffer::Fifo(1));
    let r = c.reader();
    let walk = follow(spawn(send(c.writer()), policy), cut, &mut || ());
    match r.try_read_loan() {
        Ok(view) => is_whole(&view, 2),
        Err(error) => assert!(!walk.finished, "{error}"),
    }
    walk
}

#[process]
fn receive(input: Reader<Flat<u64>>) {
    stepped(|| {
        let mut view = input.read_loan().unwrap();
        view[0] = 2;
    });
}

/// It is in the channel as it was, or gone with the victim.
fn receive_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::buffered(Buffer::Fifo(1));
    let (w, r) = (c.writer(), c.reader());
    w.send(ones(&w)).unwrap();
    let walk = follow(spawn(receive(c.reader()), policy), cut, &mut || ());
    if let Ok(view) = r.try_read_loan() {
        assert!(!walk.finished);
        is_whole(&view, 1);
    }
    walk
}

#[process]
fn pass_on(input: Reader<Flat<u64>>, out: Writer<Flat<u64>>) {
    stepped(|| {
        let mut view = input.read_loan().unwrap();
        view[0] = 2;
        out.send(view.into_loan()).unwrap();
    });
}

/// It is in one channel, or in the other one, or gone with the victim; never in both.
fn pass_on_scene(policy: OnCrash, cut: Cut) -> Walk {
    let (c, d) = (Channel::buffered(Buffer::Fifo(1)), Channel::buffered(Buffer::Fifo(1)));
    let (w, r) = (c.writer(), d.reader());
    w.send(ones(&w)).unwrap();
    let back = c.reader();
    let walk = follow(spawn(pass_on(c.reader(), d.writer()), policy), cut, &mut || ());
    let (before, after) = (back.try_read_loan(), r.try_read_loan());
    before.iter().for_each(|view| is_whole(view, 1));
    after.iter().for_each(|view| is_whole(view, 2));
    assert!(before.is_err() || after.is_err());
    assert!(after.is_ok() || !walk.finished);
    walk
}

alone! {
    fn a_loan_that_is_held() {
        explore("a loan that is held", &BOTH, &hold_scene);
    }

    fn a_loan_that_is_sent() {
        explore("a loan that is sent", &BOTH, &send_scene);
    }

    fn a_loan_that_is_received() {
        explore("a loan that is received", &BOTH, &receive_scene);
    }

    fn a_loan_that_is_passed_on() {
        explore("a loan that is passed on", &BOTH, &pass_on_scene);
    }
}
