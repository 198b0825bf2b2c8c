//! Loans without blocking a thread: they arrive as others do, and a future that is dropped has lost none.
//!
//! Knows nothing of executors beyond using all of them.

use crate::executor::{EXECUTORS, both, suspend};
use csproc::Flat;
use csproc::prelude::*;
use std::thread::spawn;

fn pair() -> (Writer<Flat<u32>>, Reader<Flat<u32>>) {
    csproc::channel()
}

once! {
    fn loans_come_in_order_to_a_thread_and_from_one() {
        for executor in EXECUTORS {
            let ((w, r), (back, views)) = (pair(), pair());
            let relay = spawn(move || {
                while let Ok(view) = r.read_loan() {
                    back.send(view.into_loan()).unwrap();
                }
            });
            executor.block_on(async {
                for value in 0..100 {
                    let loan = w.loan_from(&[value; 1000]).unwrap();
                    let place = loan.as_ptr().addr();
                    w.send_async(loan).await.unwrap();
                    let view = views.read_loan_async().await.unwrap();
                    assert_eq!((view.as_ptr().addr(), view[999]), (place, value), "{executor:?}");
                }
            });
            drop(w);
            relay.join().unwrap();
        }
    }

    fn two_futures_of_one_thread_pass_a_loan() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let loan = w.loan_from(&[4, 2]).unwrap();
            let (sent, came) = executor.block_on(both(w.send_async(loan), r.read_loan_async()));
            sent.unwrap();
            assert_eq!(*came.unwrap(), [4, 2]);
        }
    }

    fn a_send_that_is_dropped_has_sent_nothing_and_its_loan_is_free() {
        let (w, r) = pair();
        let mut sending = w.send_async(w.loan_from(&[1]).unwrap());
        suspend(&mut sending);
        drop(sending);
        assert!(r.try_read_loan().unwrap_err().is_would_block());
        drop(w.send_async(w.loan_from(&[1]).unwrap()));
        assert!(r.try_read_loan().unwrap_err().is_would_block());
    }

    fn a_loan_that_was_given_to_a_read_that_is_dropped_goes_to_the_next_one() {
        let (w, r) = pair();
        let mut reading = r.read_loan_async();
        suspend(&mut reading);
        w.try_send(w.loan_from(&[5]).unwrap()).unwrap();
        drop(reading);
        assert_eq!(*r.read_loan().unwrap(), [5]);
    }

    fn a_loan_that_nobody_will_take_comes_back_to_the_future() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let mut sending = w.send_async(w.loan_from(&[1, 2]).unwrap());
            suspend(&mut sending);
            drop(r);
            let error = executor.block_on(sending).unwrap_err();
            assert!(error.is_retired());
            assert_eq!(*error.value, [1, 2]);
            let error = executor.block_on(w.send_async(error.into_value())).unwrap_err();
            assert!(error.is_retired());
            assert_eq!(*error.value, [1, 2]);
        }
    }

    fn a_selection_that_waits_as_a_future_sends_a_loan_or_leaves_it() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let mut alt = Alternation::new();
            let sending = alt.send(&w, w.loan_from(&[1]).unwrap());
            let mut selecting = alt.select_async();
            suspend(&mut selecting);
            drop(selecting);
            assert_eq!(*alt.take_loan(sending).unwrap(), [1]);
            alt.set_loan(sending, w.loan_from(&[2]).unwrap());
            let reader = spawn(move || r.read_loan());
            assert!(executor.block_on(alt.select_async()).unwrap().is(sending));
            assert_eq!(*reader.join().unwrap().unwrap(), [2]);
        }
    }
}
