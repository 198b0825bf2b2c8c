//! What can go wrong on an ipc-channel is told as what it is, and does not reach others.
//!
//! Knows nothing of crossbeam channels, with which nothing can.

use crate::harness::pause::stop;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use crate::harness::system::descriptors;
use csproc::bridge;
use csproc::prelude::*;
use csproc::{ChannelError, MessageError};
use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const SCENARIOS: &[Scenario] = &[("no_room_for_descriptors", no_room_for_descriptors)];

/// Sends a message that comes in pieces, and cannot finish before somebody reads.
#[process]
fn send_much(server: String, ready: Writer<Place>) -> csproc::Result<()> {
    let sender = IpcSender::connect(server)?;
    let (words, receiver) = ipc::channel::<Vec<u8>>()?;
    sender.send(receiver)?;
    Place::announce(&ready);
    words.send(vec![7; 4 << 20])?;
    Ok(())
}

#[process]
fn send_little(server: String) -> csproc::Result<()> {
    let sender = IpcSender::<IpcSender<u32>>::connect(server)?;
    let (reply, answer) = ipc::channel()?;
    sender.send(reply)?;
    assert_eq!(answer.recv()?, 5);
    Ok(())
}

#[derive(Serialize, Deserialize)]
enum Greeting {
    /// Somebody asks for the sending end.
    Ask(IpcSender<IpcSender<Vec<u8>>>),
}

/// Asks for a sender and sends so much with it that it must wait.
#[process]
fn ask_and_send_much(server: String, ready: Writer<Place>) -> csproc::Result<()> {
    let sender = IpcSender::connect(server)?;
    let (answer, given) = ipc::channel()?;
    sender.send(Greeting::Ask(answer))?;
    let words: IpcSender<Vec<u8>> = given.recv()?;
    Place::announce(&ready);
    words.send(vec![7; 4 << 20])?;
    Ok(())
}

over_both! {
    fn a_message_in_pieces_arrives_whole(placement) {
        let (server, name) = IpcOneShotServer::<IpcReceiver<Vec<u8>>>::new().unwrap();
        let ready = Channel::new();
        let announced = ready.reader();
        let child = Spawn!(send_much(name, ready.writer()).on(placement)).unwrap();
        let (_, receiver) = server.accept().unwrap();
        let foreign = bridge::ipc(receiver).unwrap();
        announced.read().unwrap().until_asleep();
        let words = AltSelect! { words = foreign.read() => words }.unwrap();
        assert!(words == vec![7; 4 << 20]);
        child.join().unwrap().unwrap();
        assert!(foreign.read().unwrap_err().is_retired());
    }

    fn an_end_of_a_channel_crosses_a_bridge(placement) {
        let (server, name) = IpcOneShotServer::new().unwrap();
        let child = Spawn!(send_little(name).on(placement)).unwrap();
        let (_others, reply): (_, IpcSender<u32>) = server.accept().unwrap();
        // Once more over a bridge.
        let (sender, receiver) = ipc::channel().unwrap();
        let foreign = bridge::ipc(receiver).unwrap();
        sender.send(reply).unwrap();
        AltSelect! { reply = foreign.read() => reply.send(5).unwrap() }.unwrap();
        child.join().unwrap().unwrap();
    }
}

once! {
    fn a_sender_that_dies_in_the_middle_does_not_end_the_others() {
        let (sender, receiver) = ipc::channel::<Vec<u8>>().unwrap();
        let foreign = bridge::ipc(receiver).unwrap();
        for _ in 0..10 {
            let (server, name) = IpcOneShotServer::new().unwrap();
            let ready = Channel::new();
            let announced = ready.reader();
            let child = Spawn!(ask_and_send_much(name, ready.writer())).unwrap();
            let (_, Greeting::Ask(answer)) = server.accept().unwrap();
            answer.send(sender.clone()).unwrap();
            announced.read().unwrap().until_asleep();
            child.kill().unwrap();
            child.join().unwrap_err();
            assert!(foreign.try_read().unwrap_err().is_would_block());
            sender.send(vec![1, 2]).unwrap();
            assert_eq!(AltSelect! { words = foreign.read() => words }, Ok(vec![1, 2]));
        }
        drop(sender);
        assert!(AltSelect! { words = foreign.read() => words }.unwrap_err().is_retired());
    }

    fn a_message_of_another_type_is_an_error_and_then_forgotten() {
        let (sender, receiver) = ipc::channel::<bool>().unwrap();
        let foreign = bridge::ipc(receiver).unwrap();
        let wrong: IpcSender<u8> = sender.clone().to_opaque().to();
        for in_alternation in [false, true] {
            let read = || if in_alternation { AltSelect! { v = foreign.read() => v } } else { foreign.read() };
            wrong.send(7).unwrap();
            sender.send(true).unwrap();
            let error = read().unwrap_err();
            let ChannelError::Invalid(MessageError::Decode { type_name, reason }) = &error else { panic!("{error}") };
            assert!(type_name == "bool" && !reason.is_empty(), "{error}");
            assert_eq!(read(), Ok(true));
        }
    }

    fn a_message_without_room_for_its_descriptors_stays() {
        let (command, _) = command("no_room_for_descriptors");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
        assert!(!remains.stderr.contains("panicked"), "{remains:?}");
    }

    fn a_message_that_a_signal_tears_is_told() {
        install_handler();
        let (sender, receiver) = ipc::channel::<Vec<u8>>().unwrap();
        let foreign = bridge::ipc(receiver).unwrap();
        let (server, name) = IpcOneShotServer::new().unwrap();
        let ready = Channel::new();
        let announced = ready.reader();
        let child = Spawn!(ask_and_send_much(name, ready.writer())).unwrap();
        let (_, Greeting::Ask(answer)) = server.accept().unwrap();
        answer.send(sender.clone()).unwrap();
        announced.read().unwrap().until_asleep();
        stop(child.pid().unwrap());
        let (say, said) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            say.send(Place::here()).unwrap();
            (foreign.read(), foreign)
        });
        let place = said.recv().unwrap();
        // Sooner or later one comes while it waits for the rest of the message.
        while !reader.is_finished() {
            disturb(place.thread);
        }
        let (torn, foreign) = reader.join().unwrap();
        let error = torn.map(|words| words.len()).unwrap_err();
        assert!(error.is_invalid() && error.to_string().contains("signal"), "{error}");
        child.kill().unwrap();
        child.join().unwrap_err();
        sender.send(vec![1]).unwrap();
        assert_eq!(foreign.read(), Ok(vec![1]));
    }

    fn signals_do_not_end_the_waiting() {
        install_handler();
        let (sender, receiver) = ipc::channel::<u32>().unwrap();
        let (say, said) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn(move || {
            let foreign = bridge::ipc(receiver).unwrap();
            say.send(Place::here()).unwrap();
            let alone = foreign.read();
            say.send(Place::here()).unwrap();
            (alone, AltSelect! { v = foreign.read() => v })
        });
        for value in 0..2 {
            let place = said.recv().unwrap();
            for _ in 0..50 {
                place.until_asleep();
                let mut threads = helpers_of_bridges();
                threads.push(place.thread);
                for thread in threads {
                    disturb(thread);
                }
            }
            sender.send(value).unwrap();
        }
        assert_eq!(waiter.join().unwrap(), (Ok(0), Ok(1)));
        assert!(HANDLED.load(Ordering::SeqCst) > 100);
    }
}

