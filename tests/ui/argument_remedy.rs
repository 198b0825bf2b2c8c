//! What cannot be sent is told what to send instead, by what it is.

use csproc::prelude::*;
use std::fs::File;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

#[process]
fn shares(_table: Vec<Rc<u64>>) {}

#[process]
fn sends(_jobs: mpsc::Sender<u64>, _input: Option<mpsc::Receiver<u64>>) {}

#[process]
fn waits(_until: (u64, Instant)) {}

#[process]
fn writes(_log: [File; 2]) {}

#[process]
fn joins(_thread: JoinHandle<()>) {}

#[process]
fn calls(_function: fn(u64) -> u64, _closure: Box<dyn Fn(u64) -> u64>) {}

#[process]
fn draws(_shape: Box<dyn std::fmt::Display>) {}

#[process]
fn changes(_counter: &mut u64) {}

fn main() {}
