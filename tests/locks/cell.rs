//! A number that processes share, and that shows when two of them are inside at once.
//!
//! Knows nothing of locks. It is the one message of a buffer: who reads it takes it away, and another one who is inside
//! meanwhile finds nothing.

use csproc::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cell {
    put: Writer<u64>,
    take: Reader<u64>,
}

impl Cell {
    pub(crate) fn new(value: u64) -> Cell {
        let channel = Channel::buffered(Buffer::Fifo(1));
        let cell = Cell { put: channel.writer(), take: channel.reader() };
        cell.put.write(value).unwrap();
        cell
    }

    /// Takes the value out; nobody else may be inside.
    pub(crate) fn take(&self) -> u64 {
        self.take.try_read().expect("nobody else is inside")
    }

    pub(crate) fn put(&self, value: u64) {
        self.put.try_write(value).expect("nobody else is inside");
    }

    pub(crate) fn increment(&self) {
        let value = self.take();
        std::hint::spin_loop();
        self.put(value + 1);
    }

    /// The value, whatever the last one has left.
    pub(crate) fn repair(&self) -> u64 {
        match self.take.try_read() {
            Ok(value) => {
                self.put(value);
                value
            }
            Err(_) => {
                self.put(0);
                0
            }
        }
    }
}
