//! Accepted forms of the alternation macros.

#![forbid(unsafe_code)]
#![deny(warnings, unused, unused_qualifications, rust_2018_idioms)]

use csproc::prelude::*;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A channel in which these values already stand.
fn filled<T: Message>(values: impl IntoIterator<Item = T>) -> (Reader<T>, Writer<T>) {
    let channel = Channel::buffered(Buffer::Fifo(8));
    let writer = channel.writer();
    for value in values {
        assert!(writer.write(value).is_ok());
    }
    (channel.reader(), writer)
}
