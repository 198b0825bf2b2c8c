//! Locks and atomic numbers can be sent and share nothing: the warning stands at the user's word.

#![deny(warnings)]

use csproc::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, RwLock};

#[process]
fn count(_total: Mutex<u64>, _names: Vec<RwLock<String>>) {}

#[process]
fn stop(_flags: (AtomicBool, AtomicU64)) {}

#[process]
fn generic<T: Message>(_value: Mutex<T>) {}

fn main() {
    drop(count(Mutex::new(1), Vec::new()));
    drop(stop((AtomicBool::new(false), AtomicU64::new(0))));
    drop(generic(Mutex::new(0u8)));
}
