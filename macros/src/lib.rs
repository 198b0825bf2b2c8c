//! Turns syntax into one call: the attribute `#[process]` and the grammar of the composition macros become calls of
//! functions in `csproc::__private`, and everything wrong with the syntax is reported at the token that is wrong.
//!
//! Knows nothing of processes, channels or engines: what a type must be able to do is said by bounds in the library,
//! and this crate only sees to it that such an error stands at the user's own tokens.

mod alternate;
mod compose;
mod fragments;
mod head;
mod list;
mod managed;
mod process;
mod report;
mod setup;
mod test;

/// Makes a function a process: calling it runs nothing and returns an inert `Process<R>`.
///
/// Give the value to `Parallel!`, `Sequence!`, `Spawn!` or `network!`, or call `.run()` on it. The body runs then, in
/// an operating-system process of its own (or a thread, see the options), and you get back exactly what it returned.
///
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
///     for i in 0..n {
///         out.write(i)?; // `?` ends the process on poison or retirement
///     }
///     Ok(())
/// }
///
/// #[process(thread, name = "adder")]
/// fn sum(input: Reader<u64>) -> u64 {
///     input.into_iter().sum()
/// }
///
/// let c = Channel::<u64>::new();
/// let (sent, total) = Parallel!(source(c.writer(), 10), sum(c.reader()))?;
/// sent?;
/// assert_eq!(total, 45);
/// # csproc::Result::Ok(())
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `thread` | runs in a thread of the process that starts it | an operating-system process |
/// | `name = "…"` | the name in reports and traces | the name of the function |
/// | `on_crash = "poison"` or `"retire"` | what happens to the channel ends it held, should it crash | `"poison"` |
/// | `crate = path` | where to find the library, when it is renamed or re-exported | `::csproc` |
///
/// They combine, `#[process(thread, name = "adder")]`, each at most once.
///
/// # Requirements on the function
///
/// Arguments and the result are sent between processes, so each must be a `Message`
/// (`serde::Serialize + serde::de::DeserializeOwned`) and owned: `String`, not `&str`. At most 16 arguments. Type and
/// const parameters, `where` clauses, patterns, visibility, documentation and other attributes work as on any
/// function. What cannot be a process is an error that says what to write instead: methods with `self`, `async`,
/// `unsafe`, `const` and `extern` functions, `impl Trait`, references and lifetime parameters, the result `!`.
///
/// The function lies in the program itself. One of a shared library (a plug-in, a crate of type `dylib`) can be a
/// process on a thread only; otherwise `StartError::Function` says what to do.
///
/// ```compile_fail
/// # use csproc::prelude::*;
/// #[process]
/// fn greet(name: &str) {
///     // error: a process owns its arguments; write `String`
/// }
/// ```
///
/// # What it expands to
///
/// The body moves, unchanged, into a function inside; what remains outside packs the arguments up:
///
/// ```text
/// #[track_caller]
/// fn sum(input: Reader<u64>) -> ::csproc::Process<u64> {
///     fn __body(input: Reader<u64>) -> u64 {
///         input.into_iter().sum()
///     }
///     #[track_caller]
///     fn __process<__A0: ::csproc::Message, __R: ::csproc::Message>(
///         options: ::csproc::__private::Options,
///         arguments: (__A0,),
///         body: fn((__A0,)) -> __R,
///         ending: fn(&__R) -> ::csproc::__private::ending::Ending,
///     ) -> ::csproc::Process<__R> {
///         ::csproc::__private::process(options, arguments, body, ending)
///     }
///     __process::<Reader<u64>, u64>( // the bounds: an error stands at the user's own type
///         ::csproc::__private::Options { name: "adder", placement: …, on_crash: … },
///         (input,),
///         |(input,)| __body(input),
///         |__outcome| { … }, // did it end on poison?
///     )
/// }
/// ```
#[proc_macro_attribute]
pub fn process(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    process::expand(options.into(), item.into()).into()
}

