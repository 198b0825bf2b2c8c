//! What stands in a composition whose value nobody looks at: a warning of the compiler where that value is a `Vec` with
//! `Result`s in it, of which the compiler itself says nothing.
//!
//! Knows nothing of where the value is thrown away; the macros find that out. The choice is made by method resolution
//! on the type of the part, as in [`ending`](super::ending), and the code does nothing when it runs.

use super::part::Part;
use super::values::{All, Each, Fallible};

/// Asks a part whether its results are a `Vec` that may hold errors.
#[derive(Debug)]
pub struct Probe<'a, P>(pub &'a P);

/// Results that nobody looks at, and that `values()` can unpack.
#[must_use = "a `for` part and a `Vec` of processes give a `Vec`, each element of which may be the error that a \
              process returned: write `.values()?` in place of `?`, or say that nobody cares by `let _ = …?`"]
#[derive(Debug)]
pub struct ResultsInVec;

/// Results that nobody looks at, whose errors are no `std::error::Error`.
#[must_use = "a `for` part and a `Vec` of processes give a `Vec`, each element of which may be the error that a \
              process returned: look at each of them, or say that nobody cares by `let _ = …?`"]
#[derive(Debug)]
pub struct OtherResultsInVec;

/// For results that hold errors which `values()` can tell.
pub trait InVec<V, By> {
    /// What nobody looks at.
    fn results(&self) -> ResultsInVec;
}

impl<P: Part, V, By> InVec<V, By> for &&Probe<'_, P>
where
    P::Output: Fallible<All, V, Each<By>>,
{
    #[inline]
    fn results(&self) -> ResultsInVec {
        ResultsInVec
    }
}

/// For other errors.
pub trait OtherInVec {
    /// What nobody looks at.
    fn results(&self) -> OtherResultsInVec;
}

impl<P: Part<Output = Vec<Result<T, E>>>, T, E> OtherInVec for &Probe<'_, P> {
    #[inline]
    fn results(&self) -> OtherResultsInVec {
        OtherResultsInVec
    }
}

/// For all other parts.
pub trait AnyPart {
    /// Nothing.
    fn results(&self);
}

impl<P> AnyPart for Probe<'_, P> {
    #[inline]
    fn results(&self) {}
}
