//! Atomics that lie in memory as those of `std` do, and are known to loom while the threads of a model run.
//!
//! Knows nothing of what the words mean. Loom's atomics are objects, the engine's words are places in the arena: so an
//! operation looks up by its address which object stands for a word. The object must be older than the threads. One
//! made by the first thread that comes to the word would give that thread's view to whoever acquires the initial value,
//! and be a race to those who come from elsewhere. Therefore one thread makes them all before it starts the others, for
//! all words that were ever used by any (see [`super::known`]). Before the threads, and when they are over, words are
//! plain memory.

use super::futex::Word;
use super::known::{self, Kind};
use super::map;
use super::object::{newest, order, order_of_failure};
use crate::{checker, machine};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic as real;
pub(crate) use std::sync::atomic::Ordering;

pub(crate) use super::yield_now;
pub(crate) use super::yield_now as spin_loop;

#[track_caller]
pub(crate) fn fence(asked: Ordering) {
    if !checker::is_quiet() {
        checker::step();
        super::object::fence(asked);
    }
}

macro_rules! atomic {
    ($name:ident, $value:ident, $table:ident) => {
        thread_local! {
            static $table: RefCell<HashMap<usize, Rc<loom::sync::atomic::$name>>> = RefCell::default();
        }

        #[repr(transparent)]
        #[derive(Debug, Default)]
        pub(crate) struct $name(real::$name);

        impl $name {
            pub(crate) const fn new(value: $value) -> $name {
                $name(real::$name::new(value))
            }

            /// Before the threads: makes the object for the word at this address.
            fn bring(address: usize) {
                let value = map::peek(address, size_of::<$value>()) as $value;
                $table.with_borrow_mut(|table| table.insert(address, Rc::new(loom::sync::atomic::$name::new(value))));
            }

            /// The object that stands for this word now, if one does.
            fn object(&self) -> Option<Rc<loom::sync::atomic::$name>> {
                let address = std::ptr::from_ref(self).addr();
                map::touch(address);
                if checker::is_quiet() {
                    // The last value comes back into memory, once the threads are over.
                    let last = checker::is_over().then(|| $table.with_borrow_mut(|table| table.remove(&address)));
                    if let Some(mut object) = last.flatten()
                        && let Some(object) = Rc::get_mut(&mut object)
                    {
                        object.with_mut(|value| self.0.store(*value, Ordering::Relaxed));
                    }
                    return None;
                }
                checker::step();
                let object = $table.with_borrow(|table| table.get(&address).map(Rc::clone));
                if object.is_none() && map::holds(address) {
                    known::learn(address, Kind::$name);
                }
                object
            }

            #[track_caller]
            pub(crate) fn load(&self, asked: Ordering) -> $value {
                match self.object() {
                    None => self.0.load(Ordering::Relaxed),
                    Some(object) => {
                        let order = order(asked);
                        machine::suspended(|| object.load(order))
                    }
                }
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, asked: Ordering) {
                match self.object() {
                    None => self.0.store(value, Ordering::Relaxed),
                    Some(object) => {
                        let order = order(asked);
                        machine::suspended(|| object.store(value, order));
                    }
                }
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                match self.object() {
                    None => self.0.compare_exchange(current, new, Ordering::Relaxed, Ordering::Relaxed),
                    Some(object) => {
                        let (success, failure) = (order(success), order_of_failure(failure));
                        machine::suspended(|| object.compare_exchange(current, new, success, failure))
                    }
                }
            }

            #[track_caller]
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            #[track_caller]
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

        atomic!(@change $name $value swap fetch_add fetch_sub fetch_or fetch_and fetch_max);

        impl Word for $name {
            fn address(&self) -> usize {
                std::ptr::from_ref(self).addr()
            }

            fn is_quiet(&self) -> bool {
                checker::is_quiet()
            }

            fn glance(&self) -> u64 {
                let object = $table.with_borrow(|table| table.get(&self.address()).map(Rc::clone));
                u64::from(match object {
                    None => self.0.load(Ordering::Relaxed),
                    Some(object) => machine::suspended(|| newest!(object, $value)),
                })
            }
        }
    };
    (@change $name:ident $value:ident $($change:ident)*) => {
        impl $name {
            $(
                #[track_caller]
                pub(crate) fn $change(&self, value: $value, asked: Ordering) -> $value {
                    match self.object() {
                        None => self.0.$change(value, Ordering::Relaxed),
                        Some(object) => {
                            let order = order(asked);
                            machine::suspended(|| object.$change(value, order))
                        }
                    }
                }
            )*
        }
    };
}

atomic!(AtomicU8, u8, BYTES);
atomic!(AtomicU32, u32, WORDS);
atomic!(AtomicU64, u64, LONG_WORDS);

/// The number of active contexts, on which nothing depends but whether spinning pays: it is not put before loom, where
/// each reading of it would double the executions.
pub(crate) use real::AtomicI32;

/// A word that only tells something: as with the number of active contexts.
pub(crate) use real::AtomicU32 as Tally;

/// Begins an execution.
pub(crate) fn begin() {
    BYTES.take();
    WORDS.take();
    LONG_WORDS.take();
}

/// Makes the objects of all words that are known to be used.
pub(crate) fn bring_all() {
    for (address, kind) in known::all() {
        match kind {
            Kind::AtomicU8 => AtomicU8::bring(address),
            Kind::AtomicU32 => AtomicU32::bring(address),
            Kind::AtomicU64 => AtomicU64::bring(address),
            Kind::Message => (),
        }
    }
}
