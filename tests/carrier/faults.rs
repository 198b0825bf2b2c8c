//! The known faults of ipc-channel 0.23 do not reach the users of a channel that it carries.
//!
//! Knows nothing of ipc-channel's insides; each test shows what a user would see of one fault. The other faults have
//! their tests elsewhere: fragments whose receiver or sender dies in `death`, `select` and truncated timeouts in
//! `choice`.

use crate::carried;
use crate::harness::place::Place;
use csproc::MessageError;
use csproc::prelude::*;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// What goes wrong in a value whose handle is already taken apart, or put together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Trouble {
    None,
    RefuseToGo,
    PanicOnTheWay,
    RefuseToArrive,
    PanicAtArrival,
    ForgetTheHandle,
}

/// A handle before and one after the trouble.
struct Troubled {
    first: IpcSender<u8>,
    trouble: Trouble,
    second: Option<IpcSender<u8>>,
}

impl Serialize for Troubled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut tuple = serializer.serialize_tuple(3)?;
        tuple.serialize_element(&self.first)?;
        match self.trouble {
            Trouble::RefuseToGo => return Err(serde::ser::Error::custom("refused")),
            Trouble::PanicOnTheWay => panic!("the value does not want to go"),
            _ => tuple.serialize_element(&self.trouble)?,
        }
        tuple.serialize_element(&self.second)?;
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Troubled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Troubled, D::Error> {
        struct Rest(Option<IpcSender<u8>>);
        thread_local!(static TROUBLE: std::cell::Cell<Trouble> = const { std::cell::Cell::new(Trouble::None) });
        impl<'de> Deserialize<'de> for Rest {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rest, D::Error> {
                // Read as a plain number: the handle stays where it is.
                if TROUBLE.get() == Trouble::ForgetTheHandle {
                    return Option::<usize>::deserialize(deserializer).map(|_| Rest(None));
                }
                Option::deserialize(deserializer).map(Rest)
            }
        }
        struct Watched(Trouble);
        impl<'de> Deserialize<'de> for Watched {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Watched, D::Error> {
                let trouble = Trouble::deserialize(deserializer)?;
                TROUBLE.set(trouble);
                match trouble {
                    Trouble::RefuseToArrive => Err(serde::de::Error::custom("refused")),
                    Trouble::PanicAtArrival => panic!("the value does not want to arrive"),
                    trouble => Ok(Watched(trouble)),
                }
            }
        }
        let (first, Watched(trouble), Rest(second)) = <(IpcSender<u8>, Watched, Rest)>::deserialize(deserializer)?;
        Ok(Troubled { first, trouble, second })
    }
}

fn troubled(trouble: Trouble) -> (Troubled, IpcReceiver<u8>) {
    let (sender, receiver) = ipc::channel().unwrap();
    (Troubled { first: sender.clone(), trouble, second: Some(sender) }, receiver)
}

/// Comes back only when no process has a sender any more.
fn until_nobody_can_send<T: Message>(receiver: &IpcReceiver<T>) {
    assert!(matches!(receiver.recv(), Err(ipc_channel::IpcError::Disconnected)));
}

#[process]
fn use_each(input: Reader<Troubled>) -> csproc::Result<(u64, Vec<String>)> {
    let (mut count, mut errors) = (0, Vec::new());
    loop {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| input.read())) {
            Ok(Ok(value)) => {
                value.first.send(1)?;
                assert_eq!(value.second.is_some(), value.trouble == Trouble::None);
                count += 1;
            }
            Ok(Err(error)) if error.is_retired() => return Ok((count, errors)),
            Ok(Err(error)) => errors.push(error.to_string()),
            Err(_) => errors.push(String::from("panic")),
        }
    }
}

