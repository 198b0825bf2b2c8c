//! How the results of a network nest, and how they become one value.
//!
//! Knows nothing of how networks run or of which parts they are made.

use super::failure::{NetworkError, Outcome};
use crate::channel::{Message, MessageError, Parcel};
use crate::sys::image::{AnyFn, Gathers};

/// How many results there are, and how they nest.
#[derive(Debug)]
pub struct Shape(pub(super) Inner);

#[derive(Debug)]
pub(super) enum Inner {
    One,
    Many(Vec<Shape>),
    /// A network with its [`Assembles<R>`], for an `R` that the part's type remembers.
    Network {
        assemble: AnyFn,
        /// Nothing for one process.
        shape: Option<Box<Shape>>,
    },
}

/// Results in the order of the processes.
pub struct Returned<'a>(pub(super) &'a mut dyn Iterator<Item = Parcel>);

impl std::fmt::Debug for Returned<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Returned")
    }
}

/// How the results of a network become a value.
pub(super) type Assemble<R> = fn(&Shape, &mut dyn Iterator<Item = Parcel>) -> Result<R, MessageError>;

/// The signature of [`Assemble`].
pub(super) type Assembles<R> = Gathers<Shape, Parcel, Result<R, MessageError>>;

/// Results in order, or the error that keeps them.
pub(super) fn assemble<R>(shape: Shape, assemble: Assemble<R>, outcomes: Vec<Outcome>) -> Result<R, NetworkError> {
    NetworkError::results_of(outcomes)?.into_value(|results| assemble(&shape, results))
}

impl Returned<'_> {
    pub(super) fn next(&mut self) -> Parcel {
        self.0.next().unwrap_or_else(|| unreachable!("each process of a network has a result"))
    }
}

/// The result of one process.
pub(super) fn one<R: Message>(_: &Shape, returned: &mut dyn Iterator<Item = Parcel>) -> Result<R, MessageError> {
    Returned(returned).next().open::<R>().map(|(value, _)| value)
}

pub(super) fn parts_of(shape: &Shape) -> &[Shape] {
    match &shape.0 {
        Inner::Many(shapes) => shapes,
        Inner::One | Inner::Network { .. } => &[],
    }
}

/// Of one process.
pub(super) static ONE: Shape = Shape(Inner::One);

pub(super) fn part_at(shape: &Shape, place: usize) -> &Shape {
    parts_of(shape).get(place).unwrap_or(&ONE)
}
