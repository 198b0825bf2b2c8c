//! Components that treat one value at a time, and remember nothing of it.
//!
//! Knows nothing of what values are, but for a function that the user gives.

use super::ends::next;
use crate::channel::ImageFn;
use crate::sys::image::{LooksAt, Takes};
use crate::{Message, Process, Reader, Writer, process};
use std::fmt::Display;
use std::io::Write as _;

/// Passes every value on: a buffer for one value.
///
/// ```text
///   in -->[ identity ]--> out
///
///   IDENTITY = in?x → out!x → IDENTITY
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::numbers(a.writer()), plug::identity(a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<u64>>(), [0, 1, 2, 3]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Identity", "id", "buffer"))]
#[process(thread, crate = crate)]
pub fn identity<T: Message>(input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        out.write(value)?;
    }
    Ok(())
}

/// Writes one value, and then passes every value on.
///
/// In a ring it is what makes the first value go round.
/// ```text
///   in -->[ prefix(v) ]--> out
///
///   PREFIX(v) = out!v → IDENTITY
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::numbers(a.writer()), plug::prefix(9, a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<u64>>(), [9, 0, 1, 2]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Prefix")]
#[process(thread, crate = crate)]
pub fn prefix<T: Message>(first: T, input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    out.write(first)?;
    while let Some(value) = next(&input)? {
        out.write(value)?;
    }
    Ok(())
}

/// Drops the first value, and passes every other one on.
///
/// ```text
///   in -->[ tail ]--> out
///
///   TAIL = in?x → IDENTITY
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::numbers(a.writer()), plug::tail(a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<u64>>(), [1, 2, 3, 4]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Tail")]
#[process(thread, crate = crate)]
pub fn tail<T: Message>(input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    next(&input)?;
    while let Some(value) = next(&input)? {
        out.write(value)?;
    }
    Ok(())
}

/// Writes `function` of every value.
///
/// The function may be a closure that captures nothing. It is one of the program: a process of the operating system
/// finds it, too, but one of a shared library is refused when the process starts.
/// ```text
///   in -->[ map(f) ]--> out
///
///   MAP(f) = in?x → out!f(x) → MAP(f)
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do; a function that panics is its crash.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::map(|x| format!("number {x}"), a.reader(), b.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(2).collect::<Vec<_>>(), ["number 0", "number 1"]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[track_caller]
pub fn map<T: Message, U: Message>(
    function: fn(T) -> U,
    input: Reader<T>,
    out: Writer<U>,
) -> Process<crate::Result<()>> {
    mapping(ImageFn(function), input, out)
}

#[process(thread, crate = crate, name = "map")]
fn mapping<T: Message, U: Message>(
    function: ImageFn<Takes<T, U>>,
    input: Reader<T>,
    out: Writer<U>,
) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        out.write((function.0)(value))?;
    }
    Ok(())
}

/// Passes those values on for which `wanted` is true, and drops the others.
///
/// The function is one of the program, as for [`map`].
/// ```text
///   in -->[ filter(f) ]--> out
///
///   FILTER(f) = in?x → (out!x → FILTER(f) ◁ f(x) ▷ FILTER(f))
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do; a function that panics is its crash.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::filter(|x| x % 3 == 0, a.reader(), b.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(4).collect::<Vec<_>>(), [0, 3, 6, 9]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[track_caller]
pub fn filter<T: Message>(wanted: fn(&T) -> bool, input: Reader<T>, out: Writer<T>) -> Process<crate::Result<()>> {
    filtering(ImageFn(wanted), input, out)
}

#[process(thread, crate = crate, name = "filter")]
fn filtering<T: Message>(wanted: ImageFn<LooksAt<T, bool>>, input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        if (wanted.0)(&value) {
            out.write(value)?;
        }
    }
    Ok(())
}

/// Writes the same value for every one that it reads.
///
/// ```text
///   in -->[ substitute(v) ]--> out
///
///   SUBSTITUTE(v) = in?x → out!v → SUBSTITUTE(v)
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let network = network!(plug::numbers(a.writer()), plug::substitute('x', a.reader(), b.writer())).spawn()?;
/// assert_eq!(r.iter().take(3).collect::<String>(), "xxx");
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Substitute")]
#[process(thread, crate = crate)]
pub fn substitute<T: Message, U: Message + Clone>(value: U, input: Reader<T>, out: Writer<U>) -> crate::Result<()> {
    while next(&input)?.is_some() {
        out.write(value.clone())?;
    }
    Ok(())
}

/// Passes every value on, but no poison: whatever ends the one channel, the other retires.
///
/// Between two parts of a network it keeps the poison of one out of the other: the other part sees the end of a stream,
/// and ends in good order. The crash of a neighbour is kept out as well.
/// ```text
///   in -->[ shield ]--> out
///
///   SHIELD = in?x → out!x → SHIELD
/// ```
/// It returns `Ok(())`, whatever has ended it.
///
/// # Errors
/// A message that is no `T`, or that there is no memory for.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::new(), Channel::new());
/// let (w, r) = (a.writer(), b.reader());
/// let shield = Spawn!(plug::shield(a.reader(), b.writer()))?;
/// w.write(7)?;
/// w.poison();
/// assert_eq!(r.read_all()?, [7]); // ends as if the writer had gone
/// shield.join()??;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("NoPoison", "immunity", "poison strength", "PoisonFilter"))]
#[process(thread, crate = crate)]
pub fn shield<T: Message>(input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    loop {
        let passed = input.read().and_then(|value| Ok(out.write(value)?));
        match passed {
            Err(error) if error.is_retired() || error.is_poisoned() || error.is_lost() => return Ok(()),
            passed => passed?,
        }
    }
}

/// Prints every value on standard output, in a line of its own: `label: value`.
///
/// ```text
///   in -->[ printer ]
///
///   PRINTER = in?x → PRINTER
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do. When standard output is closed, it returns that
/// error.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c = Channel::new();
/// let w = c.writer();
/// let printer = Spawn!(plug::printer("the answer", c.reader()))?;
/// w.write(42)?;
/// drop(w);
/// printer.join()??; // has printed `the answer: 42`
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias = "Printer")]
#[track_caller]
pub fn printer<T: Message + Display>(label: impl Into<String>, input: Reader<T>) -> Process<crate::Result<()>> {
    printing(label.into(), input)
}

#[process(thread, crate = crate, name = "printer")]
fn printing<T: Message + Display>(label: String, input: Reader<T>) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        writeln!(std::io::stdout(), "{label}: {value}")?;
    }
    Ok(())
}

/// Reads every value, and does nothing with it.
///
/// ```text
///   in -->[ black_hole ]
///
///   HOLE = in?x → HOLE
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c = Channel::new();
/// let w = c.writer();
/// let hole = Spawn!(plug::black_hole(c.reader()))?;
/// (0..100).try_for_each(|x| w.write(x))?;
/// drop(w);
/// hole.join()??;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("BlackHole", "consume"))]
#[process(thread, crate = crate)]
pub fn black_hole<T: Message>(input: Reader<T>) -> crate::Result<()> {
    while next(&input)?.is_some() {}
    Ok(())
}
