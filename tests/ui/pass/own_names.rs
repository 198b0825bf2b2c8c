//! A type of the user's own may have any name: it is a message like any other, without a warning.

#![deny(warnings)]

use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

macro_rules! messages {
    ($($name:ident)*) => {$(
        #[derive(Serialize, Deserialize)]
        struct $name(u64);
    )*};
}

messages! { Mutex RwLock AtomicU64 Rc Arc Cell RefCell Instant File Receiver JoinHandle Error }

#[process]
fn sum(m: Mutex, l: RwLock, a: Vec<AtomicU64>, r: Rc, s: Arc, i: Instant, f: File, o: Option<Receiver>) -> JoinHandle {
    let a: u64 = a.iter().map(|a| a.0).sum();
    JoinHandle(m.0 + l.0 + a + r.0 + s.0 + i.0 + f.0 + o.map_or(0, |o| o.0))
}

/// Ends that are not the library's, and carry what is not sent; values that are not, and hold what is no plain data.
mod own {
    use serde::{Deserialize, Serialize};
    use std::marker::PhantomData;

    #[derive(Serialize, Deserialize)]
    pub struct Writer<T>(pub PhantomData<T>);

    #[derive(Serialize, Deserialize)]
    pub struct Reader<T>(pub PhantomData<T>);

    #[derive(Serialize, Deserialize)]
    pub struct Channel<T>(pub PhantomData<T>);

    #[derive(Serialize, Deserialize)]
    pub struct Value<T>(pub T);

    #[derive(Serialize, Deserialize)]
    pub struct Array<T>(pub Vec<T>);

    #[derive(Serialize, Deserialize)]
    pub struct Atomic<T>(pub T);
}

#[process]
fn types(
    _: own::Writer<std::rc::Rc<u64>>,
    _: own::Reader<fn(u64) -> u64>,
    _: Option<own::Channel<std::fs::File>>,
    _: (Cell, RefCell),
) {
}

#[process]
fn values(value: own::Value<String>, flags: own::Array<bool>, share: Option<own::Atomic<f64>>) -> String {
    format!("{} {:?} {:?}", value.0, flags.0, share.map(|share| share.0))
}

#[process]
fn refuses() -> Error {
    Error(9)
}

fn main() {
    let one = sum(Mutex(1), RwLock(1), vec![AtomicU64(1)], Rc(1), Arc(1), Instant(1), File(1), Some(Receiver(1)));
    assert_eq!(one.run().unwrap().0, 8);
    types(own::Writer(PhantomData), own::Reader(PhantomData), None, (Cell(1), RefCell(1))).run().unwrap();
    let told = values(own::Value("a".to_string()), own::Array(vec![true]), Some(own::Atomic(0.5))).run().unwrap();
    assert_eq!(told, "a [true] Some(0.5)");
    assert_eq!(refuses().run().unwrap().0, 9);
    // A guard of one's own stands in parentheses where its name is a word of another language.
    let c = Channel::<u64>::buffered(csproc::Buffer::Fifo(1));
    let (r, w) = (c.reader(), c.writer());
    w.write(5).unwrap();
    fn timeout(r: &Reader<u64>) -> &Reader<u64> {
        r
    }
    assert_eq!(AltSelect! { v = (timeout(&r)) => v }.unwrap(), 5);
}
