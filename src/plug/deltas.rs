//! Components with one input and several outputs, each of which is given every value.
//!
//! Knows nothing of who reads. What CHP does with a broadcast channel is a [`dynamic_delta`] here.

use super::ends::{Outputs, next};
use crate::{Alternation, ChannelError, Message, Read, Reader, Writer, process};
use std::iter::repeat_n;

/// Gives every value to all outputs, in the order in which readers come.
///
/// All outputs are offered the value at once, so a reader waits for no other; the next value is read when all have
/// theirs.
/// ```text
///               +--> out0
///   in -->[ delta ]--> out1
///               +--> out2
///
///   DELTA = in?x → (∥ outi!x) → DELTA
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do: with the first output that retires. Without
/// outputs it is a [`black_hole`](super::black_hole).
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<u64>::new(), Channel::new(), Channel::new());
/// let (one, other) = (b.reader(), c.reader());
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::delta(a.reader(), vec![b.writer(), c.writer()]),
/// ).spawn()?;
/// for number in 0..5 {
///     assert_eq!((other.read()?, one.read()?), (number, number)); // in any order
/// }
/// drop((one, other));
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Delta", "Delta2", "AltDelta2", "tee", "broadcast", "fan-out"))]
#[process(thread, crate = crate)]
pub fn delta<T: Message + Clone>(input: Reader<T>, outs: Vec<Writer<T>>) -> crate::Result<()> {
    let mut outs = Outputs::new(outs);
    while let Some(value) = next(&input)? {
        let values = repeat_n(value, outs.len());
        outs.write_each(values, |_| false)?;
    }
    Ok(())
}

/// Gives every value to all outputs, as [`delta`] does, and to the last of them also when another one has ended.
///
/// It is the parallel composition of the writes to the letter: that ends when all of them have ended, so every reader
/// that is left has the value in whose course one has gone. Then it ends, too, with the first error.
/// ```text
///               +--> out0
///   in -->[ delta_parallel ]--> out1
///               +--> out2
///
///   DELTA = in?x → (∥ outi!x) → DELTA
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::new(), Channel::new(), Channel::new());
/// let (w, r) = (a.writer(), c.reader());
/// let fan = Spawn!(plug::delta_parallel(a.reader(), vec![b.writer(), c.writer()]))?;
/// drop(b.reader()); // nobody reads there
/// w.write(7)?;
/// assert_eq!(r.read_all()?, [7]);
/// assert!(fan.join()?.unwrap_err().channel_error().unwrap().is_retired());
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("parDelta", "ParDelta2"))]
#[process(thread, crate = crate)]
pub fn delta_parallel<T: Message + Clone>(input: Reader<T>, outs: Vec<Writer<T>>) -> crate::Result<()> {
    let mut outs = Outputs::new(outs);
    while let Some(value) = next(&input)? {
        let mut first: Option<ChannelError> = None;
        let values = repeat_n(value, outs.len());
        outs.write_each(values, |error| {
            first.get_or_insert_with(|| error.clone());
            true
        })?;
        first.map_or(Ok(()), Err)?;
    }
    Ok(())
}

/// Gives every value to all outputs, one after the other, in their order.
///
/// A reader waits for those before it. Where that is the order in which readers come anyway, this is the cheapest.
/// ```text
///               +--> out0
///   in -->[ delta_sequential ]--> out1
///               +--> out2
///
///   DELTA = in?x → out0!x → out1!x → out2!x → DELTA
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b, c) = (Channel::<u64>::new(), Channel::new(), Channel::new());
/// let (first, second) = (b.reader(), c.reader());
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::delta_sequential(a.reader(), vec![b.writer(), c.writer()]),
/// ).spawn()?;
/// for number in 0..5 {
///     assert!(second.try_read().is_err());
///     assert_eq!(first.read()?, number);
///     assert_eq!(second.read()?, number);
/// }
/// drop((first, second));
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("SeqDelta2", "SeqDelta"))]
#[process(thread, crate = crate)]
pub fn delta_sequential<T: Message + Clone>(input: Reader<T>, outs: Vec<Writer<T>>) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        for (out, value) in outs.iter().zip(repeat_n(value, outs.len())) {
            out.write(value)?;
        }
    }
    Ok(())
}

/// Gives every value to all outputs of the moment: they come as messages, and go when they retire.
///
/// A subscriber sends a writer whose reader it keeps, and has every value that is read from then on; it leaves by
/// dropping the reader. One that crashes leaves, too, and the others go on. While there is no output, values are read
/// and lost. Outputs that wait to be taken in come before values.
/// ```text
///                     +--> out0
///   in -->[ dynamic_delta ]--> …
///   outs -->|
///
///   DELTA(O) = outs?o → DELTA(O ∪ {o}) □ in?x → (∥ o!x, o ∈ O) → DELTA(O)
/// ```
/// When `outs` retires, or is lost with the process of a subscriber, no output comes any more, and it goes on with
/// those it has. It ends when `input` retires, or when no output is left and none can come. Poison of any of them, an
/// output as well, ends it, and reaches all others.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, outs) = (Channel::new(), Channel::new());
/// let (w, subscribe) = (a.writer(), outs.writer());
/// let fan = Spawn!(plug::dynamic_delta(a.reader(), outs.reader()))?;
///
/// w.write(1)?; // nobody hears it
/// let (one, other) = (Channel::buffered(Buffer::Unbounded), Channel::buffered(Buffer::Unbounded));
/// let (r, s) = (one.reader(), other.reader());
/// subscribe.write(one.writer())?;
/// w.write(2)?;
/// subscribe.write(other.writer())?;
/// w.write(3)?;
/// assert_eq!((r.read()?, r.read()?, s.read()?), (2, 3, 3));
/// drop(r);
/// w.write(4)?;
/// drop(w);
/// assert_eq!(s.read_all()?, [4]);
/// fan.join()??;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("DynamicDelta", "publish", "subscribe", "BroadcastChannel", "mult"))]
#[process(thread, crate = crate)]
pub fn dynamic_delta<T: Message + Clone>(input: Reader<T>, outs: Reader<Writer<T>>) -> crate::Result<()> {
    let mut present = Outputs::new(Vec::new());
    let mut alt = Alternation::new();
    let (outs, values) = (alt.own_reader(outs), alt.own_reader(input));
    let ended = fan(&mut alt, outs, values, &mut present);
    // These are not among the ends that it was given: poison that it returns does not reach them. Those of `alt` must
    // be there still, or they would count as dropped before.
    if ended.as_ref().is_err_and(ChannelError::spreads_poison) {
        present.poison();
    }
    Ok(ended?)
}

fn fan<T: Message + Clone>(
    alt: &mut Alternation<'_>,
    outs: Read<Writer<T>, Reader<Writer<T>>>,
    values: Read<T, Reader<T>>,
    present: &mut Outputs<T>,
) -> Result<(), ChannelError> {
    while alt.contains(outs) || present.len() > 0 {
        match alt.pri_select() {
            Ok(fired) if fired.is(outs) => present.add(fired.try_take(outs)?),
            Ok(fired) => {
                let copies = repeat_n(fired.try_take(values)?, present.len());
                present.write_each(copies, is_gone)?;
            }
            Err(error) if is_gone(&error) && alt.has_failed(outs) => drop(alt.remove(outs)),
            Err(error) if error.is_retired() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the other side of a channel is there no more, and nobody wanted an end of all.
fn is_gone(error: &ChannelError) -> bool {
    error.is_retired() || error.is_lost()
}
