//! `csproc::Error`: any error that a process may return, able to cross between processes.
//!
//! Knows nothing of networks. An error of another crate cannot be serialized in general, so what is kept is what people
//! read: its text and the texts of its sources. What the runtime must know is kept, too: whether it stems from a
//! channel.

use super::current::current;
use super::place::Place;
use crate::channel::{ChannelError, DeadlockReport};
use serde::{Deserialize, Serialize, Serializer};
use std::any::TypeId;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// What a fallible process returns.
///
/// # Examples
/// ```
/// fn parse(text: &str) -> csproc::Result<u16> {
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("80").unwrap(), 80);
/// assert!(parse("eighty").is_err());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, as the chain of its texts; itself a message.
///
/// Every `std::error::Error` converts into it, so `?` works on everything. It does not implement that trait itself, as
/// otherwise the conversion could not be this general. It converts into `Box<dyn std::error::Error + Send + Sync>` and,
/// with the feature `anyhow`, into `anyhow::Error`, so a `main` may return those; out of them it is taken by
/// [`from_boxed`](Error::from_boxed). An error that a process returned knows the [process](Error::process), and its
/// text begins with it. Two errors are equal if their texts and channel errors are, whichever process returned them.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// fn run() -> csproc::Result<()> {
///     let c = Channel::<u8>::new();
///     let (w, r) = (c.writer(), c.reader());
///     r.poison();
///     w.write(1)?;
///     Ok(())
/// }
/// let error = run().unwrap_err();
/// assert_eq!(error.to_string(), "not written: the channel is poisoned");
/// assert!(error.channel_error().unwrap().is_poisoned());
/// assert_eq!(error.chain().count(), 1);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(Box<Content>);

#[derive(Clone, Serialize, Deserialize)]
struct Content {
    chain: Vec<String>,
    channel: Option<ChannelError>,
    #[serde(serialize_with = "origin_or_returning")]
    origin: Option<Origin>,
    /// What holds an error is not `UnwindSafe`, as if the error of another crate were still inside; `values` tells
    /// results from plain values by this.
    #[serde(skip)]
    holds_an_error: PhantomData<Box<dyn std::error::Error + Send + Sync>>,
}

/// Who returned an error.
#[derive(Clone, Serialize, Deserialize)]
enum Origin {
    Process(String),
    /// A result by its place among all, where the error could not keep the name of its process.
    Result(String),
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        self.chain == other.chain && self.channel == other.channel
    }
}

impl Eq for Content {}

thread_local! {
    /// Whether the calling thread packs up what its process returns.
    static RETURNING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `pack`, which serializes what the calling process returns: the errors inside learn its name.
pub(super) fn returning<T>(pack: impl FnOnce() -> T) -> T {
    struct Over(bool);
    impl Drop for Over {
        fn drop(&mut self) {
            RETURNING.set(self.0);
        }
    }
    let _over = Over(RETURNING.replace(true));
    pack()
}

fn origin_or_returning<S: Serializer>(origin: &Option<Origin>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match origin {
        None if RETURNING.get() => Some(Origin::Process(String::from(current().name()))).serialize(serializer),
        origin => origin.serialize(serializer),
    }
}

impl Error {
    pub(super) fn new(chain: Vec<String>, channel: Option<ChannelError>) -> Error {
        Error(Box::new(Content { chain, channel, origin: None, holds_an_error: PhantomData }))
    }

    /// An error that says `text`.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::Error::msg("no more jobs");
    /// assert_eq!(error.to_string(), "no more jobs");
    /// ```
    pub fn msg(text: impl fmt::Display) -> Error {
        Error::new(vec![text.to_string()], None)
    }

    /// The text of the error, then of its source, and so on; without the process that returned it, and without texts
    /// that the one before ends with.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::Error::msg("no more jobs");
    /// assert_eq!(error.chain().collect::<Vec<_>>(), ["no more jobs"]);
    /// ```
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        self.0.chain.iter().map(String::as_str)
    }

    /// The failed channel operation that it stems from, if it does.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::Error::from(csproc::ChannelError::Retired);
    /// assert!(error.channel_error().unwrap().is_retired());
    /// ```
    pub fn channel_error(&self) -> Option<&ChannelError> {
        self.0.channel.as_ref()
    }

    /// The name of the process that returned it, with its place in its `for` part; `None` before a process has returned
    /// it.
    ///
    /// Of an error that was passed on by several processes, that of the first.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn worker(n: u32) -> csproc::Result<u32> {
    ///     if n == 2 { Err(csproc::Error::msg("no more jobs")) } else { Ok(n) }
    /// }
    ///
    /// let error = Parallel!(for n in 0..4 => worker(n)).values().unwrap_err();
    /// assert_eq!(error.process(), Some("worker[2]"));
    /// assert_eq!(error.to_string(), "process `worker[2]`: no more jobs");
    /// ```
    pub fn process(&self) -> Option<&str> {
        match &self.0.origin {
            Some(Origin::Process(name)) => Some(name),
            Some(Origin::Result(_)) | None => None,
        }
    }

    /// Whether it stems from the ordinary end of a channel: not from one that was poisoned because of a deadlock.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.channel_error(), Some(ChannelError::Poisoned | ChannelError::Retired))
    }

    /// Stood at this place among the results, should that not be known better.
    pub(super) fn returned_at(mut self, place: &Place<'_>) -> Error {
        if self.0.origin.is_none() && !matches!(place, Place::Whole) {
            self.0.origin = Some(Origin::Result(place.to_string()));
        }
        self
    }
}

/// The failed channel operation that an error stems from.
pub(super) fn channel_error<E: std::error::Error>(error: &E) -> Option<&ChannelError> {
    if typeid::of::<E>() == TypeId::of::<ChannelError>() {
        // The same type, but without `'static` the compiler cannot be asked; the source chain can.
        return Whole(error).source_of_itself();
    }
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref::<ChannelError>() {
            return Some(found);
        }
        source = error.source();
    }
    None
}

/// An error known to be a `ChannelError`.
struct Whole<'a, E>(&'a E);

impl<'a, E> Whole<'a, E> {
    #[expect(unsafe_code, reason = "the type was compared; listed in the architecture page")]
    fn source_of_itself(self) -> Option<&'a ChannelError> {
        debug_assert!(typeid::of::<E>() == TypeId::of::<ChannelError>());
        // SAFETY: `E` is `ChannelError`, which has no lifetimes; the only caller has compared the types.
        Some(unsafe { &*std::ptr::from_ref(self.0).cast::<ChannelError>() })
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Error {
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(error) = source {
            let text = match error.downcast_ref::<DeadlockReport>() {
                // Nobody has seen it yet.
                Some(report) => report.text(),
                None => error.to_string(),
            };
            // An error that ends with the text of its source, as that of a failed write does, has said it.
            if !chain.last().is_some_and(|said| said.ends_with(&text)) {
                chain.push(text);
            }
            source = error.source();
        }
        Error::new(chain, channel_error(&error).cloned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.origin {
            Some(Origin::Process(name)) => write!(f, "process `{name}`: ")?,
            Some(Origin::Result(place)) => write!(f, "result `{place}`: ")?,
            None => (),
        }
        f.write_str(self.chain().next().unwrap_or("unknown error"))
    }
}

/// For people, as it is what a program prints whose `main` returns an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        // This shows the report of a deadlock, if there is one.
        let _ = self.channel_error().and_then(ChannelError::deadlock);
        for (number, text) in self.chain().enumerate().skip(1) {
            if number == 1 {
                f.write_str("\n\nCaused by:")?;
            }
            write!(f, "\n    {text}")?;
        }
        Ok(())
    }
}
