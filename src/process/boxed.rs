//! `csproc::Error` among errors of other kinds: into boxes and `anyhow::Error`, and out of them.
//!
//! Knows nothing of processes. `csproc::Error` cannot implement `std::error::Error` itself, so what is put into a box
//! is a value that holds it and does.

use super::error::Error;
use crate::channel::ChannelError;
use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;

/// An error in a box, with its chain as sources.
struct Boxed {
    error: Error,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The text of a source.
#[derive(Debug)]
struct Source {
    text: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Boxed {
    fn new(error: Error) -> Boxed {
        let mut texts: Vec<&str> = error.chain().skip(1).collect();
        let channel = error.channel_error().cloned();
        // The channel's own text is the last one, if the error has sources.
        if channel.as_ref().is_some_and(|channel| texts.last().copied() == Some(channel.to_string().as_str())) {
            texts.pop();
        }
        let innermost: Option<Box<dyn StdError + Send + Sync>> = match channel {
            Some(channel) => Some(Box::new(channel)),
            None => None,
        };
        let source = texts.into_iter().rev().fold(innermost, |source, text| {
            let source: Box<dyn StdError + Send + Sync> = Box::new(Source { text: String::from(text), source });
            Some(source)
        });
        Boxed { error, source }
    }
}

fn plain<'a>(source: &'a Option<Box<dyn StdError + Send + Sync>>) -> Option<&'a (dyn StdError + 'static)> {
    source.as_deref().map(|source| source as &(dyn StdError + 'static))
}

impl StdError for Boxed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        plain(&self.source)
    }
}

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl StdError for Source {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        plain(&self.source)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(Boxed::new(error))
    }
}

impl From<Error> for Box<dyn StdError + Send> {
    fn from(error: Error) -> Self {
        Box::new(Boxed::new(error))
    }
}

impl From<Error> for Box<dyn StdError> {
    fn from(error: Error) -> Self {
        Box::new(Boxed::new(error))
    }
}

#[cfg(feature = "anyhow")]
impl From<Error> for anyhow::Error {
    fn from(error: Error) -> Self {
        anyhow::Error::new(Boxed::new(error))
    }
}

/// An error behind a pointer.
pub trait AnyError: sealed::Sealed {
    #[doc(hidden)]
    fn as_error(&self) -> &(dyn StdError + 'static);
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! any_error {
    ($($any:ty)*) => {$(
        impl sealed::Sealed for $any {}

        impl AnyError for $any {
            fn as_error(&self) -> &(dyn StdError + 'static) {
                self
            }
        }
    )*};
}

any_error! { dyn StdError dyn StdError + Send dyn StdError + Send + Sync }

impl Error {
    /// Takes an error out of a `Box<dyn std::error::Error>`, with or without `Send` and `Sync`, or out of an
    /// `anyhow::Error`.
    ///
    /// Those are no `std::error::Error`s themselves, so `?` needs this help; the other way it needs none. What was a
    /// `csproc::Error` before is the same again.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// fn helper(text: &str) -> Result<u16, Box<dyn std::error::Error>> {
    ///     Ok(text.trim().parse()?)
    /// }
    ///
    /// #[process]
    /// fn port(text: String) -> csproc::Result<u16> {
    ///     Ok(helper(&text).map_err(csproc::Error::from_boxed)?)
    /// }
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     assert_eq!(port(" 80".to_string()).run().values()?, 80);
    ///     let error = port("eighty".to_string()).run().values().unwrap_err();
    ///     assert_eq!(error.to_string(), "process `port`: invalid digit found in string");
    ///     Ok(())
    /// }
    /// ```
    pub fn from_boxed<B: Deref<Target: AnyError>>(error: B) -> Error {
        let error = error.as_error();
        if let Some(boxed) = error.downcast_ref::<Boxed>() {
            return boxed.error.clone();
        }
        let mut chain = Vec::new();
        let mut channel = None;
        let mut next = Some(error);
        while let Some(error) = next {
            chain.push(error.to_string());
            channel = channel.or_else(|| error.downcast_ref::<ChannelError>().cloned());
            next = error.source();
        }
        Error::new(chain, channel)
    }
}
