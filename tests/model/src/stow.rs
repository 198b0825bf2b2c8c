//! Things that are put down by one thread of a model and taken up by another, although they must not change threads.
//!
//! Knows nothing of what they are. All threads of an execution are coroutines of one thread of the test, so nothing
//! changes threads; only the types do not say so.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;

thread_local! {
    static STOWED: RefCell<Vec<Option<Box<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

/// The ticket for one of them.
pub(crate) struct Stowed<T> {
    place: usize,
    what: PhantomData<fn() -> T>,
}

/// Forgets what an execution that failed has left: it belongs to threads of that execution.
pub(crate) fn clear() {
    STOWED.take().into_iter().for_each(std::mem::forget);
}

pub(crate) fn stow<T: 'static>(thing: T) -> Stowed<T> {
    let place = STOWED.with_borrow_mut(|stowed| {
        stowed.push(Some(Box::new(thing)));
        stowed.len() - 1
    });
    Stowed { place, what: PhantomData }
}

impl<T: 'static> Stowed<T> {
    pub(crate) fn take(self) -> T {
        let thing = STOWED.with_borrow_mut(|stowed| stowed[self.place].take());
        *thing.and_then(|thing| thing.downcast().ok()).expect("it is taken once")
    }
}
