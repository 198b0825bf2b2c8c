//! Components that keep values in order: sorted streams become one, and a pump of cells sorts a stream.
//!
//! Knows nothing of what the values are but that they have an order.

use super::ends::{Inputs, next};
use crate::{Message, Reader, Writer, process};
use std::mem::replace;

/// Makes one increasing stream, without repeats, of several that increase.
///
/// It reads ahead by one value of each input. A network in which `out` leads back to the inputs therefore needs room
/// for values on the way (a [buffer](crate::Buffer)).
/// ```text
///   in0 -->+
///   in1 -->+--[ merge ]--> out
///   in2 -->+
///
///   MERGE = (∥ ini?xi) → M(x0, x1, …)
///   M(x0, x1, …) = out!m → (∥ over all xi = m: ini?xi) → M(x0, x1, …),  m the least of x0, x1, …
/// ```
/// An input that does not increase makes an output that does not, either; equal values that follow each other are one.
/// It ends when all inputs have retired, and otherwise as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<u64>::new(), Channel::<u64>::new(), Channel::new());
/// let (evens, r) = (Channel::<u64>::new(), c.reader());
/// let network = network!(
///     plug::numbers(evens.writer()),
///     plug::map(|x| 2 * x, evens.reader(), a.writer()),
///     plug::squares(b.writer()),
///     plug::merge(vec![a.reader(), b.reader()], c.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(8).collect::<Vec<_>>(), [0, 1, 2, 4, 6, 8, 9, 10]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Merge", "Merge2", "union"))]
#[process(thread, crate = crate)]
pub fn merge<T: Message + Clone + Ord>(inputs: Vec<Reader<T>>, out: Writer<T>) -> crate::Result<()> {
    let mut heads: Vec<Option<T>> = inputs.iter().map(|_| None).collect();
    let mut inputs = Inputs::new(inputs);
    let mut last = None;
    loop {
        let missing: Vec<usize> = (0..heads.len()).filter(|place| heads[*place].is_none()).collect();
        inputs.next_of_each(missing, |place, value| heads[place] = Some(value))?;
        let Some(least) = heads.iter().flatten().min().cloned() else { return Ok(()) };
        for head in &mut heads {
            head.take_if(|value| *value == least);
        }
        if last.as_ref() != Some(&least) {
            out.write(least.clone())?;
        }
        last = Some(least);
    }
}

/// Keeps the largest value so far, and passes all others on: a cell of a sorting pump.
///
/// When its input retires, it writes what it has kept. So what comes out is what went in after one pass of bubble sort,
/// and a chain of n cells sorts any stream of up to n + 1 values.
/// ```text
///   in -->[ sorter ]-->[ sorter ]-->[ sorter ]--> out
///
///   SORTER = in?x → S(x),  S(x) = in?y → out!min(x, y) → S(max(x, y))  □  end → out!x → SKIP
/// ```
/// Of equal values the one that came first goes first. It ends as [all components](crate::plug#how-a-component-ends)
/// do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let c: Vec<Channel<u32>> = (0..5).map(|_| Channel::new()).collect();
/// let (w, r) = (c[0].writer(), c[4].reader());
/// let pump = Spawn!(for i in 0..4 => plug::sorter(c[i].reader(), c[i + 1].writer()))?;
/// [5, 2, 4, 1, 3].into_iter().try_for_each(|x| w.write(x))?;
/// drop(w);
/// assert_eq!(r.read_all()?, [1, 2, 3, 4, 5]);
/// pump.join().values()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("sort pump", "sorting pump", "bubble sort", "cell"))]
#[process(thread, crate = crate)]
pub fn sorter<T: Message + Ord>(input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    let Some(mut largest) = next(&input)? else { return Ok(()) };
    while let Some(value) = next(&input)? {
        let smaller = if value < largest { value } else { replace(&mut largest, value) };
        out.write(smaller)?;
    }
    Ok(out.write(largest)?)
}
