//! Components without an input: they write a sequence until nobody reads it.
//!
//! Knows nothing of who reads. Each sequence could be made by a network of simpler components, which stands beside it;
//! that the two are equal is a law, and tested.

use super::checked::add;
use crate::{Message, Writer, process};
use std::ops::Add;

/// Writes the same value for ever.
///
/// ```text
///   [ generate(v) ]--> out
///
///   GENERATE(v) = out!v → GENERATE(v)
/// ```
/// It ends when `out` does.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c = Channel::new();
/// let r = c.reader();
/// let source = Spawn!(plug::generate('a', c.writer()))?;
/// assert_eq!(r.iter().take(3).collect::<String>(), "aaa");
/// drop(r);
/// source.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Generate", "repeat", "white hole"))]
#[process(thread, crate = crate)]
pub fn generate<T: Message + Clone>(value: T, out: Writer<T>) -> crate::Result<()> {
    loop {
        out.write(value.clone())?;
    }
}

/// Writes 0, 1, 2, 3 and so on.
///
/// ```text
///    +---[ successor ]<----+
///    v                     |
///   [ prefix(0) ]-->[ delta ]--> out
///
///   NUMBERS = N(0),  N(n) = out!n → N(n + 1)
/// ```
/// It ends when `out` does.
///
/// # Errors
/// The next number is an integer that does not fit its type: the error names it, and the network tells it. All numbers
/// before it were written. What another type does then, its `+` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c = Channel::<u64>::new();
/// let r = c.reader();
/// let source = Spawn!(plug::numbers(c.writer()))?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [0, 1, 2, 3]);
/// drop(r);
/// source.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Numbers", "naturals"))]
#[process(thread, crate = crate)]
pub fn numbers<T: Message + Clone + Add<Output = T> + From<u8> + 'static>(out: Writer<T>) -> crate::Result<()> {
    let mut number = T::from(0);
    loop {
        out.write(number.clone())?;
        number = add("numbers", number, T::from(1))?;
    }
}

/// Writes 1, 4, 9, 16 and so on.
///
/// ```text
///   [ numbers ]-->[ integrate ]-->[ pairs ]--> out
///
///   SQUARES = S(1, 3),  S(s, d) = out!s → S(s + d, d + 2)
/// ```
/// It ends when `out` does.
///
/// # Errors
/// As for [`numbers`].
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c = Channel::<u64>::new();
/// let r = c.reader();
/// let source = Spawn!(plug::squares(c.writer()))?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [1, 4, 9, 16]);
/// drop(r);
/// source.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Squares")]
#[process(thread, crate = crate)]
pub fn squares<T: Message + Clone + Add<Output = T> + From<u8> + 'static>(out: Writer<T>) -> crate::Result<()> {
    let (mut square, mut step) = (T::from(1), T::from(3));
    loop {
        out.write(square.clone())?;
        square = add("squares", square, step.clone())?;
        step = add("squares", step, T::from(2))?;
    }
}

/// Writes 0, 1, 1, 2, 3, 5, 8 and so on: each number is the sum of the two before it.
///
/// ```text
///    +-------------[ pairs ]<-------------+
///    v                                    |
///   [ prefix(1) ]-->[ prefix(0) ]-->[ delta ]--> out
///
///   FIBONACCI = F(0, 1),  F(a, b) = out!a → F(b, a + b)
/// ```
/// It ends when `out` does.
///
/// # Errors
/// As for [`numbers`]. Of an `u64` there are 94.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c = Channel::<u64>::new();
/// let r = c.reader();
/// let source = Spawn!(plug::fibonacci(c.writer()))?;
/// assert_eq!(r.iter().take(7).collect::<Vec<_>>(), [0, 1, 1, 2, 3, 5, 8]);
/// drop(r);
/// source.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Fibonacci")]
#[process(thread, crate = crate)]
pub fn fibonacci<T: Message + Clone + Add<Output = T> + From<u8> + 'static>(out: Writer<T>) -> crate::Result<()> {
    let (mut last, mut number) = (T::from(0), T::from(1));
    out.write(last.clone())?;
    loop {
        out.write(number.clone())?;
        let next = add("fibonacci", last, number.clone())?;
        last = std::mem::replace(&mut number, next);
    }
}
