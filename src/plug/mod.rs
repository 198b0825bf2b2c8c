//! Components: small processes to plug together, as JCSP, PyCSP, CHP and occam have them.
//!
//! Knows nothing of the networks that are made of them. Each component is a [`Process`](crate::Process) like any other:
//! it stands in [`Parallel!`](crate::Parallel!), can be [`named`](crate::Process::named) and multiplied. It runs on a
//! thread of its own, as it does next to nothing; `.on(Placement::Process)` gives it a process.
//!
//! In the definitions `in?x` reads, `out!x` writes, `→` is "then", `∥` side by side, in whichever order, and `□` a
//! choice that the environment makes.
//!
//! | component | CSP | elsewhere |
//! |---|---|---|
//! | [`identity`] | `in?x → out!x → ID` | JCSP, PyCSP: `Identity`; CHP: `id` |
//! | [`prefix`] | `out!v → ID` | `Prefix`, `prefix` |
//! | [`tail`] | `in?x → ID` | `Tail`, `tail` |
//! | [`map`] | `in?x → out!f(x) → MAP` | CHP: `map` |
//! | [`filter`] | `in?x → (out!x → FILTER ◁ f(x) ▷ FILTER)` | CHP: `filter` |
//! | [`substitute`] | `in?x → out!v → SUBSTITUTE` | JCSP: `Substitute` |
//! | [`shield`] | `in?x → out!x → SHIELD`, poison stays outside | C++CSP: `NoPoison`; JCSP: immunity |
//! | [`printer`] | `in?x → PRINTER` | JCSP: `Printer` |
//! | [`black_hole`] | `in?x → HOLE` | JCSP: `BlackHole`; CHP: `consume` |
//! | [`generate`] | `out!v → GENERATE` | JCSP: `Generate`; CHP: `repeat` |
//! | [`numbers`], [`squares`], [`fibonacci`] | networks of the others | `Numbers`, `Squares`, `Fibonacci` |
//! | [`successor`] | `in?x → out!(x + 1) → SUCCESSOR` | `Successor`; CHP: `succ` |
//! | [`plus`], [`minus`], [`times`] | `(a?x ∥ b?y) → out!(x + y) → PLUS` | `Plus`, `Times` |
//! | [`join`] | `(a?x ∥ b?y) → out!f(x, y) → JOIN` | CHP: `join`; JCSP: `And`, `Or`, `Xor` |
//! | [`integrate`], [`pairs`] | networks of the others | `Integrate`, `Pairs` |
//! | [`delta`] | `in?x → (∥ outi!x) → DELTA` | `Delta`, PyCSP: `Delta2`; CHP: `parDelta` |
//! | [`delta_parallel`] | the same, and an output that has ended keeps no value from the others | |
//! | [`delta_sequential`] | `in?x → out0!x → out1!x → … → DELTA` | `SeqDelta2` |
//! | [`dynamic_delta`] | outputs come as messages, and go when they retire | JCSP: `DynamicDelta` |
//! | [`multiplex`], [`priority_multiplex`] | `□ ini?x → out!(i, x) → MULTIPLEX`, fair or in order | JCSP: `Multiplex` |
//! | [`plex`] | `□ ini?x → out!x → PLEX`, fair | JCSP: `Plex`; PyCSP: `Mux2`; CHP: `merger` |
//! | [`demultiplex`] | `in?(i, x) → outi!x → DEMULTIPLEX` | JCSP: `Demultiplex` |
//! | [`paraplex`] | `(∥ ini?xi) → out!⟨x0, x1, …⟩ → PARAPLEX` | JCSP: `Paraplex`; CHP: `joinList` |
//! | [`deparaplex`] | `in?⟨x0, x1, …⟩ → (∥ outi!xi) → DEPARAPLEX` | JCSP: `Deparaplex` |
//! | [`merge`] | increasing streams to one without repeats | JCSP: `Merge` |
//! | [`sorter`] | a cell of a sorting pump | CHP: `sorter` |
//! | [`hold`] | `HOLD(x) = in?y → HOLD(y) □ out!x → HOLD(x)` | CHP: `valueStore` |
//! | [`sampler`] | `S(x) = in?y → S(y) □ ask? → out!x → S(x)` | occam: `sample` |
//! | [`regulate`] | the latest value at fixed ticks | JCSP: `Regulate` |
//! | [`fixed_delay`] | every value, some time later | JCSP: `FixedDelay` |
//! | [`barrier_sync`] | `in?x → sync → out!x → SYNC` | |
//!
//! # How a component ends
//! A component reads until its input retires, which is the end of the stream; then it returns `Ok(())`, and its own
//! ends retire. One with several inputs ends with the first of them, if it needs a value of each ([`plus`],
//! [`paraplex`]), and with the last of them, if any will do ([`multiplex`], [`merge`]). When it writes to an output
//! that has retired, it returns that error: nobody wants the values any more, and so its inputs retire. In a network
//! with an endless source that is the ordinary end, and
//! [`values_or_end`](crate::values::Values::values_or_end) takes it for one. Poison, and the crash of a
//! neighbour, are returned as errors, and so spread to all its ends.
//!
//! A component notices the end of a channel when it uses it. Whoever goes on writing into a chain of components whose
//! last reader is gone is told after as many values as there are components.
//!
//! # What is not here
//! | elsewhere | write |
//! |---|---|
//! | CHP: broadcast channels | [`dynamic_delta`], or [`delta`] where the readers stay |
//! | CHP: reduce channels | [`paraplex`], and [`map`] with the function that makes one value of a list |
//! | JCSP: `And`, `Or`, `Xor`, `Nand`, `Nor` | `join(\|x, y\| x & y, a, b, out)` |
//! | JCSP: `Mult` | `map(\|x\| 3 * x, input, out)` |
//! | JCSP: `Regular` | [`generate`] before [`regulate`]; a [`tick`](crate::tick) in a process of your own |
//! | JCSP: `ProcessRead`, `ProcessWrite` | an [alternation](crate::guide::alternation) has both kinds of guards |
//! | CHP: `stream`, `replicate` | a loop in a process of your own: `for x in xs { out.write(x)?; }` |
//! | CHP: `fifoBuffer`, `overflowingBuffer` | a [buffer](crate::Buffer) is a property of a channel |
//! | JCSP, occam: buckets | [`Condition`](crate::shared::Condition): whoever waits falls in, `notify_all` flushes |
//! | JCSP: `Crew` | [`RwLock`](crate::shared::RwLock) |
//! | CHP: poison of a barrier | [`Barrier::poison`](crate::Barrier::poison) |
//! | CHP: phased barriers | each party counts its own [`sync`](crate::Barrier::sync)s |
//! | JCSP: poison strength, immunity | [`shield`] where poison has to stop: it is seen in the network |
//!
//! # Examples
//! The Fibonacci numbers, as a ring that starts with 0 and 1; [`fibonacci`] is the same in one process.
//! ```
//! use csproc::{plug, prelude::*};
//!
//! let (start, ring, back) = (Channel::<u64>::new(), Channel::new(), Channel::new());
//! let (sums, out) = (Channel::new(), Channel::new());
//! let r = out.reader();
//! let network = network!(
//!     plug::prefix(1, sums.reader(), start.writer()),
//!     plug::prefix(0, start.reader(), ring.writer()),
//!     plug::delta(ring.reader(), vec![out.writer(), back.writer()]),
//!     plug::pairs(back.reader(), sums.writer()),
//! );
//! assert!(network.to_dot().contains("pairs"));
//! let network = network.spawn()?;
//! assert_eq!(r.iter().take(8).collect::<Vec<_>>(), [0, 1, 1, 2, 3, 5, 8, 13]);
//! drop(r);
//! network.join().values_or_end()?;
//! # Ok::<(), csproc::Error>(())
//! ```

mod arithmetic;
mod checked;
mod deltas;
mod ends;
mod lists;
mod ordered;
mod routing;
mod sources;
mod stateless;
mod stores;
mod timing;

pub use arithmetic::{integrate, join, minus, pairs, plus, successor, times};
pub use deltas::{delta, delta_parallel, delta_sequential, dynamic_delta};
pub use lists::{deparaplex, paraplex};
pub use ordered::{merge, sorter};
pub use routing::{demultiplex, multiplex, plex, priority_multiplex};
pub use sources::{fibonacci, generate, numbers, squares};
pub use stateless::{black_hole, filter, identity, map, prefix, printer, shield, substitute, tail};
pub use stores::{barrier_sync, hold, sampler};
pub use timing::{fixed_delay, regulate};
