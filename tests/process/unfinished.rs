//! A process or thread that ends in the middle of a message leaves nobody waiting: its writer is told who left, and the
//! ends in the message go. Nobody who comes later is blamed.
//!
//! Knows nothing of how a context is settled. `exit` destroys the thread-local variables of its caller in the middle of
//! whatever the caller was doing, so each place where a thread owns a message is left by `exit` once.

use crate::harness::cast::read_one;
use csproc::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};
use std::thread;

/// The way in which a message is read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum By {
    Read,
    Extended,
    Alternation,
}

const WAYS: [By; 3] = [By::Read, By::Extended, By::Alternation];

/// Whoever deserializes this exits, having used another channel before.
#[derive(Debug, Serialize)]
struct Exit(Writer<u8>);

impl<'de> Deserialize<'de> for Exit {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Exit, D::Error> {
        let c = Channel::<u8>::buffered(Buffer::Fifo(1));
        c.writer().write(1).unwrap();
        assert_eq!(c.reader().read(), Ok(1));
        std::process::exit(3)
    }
}

/// As `Exit`, when the end in it has arrived already.
#[derive(Debug, Serialize, Deserialize)]
struct Late(Writer<u8>, Exit);

fn read<T: csproc::Message>(input: &Reader<T>, by: By) -> csproc::Result<()> {
    match by {
        By::Read => drop(input.read()?),
        By::Extended => drop(input.extended()?.finish()),
        By::Alternation => PriSelect! { v = input => drop(v), }?,
    }
    Ok(())
}

#[process]
fn read_late(input: Reader<Late>, by: By) -> csproc::Result<()> {
    read(&input, by)
}

#[process]
fn read_exit(input: Reader<Exit>, by: By) -> csproc::Result<()> {
    read(&input, by)
}

#[process]
fn exit_in_extended(input: Reader<u64>) -> csproc::Result<()> {
    input.read_extended(|_| std::process::exit(1))?
}

/// `exit` on a thread that is not the process's own.
#[process]
fn exit_on_thread(input: Reader<u64>) -> csproc::Result<()> {
    let forgetful = thread::spawn(move || input.read_extended(|_| std::process::exit(1)));
    forgetful.join().unwrap()?
}

#[process]
fn forget(input: Reader<u64>) -> csproc::Result<()> {
    std::mem::forget(input.extended()?);
    Ok(())
}

/// Forgets a message on a thread that ends while its process lives on.
#[process]
fn forget_on_thread(input: Reader<u64>, go: Reader<u8>) -> csproc::Result<()> {
    thread::spawn(move || input.extended().map(std::mem::forget)).join().unwrap()?;
    go.read()?;
    Ok(())
}

/// Forgets a message and panics.
#[process]
fn forget_and_panic(input: Reader<u64>) -> csproc::Result<()> {
    std::mem::forget(input.extended()?);
    panic!("with a message in hand")
}

/// Forgets a message, and ends without waiting for a child.
#[process]
fn forget_and_leave_a_child(placement: Placement, input: Reader<u64>, until: Reader<u64>) -> csproc::Result<()> {
    drop(Spawn!(read_one(until).on(placement))?);
    std::mem::forget(input.extended()?);
    Ok(())
}

#[process]
fn innocent(ready: Writer<u8>, input: Reader<u8>) -> csproc::Result<u8> {
    ready.write(1)?;
    Ok(input.read()?)
}

/// Writes on a thread of its own, and comes back when the reader has the channel to itself.
fn write_aside() -> (thread::JoinHandle<Result<(), ChannelError>>, Reader<u64>) {
    let c = Channel::new();
    let (out, input) = (c.writer(), c.reader());
    (thread::spawn(move || out.write(5).map_err(ChannelError::from)), input)
}

/// What the writer of a message is told that `Exit` was in, and the reader of the channel whose end travelled in it.
fn told<T: Message + Send + 'static>(
    message: impl FnOnce(Writer<u8>) -> T,
    reader: impl FnOnce(Reader<T>) -> Network<csproc::Result<()>>,
) -> (Result<(), ChannelError>, ChannelError) {
    let (c, inner) = (Channel::<T>::new(), Channel::<u8>::new());
    let (out, input) = (c.writer(), c.reader());
    let (message, rest) = (message(inner.writer()), inner.reader());
    drop((c, inner));
    let writer = thread::spawn(move || out.write(message).map_err(ChannelError::from));
    reader(input).run().unwrap_err();
    (writer.join().unwrap(), rest.read().unwrap_err())
}

fn assert_lost(outcome: Result<(), ChannelError>, by: &str) {
    assert!(matches!(&outcome, Err(ChannelError::Lost { process, .. }) if process == by), "{outcome:?}");
}

