//! What an operation that blocks does, its future does: values, ends of channels, choice, time.
//!
//! Knows nothing of futures that are dropped before they are ready.

use crate::executor::{Counter, EXECUTORS, Executor, both, poll_once, suspend};
use crate::harness::scenario::{self, Scenario};
use csproc::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread::spawn;
use std::time::{Duration, Instant};

fn pair<T>() -> (Writer<T>, Reader<T>) {
    csproc::channel()
}

once! {
    fn values_come_in_order_from_a_thread() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let writer = spawn(move || (0..100_u32).try_for_each(|value| w.write(value)));
            let read = executor.block_on(async {
                let mut read = Vec::new();
                while let Ok(value) = r.read_async().await {
                    read.push(value);
                }
                read
            });
            assert_eq!(read, (0..100).collect::<Vec<_>>(), "{executor:?}");
            assert!(writer.join().unwrap().is_ok());
        }
    }

    fn values_come_in_order_to_a_thread() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let reader = spawn(move || r.iter().collect::<Vec<String>>());
            executor.block_on(async {
                for value in 0..100 {
                    w.write_async(value.to_string()).await.unwrap();
                }
            });
            drop(w);
            assert_eq!(reader.join().unwrap(), (0..100).map(|value| value.to_string()).collect::<Vec<_>>());
        }
    }

    fn two_futures_of_one_thread_meet() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let sum = executor.block_on(async {
                let writing = async {
                    for value in 1..=100_u64 {
                        w.write_async(value).await.unwrap();
                    }
                };
                let reading = async {
                    let mut sum = 0;
                    for _ in 0..100 {
                        sum += r.read_async().await.unwrap();
                    }
                    sum
                };
                both(writing, reading).await.1
            });
            assert_eq!(sum, 5050, "{executor:?}");
        }
    }

    fn a_future_offers_nothing_before_it_is_polled() {
        let (w, r) = pair();
        let reading = r.read_async();
        assert!(w.try_write(1_u8).unwrap_err().fate.is_would_block());
        drop(reading);
        let writing = w.write_async(2);
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(writing);
    }

    fn a_future_that_is_ready_stays_over() {
        let c = Channel::buffered(Buffer::Fifo(2));
        let (w, r) = (c.writer(), c.reader());
        let mut writing = w.write_async(1_u8);
        assert!(poll_once(&mut writing).is_ready());
        assert!(poll_once(&mut writing).is_pending());
        let mut reading = r.read_async();
        assert!(poll_once(&mut reading).is_ready());
        w.write(2).unwrap();
        assert!(poll_once(&mut reading).is_pending());
        drop((reading, writing));
        assert_eq!(r.read(), Ok(2));
    }

    fn the_last_waker_is_woken() {
        let (w, r) = pair();
        let mut reading = r.read_async();
        suspend(&mut reading);
        let (first, last) = (Counter::here(), Counter::here());
        for counter in [&first, &last] {
            let waker = Waker::from(counter.clone());
            assert!(Pin::new(&mut reading).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        w.write(7_u8).unwrap();
        last.until(1);
        assert_eq!(std::sync::Arc::strong_count(&first), 1, "a waker that was replaced is dropped");
        assert_eq!(poll_once(&mut reading), std::task::Poll::Ready(Ok(7)));
    }

    fn poison_and_retirement_end_a_wait() {
        for executor in EXECUTORS {
            let (w, r) = pair::<u8>();
            let mut reading = r.read_async();
            suspend(&mut reading);
            w.poison();
            assert!(executor.block_on(reading).unwrap_err().is_poisoned());
            assert!(executor.block_on(r.read_async()).unwrap_err().is_poisoned());

            let (w, r) = pair();
            let mut writing = w.write_async(String::from("back"));
            suspend(&mut writing);
            drop(r);
            let error = executor.block_on(writing).unwrap_err();
            assert!(error.fate.is_retired());
            assert_eq!(error.value, "back");
            assert_eq!(executor.block_on(w.write_async(String::from("again"))).unwrap_err().value, "again");
        }
    }

    fn an_end_that_was_given_up_says_so() {
        let (w, r) = pair::<u8>();
        r.retire();
        assert!(Executor::Plain.block_on(r.read_async()).unwrap_err().is_retired());
        w.retire();
        assert!(Executor::Plain.block_on(w.write_async(1)).unwrap_err().fate.is_retired());
    }

    fn an_end_that_was_given_up_does_nothing_though_others_go_on() {
        let c = Channel::buffered(Buffer::Fifo(3));
        let [w, other_w] = [(); 2].map(|()| c.writer());
        let [r, other_r] = [(); 2].map(|()| c.reader());
        other_w.write(1_u64).unwrap();
        retire!(w, r);
        assert_eq!(Executor::Plain.block_on(r.read_async()), Err(ChannelError::Retired));
        let error = Executor::Plain.block_on(w.write_async(2)).unwrap_err();
        assert_eq!((error.value, error.fate), (2, ChannelError::Retired));
        assert_eq!((other_r.len(), other_r.read()), (1, Ok(1)));
    }

    fn ends_travel_through_futures() {
        for executor in EXECUTORS {
            let (w, r) = pair::<Writer<u32>>();
            let (answer, answers) = pair();
            let other = spawn(move || r.read().unwrap().write(42));
            executor.block_on(w.write_async(answer)).unwrap();
            assert_eq!(executor.block_on(answers.read_async()), Ok(42));
            assert!(executor.block_on(answers.read_async()).unwrap_err().is_retired());
            assert!(other.join().unwrap().is_ok());
        }
    }

    fn a_value_that_cannot_be_serialized_comes_back() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Never;
        impl serde::Serialize for Never {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("never"))
            }
        }
        let (w, _r) = pair();
        let error = Executor::Plain.block_on(w.write_async(Never)).unwrap_err();
        assert!(error.fate.is_invalid() && error.fate.to_string().contains("never"), "{}", error.fate);
        assert_eq!(error.value, Never);
    }

    fn values_with_ipc_channel_ends_are_carried() {
        use ipc_channel::ipc::{self, IpcSender};
        for executor in EXECUTORS {
            let c = Channel::<IpcSender<u32>>::builder().carrier(Carrier::Ipc).build().unwrap();
            let (w, r) = (c.writer(), c.reader());
            drop(c);
            let reader = spawn(move || (r.read().unwrap().send(1).unwrap(), r));
            let (sender, replies) = ipc::channel().unwrap();
            executor.block_on(w.write_async(sender)).unwrap();
            assert_eq!(replies.recv().unwrap(), 1);
            let ((), r) = reader.join().unwrap();
            let writer = spawn(move || {
                let (sender, replies) = ipc::channel().unwrap();
                w.write(sender).unwrap();
                replies.recv().unwrap()
            });
            executor.block_on(r.read_async()).unwrap().send(2).unwrap();
            assert_eq!(writer.join().unwrap(), 2);
        }
    }

    fn a_writer_waits_for_an_extended_reader() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            // The future is first; the reader holds it.
            let mut writing = w.write_async(1_u8);
            suspend(&mut writing);
            let held = r.extended().unwrap();
            suspend(&mut writing);
            assert_eq!(held.finish(), 1);
            executor.block_on(writing).unwrap();
            // The reader is first, and a future commits it.
            let reader = spawn(move || {
                let held = r.extended().unwrap();
                assert_eq!(held.finish(), 2);
                drop(r.extended().unwrap());
            });
            executor.block_on(w.write_async(2)).unwrap();
            let error = executor.block_on(w.write_async(3)).unwrap_err();
            assert!(matches!(error.fate, ChannelError::Abandoned { .. }), "{:?}", error.fate);
            reader.join().unwrap();
        }
    }

    fn a_selection_takes_one_guard() {
        for executor in EXECUTORS {
            let (w, r) = pair();
            let (out, taken) = pair();
            let mut alt = Alternation::new();
            let input = alt.read(&r);
            let output = alt.write(&out, 5);
            {
                let mut selecting = alt.select_async();
                suspend(&mut selecting);
                assert_eq!(taken.read(), Ok(5));
                assert!(executor.block_on(selecting).unwrap().is(output));
            }
            let writer = spawn(move || w.write(7_u8));
            // The value is gone, so the guard is absent.
            assert_eq!(executor.block_on(alt.select_async()).unwrap().take(input), 7);
            assert!(writer.join().unwrap().is_ok());
            assert!(executor.block_on(alt.select_async()).unwrap_err().is_retired());
            assert!(alt.has_failed(input));
        }
    }

    fn timers_are_guards_and_are_never_early() {
        for executor in EXECUTORS {
            let (_w, r) = pair::<u8>();
            let mut alt = Alternation::new();
            alt.read(&r);
            let pause = Duration::from_millis(3);
            let timer = alt.after(pause);
            let start = Instant::now();
            assert!(executor.block_on(alt.select_async()).unwrap().is(timer));
            assert!(start.elapsed() >= pause);
            alt.remove(timer);
            let ticks = alt.tick(pause);
            let first = executor.block_on(alt.select_async()).unwrap().take(ticks);
            assert!(executor.block_on(alt.select_async()).unwrap().take(ticks) >= first + pause);
        }
    }

    fn the_turn_is_that_of_the_blocking_selection() {
        let mut alt = Alternation::new();
        for _ in 0..3 {
            alt.at(Instant::now());
        }
        for turn in 0..9 {
            let fired = if turn % 2 == 0 {
                Executor::Plain.block_on(alt.fair_select_async())
            } else {
                alt.fair_select()
            };
            assert_eq!(fired.unwrap().index(), turn % 3);
        }
    }

    fn barriers_are_guards() {
        for executor in EXECUTORS {
            let barrier = Barrier::new(2);
            let other = barrier.clone();
            let party = spawn(move || other.sync());
            let mut alt = Alternation::new();
            let sync = alt.guard(&barrier);
            assert!(executor.block_on(alt.select_async()).unwrap().is(sync));
            assert!(party.join().unwrap().is_ok());
        }
    }

    fn a_thousand_futures_wait_at_once() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let (mut writers, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..1000 {
            let (w, r) = pair::<usize>();
            writers.push(w);
            tasks.push(runtime.spawn(async move { (r.read_async().await, r.read_async().await) }));
        }
        // Backwards, so that no order of arrival helps.
        for round in 0..2 {
            for (number, w) in writers.iter().enumerate().rev() {
                w.write(number * 2 + round).unwrap();
            }
        }
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(runtime.block_on(task).unwrap(), (Ok(number * 2), Ok(number * 2 + 1)));
        }
    }

    fn a_future_that_waits_is_shown_with_its_line() {
        let (command, _) = scenario::command("show");
        let remains = scenario::output(command);
        assert!(remains.status.success(), "{remains:?}");
        let [before, during, after] = [0, 1, 2].map(|part| remains.stderr.split("====").nth(part).unwrap());
        let shown = format!("waits (async) at {}:{SHOWN}:", file!());
        assert!(during.contains(&shown), "`{shown}` is missing: {}", remains.stderr);
        assert!(!before.contains("(async)") && !after.contains("(async)"), "{}", remains.stderr);
    }

    fn a_future_wanders_between_threads() {
        let (w, r) = pair();
        let mut reading = r.read_async();
        suspend(&mut reading);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| Executor::Plain.block_on(reading));
            w.write(9_u8).unwrap();
            assert_eq!(reader.join().unwrap(), Ok(9));
        });
    }
}

/// A future of a value that may be sent may be sent.
#[test]
fn futures_of_reads_and_writes_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let (w, r) = pair::<u8>();
    is_send(&r.read_async());
    is_send(&w.write_async(1));
}

pub(crate) const SCENARIOS: &[Scenario] = &[("show", show)];

/// The line on which the future of [`show`] is made.
const SHOWN: u32 = line!() + 7;

/// Shows the program before, while and after a future waits.
fn show() {
    let (_w, r) = pair::<u8>();
    csproc::dump();
    eprintln!("====");
    let mut reading = r.read_async();
    suspend(&mut reading);
    csproc::dump();
    eprintln!("====");
    drop(reading);
    csproc::dump();
}
