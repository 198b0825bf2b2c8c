//! The state of a worker: made when the worker begins, and made anew after a panic.
//!
//! Knows nothing of tasks.

use super::function::{Words, function, words};
use crate::channel::{Message, MessageError, duplicate};
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
}

impl<S> Bench<S> {
    /// With a state.
    ///
    /// # Panics
    /// As `make` of the recipe does.
    pub(super) fn new<I: Message + 'static>(recipe: Recipe<I>) -> Bench<S>
    where
        S: 'static,
    {
        let call = function::<Takes<I, S>>(recipe.make);
        let make = move || match duplicate(&recipe.with) {
            Ok(with) => call(with),
            Err(error) => std::panic::panic_any(format!("a worker cannot make its state: {error}")),
        };
        Bench { state: Some(make()), make: Box::new(make) }
    }

    pub(super) fn state(&mut self) -> &mut S {
        self.state.get_or_insert_with(&self.make)
    }

    /// A task has panicked: nobody knows what it has left. The next one that needs a state has a new one.
    pub(super) fn clear(&mut self) {
        self.state = None;
    }
}
