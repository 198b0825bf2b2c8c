//! A future that is dropped has done nothing: no message is lost, and nobody waits for it.
//!
//! Knows nothing of executors: futures are polled by hand here, so that each is dropped at the point that is meant.

use crate::executor::{EXECUTORS, Executor, poll_once, suspend};
use crate::harness::pause::{go_on, stop};
use crate::harness::place::Place;
use csproc::prelude::*;
use ipc_channel::ipc::{self, IpcSender};
use std::task::Poll;
use std::thread::spawn;
use std::time::Duration;

fn pair<T>() -> (Writer<T>, Reader<T>) {
    csproc::channel()
}

/// Of a channel whose values travel beside their messages.
fn carried() -> (Writer<IpcSender<u8>>, Reader<IpcSender<u8>>) {
    let c = Channel::builder().carrier(Carrier::Ipc).build().unwrap();
    (c.writer(), c.reader())
}

/// What an alternation does with a guard that has written.
#[derive(Clone, Copy, Debug)]
enum End {
    DropTheAlternation,
    SetAnother,
    RemoveTheGuard,
}

#[process]
fn answer_one(ready: Writer<Place>, input: Reader<IpcSender<u8>>) -> csproc::Result<()> {
    Place::announce(&ready);
    input.read()?.send(7)?;
    Ok(())
}

/// A read that was given this message, and dropped.
fn read_and_drop<T: Message>(w: &Writer<T>, r: &Reader<T>, value: T) {
    let mut reading = r.read_async();
    suspend(&mut reading);
    w.try_write(value).map_err(|error| error.fate).unwrap();
}

