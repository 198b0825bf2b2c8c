//! Components that keep a value until somebody wants it, or until everybody is there.
//!
//! Knows nothing of what the value is.

use super::ends::next;
use crate::{Alternation, Barrier, FairSelect, Message, Reader, Writer, process};

/// Offers the latest value, again and again, and takes newer ones meanwhile: a variable as a process.
///
/// A writer never waits for a reader, and a reader waits for the first value only.
/// ```text
///   in -->[ hold ]--> out
///
///   HOLD = in?x → H(x),  H(x) = in?y → H(y) □ out!x → H(x)
/// ```
/// It is fair to both sides. It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::new(), Channel::new());
/// let (w, r) = (a.writer(), b.reader());
/// let hold = Spawn!(plug::hold(a.reader(), b.writer()))?;
/// (1..=3).try_for_each(|x| w.write(x))?;
/// assert_eq!((r.read()?, r.read()?), (3, 3));
/// drop((w, r));
/// hold.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("valueStore", "variable", "memory", "latest"))]
#[process(thread, crate = crate)]
pub fn hold<T: Message + Clone>(input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    let Some(mut latest) = next(&input)? else { return Ok(()) };
    let mut alt = Alternation::new();
    let (newer, offer) = (alt.own_reader(input), alt.own_writer(out));
    loop {
        alt.set(offer, latest.clone());
        match alt.fair_select() {
            Ok(fired) if fired.is(newer) => latest = fired.try_take(newer)?,
            Ok(_) => (),
            Err(error) if error.is_retired() && alt.has_failed(newer) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes the latest value whenever it is asked, and takes newer ones meanwhile.
///
/// It answers each message of `ask` with one of `out`. A question that comes before the first value waits for it.
/// ```text
///   in --->+
///          +--[ sampler ]--> out
///   ask -->+
///
///   SAMPLER = in?x → S(x),  S(x) = in?y → S(y) □ ask? → out!x → S(x)
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do: with the first end of its input or of the
/// questions.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, asks, b) = (Channel::new(), Channel::new(), Channel::new());
/// let (w, ask, r) = (a.writer(), asks.writer(), b.reader());
/// let sampler = Spawn!(plug::sampler(a.reader(), asks.reader(), b.writer()))?;
/// (1..=3).try_for_each(|x| w.write(x))?;
/// for _ in 0..2 {
///     ask.write(())?;
///     assert_eq!(r.read()?, 3);
/// }
/// drop(w);
/// sampler.join()??;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("sample", "Sample", "poll"))]
#[process(thread, crate = crate)]
pub fn sampler<T: Message + Clone>(input: Reader<T>, ask: Reader<()>, out: Writer<T>) -> crate::Result<()> {
    let Some(mut latest) = next(&input)? else { return Ok(()) };
    loop {
        let passed = FairSelect! {
            value = input.read() => latest = value,
            () = ask.read() => out.write(latest.clone())?,
        };
        match passed {
            Err(error) if error.is_retired() => return Ok(()),
            passed => passed?,
        }
    }
}

/// Passes a value on when all parties of a barrier are there.
///
/// One of these in each of several streams lets them go in step: the n-th values of all of them are written when the
/// last of them has come.
/// ```text
///   in -->[ barrier_sync ]--> out
///               ^
///               +-- the barrier
///
///   SYNC = in?x → sync → out!x → SYNC
/// ```
/// It is a party of the barrier until it ends, which it does as [all components](crate::plug#how-a-component-ends) do;
/// the other parties go on without it.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
///
/// let (a, b) = (Channel::new(), Channel::new());
/// let (w, r) = (a.writer(), b.reader());
/// let barrier = Barrier::new(2);
/// let sync = Spawn!(plug::barrier_sync(barrier.clone(), a.reader(), b.writer()))?;
/// w.write(7)?;
/// assert!(r.try_read().is_err());
/// barrier.sync()?; // the second party
/// assert_eq!(r.read()?, 7);
/// drop(w);
/// sync.join()??;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("BarrierSync", "lockstep"))]
#[process(thread, crate = crate)]
pub fn barrier_sync<T: Message>(barrier: Barrier, input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        barrier.sync()?;
        out.write(value)?;
    }
    Ok(())
}
