//! Everything that an `IpcSender` can carry arrives, between processes and between threads, and works afterwards.
//!
//! Knows nothing of failures.

use crate::carried;
use crate::harness::cast::relay;
use csproc::prelude::*;
use ipc_channel::ipc::{
    self, IpcBytesReceiver, IpcBytesSender, IpcReceiver, IpcSender, IpcSharedMemory, OpaqueIpcReceiver, OpaqueIpcSender,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[process]
fn answer_each(input: Reader<IpcSender<u64>>) -> csproc::Result<u64> {
    let mut count = 0;
    for sender in input {
        sender.send(count)?;
        count += 1;
    }
    Ok(count)
}

#[process]
fn hand_out(out: Writer<IpcReceiver<u64>>, count: u64) -> csproc::Result<()> {
    for i in 0..count {
        let (sender, receiver) = ipc::channel()?;
        sender.send(i)?;
        out.write(receiver)?;
        sender.send(i + 1000)?;
    }
    Ok(())
}

#[process]
fn double_memory(input: Reader<IpcSharedMemory>, out: Writer<IpcSharedMemory>) -> csproc::Result<()> {
    for memory in input {
        let doubled: Vec<u8> = memory.iter().map(|byte| byte.wrapping_mul(2)).collect();
        out.write(IpcSharedMemory::from_bytes(&doubled))?;
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
enum Order {
    Nothing,
    Say {
        to: IpcSender<String>,
        what: String,
    },
    Several(Vec<Order>),
    Listen(Option<Box<Listener>>),
    Bytes(IpcBytesReceiver, IpcBytesSender),
    Opaque(OpaqueIpcSender, OpaqueIpcReceiver),
    Look {
        at: BTreeMap<u8, IpcSharedMemory>,
        out: Writer<u64>,
    },
    /// Ends of channels through memory and through ipc-channel, side by side.
    Ends(Writer<IpcSender<u64>>, Reader<u64>, IpcSender<u64>),
}

#[derive(Serialize, Deserialize)]
struct Listener {
    from: IpcReceiver<u64>,
    to: (u8, IpcSender<u64>, u8),
}

fn obey_one(order: Order) -> csproc::Result<usize> {
    match order {
        Order::Nothing => Ok(1),
        Order::Say { to, what } => to.send(what).map(|()| 1).map_err(Into::into),
        Order::Several(orders) => orders.into_iter().map(obey_one).sum(),
        Order::Listen(None) => Ok(1),
        Order::Listen(Some(listener)) => {
            listener.to.1.send(listener.from.recv()? + u64::from(listener.to.0) + u64::from(listener.to.2))?;
            Ok(1)
        }
        Order::Bytes(receiver, sender) => sender.send(&receiver.recv()?).map(|()| 1).map_err(Into::into),
        Order::Opaque(sender, receiver) => {
            sender.to::<u64>().send(receiver.to::<u64>().recv()? + 1)?;
            Ok(1)
        }
        Order::Look { at, out } => {
            out.write(at.values().flat_map(|memory| memory.iter()).map(|byte| u64::from(*byte)).sum())?;
            Ok(1)
        }
        Order::Ends(writer, reader, sender) => {
            writer.write(sender)?;
            reader.read()?;
            Ok(1)
        }
    }
}

#[process]
fn obey(orders: Reader<Order>) -> csproc::Result<usize> {
    orders.into_iter().map(obey_one).sum()
}

#[process]
fn number_writers(out: Writer<(u64, IpcSender<u64>)>, first: u64, count: u64) -> csproc::Result<()> {
    let (sender, receiver) = ipc::channel()?;
    for i in 0..count {
        out.write((first + i, sender.clone()))?;
        assert_eq!(receiver.recv()?, first + i);
    }
    Ok(())
}

fn sum(orders: impl IntoIterator<Item = csproc::Result<usize>>) -> usize {
    orders.into_iter().map(Result::unwrap).sum()
}

over_both! {
    fn a_sender_arrives_and_sends(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(answer_each(c.reader()).on(placement)).unwrap();
        for i in 0..20 {
            let (sender, receiver) = ipc::channel().unwrap();
            w.write(sender).unwrap();
            assert_eq!(receiver.recv().unwrap(), i);
        }
        drop(w);
        assert_eq!(child.join().unwrap().unwrap(), 20);
    }

    fn a_receiver_arrives_with_what_was_sent_before_and_after(placement) {
        let c = carried();
        let r = c.reader();
        let child = Spawn!(hand_out(c.writer(), 20).on(placement)).unwrap();
        for i in 0..20 {
            let receiver = r.read().unwrap();
            assert_eq!(receiver.recv().unwrap(), i);
            assert_eq!(receiver.recv().unwrap(), i + 1000);
            assert!(receiver.recv().is_err(), "its last sender is gone");
        }
        assert_eq!(r.read().unwrap_err(), ChannelError::Retired);
        child.join().unwrap().unwrap();
    }

    fn shared_memory_arrives(placement) {
        let (there, back) = (carried(), carried());
        let (w, r) = (there.writer(), back.reader());
        let child = Spawn!(double_memory(there.reader(), back.writer()).on(placement)).unwrap();
        for length in [0, 1, 4096, 1 << 20] {
            w.write(IpcSharedMemory::from_byte(3, length)).unwrap();
            let doubled = r.read().unwrap();
            assert_eq!(doubled.len(), length);
            assert!(doubled.iter().all(|byte| *byte == 6));
        }
        drop(w);
        child.join().unwrap().unwrap();
    }

    fn handles_arrive_from_any_depth(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(obey(c.reader()).on(placement)).unwrap();

        w.write(Order::Nothing).unwrap();
        w.write(Order::Listen(None)).unwrap();
        let (to, said) = ipc::channel().unwrap();
        let say = |what: &str| Order::Say { to: to.clone(), what: what.to_string() };
        w.write(Order::Several(vec![say("one"), Order::Nothing, Order::Several(vec![say("two")]), say("three")]))
            .unwrap();
        assert_eq!([said.recv().unwrap(), said.recv().unwrap(), said.recv().unwrap()], ["one", "two", "three"]);

        let (question, from) = ipc::channel().unwrap();
        let (to, answers) = ipc::channel().unwrap();
        w.write(Order::Listen(Some(Box::new(Listener { from, to: (1, to, 2) })))).unwrap();
        question.send(39).unwrap();
        assert_eq!(answers.recv().unwrap(), 42);

        let (out, input) = ipc::bytes_channel().unwrap();
        let (back, bytes) = ipc::bytes_channel().unwrap();
        out.send(b"bytes").unwrap();
        w.write(Order::Bytes(input, back)).unwrap();
        assert_eq!(bytes.recv().unwrap(), b"bytes");

        let (question, from) = ipc::channel::<u64>().unwrap();
        let (to, answers) = ipc::channel::<u64>().unwrap();
        question.send(41).unwrap();
        w.write(Order::Opaque(to.to_opaque(), from.to_opaque())).unwrap();
        assert_eq!(answers.recv().unwrap(), 42);

        drop(w);
        assert_eq!(child.join().unwrap().unwrap(), 9);
    }

    fn ends_of_channels_travel_beside_handles(placement) {
        let c = carried();
        let w = c.writer();
        let child = Spawn!(obey(c.reader()).on(placement)).unwrap();

        let total = Channel::new();
        let at = (1..=3).map(|i| (i, IpcSharedMemory::from_byte(i, 100))).collect();
        let r = total.reader();
        w.write(Order::Look { at, out: total.writer() }).unwrap();
        assert_eq!(r.read().unwrap(), 600);
        drop(total);
        assert!(r.read().unwrap_err().is_retired(), "the end in the message was the last one");

        let (senders, go) = (carried(), Channel::new());
        let (r, g) = (senders.reader(), go.writer());
        let (sender, receiver) = ipc::channel().unwrap();
        w.write(Order::Ends(senders.writer(), go.reader(), sender)).unwrap();
        r.read().unwrap().send(7).unwrap();
        assert_eq!(receiver.recv().unwrap(), 7);
        g.write(1).unwrap();
        drop(w);
        assert_eq!(sum([child.join().unwrap()]), 2);
    }

    /// More than ipc-channel sends in one piece, with and without handles; as a plain vector, and in a structure.
    fn big_values_arrive(placement) {
        let (there, back) = (carried(), carried());
        let (w, r) = (there.writer(), back.reader());
        let child = Spawn!(relay(there.reader(), back.writer()).on(placement)).unwrap();
        for length in [0, 1000, 32 << 10, (32 << 10) + 1, 300 << 10, 8 << 20] {
            let (sender, receiver) = ipc::channel::<u8>().unwrap();
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            w.write((bytes.clone(), sender)).unwrap();
            let (echoed, sender): (Vec<u8>, IpcSender<u8>) = r.read().unwrap();
            assert!(echoed == bytes, "{length} bytes have changed");
            sender.send(5).unwrap();
            assert_eq!(receiver.recv().unwrap(), 5);
        }
        drop(w);
        child.join().unwrap().unwrap();

        let (there, back) = (carried(), carried());
        let (w, r) = (there.writer(), back.reader());
        let child = Spawn!(relay(there.reader(), back.writer()).on(placement)).unwrap();
        for length in [0, 5000, 2 << 20] {
            let numbers: Vec<u32> = (0..length).collect();
            w.write(numbers.clone()).unwrap();
            assert!(r.read().unwrap() == numbers);
        }
        drop(w);
        child.join().unwrap().unwrap();
    }

    fn plain_values_arrive_as_on_any_channel(placement) {
        let (there, back) = (carried(), carried());
        let (w, r) = (there.writer(), back.reader());
        let child = Spawn!(relay(there.reader(), back.writer()).on(placement)).unwrap();
        for i in 0..100 {
            w.write((i, format!("{i}"))).unwrap();
            assert_eq!(r.read().unwrap(), (i, format!("{i}")));
        }
        drop(w);
        child.join().unwrap().unwrap();
    }

    fn law_3_values_between_one_writer_and_one_reader_keep_their_order(placement) {
        let c = carried();
        let r = c.reader();
        let children: Vec<_> =
            (0..3).map(|i| Spawn!(number_writers(c.writer(), i * 1000, 50).on(placement)).unwrap()).collect();
        let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
        for (number, sender) in r.iter().take(150) {
            let next = seen.entry(number / 1000).or_default();
            assert_eq!(number % 1000, *next);
            *next += 1;
            sender.send(number).unwrap();
        }
        for child in children {
            child.join().unwrap().unwrap();
        }
    }

    fn ends_of_such_a_channel_are_mobile(placement) {
        let (ends, c) = (Channel::new(), carried());
        let (w, out) = (ends.writer(), c.writer());
        let child = Spawn!(read_from(ends.reader()).on(placement)).unwrap();
        w.write(c.reader()).unwrap();
        let (sender, receiver) = ipc::channel().unwrap();
        out.write(sender).unwrap();
        assert_eq!(receiver.recv().unwrap(), 1);
        drop(out);
        assert_eq!(child.join().unwrap().unwrap(), 1);
    }
}

#[process]
fn read_from(ends: Reader<Reader<IpcSender<u64>>>) -> csproc::Result<usize> {
    let reader = ends.read()?;
    let mut count = 0;
    for sender in reader {
        sender.send(1)?;
        count += 1;
    }
    Ok(count)
}

once! {
    fn a_buffer_is_refused_with_the_remedy() {
        for buffer in [Buffer::Fifo(1), Buffer::Unbounded, Buffer::DropNewest(3)] {
            let error = Channel::<IpcSender<u8>>::builder().carrier(Carrier::Ipc).buffer(buffer).build().unwrap_err();
            assert!(matches!(error, csproc::MessageError::Carrier { .. }), "{error:?}");
            assert!(error.to_string().contains("leave the buffer out"), "{error}");
        }
        assert!(Channel::<u8>::builder().carrier(Carrier::Ipc).buffer(Buffer::Fifo(0)).build().is_ok());
        assert!(Channel::<u8>::builder().carrier(Carrier::Memory).buffer(Buffer::Fifo(9)).build().is_ok());
        assert_eq!(Carrier::default(), Carrier::Memory);
    }
}
