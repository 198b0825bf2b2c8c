//! Components that make lists of values that come side by side, and take lists apart.
//!
//! Knows nothing of what the values are. What CHP does with a reduce channel is a [`paraplex`] and a
//! [`map`](super::map) here.

use super::ends::{Inputs, Outputs, next};
use crate::{Error, Message, Reader, Writer, process};

/// Reads a value from each input, in whichever order they come, and writes the list of them, in the order of the
/// inputs.
///
/// ```text
///   in0 -->+
///   in1 -->+--[ paraplex ]--> out: [x0, x1, x2]
///   in2 -->+
///
///   PARAPLEX = (∥ ini?xi) → out!⟨x0, x1, x2⟩ → PARAPLEX
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do: with the first input that retires. What the others
/// have given for the list that does not become whole is dropped. Without inputs it ends at once.
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
///     plug::paraplex(vec![a.reader(), b.reader()], c.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(3).collect::<Vec<_>>(), [[0, 1], [1, 4], [2, 9]]);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Paraplex", "joinList", "ReduceChannel", "gather", "zip"))]
#[process(thread, crate = crate)]
pub fn paraplex<T: Message>(inputs: Vec<Reader<T>>, out: Writer<Vec<T>>) -> crate::Result<()> {
    let count = inputs.len();
    let mut inputs = Inputs::new(inputs);
    if count == 0 {
        return Ok(());
    }
    loop {
        let mut list: Vec<Option<T>> = (0..count).map(|_| None).collect();
        inputs.next_of_each((0..count).collect(), |place, value| list[place] = Some(value))?;
        let list: Vec<T> = list.into_iter().flatten().collect();
        if list.len() < count {
            return Ok(());
        }
        out.write(list)?;
    }
}

/// Reads lists, and writes the values of each to the outputs side by side: the other side of a [`paraplex`].
///
/// The next list is read when all values of the last one are written.
/// ```text
///                                       +--> out0
///   in: [x0, x1, x2] -->[ deparaplex ]--> out1
///                                       +--> out2
///
///   DEPARAPLEX = in?⟨x0, x1, x2⟩ → (∥ outi!xi) → DEPARAPLEX
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do: with the first output that retires.
///
/// # Errors
/// Besides, a list that has not as many values as there are outputs.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::new(), Channel::new(), Channel::new());
/// let (w, r, s) = (a.writer(), b.reader(), c.reader());
/// let deparaplex = Spawn!(plug::deparaplex(a.reader(), vec![b.writer(), c.writer()]))?;
/// w.write(vec![1, 2])?;
/// assert_eq!((s.read()?, r.read()?), (2, 1)); // in any order
/// w.write(vec![1, 2, 3])?;
/// let error = deparaplex.join()?.unwrap_err().to_string();
/// assert!(error.contains("3 values") && error.contains("2 outputs"), "{error}");
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Deparaplex", "scatter", "unzip", "split"))]
#[process(thread, crate = crate)]
pub fn deparaplex<T: Message>(input: Reader<Vec<T>>, outs: Vec<Writer<T>>) -> crate::Result<()> {
    let mut outs = Outputs::new(outs);
    while let Some(list) = next(&input)? {
        let (given, needed) = (list.len(), outs.len());
        if given != needed {
            return Err(Error::msg(format!(
                "a list of {given} values came for {needed} outputs: paraplex and deparaplex need as many ends as each \
                 other"
            )));
        }
        outs.write_each(list.into_iter(), |_| false)?;
    }
    Ok(())
}