once! {
    fn a_lock_whose_selection_is_dropped_is_free() {
        let lock = Lock::new();
        let held = lock.acquire().unwrap();
        let mut alt = Alternation::new();
        alt.guard(&lock);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        // It is the future's now, which does not know it yet.
        drop(held);
        assert!(lock.try_acquire().is_err());
        drop(selecting);
        assert!(lock.try_acquire().is_ok());
    }

    fn a_lock_in_a_selection_wakes_the_future() {
        for executor in EXECUTORS {
            let (lock, event) = (Lock::new(), csproc::shared::Event::new());
            let (same, started) = (lock.clone(), event.clone());
            let held = spawn(move || {
                let held = same.acquire().unwrap();
                started.set();
                std::thread::sleep(Duration::from_millis(2));
                drop(held);
            });
            event.wait().unwrap();
            let mut alt = Alternation::new();
            let token = alt.guard(&lock);
            let got = executor.block_on(async { alt.select_async().await.unwrap().take(token) });
            assert!(got.is_ok() && lock.try_acquire().is_err());
            held.join().unwrap();
        }
    }

    fn a_read_that_is_dropped_is_withdrawn() {
        let (w, r) = pair();
        let mut reading = r.read_async();
        suspend(&mut reading);
        drop(reading);
        assert!(w.try_write(1_u8).unwrap_err().fate.is_would_block());
        assert!(r.try_read().unwrap_err().is_would_block());
    }

    fn a_write_that_is_dropped_is_withdrawn() {
        let (w, r) = pair();
        let mut writing = w.write_async(1_u8);
        suspend(&mut writing);
        drop(writing);
        assert!(r.try_read().unwrap_err().is_would_block());
    }

    fn a_message_that_came_before_the_drop_is_read_next_in_every_way() {
        let (w, r) = pair();
        read_and_drop(&w, &r, 1_u32);
        assert_eq!((r.len(), r.read()), (1, Ok(1)));
        read_and_drop(&w, &r, 2);
        assert_eq!(r.try_read(), Ok(2));
        read_and_drop(&w, &r, 3);
        assert_eq!(Executor::Plain.block_on(r.read_async()), Ok(3));
        read_and_drop(&w, &r, 4);
        assert_eq!(r.extended().unwrap().finish(), 4);
        read_and_drop(&w, &r, 5);
        assert_eq!(AltSelect! { v = r.read() => v }, Ok(5));
        read_and_drop(&w, &r, 6);
        let mut alt = Alternation::new();
        let input = alt.read(&r);
        assert_eq!(Executor::Plain.block_on(alt.select_async()).unwrap().take(input), 6);
        assert!(r.try_read().unwrap_err().is_would_block());
    }

    fn another_reader_may_read_it() {
        let (w, r) = pair();
        let other = r.clone();
        read_and_drop(&w, &r, 1_u8);
        drop(r);
        assert_eq!(other.read(), Ok(1));
        drop((w, other));
    }

    fn a_reader_that_waits_is_given_it_at_once() {
        let (w, r) = pair();
        let mut reading = r.read_async();
        suspend(&mut reading);
        w.try_write(1_u8).unwrap();
        let mut second = r.read_async();
        suspend(&mut second);
        drop(reading);
        assert_eq!(poll_once(&mut second), Poll::Ready(Ok(1)));
    }

    fn it_comes_before_what_is_written_later() {
        let (w, r) = pair();
        read_and_drop(&w, &r, 1_u8);
        let mut writing = w.write_async(2);
        suspend(&mut writing);
        assert_eq!(r.read(), Ok(1));
        suspend(&mut writing);
        assert_eq!(r.read(), Ok(2));
        assert!(poll_once(&mut writing).is_ready());
    }

    fn it_comes_before_what_is_in_a_buffer() {
        let c = Channel::buffered(Buffer::Fifo(2));
        let (w, r) = (c.writer(), c.reader());
        let mut reading = r.read_async();
        suspend(&mut reading);
        for value in 1..=3_u8 {
            w.try_write(value).unwrap();
        }
        drop(reading);
        assert_eq!(r.len(), 3);
        drop((w, c));
        assert_eq!(r.iter().collect::<Vec<_>>(), [1, 2, 3]);
    }

    fn a_buffer_that_drops_its_oldest_message_drops_it() {
        let c = Channel::buffered(Buffer::OverwriteOldest(1));
        let (w, r) = (c.writer(), c.reader());
        let mut reading = r.read_async();
        suspend(&mut reading);
        w.write(1_u8).unwrap();
        w.write(2).unwrap();
        drop(reading);
        assert_eq!((r.len(), r.read()), (1, Ok(2)));
    }

    fn it_outlives_its_writers_and_their_poison() {
        let (w, r) = pair();
        read_and_drop(&w, &r, 1_u8);
        drop(w);
        assert_eq!(r.read(), Ok(1));
        assert!(r.read().unwrap_err().is_retired());

        let (w, r) = pair();
        let mut reading = r.read_async();
        suspend(&mut reading);
        w.try_write(2_u8).unwrap();
        w.poison();
        drop(reading);
        assert_eq!(r.read(), Ok(2));
        assert!(r.read().unwrap_err().is_poisoned());
    }

    fn it_goes_with_the_last_reader_and_the_ends_inside_close() {
        let (w, r) = pair::<Writer<u8>>();
        let (inside, answers) = pair();
        let mut reading = r.read_async();
        suspend(&mut reading);
        w.try_write(inside).map_err(|error| error.fate).unwrap();
        drop(reading);
        assert!(answers.try_read().unwrap_err().is_would_block());
        drop(r);
        assert!(answers.read().unwrap_err().is_retired());
        assert!(w.check_retired());
    }

    fn a_write_that_was_taken_before_the_drop_is_written() {
        let (w, r) = pair();
        let mut writing = w.write_async(String::from("taken"));
        suspend(&mut writing);
        assert_eq!(r.read().unwrap(), "taken");
        drop(writing);
        assert!(r.try_read().unwrap_err().is_would_block());
    }

    fn a_writer_that_is_held_may_be_dropped() {
        let (w, r) = pair();
        // The writer first.
        let mut writing = w.write_async(String::from("held"));
        suspend(&mut writing);
        let held = r.extended().unwrap();
        drop(writing);
        assert_eq!(held.finish(), "held");
        // The reader first.
        let reader = spawn(move || (r.extended().unwrap().finish(), r));
        let mut writing = w.write_async(String::from("again"));
        while poll_once(&mut writing).is_pending() && !reader.is_finished() {
            std::thread::yield_now();
        }
        drop(writing);
        let (value, r) = reader.join().unwrap();
        assert_eq!(value, "again");
        assert!(r.try_read().unwrap_err().is_would_block());
    }

    fn a_reader_that_does_not_finish_finds_no_writer_any_more() {
        let (w, r) = pair();
        let mut writing = w.write_async(1_u8);
        suspend(&mut writing);
        let held = r.extended().unwrap();
        drop(writing);
        drop(held);
        let mut writing = w.write_async(2);
        suspend(&mut writing);
        assert_eq!(r.read(), Ok(2));
        assert!(poll_once(&mut writing).is_ready());
    }

    fn an_extended_guard_that_is_dropped_abandons_its_writer() {
        let (w, r) = pair();
        let mut alt = Alternation::new();
        alt.read_extended(&r);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        let mut writing = w.write_async(3_u8);
        suspend(&mut writing);
        drop(selecting);
        let Poll::Ready(Err(error)) = poll_once(&mut writing) else { panic!("the writer is held still") };
        assert!(matches!(error.fate, ChannelError::Abandoned { .. }), "{:?}", error.fate);
        assert_eq!(error.value, 3);
    }

    fn a_selection_that_is_dropped_withdraws_all_guards() {
        let (w, r) = pair();
        let (out, taken) = pair();
        let mut alt = Alternation::new();
        let input = alt.read(&r);
        let output = alt.write(&out, 5_u8);
        alt.after(Duration::from_secs(3600));
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        drop(selecting);
        assert!(w.try_write(1_u8).unwrap_err().fate.is_would_block());
        assert!(taken.try_read().unwrap_err().is_would_block());
        // A message that came is there again, and the value to write is, too.
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        w.try_write(1).unwrap();
        assert!(taken.try_read().unwrap_err().is_would_block());
        drop(selecting);
        assert_eq!(alt.pri_select().unwrap().take(input), 1);
        let reader = spawn(move || taken.read());
        assert!(alt.select().unwrap().is(output));
        assert_eq!(reader.join().unwrap(), Ok(5));
    }

    fn a_guard_that_wrote_before_the_drop_does_not_write_again() {
        let (_w, r) = pair::<u8>();
        let (out, taken) = pair();
        let mut alt = Alternation::new();
        alt.read(&r);
        let output = alt.write(&out, 5_u8);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        assert_eq!(taken.try_read(), Ok(5));
        drop(selecting);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        assert!(taken.try_read().unwrap_err().is_would_block());
        drop(selecting);
        alt.set(output, 6);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        // Held by an extended reader.
        let held = taken.extended().unwrap();
        drop(selecting);
        assert_eq!(held.finish(), 6);
        assert!(taken.try_read().unwrap_err().is_would_block());
    }

    fn a_party_of_a_barrier_that_is_dropped_is_missing() {
        let barrier = Barrier::new(2);
        let other = barrier.clone();
        let mut alt = Alternation::new();
        let sync = alt.guard(&barrier);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        drop(selecting);
        let mut others = Alternation::new();
        others.guard(&other);
        let mut waiting = others.select_async();
        suspend(&mut waiting);
        assert!(alt.select().unwrap().is(sync));
        assert!(poll_once(&mut waiting).is_ready());
    }

    fn a_carried_value_that_is_held_outlives_the_selection_that_wrote_it() {
        for executor in EXECUTORS {
            for end in [End::DropTheAlternation, End::SetAnother, End::RemoveTheGuard] {
                let (w, r) = carried();
                let mut reading = r.read_async();
                executor.suspend(&mut reading);
                let (sender, replies) = ipc::channel().unwrap();
                let mut alt = Alternation::new();
                let output = alt.write(&w, sender);
                // The reader has the message, and has not fetched the value that travels beside it.
                let mut selecting = alt.select_async();
                executor.suspend(&mut selecting);
                drop(selecting);
                match end {
                    End::DropTheAlternation => drop(alt),
                    End::SetAnother => alt.set(output, ipc::channel().unwrap().0),
                    End::RemoveTheGuard => alt.remove(output),
                }
                executor.block_on(reading).unwrap().send(7).unwrap();
                assert_eq!(replies.recv().unwrap(), 7);
                assert!(r.try_read().unwrap_err().is_would_block());
            }
        }
    }

    fn a_carried_value_that_is_held_outlives_its_write() {
        for executor in EXECUTORS {
            let (w, r) = carried();
            let mut reading = r.read_async();
            executor.suspend(&mut reading);
            let (sender, replies) = ipc::channel().unwrap();
            let mut writing = w.write_async(sender);
            executor.suspend(&mut writing);
            drop(writing);
            executor.block_on(reading).unwrap().send(7).unwrap();
            assert_eq!(replies.recv().unwrap(), 7);
        }
    }

    fn a_selection_that_another_process_holds_may_be_dropped_with_its_alternation() {
        let (w, r) = carried();
        let ready = Channel::new();
        let announced = ready.reader();
        let child = Spawn!(answer_one(ready.writer(), r)).unwrap();
        let reader: Place = announced.read().unwrap();
        reader.until_asleep();
        stop(reader.pid);
        let (sender, replies) = ipc::channel().unwrap();
        let mut alt = Alternation::new();
        alt.write(&w, sender);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        drop(selecting);
        drop(alt);
        go_on(reader.pid);
        assert_eq!(replies.recv().unwrap(), 7);
        child.join().unwrap().unwrap();
    }

    fn a_carried_value_that_a_dropped_selection_has_taken_is_abandoned() {
        let (w, r) = carried();
        let mut alt = Alternation::new();
        alt.read(&r);
        let mut selecting = alt.select_async();
        suspend(&mut selecting);
        let mut writing = w.write_async(ipc::channel().unwrap().0);
        suspend(&mut writing);
        drop(selecting);
        let Poll::Ready(Err(error)) = poll_once(&mut writing) else { panic!("the writer is held still") };
        assert!(matches!(error.fate, ChannelError::Abandoned { .. }), "{:?}", error.fate);
    }

    fn a_carried_value_is_not_lost_unnoticed() {
        let c = Channel::<u8>::builder().carrier(Carrier::Ipc).build().unwrap();
        let (w, r) = (c.writer(), c.reader());
        let mut reading = r.read_async();
        suspend(&mut reading);
        let mut writing = w.write_async(1);
        suspend(&mut writing);
        drop(reading);
        let Poll::Ready(Err(error)) = poll_once(&mut writing) else { panic!("the writer is held still") };
        assert!(matches!(error.fate, ChannelError::Abandoned { .. }), "{:?}", error.fate);
        assert_eq!(error.value, 1);
        let reader = spawn(move || r.read());
        w.write(2).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(2));
    }
}

/// Whether the other side is gone.
trait CheckRetired {
    fn check_retired(&self) -> bool;
}

impl CheckRetired for Writer<Writer<u8>> {
    fn check_retired(&self) -> bool {
        let (inside, _answers) = pair();
        self.write(inside).is_err_and(|error| error.fate.is_retired())
    }
}