fn no_room_for_descriptors() {
    let (sender, receiver) = ipc::channel::<Vec<IpcSender<u32>>>().unwrap();
    let foreign = bridge::ipc(receiver).unwrap();
    let (back, answers) = ipc::channel::<u32>().unwrap();
    sender.send(vec![back; 8]).unwrap();
    assert_eq!(PriSelect! { at(std::time::Instant::now()) => 1, _v = foreign.read() => 2 }, Ok(1));
    let (_silent, receiver) = ipc::channel::<u32>().unwrap();
    let quiet = bridge::ipc(receiver).unwrap();
    let before = getrlimit(Resource::Nofile);
    let open = descriptors().keys().max().unwrap() + 1;
    for spare in 0..8 {
        let limit = Rlimit { current: Some(u64::from(open) + spare), maximum: before.maximum };
        setrlimit(Resource::Nofile, limit).unwrap();
        let fill: Vec<_> =
            std::iter::from_fn(|| rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).ok()).collect();
        for _ in 0..3 {
            let error = foreign.try_read().unwrap_err();
            assert!(matches!(error, ChannelError::Invalid(MessageError::System { .. })), "{error:?}");
            assert!(error.to_string().contains("ulimit -n"), "{error}");
            let error = AltSelect! { _v = foreign.read() => () }.unwrap_err();
            assert!(error.to_string().contains(&limit.current.unwrap().to_string()), "{error}");
            // One that would have to wait needs a descriptor for its thread.
            let error = AltSelect! { _v = quiet.read() => () }.unwrap_err();
            assert!(matches!(error, ChannelError::Invalid(MessageError::System { .. })), "{error:?}");
            assert!(error.to_string().contains("a bridge cannot open a descriptor"), "{error}");
        }
        drop(fill);
    }
    setrlimit(Resource::Nofile, before).unwrap();
    let senders = AltSelect! { v = foreign.read() => v }.unwrap();
    assert_eq!(senders.len(), 8);
    senders[7].send(3).unwrap();
    assert_eq!(answers.recv().unwrap(), 3);
    drop(senders);
    assert!(answers.recv().is_err(), "a descriptor was left open");
}

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_signal(_: i32) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// A handler after which the system does not go on with what it interrupted.
#[expect(unsafe_code, reason = "installing a handler of signals has no safe interface")]
fn install_handler() {
    // SAFETY: all zero is a valid `sigaction`: no flags, nothing masked.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count_signal as *const () as usize;
    // SAFETY: the handler does nothing but change an atomic number.
    let installed = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
    assert_eq!(installed, 0);
}

/// Sends the signal to one thread, and comes back when it was handled.
#[expect(unsafe_code, reason = "as above")]
fn disturb(thread: u32) {
    let before = HANDLED.load(Ordering::SeqCst);
    // SAFETY: takes numbers only; a signal with a handler that does no harm.
    let send = |signal: i32| unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, signal) };
    if send(libc::SIGUSR1) == 0 {
        // No signal at all tells whether the thread is still there.
        while HANDLED.load(Ordering::SeqCst) == before && send(0) == 0 {
            std::thread::yield_now();
        }
    }
}

/// The threads of all bridges in this program, those of tests that run beside this one included: signals do no harm to
/// them either.
fn helpers_of_bridges() -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "csproc-bridge")
        })
        .filter_map(|task| task.file_name().to_string_lossy().parse().ok())
        .collect()
}