over_both! {
    /// The handles of a value that failed half-way are closed, and do not go out with the next message.
    fn a_value_that_cannot_be_serialized_leaves_no_handle(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(use_each(c.reader()).on(placement)).unwrap();
        for _ in 0..20 {
            let (value, receiver) = troubled(Trouble::RefuseToGo);
            let error = w.write(value).unwrap_err();
            assert!(matches!(error.fate, ChannelError::Invalid(MessageError::Encode { .. })), "{:?}", error.fate);
            drop(error);
            until_nobody_can_send(&receiver);

            let (value, receiver) = troubled(Trouble::PanicOnTheWay);
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| w.write(value).is_ok()));
            assert!(panicked.is_err());
            until_nobody_can_send(&receiver);

            let (value, receiver) = troubled(Trouble::None);
            w.write(value).unwrap();
            assert_eq!(receiver.recv().unwrap(), 1);
            until_nobody_can_send(&receiver);
        }
        drop(w);
        assert_eq!(child.join().unwrap().unwrap(), (20, Vec::new()));
    }

    fn the_guard_of_an_alternation_that_cannot_be_serialized_leaves_no_handle(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(use_each(c.reader()).on(placement)).unwrap();
        let (value, receiver) = troubled(Trouble::RefuseToGo);
        let failed = PriSelect! { w.write(value) => () };
        assert!(failed.unwrap_err().is_invalid());
        until_nobody_can_send(&receiver);
        let (value, receiver) = troubled(Trouble::None);
        PriSelect! { w.write(value) => () }.unwrap();
        assert_eq!(receiver.recv().unwrap(), 1);
        drop(w);
        child.join().unwrap().unwrap();
    }

    /// What a failed send over a user's own ipc-channel left behind does not go to our reader.
    fn handles_that_others_left_behind_are_not_carried(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(use_each(c.reader()).on(placement)).unwrap();
        let (own, _own_receiver) = ipc::channel::<Troubled>().unwrap();
        let (value, stale) = troubled(Trouble::RefuseToGo);
        assert!(own.send(value).is_err());
        let (value, receiver) = troubled(Trouble::None);
        w.write(value).unwrap();
        assert_eq!(receiver.recv().unwrap(), 1);
        until_nobody_can_send(&receiver);
        until_nobody_can_send(&stale);
        drop(w);
        assert_eq!(child.join().unwrap().unwrap().0, 1);
    }

    /// In a release build ipc-channel leaks what is not taken out, in a debug build it panics.
    fn a_value_that_cannot_be_put_together_leaves_no_handle(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(use_each(c.reader()).on(placement)).unwrap();
        for _ in 0..5 {
            for trouble in [Trouble::RefuseToArrive, Trouble::PanicAtArrival] {
                let (value, receiver) = troubled(trouble);
                w.write(value).unwrap();
                until_nobody_can_send(&receiver);
            }
            for trouble in [Trouble::ForgetTheHandle, Trouble::None] {
                let (value, receiver) = troubled(trouble);
                w.write(value).unwrap();
                assert_eq!(receiver.recv().unwrap(), 1);
                until_nobody_can_send(&receiver);
            }
        }
        drop(w);
        let (count, errors) = child.join().unwrap().unwrap();
        assert_eq!(count, 10);
        assert_eq!(errors.iter().filter(|error| *error == "panic").count(), 5);
        assert_eq!(errors.iter().filter(|error| error.contains("Troubled")).count(), 5, "{errors:?}");
    }

    fn too_many_handles_are_an_error_that_names_the_limit(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(count_handles(c.reader()).on(placement)).unwrap();
        let (sender, receiver) = ipc::channel::<u8>().unwrap();
        for (senders, memories) in [(64, 0), (65, 0), (200, 0), (0, 64), (0, 65), (40, 40), (63, 1)] {
            let value = (vec![sender.clone(); senders], memory(memories));
            let error = w.write(value).unwrap_err();
            assert!(matches!(error.fate, ChannelError::Invalid(MessageError::Carrier { .. })), "{:?}", error.fate);
            let text = error.fate.to_string();
            assert!(text.contains("63") && text.contains("several messages"), "{text}");
            assert_eq!((error.value.0.len(), error.value.1.len()), (senders, memories));
        }
        for (senders, memories) in [(63, 0), (0, 63), (30, 33), (0, 0)] {
            w.write((vec![sender.clone(); senders], memory(memories))).unwrap();
        }
        drop((w, sender));
        assert_eq!(child.join().unwrap().unwrap(), [(63, 0), (0, 63), (30, 33), (0, 0)]);
        until_nobody_can_send(&receiver);
    }

    fn a_receiver_that_was_sent_already_is_an_error(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(take_receivers(c.reader()).on(placement)).unwrap();
        let (other, _kept) = ipc::channel::<(IpcReceiver<u8>, Trouble)>().unwrap();
        let (sender, receiver) = ipc::channel::<u8>().unwrap();
        let value = Shared(std::rc::Rc::new(receiver));
        w.write(value.clone()).unwrap();
        sender.send(3).unwrap();
        let error = w.write(value).unwrap_err();
        assert!(matches!(error.fate, ChannelError::Invalid(MessageError::Encode { .. })), "{:?}", error.fate);
        drop((w, other));
        assert_eq!(child.join().unwrap().unwrap(), [3]);
    }

    fn a_value_that_writes_while_it_is_taken_apart_is_an_error(placement) {
        let (c, inner) = (carried(), carried());
        let (w, iw) = (c.writer(), inner.writer());
        let _ir = inner.reader();
        let child = Spawn!(ignore(c.reader()).on(placement)).unwrap();
        let (sender, receiver) = ipc::channel::<u8>().unwrap();
        w.write(Meddler { sender, inner: Some(iw) }).unwrap();
        drop(w);
        child.join().unwrap().unwrap();
        until_nobody_can_send(&receiver);
    }
}

