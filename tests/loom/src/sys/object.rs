//! The atomics of loom under the names of `std`, with the orderings that the caller asks for, or weaker ones if a test
//! wants that.
//!
//! Knows nothing of what the words mean, and nothing of the arena: each of these is an object of its own.

use super::futex::Word;
use crate::fault::{Part, keeps};
pub(crate) use loom::sync::atomic::Ordering;

/// A fence, or none if a test wants that. One that orders everything stays.
#[track_caller]
pub(crate) fn fence(asked: Ordering) {
    let order = if asked == Ordering::SeqCst { asked } else { order(asked) };
    if order != Ordering::Relaxed {
        loom::sync::atomic::fence(order);
    }
}

fn without(order: Ordering, keeps_acquire: bool, keeps_release: bool) -> Ordering {
    let acquires = keeps_acquire && matches!(order, Ordering::Acquire | Ordering::AcqRel);
    let releases = keeps_release && matches!(order, Ordering::Release | Ordering::AcqRel);
    match (acquires, releases) {
        (true, true) => Ordering::AcqRel,
        (true, false) => Ordering::Acquire,
        (false, true) => Ordering::Release,
        (false, false) => Ordering::Relaxed,
    }
}

#[track_caller]
pub(super) fn order(asked: Ordering) -> Ordering {
    let acquires = matches!(asked, Ordering::Acquire | Ordering::AcqRel) && keeps(Part::Acquire);
    let releases = matches!(asked, Ordering::Release | Ordering::AcqRel) && keeps(Part::Release);
    without(asked, acquires, releases)
}

#[track_caller]
pub(super) fn order_of_failure(asked: Ordering) -> Ordering {
    without(asked, asked == Ordering::Acquire && keeps(Part::Failure), false)
}

/// The newest value, without any order: an exchange that fails, for no word ever holds this value.
macro_rules! newest {
    ($atomic:expr, $value:ty) => {
        $atomic
            .compare_exchange(<$value>::MAX, <$value>::MAX, Ordering::Relaxed, Ordering::Relaxed)
            .unwrap_or_else(|newest| newest)
    };
}

pub(super) use newest;

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            #[track_caller]
            pub(crate) fn load(&self, asked: Ordering) -> $value {
                self.0.load(order(asked))
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, asked: Ordering) {
                self.0.store(value, order(asked));
            }

            #[track_caller]
            pub(crate) fn fetch_add(&self, value: $value, asked: Ordering) -> $value {
                self.0.fetch_add(value, order(asked))
            }

            #[track_caller]
            pub(crate) fn swap(&self, value: $value, asked: Ordering) -> $value {
                self.0.swap(value, order(asked))
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange(current, new, order(success), order_of_failure(failure))
            }

            #[track_caller]
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange_weak(current, new, order(success), order_of_failure(failure))
            }
        }

        impl Word for $name {
            fn address(&self) -> usize {
                std::ptr::from_ref(self).addr()
            }

            fn is_quiet(&self) -> bool {
                false
            }

            fn glance(&self) -> u64 {
                u64::from(newest!(self.0, $value))
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);
