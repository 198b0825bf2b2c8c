//! `Process<R>`: a process that does not run yet.
//!
//! Knows nothing of how it will be run. It holds its arguments as a parcel and its functions without their types, so it
//! has no type parameter but the result's.

use super::blueprint::{Blueprint, Places, Role};
use super::built::Built;
use super::ending::Ending;
use super::entry::entry;
use super::policy::{OnCrash, Placement};
use super::shape::{Assemble, one};
use crate::channel::{Message, MessageError, Parcel};
use crate::forkserver::{Code, Entry};
use crate::sys::image::{AnyFn, LooksAt, Takes};
use std::borrow::Cow;
use std::fmt;

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

/// Makes a process of a function; what `#[process]` expands to calls this.
pub fn process<A: Message, R: Message>(
    options: Options,
    arguments: A,
    body: fn(A) -> R,
    ending: fn(&R) -> Ending,
) -> Process<R> {
    let role = Role {
        name: Cow::Borrowed(options.name),
        place: Places::default(),
        is_named: false,
        placement: options.placement,
        stack: None,
        on_crash: options.on_crash,
        on_deadlock: None,
        code: code::<A, R>(body, ending),
        result_type: std::any::type_name::<R>(),
    };
    // The originals of the ends inside go here, after they were requested again for the parcel.
    let arguments = Parcel::pack(&arguments);
    let built = arguments.as_ref().ok().and_then(|arguments| Built::with(role.name.clone(), arguments));
    let plan = Blueprint { role, arguments, copy: copy::<A>, built };
    Process { plan, assemble: one::<R> }
}

fn code<A: Message, R: Message>(body: fn(A) -> R, ending: fn(&R) -> Ending) -> Code {
    Code {
        entry: AnyFn::of::<Entry>(entry::<A, R>),
        body: AnyFn::of::<Takes<A, R>>(body),
        ending: AnyFn::of::<LooksAt<R, Ending>>(ending),
    }
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
            built.rename(self.plan.role.name.clone());
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
    /// with any thread. A stack that the system refuses is [`StartError::Stack`](crate::StartError::Stack).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StartError;
    use crate::process::failure::Failure;
    use crate::sys::image::foreign;

    #[test]
    fn a_process_whose_function_is_a_librarys_is_refused_by_name() {
        let options = Options { name: "foreign", placement: Placement::Process, on_crash: OnCrash::Poison };
        let error = process(options, 1_u64, foreign(), |_| Ending::Normal).run().unwrap_err();
        let [Failure::Start { process, source: StartError::Function { reason } }] = error.failures() else {
            panic!("{error:?}")
        };
        assert!(process == "foreign" && reason.contains("libc") && reason.contains("Placement::Thread"), "{reason}");
    }
}