fn memory(count: usize) -> Vec<IpcSharedMemory> {
    (0..count).map(|_| IpcSharedMemory::from_byte(1, 8)).collect()
}

#[process]
fn count_handles(input: Reader<(Vec<IpcSender<u8>>, Vec<IpcSharedMemory>)>) -> csproc::Result<Vec<(usize, usize)>> {
    Ok(input.into_iter().map(|(senders, memories)| (senders.len(), memories.len())).collect())
}

#[derive(Clone)]
struct Shared(std::rc::Rc<IpcReceiver<u8>>);

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shared, D::Error> {
        IpcReceiver::deserialize(deserializer).map(|receiver| Shared(std::rc::Rc::new(receiver)))
    }
}

#[process]
fn take_receivers(input: Reader<Shared>) -> csproc::Result<Vec<u8>> {
    input.into_iter().map(|receiver| Ok(receiver.0.recv()?)).collect()
}

/// Writes to a channel from within its own `Serialize`.
struct Meddler {
    sender: IpcSender<u8>,
    inner: Option<Writer<IpcSender<u8>>>,
}

impl Serialize for Meddler {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(inner) = &self.inner {
            let error = inner.write(self.sender.clone()).unwrap_err();
            assert!(error.fate.to_string().contains("write before or after"), "{}", error.fate);
        }
        self.sender.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Meddler {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Meddler, D::Error> {
        IpcSender::deserialize(deserializer).map(|sender| Meddler { sender, inner: None })
    }
}

#[process]
fn ignore(input: Reader<Meddler>) -> csproc::Result<usize> {
    Ok(input.into_iter().count())
}

/// Takes all descriptors that the process may have.
fn exhaust() -> Vec<OwnedFd> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(128), maximum: limit.maximum }).unwrap();
    std::iter::from_fn(|| rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).ok()).collect()
}

fn names_the_limit(error: &ChannelError) -> bool {
    let text = error.to_string();
    matches!(error, ChannelError::Invalid(MessageError::Carrier { .. }))
        && text.contains("RLIMIT_NOFILE")
        && text.contains("raise")
}

type Mixed = (IpcReceiver<u64>, IpcSharedMemory);

fn mixed(number: u64) -> Mixed {
    let (sender, receiver) = ipc::channel().unwrap();
    sender.send(number).unwrap();
    (receiver, IpcSharedMemory::from_byte(number as u8, 10))
}

