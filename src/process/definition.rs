//! `Process<R>`: a process that does not run yet.
//!
//! Knows nothing of how it will be run. It holds its arguments as a parcel and its function as an address, so it has no
//! type parameter but the result's.

use super::built::Built;
use super::deadlock::Deadlock;
use super::ending::Ending;
use super::entry::entry;
use super::failure::NetworkError;
use super::network::Assemble;
use super::part::{one, parallel};
use super::start_error::StartError;
use crate::channel::{Message, MessageError, Parcel};
use crate::forkserver::{Entry, STACK};
use crate::sys::map::can_map;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// Where a process runs.
///
/// Whatever a program says, `CSPROC_PLACEMENT=thread` in its environment puts every process on a thread, so that a
/// debugger sees all of them in one process and stops wherever it is told to; `CSPROC_PLACEMENT=process` puts every
/// process into one of its own.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn id() -> u32 {
///     std::process::id()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (there, here) = Parallel!(id(), id().on(Placement::Thread))?;
///     assert_ne!(there, std::process::id());
///     assert_eq!(here, std::process::id());
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Placement {
    /// A process of the operating system.
    #[default]
    Process,
    /// A thread of the process that starts it.
    Thread,
}

impl Placement {
    /// Where everything runs by the wish of who started the program; read once.
    fn of_everything() -> &'static Result<Option<Placement>, String> {
        static WISH: OnceLock<Result<Option<Placement>, String>> = OnceLock::new();
        WISH.get_or_init(|| match std::env::var_os("CSPROC_PLACEMENT") {
            Some(wish) => match wish.to_string_lossy().parse() {
                Ok(placement) => Ok(Some(placement)),
                Err(error) => Err(format!("CSPROC_PLACEMENT: {error}")),
            },
            None => Ok(None),
        })
    }
}

impl std::str::FromStr for Placement {
    type Err = String;

    /// Reads `process` or `thread`.
    fn from_str(text: &str) -> Result<Placement, String> {
        match text {
            "process" => Ok(Placement::Process),
            "thread" => Ok(Placement::Thread),
            other => Err(format!("`{other}` is no placement: write `process` or `thread`")),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Placement::Process => "process",
            Placement::Thread => "thread",
        })
    }
}

/// What happens to the ends of a process that crashes.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn fragile(_out: Writer<u8>) {
///     std::process::abort()
/// }
///
/// fn main() {
///     let c = Channel::new();
///     let r = c.reader();
///     Parallel!(fragile(c.writer()).on_crash(OnCrash::Retire)).unwrap_err();
///     assert!(r.read().unwrap_err().is_retired());
/// }
/// ```
/// A process that is started again until it succeeds:
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// #[process]
/// fn fragile(input: Reader<u32>, output: Writer<u32>) -> csproc::Result<()> {
///     for value in input {
///         if value == 2 {
///             std::process::abort();
///         }
///         output.write(value)?;
///     }
///     Ok(())
/// }
///
/// #[process]
/// fn source(out: Writer<u32>) -> csproc::Result<()> {
///     (1..=4).try_for_each(|value| out.write(value)).map_err(csproc::Error::from)
/// }
///
/// #[process]
/// fn sink(input: Reader<u32>) -> Vec<u32> {
///     input.into_iter().collect()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (c, d) = (Channel::new(), Channel::new());
///     let again = OnCrash::Restart { max: 3, within: Duration::from_secs(10) };
///     let (_, _, seen) =
///         Parallel!(source(c.writer()), fragile(c.reader(), d.writer()).on_crash(again), sink(d.reader()))?;
///     assert_eq!(seen, [1, 3, 4]);
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OnCrash {
    /// Their channels end at once for everybody, as poison ends them. The others do not see
    /// [`Poisoned`](crate::ChannelError::Poisoned), but [`Lost`](crate::ChannelError::Lost), with the process and the
    /// cause.
    #[default]
    Poison,
    /// They retire, as if the process had returned.
    Retire,
    /// Nothing: the process is started again, with its original arguments and ends, unless it has crashed more than
    /// `max` times within so short a time; then they are poisoned. Each restart is noted on standard error.
    ///
    /// What the crashed process had in hand is lost: messages that it had read and not passed on, and everything it had
    /// counted or collected, for the next one begins from its arguments. The result is that of the start that did not
    /// crash. So nothing is lost if the process keeps nothing between two messages, reads each by
    /// [`extended`](crate::Reader::extended), whose writer is released only when the message is done with, and if the
    /// writer writes it again when that fails with [`Abandoned`](crate::ChannelError::Abandoned) or
    /// [`Lost`](crate::ChannelError::Lost). A message may then be worked on twice.
    Restart {
        /// How many restarts within that time are acceptable.
        max: u32,
        /// The time.
        within: Duration,
    },
}

