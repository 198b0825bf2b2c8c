//! The atomics of loom under the names of `std`, with the orderings that the caller asks for, or weaker ones if a test wants that.
//!
//! Knows nothing of what the words mean.

use crate::fault::{Part, keeps};
pub(crate) use loom::sync::atomic::{AtomicU8, Ordering, fence};

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
fn order(asked: Ordering) -> Ordering {
    let acquires = matches!(asked, Ordering::Acquire | Ordering::AcqRel) && keeps(Part::Acquire);
    let releases = matches!(asked, Ordering::Release | Ordering::AcqRel) && keeps(Part::Release);
    without(asked, acquires, releases)
}

#[track_caller]
fn order_of_failure(asked: Ordering) -> Ordering {
    without(asked, asked == Ordering::Acquire && keeps(Part::Failure), false)
}

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug, Default)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            /// What the word holds, for the futex, which orders nothing by it.
            pub(super) fn glance(&self) -> $value {
                self.0.load(Ordering::Relaxed)
            }

            #[track_caller]
            pub(crate) fn load(&self, asked: Ordering) -> $value {
                self.0.load(order(asked))
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, asked: Ordering) {
                self.0.store(value, order(asked));
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
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

pub(crate) fn spin_loop() {
    loom::thread::yield_now();
}

pub(crate) fn yield_now() {
    loom::thread::yield_now();
}
