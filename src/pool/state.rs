//! The bench of a worker: its state, made when the worker begins and made anew after a panic, and by which it says that
//! somebody gets on.
//!
//! Knows nothing of tasks.

use crate::channel::{Message, MessageError, Words, Writer, duplicate, told, words};
use crate::sys::image::Takes;
use serde::{Deserialize, Serialize};

/// How each worker makes its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "I: Message", deserialize = "I: Message"))]
pub(super) struct Recipe<I> {
    with: I,
    make: Words,
}

impl<I: Message> Recipe<I> {
    pub(super) fn new<T>(with: I, make: fn(I) -> T) -> Result<Recipe<I>, MessageError> {
        Ok(Recipe { with, make: words::<Takes<I, T>>(make)? })
    }
}

/// The place of a worker, with its state.
pub(super) struct Bench<S> {
    state: Option<S>,
    make: Box<dyn Fn() -> S>,
    finished: Writer<()>,
}

impl<S> Bench<S> {
    /// With a state.
    ///
    /// # Panics
    /// As `make` of the recipe does.
    pub(super) fn new<I: Message + 'static>(recipe: Recipe<I>, finished: Writer<()>) -> Bench<S>
    where
        S: 'static,
    {
        let call = told::<Takes<I, S>>(recipe.make);
        let make = move || match duplicate(&recipe.with) {
            Ok(with) => call(with),
            Err(error) => std::panic::panic_any(format!("a worker cannot make its state: {error}")),
        };
        Bench { state: Some(make()), make: Box::new(make), finished }
    }

    pub(super) fn state(&mut self) -> &mut S {
        self.state.get_or_insert_with(&self.make)
    }

    /// Work is finished, and about to be answered: whoever is killed once his answer is there has got on.
    pub(super) fn finish(&self) {
        if self.finished.is_empty() {
            // Full now, or nobody wants to know.
            let _ = self.finished.try_write(());
        }
    }

    /// A task has panicked: nobody knows what it has left. The next one that needs a state has a new one.
    pub(super) fn clear(&mut self) {
        self.state = None;
    }
}