/// What the attribute `#[process]` says about a process.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The name of the function, unless another one is given.
    pub name: &'static str,
    /// Where it runs.
    pub placement: Placement,
    /// What becomes of its ends when it crashes.
    pub on_crash: OnCrash,
}

/// A process that does not run yet: what calling a `#[process]` function gives.
///
/// The arguments are serialized at the call, so ends of channels among them count from then on; dropping the process
/// unused gives them up.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> csproc::Result<()> {
///     let process = square(12).named("twelve");
///     assert_eq!(process.name(), "twelve");
///     assert_eq!(process.run()?, 144);
///     Ok(())
/// }
/// ```
#[must_use = "a process does nothing until it is run: give it to `Parallel!`, `Sequence!`, `Spawn!` or `.run()`"]
pub struct Process<R> {
    pub(super) plan: Blueprint,
    /// Made where `R` is known to be a message, so that nothing that runs a process has to ask for it again: a result
    /// that is none is reported at its function, once.
    pub(super) assemble: Assemble<R>,
}

/// A process without its type.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) role: Role,
    pub(super) arguments: Result<Parcel, MessageError>,
    copy: fn(Parcel, usize) -> Result<Vec<Parcel>, MessageError>,
    built: Option<Built>,
}

/// What a process is, whatever its arguments are.
#[derive(Clone, Debug)]
pub(super) struct Role {
    name: Cow<'static, str>,
    /// Where it stands in the `for` parts and vectors around it, as `[2][0]`.
    place: String,
    /// Its name was given by hand and tells it apart.
    is_named: bool,
    placement: Placement,
    /// How many bytes its stack has, if it is said.
    pub(super) stack: Option<usize>,
    pub(super) on_crash: OnCrash,
    /// As the starter's, unless it is said.
    pub(super) on_deadlock: Option<Deadlock>,
    pub(super) entry: Entry,
    pub(super) body: usize,
    pub(super) ending: usize,
    pub(super) result_type: &'static str,
}

impl Role {
    /// Its name, with its place: `worker[2]`.
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.name, if self.is_named { "" } else { &self.place })
    }

    /// Where it runs.
    pub(super) fn placement(&self) -> Result<Placement, StartError> {
        match Placement::of_everything() {
            Ok(wish) => Ok(wish.unwrap_or(self.placement)),
            Err(reason) => Err(StartError::Unavailable { reason: reason.clone() }),
        }
    }

    /// How many bytes its stack has.
    pub(super) fn stack(&self) -> Result<usize, StartError> {
        static USUAL: OnceLock<usize> = OnceLock::new();
        let Some(bytes) = self.stack else {
            return Ok(*USUAL.get_or_init(|| {
                let wish = std::env::var("RUST_MIN_STACK").ok().and_then(|bytes| bytes.parse().ok());
                wish.unwrap_or(STACK)
            }));
        };
        match can_map(bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(StartError::Stack { bytes, reason: error.to_string() }),
        }
    }

    /// It stands at this place in one more `for` part or vector.
    pub(super) fn stands_at(&mut self, index: usize) {
        self.place.insert_str(0, &format!("[{index}]"));
    }
}

impl Blueprint {
    /// The same process so many times, each with ends of its own.
    pub(super) fn times(self, times: usize) -> Vec<Blueprint> {
        let Blueprint { role, arguments, copy, built: _ } = self;
        let with = |arguments| Blueprint { role: role.clone(), arguments, copy, built: None };
        match arguments.and_then(|arguments| copy(arguments, times)) {
            Ok(copies) => copies.into_iter().map(Ok).map(with).collect(),
            Err(error) => (0..times).map(|_| with(Err(error.clone()))).collect(),
        }
    }
}

/// Makes a process of a function; what `#[process]` expands to calls this.
pub fn process<A: Message, R: Message>(
    options: Options,
    arguments: A,
    body: fn(A) -> R,
    ending: fn(&R) -> Ending,
) -> Process<R> {
    let role = Role {
        name: Cow::Borrowed(options.name),
        place: String::new(),
        is_named: false,
        placement: options.placement,
        stack: None,
        on_crash: options.on_crash,
        on_deadlock: None,
        entry: entry::<A, R>,
        body: body as usize,
        ending: ending as usize,
        result_type: std::any::type_name::<R>(),
    };
    // The originals of the ends inside go here, after they were requested again for the parcel.
    let arguments = Parcel::pack(&arguments);
    let built = arguments.as_ref().ok().and_then(|arguments| Built::with(&role.name, arguments));
    let plan = Blueprint { role, arguments, copy: copy::<A>, built };
    Process { plan, assemble: one::<R> }
}

