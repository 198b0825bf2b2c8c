//! Channels with `Carrier::Ipc` keep the laws of a rendezvous for values that hold ipc-channel ends and shared memory.
//!
//! Knows nothing of channels through memory; they are tested in `tests/channel`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;

/// Makes of `fn name() { … }` a test that runs in a process of its own, and leaves it as many descriptors of each kind
/// as it had.
macro_rules! isolated {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            #[process]
            fn body() {
                crate::leaving_no_descriptor(|| $body);
            }

            #[test]
            fn in_a_process() {
                crate::harness::watchdog::watched(module_path!(), || Parallel!(body()).unwrap());
            }
        }
    )*};
}

mod choice;
mod death;
mod faults;
mod travel;

use csproc::prelude::*;
use std::collections::BTreeMap;

/// A rendezvous channel whose values are carried by ipc-channel.
fn carried<T>() -> Channel<T> {
    Channel::builder().carrier(Carrier::Ipc).build().unwrap()
}

/// Opens once what every process opens once that uses such a channel, so that it is not taken for a leak.
fn warm_up() {
    let (c, d) = (carried(), carried());
    let (there, back) = (c.writer(), d.reader());
    let child = Spawn!(greet(c.reader(), d.writer())).unwrap();
    let (sender, receiver) = ipc_channel::ipc::channel::<u8>().unwrap();
    there.write(sender).unwrap();
    back.read().unwrap().recv().unwrap();
    assert_eq!(receiver.recv().unwrap(), 1);
    child.join().unwrap().unwrap();
}

#[process]
fn greet(
    input: Reader<ipc_channel::ipc::IpcSender<u8>>,
    out: Writer<ipc_channel::ipc::IpcReceiver<u8>>,
) -> csproc::Result<()> {
    input.read()?.send(1)?;
    let (sender, receiver) = ipc_channel::ipc::channel()?;
    sender.send(2)?;
    Ok(out.write(receiver)?)
}

/// A value between two threads; on the way the inboxes of dead processes are forgotten.
fn exchange_here() {
    let c = carried();
    let (w, r) = (c.writer(), c.reader());
    let writer = std::thread::spawn(move || w.write(5));
    assert_eq!(r.read(), Ok(5));
    assert!(writer.join().unwrap().is_ok());
}

fn leaving_no_descriptor(body: impl FnOnce()) {
    warm_up();
    exchange_here();
    let before = kinds(&harness::system::descriptors());
    body();
    exchange_here();
    assert_eq!(kinds(&harness::system::descriptors()), before, "{:?}", harness::system::descriptors());
}

/// How many descriptors there are of each kind.
fn kinds(descriptors: &BTreeMap<u32, String>) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for target in descriptors.values() {
        let kind = target.split(':').next().unwrap_or_default().to_string();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}