fn assert_abandoned(outcome: Result<(), ChannelError>, by: &str) {
    assert!(matches!(&outcome, Err(ChannelError::Abandoned { process }) if process == by), "{outcome:?}");
}

once! {
    fn exit_while_a_message_is_deserialized_loses_the_ends_in_it() {
        for by in WAYS {
            let (written, rest) = told(Exit, |input| network!(read_exit(input, by)));
            assert!(rest.is_lost(), "{by:?}: {rest:?}");
            match by {
                By::Extended => assert_lost(written, "read_exit"),
                By::Read | By::Alternation => assert_eq!(written, Ok(()), "{by:?}"),
            }
            let late = |end: Writer<u8>| Late(end.clone(), Exit(end));
            let (written, rest) = told(late, |input| network!(read_late(input, by)));
            assert!(rest.is_lost(), "{by:?}: {rest:?}");
            match by {
                By::Extended => assert_lost(written, "read_late"),
                By::Read | By::Alternation => assert_eq!(written, Ok(()), "{by:?}"),
            }
        }
    }

    fn exit_in_an_extended_rendezvous_tells_the_writer() {
        let (writer, input) = write_aside();
        exit_in_extended(input).run().unwrap_err();
        assert_lost(writer.join().unwrap(), "exit_in_extended");
        let (writer, input) = write_aside();
        exit_on_thread(input).run().unwrap_err();
        assert_lost(writer.join().unwrap(), "exit_on_thread");
    }

    fn a_thread_that_forgets_a_message_abandons_its_writer_when_it_ends() {
        let (writer, input) = write_aside();
        thread::spawn(move || std::mem::forget(input.extended().unwrap())).join().unwrap();
        assert!(matches!(writer.join().unwrap(), Err(ChannelError::Abandoned { .. })));

        let (writer, input) = write_aside();
        let go = Channel::new();
        let child = Spawn!(forget_on_thread(input, go.reader())).unwrap();
        assert_abandoned(writer.join().unwrap(), "forget_on_thread");
        go.writer().write(1).unwrap();
        child.join().unwrap().unwrap();
    }

    fn a_message_from_a_buffer_that_was_forgotten_is_freed_with_its_thread() {
        let c = Channel::<Vec<u8>>::buffered(Buffer::Fifo(2));
        let (out, input) = (c.writer(), c.reader());
        out.write(vec![1; 1000]).unwrap();
        thread::spawn(move || std::mem::forget(input.extended().unwrap())).join().unwrap();
        // The audit at the end would find the block.
    }

    fn a_message_that_a_thread_local_keeps_is_given_up_once() {
        use std::cell::RefCell;
        thread_local! {
            static KEPT: RefCell<Option<csproc::Extended<u64>>> = const { RefCell::new(None) };
        }
        for first_of_all in [true, false] {
            let (writer, input) = write_aside();
            thread::spawn(move || {
                if first_of_all {
                    KEPT.with_borrow_mut(|kept| *kept = None);
                }
                let message = input.extended().unwrap();
                KEPT.with_borrow_mut(|kept| *kept = Some(message));
            })
            .join()
            .unwrap();
            assert!(matches!(writer.join().unwrap(), Err(ChannelError::Abandoned { .. })));
        }
    }
}

over_both! {
    fn a_process_that_forgets_a_message_abandons_its_writer(placement) {
        let (writer, input) = write_aside();
        forget(input).on(placement).run().unwrap().unwrap();
        assert_abandoned(writer.join().unwrap(), "forget");
    }

    fn law_7_a_process_that_panics_with_a_message_in_hand_is_lost_to_its_writer(placement) {
        let (writer, input) = write_aside();
        forget_and_panic(input).on(placement).run().unwrap_err();
        assert_lost(writer.join().unwrap(), "forget_and_panic");
    }

    fn a_process_has_let_go_of_its_writers_before_it_waits_for_its_children(placement) {
        let ((writer, input), (w, until)) = (write_aside(), csproc::channel());
        let child = Spawn!(forget_and_leave_a_child(placement, input, until).on(placement)).unwrap();
        assert_abandoned(writer.join().unwrap(), "forget_and_leave_a_child");
        w.write(1).unwrap();
        child.join().unwrap().unwrap();
    }

    fn nobody_who_comes_later_is_blamed_for_a_message(placement) {
        for _ in 0..8 {
            let (writer, input) = write_aside();
            forget(input).on(placement).run().unwrap().unwrap();
            let (ready, d) = (Channel::new(), Channel::new());
            let child = Spawn!(innocent(ready.writer(), d.reader())).unwrap();
            ready.reader().read().unwrap();
            child.kill().unwrap();
            assert!(child.join().is_err());
            assert_abandoned(writer.join().unwrap(), "forget");
        }
    }
}
