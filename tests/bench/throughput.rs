//! Measures messages of all sizes, from one process to another: bytes, numbers, and numbers inside a struct, against
//! `ipc-channel` and against a copy of the bytes; and what is lent, small against large.
//!
//! Knows nothing of the library's inside. A message is acknowledged by the next one: what is measured is a stream.
#![expect(unsafe_code, reason = "a peer runs in a forked process")]

mod beside;
mod go;
mod table;

use beside::beside;
use csproc::Flat;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

/// Numbers inside a struct.
#[derive(Clone, Serialize, Deserialize)]
struct Samples {
    number: u32,
    values: Vec<f64>,
}

#[process]
fn source<T: Message + Clone>(out: Writer<T>, message: T, count: u64) -> csproc::Result<()> {
    (0..count).try_for_each(|_| out.write(message.clone()))?;
    Ok(())
}

/// Nanoseconds for each message, after the first few.
#[process]
fn sink<T: Message>(input: Reader<T>, count: u64) -> csproc::Result<f64> {
    for _ in 0..count / 10 + 1 {
        input.read()?;
    }
    let start = Instant::now();
    for _ in 0..count {
        black_box(input.read()?);
    }
    Ok(nanoseconds(start, count))
}

fn stream<T: Message + Clone>(message: &T, count: u64) -> f64 {
    let c = Channel::new();
    let (_, time) =
        Parallel!(source(c.writer(), message.clone(), count + count / 10 + 1), sink::<T>(c.reader(), count))
            .values()
            .expect("all messages come");
    time
}

/// The same over ipc-channel, from a forked process.
fn ipc_channel<T: Message + Clone>(message: &T, count: u64) -> f64 {
    let (sender, receiver) = ipc_channel::ipc::channel::<T>().expect("a channel");
    let warm = count / 10 + 1;
    beside(
        || (0..warm + count).for_each(|_| sender.send(message.clone()).expect("the parent receives")),
        || {
            (0..warm).for_each(|_| drop(receiver.recv().expect("the child sends")));
            let start = Instant::now();
            (0..count).for_each(|_| drop(black_box(receiver.recv().expect("the child sends"))));
            nanoseconds(start, count)
        },
    )
}

/// What it takes to copy the bytes once.
fn copy(length: usize, count: u64) -> f64 {
    let (from, mut to) = (vec![7_u8; length], vec![0_u8; length]);
    let start = Instant::now();
    for _ in 0..count {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    }
    nanoseconds(start, count)
}

/// Lends so many bytes each time, and writes to both ends of them.
#[process]
fn lend(out: Writer<Flat<u8>>, length: usize, count: u64) -> csproc::Result<()> {
    for number in 0..count {
        let mut loan = out.loan_as_is(length)?;
        loan[0] = number as u8;
        loan[length - 1] = number as u8;
        out.send(loan)?;
    }
    Ok(())
}

/// Nanoseconds for each, after the first few.
#[process]
fn view(input: Reader<Flat<u8>>, count: u64) -> csproc::Result<f64> {
    for _ in 0..count / 10 + 1 {
        drop(input.read_loan()?);
    }
    let start = Instant::now();
    for _ in 0..count {
        let view = input.read_loan()?;
        assert_eq!(black_box(view[0]), view[view.len() - 1]);
    }
    Ok(nanoseconds(start, count))
}

fn lent(length: usize, count: u64) -> f64 {
    let c = Channel::new();
    let (_, time) = Parallel!(lend(c.writer(), length, count + count / 10 + 1), view(c.reader(), count))
        .values()
        .expect("all loans come");
    time
}

fn rows<T: Message + Clone>(title: &str, message: &T, length: usize, count: u64) {
    table(
        title,
        "ns per message",
        &[
            ("csproc, processes", Box::new(|| stream(message, count))),
            ("ipc-channel, processes", Box::new(|| ipc_channel(message, count))),
            ("a copy of the bytes", Box::new(|| copy(length, count))),
        ],
    );
}

fn main() {
    suite("throughput", measure_all);
}

fn measure_all(scale: u64) {
    const MIB: usize = 1 << 20;
    for (length, name, count) in [
        (8, "8 bytes", 40_000),
        (1 << 10, "1 KiB", 40_000),
        (1 << 16, "64 KiB", 4_000),
        (MIB, "1 MiB", 400),
        (64 * MIB, "64 MiB", 8),
    ] {
        rows(&format!("a stream of {name}"), &vec![7_u8; length], length, (count / scale).max(4));
    }
    let count = 40_000 / scale;
    let go = go::go();
    let mut numbers: Vec<Row<'_>> = vec![
        ("csproc, processes", Box::new(|| stream(&7_u64, count))),
        ("ipc-channel, processes", Box::new(|| ipc_channel(&7_u64, count))),
    ];
    numbers.extend(go::row(go.as_ref(), "stream", &[count]));
    table("a stream of numbers", "ns per message", &numbers);
    table(
        "a stream of loans",
        "ns per loan",
        &[
            ("csproc, a loan of 64 bytes", Box::new(|| lent(64, count))),
            ("csproc, a loan of 64 KiB", Box::new(|| lent(64 << 10, count))),
            ("csproc, a loan of 64 MiB", Box::new(|| lent(64 * MIB, count))),
            ("csproc, a write of 64 bytes", Box::new(|| stream(&[7_u64; 8], count))),
        ],
    );
    let values = vec![0.5_f64; MIB / 8];
    rows("a stream of 1 MiB of numbers", &values, MIB, 400 / scale);
    rows("a stream of 1 MiB of numbers in a struct", &Samples { number: 1, values }, MIB, 100 / scale);
}
