//! Accepted forms of `#[csproc::setup]`.

#![forbid(unsafe_code)]
#![deny(missing_docs, unused, unused_qualifications, unreachable_pub, rust_2018_idioms)]

use csproc as renamed;
use csproc::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

static RUNS: AtomicU32 = AtomicU32::new(0);

/// A set-up like any other.
#[csproc::setup]
pub(crate) fn documented() {
    RUNS.fetch_add(1, Ordering::Relaxed);
}

#[csproc::setup()]
#[inline(never)]
fn parentheses() -> () {
    RUNS.fetch_add(10, Ordering::Relaxed);
}

#[renamed::setup(crate = renamed, order = -5)]
fn fallible() -> Result<(), std::fmt::Error> {
    RUNS.fetch_add(100, Ordering::Relaxed);
    Ok(())
}

#[csproc::setup]
#[cfg(any())]
fn left_out() {
    compile_error!("is not there")
}

#[csproc::setup]
fn r#type() {
    RUNS.fetch_add(1_000, Ordering::Relaxed);
}

macro_rules! set_up {
    ($name:ident, $amount:expr, $body:block) => {
        #[csproc::setup(order = 2)]
        fn $name() {
            RUNS.fetch_add($amount, Ordering::Relaxed);
            $body
        }
    };
}

set_up!(by_macro, 10_000, {});
set_up!(by_macro_too, 100_000, {});

/// Names that the expansion might use are free.
mod core {
    #[csproc::setup]
    fn __csproc_set_up() {
        super::RUNS.fetch_add(1_000_000, std::sync::atomic::Ordering::Relaxed);
    }
}

#[process]
fn runs() -> u32 {
    RUNS.load(Ordering::Relaxed)
}

fn main() -> csproc::Result<()> {
    #[csproc::setup]
    fn inside() {
        RUNS.fetch_add(10_000_000, Ordering::Relaxed);
    }
    assert_eq!(runs().run()?, 11_111_111);
    assert_eq!(RUNS.load(Ordering::Relaxed), 0);
    inside();
    documented();
    assert_eq!(RUNS.load(Ordering::Relaxed), 10_000_001);
    Ok(())
}