fn copy<A: Message>(arguments: Parcel, times: usize) -> Result<Vec<Parcel>, MessageError> {
    let (arguments, _) = arguments.open::<A>()?;
    (0..times).map(|_| Parcel::pack(&arguments)).collect()
}

impl<R> Process<R> {
    /// Gives it another name, for reports and for `ps`.
    ///
    /// A process of a `for` part or a `Vec` that was given no name has its place added to the function's: `worker[2]`.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn who() -> String {
    ///     csproc::current().name().to_string()
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     assert_eq!(Parallel!(who(), who().named("me"))?, ("who".to_string(), "me".to_string()));
    ///     assert_eq!(Parallel!(for _ in 0..2 => who())?, ["who[0]", "who[1]"]);
    ///     assert_eq!(Parallel!(for n in 1..3 => who().named(format!("number {n}")))?, ["number 1", "number 2"]);
    ///     Ok(())
    /// }
    /// ```
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Process<R> {
        self.plan.role.name = name.into();
        if let Some(built) = &self.plan.built {
            built.rename(&self.plan.role.name);
        }
        self.plan.role.is_named = true;
        self
    }

    /// Decides where it runs.
    ///
    /// # Examples
    /// See [`Placement`].
    pub fn on(mut self, placement: Placement) -> Process<R> {
        self.plan.role.placement = placement;
        self
    }

    /// Decides how many bytes its stack has at least.
    ///
    /// Unless it is said, it has as many as the environment variable `RUST_MIN_STACK` says, or 8 MiB. Memory is used
    /// where the stack was used. Less than the system needs for a thread becomes that. A process that needs more than
    /// it has dies with [`Cause::StackOverflow`](crate::Cause::StackOverflow); on a thread, the whole program does, as
    /// with any thread. A stack that the system refuses is [`StartError::Stack`].
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn deep(depth: u64) -> u64 {
    ///     fn sum(depth: u64) -> u64 {
    ///         let room = std::hint::black_box([depth; 128]);
    ///         if depth == 0 { 0 } else { room[7] + sum(depth - 1) }
    ///     }
    ///     sum(depth)
    /// }
    ///
    /// assert_eq!(deep(20_000).stack(256 << 20).run().unwrap(), 200_010_000);
    /// ```
    pub fn stack(mut self, bytes: usize) -> Process<R> {
        self.plan.role.stack = Some(bytes);
        self
    }

    /// Decides what becomes of its ends when it crashes.
    ///
    /// # Examples
    /// See [`OnCrash`].
    pub fn on_crash(mut self, on_crash: OnCrash) -> Process<R> {
        self.plan.role.on_crash = on_crash;
        self
    }

    /// Its name.
    ///
    /// # Examples
    /// See [`Process`].
    pub fn name(&self) -> &str {
        &self.plan.role.name
    }

    /// Where it will run, unless `CSPROC_PLACEMENT` says something else.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process(thread)]
    /// fn light() {}
    ///
    /// assert_eq!(light().placement(), Placement::Thread);
    /// ```
    pub fn placement(&self) -> Placement {
        self.plan.role.placement
    }

    fn times(self, times: usize) -> Vec<Process<R>> {
        let Process { plan, assemble } = self;
        plan.times(times).into_iter().map(|plan| Process { plan, assemble }).collect()
    }
}

impl<R> Process<R> {
    /// Runs it and waits for its result.
    ///
    /// # Blocking
    /// Waits until the process has ended.
    ///
    /// # Errors
    /// The process crashed, or could not be started.
    ///
    /// # Examples
    /// See [`Process`].
    #[track_caller]
    pub fn run(self) -> Result<R, NetworkError> {
        parallel((self,)).run()
    }
}

impl<R> std::ops::Mul<usize> for Process<R> {
    type Output = Vec<Process<R>>;

    /// So many processes with the same arguments. Ends among the arguments are requested again for each, so that counts
    /// are right.
    fn mul(self, times: usize) -> Vec<Process<R>> {
        self.times(times)
    }
}

impl<R> std::ops::Mul<Process<R>> for usize {
    type Output = Vec<Process<R>>;

    /// So many processes with the same arguments.
    fn mul(self, process: Process<R>) -> Vec<Process<R>> {
        process.times(self)
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.plan.role.name)
            .field("placement", &self.plan.role.placement)
            .field("on_crash", &self.plan.role.on_crash)
            .finish_non_exhaustive()
    }
}