/// Makes a function the set-up of every process: it runs in each before the process's own function.
///
/// What `main` sets up does not reach processes, for they are not copies of the program as it is, but of the program
/// before `main`. So whatever a process needs beside its arguments is set up in it: a logger, a panic hook, the
/// settings of an allocator.
///
/// ```
/// use csproc::prelude::*;
/// use std::sync::OnceLock;
///
/// static GREETING: OnceLock<String> = OnceLock::new();
///
/// #[csproc::setup]
/// fn greeting() {
///     GREETING.set("good morning".into()).unwrap();
/// }
///
/// #[process]
/// fn greet() -> Option<String> {
///     GREETING.get().cloned()
/// }
///
/// assert_eq!(greet().run()?.as_deref(), Some("good morning"));
/// assert_eq!(GREETING.get(), None); // not in `main`; call `greeting()` there if `main` needs it, too
/// # csproc::Result::Ok(())
/// ```
///
/// # Where and when
///
/// In every process of the operating system, once, on the thread that then runs the process's function; again when the
/// process is started again after a crash. Not in `main`, and not for a process on a thread, which shares what its
/// program has set up: call the function yourself where you need it there.
///
/// Every set-up that is linked into the program runs, those of libraries, too. The order is the same in every process:
/// by `order`, then by the path of the module, then by the line.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `order = n` | the smaller number runs first; it may be negative | `0` |
/// | `crate = path` | where to find the library, when it is renamed or re-exported | `::csproc` |
///
/// # Requirements on the function
///
/// It stands by itself, takes nothing, and returns nothing or `Result<(), E>` with an `E: Display`. It is not `async`,
/// `unsafe`, `const`, `extern` or generic. A panic in it, or an error that it returns, is a crash of the process: the
/// failure of the network names it, and neither the other set-ups nor the process's function are run.
#[proc_macro_attribute]
pub fn setup(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    setup::expand(options.into(), item.into()).into()
}

