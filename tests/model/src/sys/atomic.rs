//! Atomics that lie in memory as those of `std` do, and give the checker the word before every operation.
//!
//! Knows nothing of weak memory: operations happen in one order that all threads see (shuttle's model, too, has no
//! other).

use crate::{checker, machine};
use std::sync::atomic as real;
pub(crate) use std::sync::atomic::Ordering;

macro_rules! atomic {
    ($name:ident, $real:ty, $value:ty) => {
        #[repr(transparent)]
        #[derive(Debug, Default)]
        pub(crate) struct $name($real);

        impl $name {
            pub(crate) const fn new(value: $value) -> $name {
                $name(<$real>::new(value))
            }

            fn here(&self) -> &$real {
                checker::step();
                super::map::touch(std::ptr::from_ref(self).addr());
                &self.0
            }

            /// Changes the word, unless a destructor of the dead asks for it.
            fn change(&self, change: impl FnOnce(&$real) -> $value) -> $value {
                if machine::is_dying() { self.glance() } else { change(self.here()) }
            }

            /// What the word holds, without a step: for the futex, which compares while nobody else runs.
            pub(super) fn glance(&self) -> $value {
                self.0.load(Ordering::SeqCst)
            }

            pub(crate) fn load(&self, _: Ordering) -> $value {
                self.here().load(Ordering::SeqCst)
            }

            pub(crate) fn store(&self, value: $value, _: Ordering) {
                self.change(|word| word.swap(value, Ordering::SeqCst));
            }

            pub(crate) fn swap(&self, value: $value, _: Ordering) -> $value {
                self.change(|word| word.swap(value, Ordering::SeqCst))
            }

            pub(crate) fn fetch_add(&self, value: $value, _: Ordering) -> $value {
                self.change(|word| word.fetch_add(value, Ordering::SeqCst))
            }

            pub(crate) fn fetch_sub(&self, value: $value, _: Ordering) -> $value {
                self.change(|word| word.fetch_sub(value, Ordering::SeqCst))
            }

            pub(crate) fn fetch_or(&self, value: $value, _: Ordering) -> $value {
                self.change(|word| word.fetch_or(value, Ordering::SeqCst))
            }

            pub(crate) fn fetch_and(&self, value: $value, _: Ordering) -> $value {
                self.change(|word| word.fetch_and(value, Ordering::SeqCst))
            }

            pub(crate) fn fetch_max(&self, value: $value, _: Ordering) -> $value {
                self.change(|word| word.fetch_max(value, Ordering::SeqCst))
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                _: Ordering,
                _: Ordering,
            ) -> Result<$value, $value> {
                if machine::is_dying() {
                    return Ok(current);
                }
                self.here().compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            pub(crate) fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut next: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut now = self.load(failure);
                while let Some(new) = next(now) {
                    match self.compare_exchange(now, new, success, failure) {
                        Ok(before) => return Ok(before),
                        Err(seen) => now = seen,
                    }
                }
                Err(now)
            }
        }
    };
}

atomic!(AtomicU8, real::AtomicU8, u8);
atomic!(AtomicI32, real::AtomicI32, i32);
atomic!(AtomicU32, real::AtomicU32, u32);
atomic!(AtomicU64, real::AtomicU64, u64);

/// A word that only tells something is no step.
pub(crate) use real::AtomicU32 as Tally;

/// Nothing is reordered, so there is nothing to fence.
pub(crate) fn fence(_: Ordering) {}

pub(crate) fn spin_loop() {
    checker::give_way();
}

pub(crate) fn yield_now() {
    checker::give_way();
}
