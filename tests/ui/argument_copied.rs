//! Locks, cells and atomic numbers can be sent and share nothing: the warning stands at the user's word.

#![deny(warnings)]

use csproc::prelude::*;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, RwLock};

#[process]
fn count(_total: Mutex<u64>, _names: Vec<RwLock<String>>) {}

#[process]
fn stop(_flags: (AtomicBool, AtomicU64)) {}

#[process]
fn generic<T: Message>(_value: Mutex<T>) {}

#[process]
fn keep(_cells: (Cell<u8>, Option<RefCell<String>>), _locks: Reader<Mutex<u64>>) {}

#[process]
fn give() -> csproc::Result<(Mutex<u64>, AtomicU64)> {
    Ok((Mutex::new(1), AtomicU64::new(2)))
}

#[process]
fn give_one() -> Option<RefCell<u8>> {
    None
}

fn main() {
    drop(count(Mutex::new(1), Vec::new()));
    drop(stop((AtomicBool::new(false), AtomicU64::new(0))));
    drop(generic(Mutex::new(0u8)));
    drop(keep((Cell::new(1), None), Channel::new().reader()));
    drop((give(), give_one()));
}
