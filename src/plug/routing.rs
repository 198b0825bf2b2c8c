//! Components that make one stream of several, each value as it comes, and several of one.
//!
//! Knows nothing of what the values are. What ends is left out, so no stream is cut off because another one was
//! shorter.

use super::ends::{Inputs, next};
use crate::{Alternation, Error, Message, Reader, Writer, process};

/// Passes on the values of all inputs with the places of their inputs, whichever has one, in turn.
///
/// It is fair: of inputs that all have values, none is heard twice before every other has been heard once.
/// ```text
///   in0 -->+
///   in1 -->+--[ multiplex ]--> out: (place, value)
///   in2 -->+
///
///   MULTIPLEX = □ ini?x → out!(i, x) → MULTIPLEX
/// ```
/// It ends when all inputs have retired, and otherwise as [all components](crate::plug#how-a-component-ends) do.
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
///     plug::multiplex(vec![a.reader(), b.reader()], c.writer()),
/// ).spawn()?;
/// let (numbers, squares): (Vec<_>, Vec<_>) = r.iter().take(100).partition(|(place, _)| *place == 0);
/// assert_eq!(numbers[..3], [(0, 0), (0, 1), (0, 2)]);
/// assert_eq!(squares[..3], [(1, 1), (1, 4), (1, 9)]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Multiplex", "FairPlex", "mux", "fan-in"))]
#[process(thread, crate = crate)]
pub fn multiplex<T: Message>(inputs: Vec<Reader<T>>, out: Writer<(usize, T)>) -> crate::Result<()> {
    let mut inputs = Inputs::new(inputs);
    while let Some(value) = inputs.next(Alternation::fair_select)? {
        out.write(value)?;
    }
    Ok(())
}

/// Passes on the values of all inputs with the places of their inputs; of several that have one, the first is heard.
///
/// An input that always has a value keeps those behind it from being heard.
/// ```text
///   in0 -->+
///   in1 -->+--[ priority_multiplex ]--> out: (place, value)
///   in2 -->+
///
///   MULTIPLEX = in0?x → out!(0, x) → MULTIPLEX  □→  in1?x → out!(1, x) → MULTIPLEX  □→  …
/// ```
/// It ends when all inputs have retired, and otherwise as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::buffered(Buffer::Fifo(2)), Channel::buffered(Buffer::Fifo(2)), Channel::new());
/// let (urgent, plain, r) = (a.writer(), b.writer(), c.reader());
/// ["p", "q"].into_iter().try_for_each(|x| plain.write(String::from(x)))?;
/// ["u", "v"].into_iter().try_for_each(|x| urgent.write(String::from(x)))?;
/// drop((urgent, plain));
/// let multiplex = Spawn!(plug::priority_multiplex(vec![a.reader(), b.reader()], c.writer()))?;
/// let heard: Vec<_> = r.read_all()?.into_iter().map(|(_, value)| value).collect();
/// assert_eq!(heard, ["u", "v", "p", "q"]);
/// multiplex.join()??;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("PriPlex", "pri"))]
#[process(thread, crate = crate)]
pub fn priority_multiplex<T: Message>(inputs: Vec<Reader<T>>, out: Writer<(usize, T)>) -> crate::Result<()> {
    let mut inputs = Inputs::new(inputs);
    while let Some(value) = inputs.next(Alternation::pri_select)? {
        out.write(value)?;
    }
    Ok(())
}

/// Passes on the values of all inputs, whichever has one, in turn: a [`multiplex`] that does not tell where they come
/// from.
///
/// A channel with several writers does the same without a process, first come, first served.
/// ```text
///   in0 -->+
///   in1 -->+--[ plex ]--> out
///   in2 -->+
///
///   PLEX = □ ini?x → out!x → PLEX
/// ```
/// It ends when all inputs have retired, and otherwise as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::new(), Channel::new(), Channel::new());
/// let r = c.reader();
/// let network = network!(
///     plug::generate('a', a.writer()),
///     plug::generate('b', b.writer()),
///     plug::plex(vec![a.reader(), b.reader()], c.writer()),
/// ).spawn()?;
/// let heard: String = r.iter().take(100).collect();
/// assert!(heard.contains('a') && heard.contains('b'));
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Plex", "Mux2", "merger"))]
#[process(thread, crate = crate)]
pub fn plex<T: Message>(inputs: Vec<Reader<T>>, out: Writer<T>) -> crate::Result<()> {
    let mut inputs = Inputs::new(inputs);
    while let Some((_, value)) = inputs.next(Alternation::fair_select)? {
        out.write(value)?;
    }
    Ok(())
}

/// Passes each value on to the output that comes with it: the other side of a [`multiplex`].
///
/// ```text
///                                         +--> out0
///   in: (place, value) -->[ demultiplex ]--> out1
///                                         +--> out2
///
///   DEMULTIPLEX = in?(i, x) → outi!x → DEMULTIPLEX
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Errors
/// Besides, a value for an output that is not there.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::new(), Channel::new(), Channel::new());
/// let (w, even, odd) = (a.writer(), b.reader(), c.reader());
/// let demultiplex = Spawn!(plug::demultiplex(a.reader(), vec![b.writer(), c.writer()]))?;
/// w.write((1, 7))?;
/// assert_eq!(odd.read()?, 7);
/// w.write((0, 8))?;
/// assert_eq!(even.read()?, 8);
/// w.write((2, 9))?;
/// let error = demultiplex.join()?.unwrap_err().to_string();
/// assert!(error.contains("output 2 of 2"), "{error}");
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Demultiplex", "demux", "route"))]
#[process(thread, crate = crate)]
pub fn demultiplex<T: Message>(input: Reader<(usize, T)>, outs: Vec<Writer<T>>) -> crate::Result<()> {
    while let Some((place, value)) = next(&input)? {
        match outs.get(place) {
            Some(out) => out.write(value)?,
            None => {
                let count = outs.len();
                return Err(Error::msg(format!(
                    "a value came for output {place} of {count}: the first is 0, and multiplex and demultiplex need as \
                     many ends as each other"
                )));
            }
        }
    }
    Ok(())
}
