//! `csproc::Error`: any error that a process may return, able to cross between processes.
//!
//! Knows nothing of networks. An error of another crate cannot be serialized in general, so what is kept is what people read: its text
//! and the texts of its sources. What the runtime must know is kept, too: whether it stems from a channel.

use crate::channel::ChannelError;
use serde::{Deserialize, Serialize};
use std::any::TypeId;
use std::fmt;

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
/// Every `std::error::Error` converts into it, so `?` works on everything. It does not implement that trait itself, as otherwise the
/// conversion could not be this general.
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
/// assert_eq!(error.to_string(), "the value was not written");
/// assert!(error.channel_error().unwrap().is_poisoned());
/// assert_eq!(error.chain().count(), 2);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    chain: Vec<String>,
    channel: Option<ChannelError>,
}

impl Error {
    /// An error that says `text`.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::Error::msg("no more jobs");
    /// assert_eq!(error.to_string(), "no more jobs");
    /// ```
    pub fn msg(text: impl fmt::Display) -> Error {
        Error { chain: vec![text.to_string()], channel: None }
    }

    /// The text of the error, then of its source, and so on.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::Error::msg("no more jobs");
    /// assert_eq!(error.chain().collect::<Vec<_>>(), ["no more jobs"]);
    /// ```
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        self.chain.iter().map(String::as_str)
    }

    /// The failed channel operation that it stems from, if it does.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::Error::from(csproc::ChannelError::Retired);
    /// assert!(error.channel_error().unwrap().is_retired());
    /// ```
    pub fn channel_error(&self) -> Option<&ChannelError> {
        self.channel.as_ref()
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
            chain.push(error.to_string());
            source = error.source();
        }
        Error { chain, channel: channel_error(&error).cloned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.chain.first().map_or("unknown error", String::as_str))
    }
}

/// For people, as it is what a program prints whose `main` returns an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        for (number, text) in self.chain.iter().enumerate().skip(1) {
            if number == 1 {
                f.write_str("\n\nCaused by:")?;
            }
            write!(f, "\n    {text}")?;
        }
        Ok(())
    }
}
