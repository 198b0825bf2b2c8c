//! Components that calculate: a value of one input, or of two side by side, makes one of the output.
//!
//! Knows nothing of numbers but that they can be added, subtracted and multiplied.

use super::checked::{add, multiply, subtract};
use super::ends::{next, next_of_both};
use crate::channel::ImageFn;
use crate::sys::image::TakesTwo;
use crate::{Message, Process, Reader, Writer, process};
use std::ops::{Add, Mul, Sub};

/// Adds one to every value.
///
/// ```text
///   in -->[ successor ]--> out
///
///   SUCCESSOR = in?x → out!(x + 1) → SUCCESSOR
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// The sum is an integer that does not fit its type: the error names the values, and the network tells it. What
/// another type does then, its `+` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::squares(a.writer()), plug::successor(a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [2, 5, 10, 17]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Successor", "succ"))]
#[process(thread, crate = crate)]
pub fn successor<T: Message + Add<Output = T> + From<u8> + 'static>(
    input: Reader<T>,
    out: Writer<T>,
) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        out.write(add("successor", value, T::from(1))?)?;
    }
    Ok(())
}

/// Writes the sum of a value from each of two inputs.
///
/// Whichever value comes first is read first.
/// ```text
///   a -->+
///        +--[ plus ]--> out
///   b -->+
///
///   PLUS = (a?x ∥ b?y) → out!(x + y) → PLUS
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// The sum is an integer that does not fit its type: the error names the values, and the network tells it. What
/// another type does then, its `+` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<u64>::new(), Channel::<u64>::new(), Channel::new());
/// let r = c.reader();
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::squares(b.writer()),
///     plug::plus(a.reader(), b.reader(), c.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [1, 5, 11, 19]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Plus")]
#[process(thread, crate = crate)]
pub fn plus<A: Message + Add<B, Output = C> + 'static, B: Message + 'static, C: Message + 'static>(
    a: Reader<A>,
    b: Reader<B>,
    out: Writer<C>,
) -> crate::Result<()> {
    combine(&a, &b, &out, |x, y| add("plus", x, y))
}

/// Writes the difference of a value from each of two inputs.
///
/// Whichever value comes first is read first.
/// ```text
///   a -->+
///        +--[ minus ]--> out
///   b -->+
///
///   MINUS = (a?x ∥ b?y) → out!(x - y) → MINUS
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// The difference is an integer that does not fit its type: the error names the values, and the network tells it. What
/// another type does then, its `-` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<i64>::new(), Channel::<i64>::new(), Channel::new());
/// let r = c.reader();
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::squares(b.writer()),
///     plug::minus(a.reader(), b.reader(), c.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [-1, -3, -7, -13]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Minus")]
#[process(thread, crate = crate)]
pub fn minus<A: Message + Sub<B, Output = C> + 'static, B: Message + 'static, C: Message + 'static>(
    a: Reader<A>,
    b: Reader<B>,
    out: Writer<C>,
) -> crate::Result<()> {
    combine(&a, &b, &out, |x, y| subtract("minus", x, y))
}

/// Writes the product of a value from each of two inputs.
///
/// Whichever value comes first is read first.
/// ```text
///   a -->+
///        +--[ times ]--> out
///   b -->+
///
///   TIMES = (a?x ∥ b?y) → out!(x * y) → TIMES
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// The product is an integer that does not fit its type: the error names the values, and the network tells it. What
/// another type does then, its `*` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<u64>::new(), Channel::<u64>::new(), Channel::new());
/// let r = c.reader();
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::squares(b.writer()),
///     plug::times(a.reader(), b.reader(), c.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [0, 4, 18, 48]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Times", "Mult"))]
#[process(thread, crate = crate)]
pub fn times<A: Message + Mul<B, Output = C> + 'static, B: Message + 'static, C: Message + 'static>(
    a: Reader<A>,
    b: Reader<B>,
    out: Writer<C>,
) -> crate::Result<()> {
    combine(&a, &b, &out, |x, y| multiply("times", x, y))
}

/// Writes `function` of a value from each of two inputs.
///
/// Whichever value comes first is read first. The function is one of the program, as for [`map`](super::map).
/// ```text
///   a -->+
///        +--[ join(f) ]--> out
///   b -->+
///
///   JOIN(f) = (a?x ∥ b?y) → out!f(x, y) → JOIN(f)
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do; a function that panics is its crash.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<u64>::new(), Channel::new(), Channel::new());
/// let r = c.reader();
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::generate('x', b.writer()),
///     plug::join(|n, x| format!("{x}{n}"), a.reader(), b.reader(), c.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(3).collect::<Vec<_>>(), ["x0", "x1", "x2"]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("zip", "And", "Or", "Xor", "Nand", "Nor"))]
#[track_caller]
pub fn join<A: Message, B: Message, C: Message>(
    function: fn(A, B) -> C,
    a: Reader<A>,
    b: Reader<B>,
    out: Writer<C>,
) -> Process<crate::Result<()>> {
    joining(ImageFn(function), a, b, out)
}

#[process(thread, crate = crate, name = "join")]
fn joining<A: Message, B: Message, C: Message>(
    function: ImageFn<TakesTwo<A, B, C>>,
    a: Reader<A>,
    b: Reader<B>,
    out: Writer<C>,
) -> crate::Result<()> {
    combine(&a, &b, &out, |x, y| Ok((function.0)(x, y)))
}

fn combine<A: Message, B: Message, C: Message>(
    a: &Reader<A>,
    b: &Reader<B>,
    out: &Writer<C>,
    function: impl Fn(A, B) -> crate::Result<C>,
) -> crate::Result<()> {
    while let Some((x, y)) = next_of_both(a, b)? {
        out.write(function(x, y)?)?;
    }
    Ok(())
}

/// Writes the sum of all values so far.
///
/// ```text
///   in -->+
///         +--[ plus ]-->[ delta ]--> out
///    +--->+                 |
///    +---[ prefix(0) ]<-----+
///
///   INTEGRATE = I(0),  I(s) = in?x → out!(s + x) → I(s + x)
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// The sum is an integer that does not fit its type: the error names the values, and the network tells it. What
/// another type does then, its `+` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::numbers(a.writer()), plug::integrate(a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(5).collect::<Vec<_>>(), [0, 1, 3, 6, 10]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Integrate", "cumulative sum", "scan"))]
#[process(thread, crate = crate)]
pub fn integrate<T: Message + Clone + Add<Output = T> + 'static>(
    input: Reader<T>,
    out: Writer<T>,
) -> crate::Result<()> {
    let mut sum = None;
    while let Some(value) = next(&input)? {
        let more = match sum {
            Some(sum) => add("integrate", sum, value)?,
            None => value,
        };
        out.write(more.clone())?;
        sum = Some(more);
    }
    Ok(())
}

/// Writes the sum of every value and the one before it.
///
/// ```text
///   in -->[ delta ]------------->+
///             |                  +--[ plus ]--> out
///             +---->[ tail ]---->+
///
///   PAIRS = in?x → P(x),  P(x) = in?y → out!(x + y) → P(y)
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// The sum is an integer that does not fit its type: the error names the values, and the network tells it. What
/// another type does then, its `+` says.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::numbers(a.writer()), plug::pairs(a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [1, 3, 5, 7]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Pairs")]
#[process(thread, crate = crate)]
pub fn pairs<T: Message + Clone + Add<Output = T> + 'static>(input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    let Some(mut last) = next(&input)? else { return Ok(()) };
    while let Some(value) = next(&input)? {
        out.write(add("pairs", last, value.clone())?)?;
        last = value;
    }
    Ok(())
}
