//! A queue and the end of a pipe are messages whatever they carry; what they carry is asked for by itself.

use csproc::prelude::*;
use std::rc::Rc;
use std::time::Instant;

#[process]
fn shares(_table: Queue<Rc<u64>>) {}

#[process]
fn sends(_conn: PipeEnd<Rc<u64>, u8>) {}

#[process]
fn receives(_conns: Vec<PipeEnd<u8, (Instant, u8)>>) {}

#[process]
fn works(_jobs: Queue<PipeEnd<u64, String>>) {}

fn main() {}