/// Reads with no descriptor left, with one more each time, until it succeeds.
#[process]
fn read_at_the_limit(input: Reader<Mixed>) -> csproc::Result<(u64, u64)> {
    let mut kept = exhaust();
    let mut failures = 0;
    loop {
        match input.read() {
            Err(error) => {
                assert!(names_the_limit(&error), "{error}");
                failures += 1;
                kept.pop();
            }
            Ok((receiver, memory)) => {
                assert_eq!(memory.len(), 10);
                return Ok((receiver.recv()?, failures));
            }
        }
    }
}

#[process]
fn write_at_the_limit(out: Writer<Mixed>) -> csproc::Result<u64> {
    let mut value = mixed(7);
    let mut kept = exhaust();
    let mut failures = 0;
    loop {
        match out.write(value) {
            Ok(()) => return Ok(failures),
            Err(error) => {
                assert!(names_the_limit(&error.fate), "{}", error.fate);
                failures += 1;
                value = error.value;
                kept.pop();
            }
        }
    }
}

/// After some values the process has no descriptor left when it is asked for the next one.
#[process]
fn starve_while_offering(out: Writer<Mixed>, starving: Writer<()>, go_on: Reader<()>) -> csproc::Result<()> {
    let value = mixed(7);
    out.write(mixed(1))?;
    let (place, places) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        place.send(Place::here()).unwrap();
        out.write(value).map_err(|error| error.fate)
    });
    go_on.read()?;
    // Its value is packed then.
    places.recv()?.until_asleep();
    let kept = exhaust();
    starving.write(())?;
    go_on.read()?;
    drop(kept);
    thread.join().unwrap()?;
    Ok(())
}

once! {
    fn a_reader_at_the_limit_of_descriptors_gets_an_error_and_the_writer_its_value() {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(read_at_the_limit(c.reader())).unwrap();
        let mut abandoned = 0;
        let mut value = mixed(40);
        while let Err(error) = w.write(value) {
            assert!(matches!(error.fate, ChannelError::Abandoned { .. }), "{:?}", error.fate);
            abandoned += 1;
            value = error.value;
        }
        let (number, failures) = child.join().unwrap().unwrap();
        assert_eq!(number, 40);
        assert!(failures > 0);
        assert_eq!(abandoned, failures);
    }

    fn a_writer_at_the_limit_of_descriptors_gets_an_error_and_its_value() {
        let c = carried();
        let r = c.reader();
        let child = Spawn!(write_at_the_limit(c.writer())).unwrap();
        assert_eq!(r.read().unwrap().0.recv().unwrap(), 7);
        assert!(child.join().unwrap().unwrap() > 0);
    }

    fn a_writer_without_a_descriptor_for_the_answer_is_asked_again() {
        let (c, starving, go_on) = (carried(), Channel::new(), Channel::new());
        let (r, s, g) = (c.reader(), starving.reader(), go_on.writer());
        let child = Spawn!(starve_while_offering(c.writer(), starving.writer(), go_on.reader())).unwrap();
        assert_eq!(r.read().unwrap().0.recv().unwrap(), 1);
        g.write(()).unwrap();
        s.read().unwrap();
        let reading = std::thread::spawn(move || r.read().map(|value| value.0.recv().unwrap()));
        g.write(()).unwrap();
        assert_eq!(reading.join().unwrap(), Ok(7));
        child.join().unwrap().unwrap();
    }
}

static ALARMS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count_alarm(_: i32) {
    ALARMS.fetch_add(1, Ordering::Relaxed);
}

/// From now on the process is interrupted every 100 microseconds, and system calls are not restarted.
#[expect(unsafe_code, reason = "installs a signal handler as a profiler would")]
fn interrupt_often() {
    let handler = count_alarm as extern "C" fn(i32);
    // SAFETY: zero bytes are a valid `sigaction` without flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    // SAFETY: the handler only adds to an atomic.
    assert_eq!(unsafe { libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()) }, 0);
    let often = libc::timeval { tv_sec: 0, tv_usec: 100 };
    let timer = libc::itimerval { it_interval: often, it_value: often };
    // SAFETY: the timer is initialised, the old one is not wanted.
    assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) }, 0);
}

type Interrupted = (u64, Vec<u8>, IpcReceiver<u64>);

