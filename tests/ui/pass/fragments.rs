//! What another macro passes on keeps its meaning: expressions stay together, and types, patterns, blocks and names go
//! where they belong.

#![deny(warnings)]

use csproc::prelude::*;
use std::time::Duration;

#[process]
fn same(x: u64) -> u64 {
    x
}

/// Whether `!$c` is about the whole condition, and which value `$e * 2` writes.
macro_rules! choose {
    ($r:expr, $w:expr, $c:expr, $e:expr) => {{
        let absent = PriSelect! { _v = $r.read() if !$c => false, skip => true };
        let written = PriSelect! { $w.write($e * 2) => $e * 10 };
        (absent, written)
    }};
}

/// The same, one macro further away.
macro_rules! choose_from_afar {
    ($r:expr, $w:expr, $c:expr, $e:expr) => {
        choose!($r, $w, $c, $e)
    };
}

macro_rules! read_within {
    ($r:expr, $p:pat, $body:block, $d:expr) => {
        AltSelect! { $p = $r.read() => $body, after($d * 2) => 0 }
    };
}

macro_rules! compositions {
    ($e:expr, $range:expr, $p:pat) => {
        (
            Parallel!(same($e * 2), for $p in $range => same(($e) * 3), vec![same($e * 4)]).values().unwrap(),
            Sequence!(same($e * 5)).values().unwrap(),
            Spawn!(same($e * 6)).unwrap().join().values().unwrap(),
            network!(same($e * 7)).run().values().unwrap(),
        )
    };
}

macro_rules! compositions_from_afar {
    ($e:expr, $range:expr, $p:pat) => {
        compositions!($e, $range, $p)
    };
}

mod library {
    pub use csproc::*;
}

macro_rules! block_bodies {
    ($name:ident, $b:block, $ty:ty, $e:expr) => {
        #[process]
        fn $name(x: $ty) -> $ty {
            let kept = $e * 2;
            kept + x + $b
        }
    };
}

macro_rules! only_a_block {
    ($name:ident, $b:block) => {
        #[process(name = "block", crate = library)]
        fn $name() -> u64 $b
    };
}

macro_rules! reserved {
    ($($name:ident $ty:ty = $b:block)*) => {
        $(#[process]
        fn $name(__process: $ty, __body: $ty, __argument_3: $ty, (_, x): ($ty, $ty)) -> $ty {
            __process + __body + __argument_3 + x + $b
        })*
    };
}

macro_rules! lengths {
    ($name:ident, $text:literal, $krate:path, $e:expr, $ty:ty) => {
        #[process(name = $text, crate = $krate)]
        fn $name(x: [u8; $e * 2]) -> ($ty, [u8; $e * 3]) {
            (x.len() + $e * 10, [0; $e * 3])
        }
    };
}

macro_rules! set_up {
    ($name:ident, $order:literal, $krate:path, $e:expr) => {
        #[csproc::setup(order = $order, crate = $krate)]
        fn $name() -> Result<(), Code<{ $e * 2 }>> {
            SET_UP.store($e * 2, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        }
    };
}

#[derive(Debug)]
struct Code<const NUMBER: usize>;

impl<const NUMBER: usize> std::fmt::Display for Code<NUMBER> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{NUMBER}")
    }
}

impl<const NUMBER: usize> std::error::Error for Code<NUMBER> {}

static SET_UP: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

set_up!(twice_two, -1, library, 1 + 1);

#[process]
fn what_was_set_up() -> u64 {
    SET_UP.load(std::sync::atomic::Ordering::Relaxed)
}

only_a_block!(seven, { 7 });
block_bodies!(sums, { 1 }, u64, 1 + 1);
reserved!(many u64 = { 100 });
lengths!(long, "by length", library, 1 + 1, usize);

fn main() {
    let (c, d) = (Channel::<u64>::new(), Channel::<u64>::buffered(Buffer::Fifo(4)));
    let (_keep, r, w) = (c.writer(), c.reader(), d.writer());
    assert_eq!(choose!(r, w, false || true, 1 + 1), (Ok(true), Ok(20)));
    assert_eq!(choose_from_afar!(r, w, false || true, 1 + 1), (Ok(true), Ok(20)));
    let values = d.reader();
    assert_eq!((values.read(), values.read()), (Ok(4), Ok(4)));

    let expected = ((4, vec![6, 6], vec![8]), 10, 12, 14);
    assert_eq!(compositions!(1 + 1, 0..1 + 1, _), expected);
    assert_eq!(compositions_from_afar!(1 + 1, 0..1 + 1, _), expected);

    assert_eq!(what_was_set_up().run().values().unwrap(), 4);
    assert_eq!(long([0; 4]).name(), "by length");
    assert_eq!(long([0; 4]).run().unwrap(), (24, [0; 6]));
    assert_eq!(seven().run().values().unwrap(), 7);
    assert_eq!(sums(10).run().values().unwrap(), 15);
    assert_eq!(many(1, 2, 3, (0, 4)).run().values().unwrap(), 110);

    let ready = Channel::buffered(Buffer::Fifo(1));
    let (w, r) = (ready.writer(), ready.reader());
    w.write((3, 4)).unwrap();
    assert_eq!(read_within!(r, (a, b), { a + b }, Duration::from_secs(30)), Ok(7));
}
