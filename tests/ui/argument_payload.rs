//! An end is a message whatever it carries; what it carries is asked for by itself, and told with its own remedy.

use csproc::prelude::*;
use std::io;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Instant;

struct Job {
    number: u64,
}

#[process]
fn shares(_table: Writer<Rc<u64>>) {}

#[process]
fn sends(_jobs: Vec<(u8, Reader<mpsc::Sender<u64>>)>) {}

#[process]
fn waits(_until: Option<csproc::Writer<(u64, Instant)>>) {}

#[process]
fn fails(_lines: Reader<io::Result<String>>) {}

#[process]
fn asks(_requests: Reader<Writer<Rc<u64>>>) {}

#[process]
fn gives() -> csproc::Result<Reader<Rc<u64>>> {
    Ok(Channel::new().reader())
}

#[process]
fn takes_both(_channel: Channel<u64>) {}

#[process]
fn tells_each(_both: (Writer<Rc<u64>>, Instant)) {}

#[process]
fn works(jobs: Reader<Job>) -> u64 {
    let mut sum = 0;
    for job in jobs {
        sum += job.number;
    }
    sum
}

fn main() {}