/// Makes a function a test, whose body is run as the main process of a simulated world: under one schedule after the
/// other, some hundreds of them.
///
/// For those who want neither strategies nor closures. The body starts processes and asserts what it likes, as in any
/// test. Who meets whom, which guard fires and who is killed when is drawn anew for each run. What the body may do, and
/// what makes such a test lie, says `csproc::testing`, whose feature `testing` it needs.
///
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn transfer(from: Lock, to: Lock) -> csproc::Result<()> {
///     let _from = from.acquire()?;
///     let _to = to.acquire()?;
///     Ok(())
/// }
///
/// #[csproc::test]
/// fn transfers_in_one_order_never_wait_for_each_other() {
///     let (a, b) = (Lock::new(), Lock::new());
///     Parallel!(transfer(a.clone(), b.clone()), transfer(a, b)).values().unwrap();
/// }
///
/// #[csproc::test(exhaustive)]
/// #[should_panic(expected = "deadlock after 2 events")]
/// fn transfers_in_opposite_orders_do() {
///     let (a, b) = (Lock::new(), Lock::new());
///     Parallel!(transfer(a.clone(), b.clone()), transfer(b, a)).values().unwrap();
/// }
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `schedules = n` | so many schedules are drawn | 256, or what `PROPTEST_CASES` says |
/// | `exhaustive` | every schedule is run, as by `explore()`; with `schedules = n` it fails if there are more | drawn |
/// | `replay = "csp1:…"` | the schedule that a run has printed, and no other one | |
/// | `crashes = n` | in each run, up to so many processes are killed; never the body itself | `0` |
/// | `panics = n` | up to so many panic | `0` |
/// | `poisons = n` | up to so many channels and barriers are poisoned | `0` |
/// | `delays = n` | up to so many times a process comes late; not with `exhaustive` | `0` |
/// | `lossy("channel", n)` | up to so many messages of the channels of this name are lost, doubled or kept back | |
/// | `in_order("channel")` | on this lossy channel none overtakes another one | |
/// | `processes("worker", …)` | crashes, panics and delays meet those of these names | all |
/// | `crate = path` | where to find the library, when it is renamed or re-exported | `::csproc` |
///
/// They combine, `lossy` and `in_order` once for each channel and the others at most once.
///
/// # What fails
///
/// A panic of the body, and an error that it returns. A deadlock: somebody waits, and nobody can go on. A livelock:
/// more events than 20 000, or 5000 with `exhaustive`. A leak: the body has come to its end, and a process that it
/// started and has not joined waits for ever. And a body that does not do the same when it is run by the same
/// decisions.
///
/// A process that the schedule has killed is no failure by itself, nor is one that panics: its peers, and whoever joins
/// it, are told, and what comes of that is the body's to assert. `Parallel!(…).unwrap()` panics then.
///
/// What fails is shrunk to the fewest faults and events, and printed with its trace and token. It is kept in
/// `csproc-regressions/` beside the source of the test, and tried first the next time, unless
/// `PROPTEST_DISABLE_FAILURE_PERSISTENCE` is set. One that `#[should_panic]` is to fail keeps nothing.
///
/// # Requirements on the function
///
/// It takes nothing, and returns nothing or `Result<(), E>` with an `E: Debug`. It is not `async`, `unsafe`, `const`,
/// `extern` or generic. `#[should_panic]`, `#[ignore]`, `#[cfg(…)]` and documentation mean what they mean on any test;
/// `#[test]` is not written beside it.
#[proc_macro_attribute]
pub fn test(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    test::expand(options.into(), item.into()).into()
}

/// Makes a proxy of the methods of a type, whose objects a `Manager` can have then: other processes call them as if the
/// object were theirs.
///
/// The `impl` stays as it is. Beside it comes `CounterProxy`, with a method for each that is `pub`; each gives a
/// `Result`, for the object may be lost. Whoever has a clone of it, or was sent one, has the same object.
///
/// ```
/// use csproc::prelude::*;
///
/// struct Counter {
///     count: i64,
/// }
///
/// #[managed]
/// impl Counter {
///     pub fn new(count: i64) -> Counter {
///         Counter { count }
///     }
///
///     pub fn add(&mut self, number: i64) -> i64 {
///         self.count += number;
///         self.count
///     }
///
///     pub fn get(&self) -> i64 {
///         self.count
///     }
/// }
///
/// #[process]
/// fn count(counter: CounterProxy) -> csproc::Result<()> {
///     (0..100).try_for_each(|_| counter.add(1).map(drop))?;
///     Ok(())
/// }
///
/// let manager = Manager::new()?;
/// let counter = CounterProxy::new(&manager, 0)?; // made in the process of the manager
/// Parallel!(for _ in 0..3 => count(counter.clone())).values()?;
/// assert_eq!(counter.get()?, 300);
/// # csproc::Result::Ok(())
/// ```
///
/// # What a proxy has
///
/// | in the `impl` | in the proxy |
/// |---|---|
/// | `pub fn new(start: i64) -> Counter`, or `-> Self` | `CounterProxy::new(&manager, start)`: as `create_with` |
/// | `pub fn add(&mut self, n: i64) -> i64` | `proxy.add(n)`: as `with`, alone |
/// | `pub fn get(&self) -> i64` | `proxy.get()`: as `look`; several at once |
/// | functions without `self` that make nothing, and those that are not `pub` | nothing |
///
/// A method's own `Result` comes back inside: `proxy.try_add(1)??`. What is no method is done by those of
/// `Managed<Counter>`, to which the proxy leads: `proxy.as_ref().with(…)`. The visibility and the documentation of each
/// method are copied; type parameters and `where` clauses of the `impl` as well.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `proxy = Name` | the name of the proxy | that of the type, with `Proxy` behind it |
/// | `exclusive` | nobody looks beside others: the type need not be `Send` and `Sync` | several look at once |
/// | `crate = path` | where to find the library, when it is renamed or re-exported | `::csproc` |
///
/// They combine, each at most once.
///
/// # Requirements on the methods
///
/// Arguments and results are sent between processes, so each must be a `Message` and owned, as with a process; at most
/// 16 arguments. What cannot be called from another process is an error that says what to write instead: references,
/// `Self` among arguments and results, `self` by value, `async` and `unsafe` methods, generic methods, `impl Trait`,
/// and the `impl` of a trait. A method that is not `pub` may be all of that.
#[proc_macro_attribute]
pub fn managed(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    managed::expand(options.into(), item.into()).into()
}

/// The grammar behind `network!`, `Parallel!`, `Sequence!` and `Spawn!`, which pass their mode and their crate's path.
///
/// Not for direct use: the four macros of the library are the front door, and hold the documentation.
///
/// ```text
/// input := mode "[" path "]" parts               mode := network | parallel | sequence | spawn
/// parts := (part ("," part)* ","?)?
/// part  := "for" pattern "in" expression "=>" part
///        | ("Parallel" | "network" | "Sequence") "!" delimited parts
///        | expression
/// ```
#[doc(hidden)]
#[proc_macro]
pub fn compose(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    compose::expand(input.into()).into()
}

/// The grammar behind `AltSelect!`, `PriSelect!` and `FairSelect!`, which pass their mode and their crate's path.
///
/// Not for direct use: the three macros of the library are the front door, and hold the documentation.
///
/// ```text
/// input := mode "[" path "]" arms                mode := alt | pri | fair
/// arms  := (arm ("," arm)* ","?)?                a block as body needs no comma, as in `match`
/// arm   := (pattern "=")? guard ("if" condition)? "=>" body
/// guard := expression (".read()" | ".read_extended()" | ".write(" value ")" | ".sync()")
///        | "after(" duration ")" | "at(" instant ")" | "skip"
///        | expression                            its value is a guard
/// ```
#[doc(hidden)]
#[proc_macro]
pub fn alternate(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    alternate::expand(input.into()).into()
}