#[process]
fn write_interrupted(out: Writer<Interrupted>, count: u64) -> csproc::Result<u64> {
    interrupt_often();
    for i in 0..count {
        let (sender, receiver) = ipc::channel()?;
        sender.send(i)?;
        out.write((i, vec![1; if i % 10 == 0 { 400 << 10 } else { 10 }], receiver))?;
    }
    Ok(ALARMS.load(Ordering::Relaxed))
}

#[process]
fn read_interrupted(input: Reader<Interrupted>) -> csproc::Result<(u64, u64)> {
    interrupt_often();
    let mut count = 0;
    loop {
        match input.read() {
            Ok((i, bytes, receiver)) => {
                assert_eq!((i, receiver.recv()?), (count, count));
                assert!(bytes.iter().all(|byte| *byte == 1));
                count += 1;
            }
            Err(error) if error.is_retired() => return Ok((count, ALARMS.load(Ordering::Relaxed))),
            Err(error) => return Err(error.into()),
        }
    }
}

once! {
    fn signals_interrupt_neither_writer_nor_reader() {
        let c = carried();
        let (written, read) = Parallel!(write_interrupted(c.writer(), 1000), read_interrupted(c.reader())).unwrap();
        let (count, alarms) = read.unwrap();
        assert_eq!(count, 1000);
        assert!(alarms > 0 && written.unwrap() > 0, "nobody was interrupted");
    }
}

isolated! {
    fn values_that_nobody_takes_out_leave_no_descriptor() {
        for placement in [Placement::Process, Placement::Thread] {
            let c = carried();
            let r = c.reader();
            let child = Spawn!(write_mixed(c.writer(), 100).on(placement)).unwrap();
            for _ in 0..100 {
                let mut alternation = Alternation::new();
                alternation.read(&r);
                // The value stays in what has fired.
                drop(alternation.select().unwrap());
            }
            child.join().unwrap().unwrap();
        }
    }
}

#[process]
fn write_mixed(out: Writer<Mixed>, count: u64) -> csproc::Result<()> {
    (0..count).try_for_each(|i| out.write(mixed(i)).map_err(Into::into))
}

/// A handle, an end of a channel of ours, and bytes enough to stay in the block.
#[derive(Deserialize, Serialize)]
struct Laden {
    end: Writer<u64>,
    handle: Troubled,
    bulk: Vec<u16>,
}

/// What becomes of a hundred values that meet this trouble, on both sides in turn.
fn ship(trouble: Trouble) {
    let (c, d) = (carried(), Channel::<u64>::new());
    let (w, r) = (c.writer(), c.reader());
    let laden = || Laden { end: d.writer(), handle: troubled(trouble).0, bulk: vec![7; 40_000] };
    let quietly = |work: &mut dyn FnMut()| drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)));
    let once = || {
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| quietly(&mut || drop(w.write(laden()))));
            if !matches!(trouble, Trouble::RefuseToGo | Trouble::PanicOnTheWay) {
                quietly(&mut || drop(r.read()));
            }
            writer.join().unwrap();
        });
        quietly(&mut || drop(w.try_write(laden())));
        quietly(&mut || drop(PriSelect! { w.write(laden()) => (), skip => () }));
    };
    once();
    let before = csproc::audit();
    (0..10).for_each(|_| once());
    let after = csproc::audit();
    // Fewer are no fault: a thread may have ended only now, with the block in its hand.
    assert!(after.blocks() <= before.blocks() && after.ends() <= before.ends(), "{trouble:?}: {before}, then {after}");
}

#[process]
fn ship_all() {
    crate::leaving_no_descriptor(|| {
        for trouble in [
            Trouble::None,
            Trouble::RefuseToGo,
            Trouble::PanicOnTheWay,
            Trouble::RefuseToArrive,
            Trouble::PanicAtArrival,
            Trouble::ForgetTheHandle,
        ] {
            ship(trouble);
        }
    });
}

alone! {
    fn a_value_with_ends_and_bytes_in_its_block_leaves_neither_whatever_goes_wrong() {
        Parallel!(ship_all()).unwrap();
    }
}
