//! `Distant`: an object of another program, as a link leads to it.
//!
//! Knows nothing of what it is. A method is called by its name, and arguments and result are bytes of postcard: neither
//! a function nor the end of a channel can be among them.

use super::error::CallError;
use crate::channel::{MessageError, decode_once, encode_once};
use crate::shared::remote::{Broken, LIMIT, Link};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a client asks.
#[derive(Serialize, Deserialize)]
pub(super) enum Asks<'a> {
    /// For an object by its name, as one of this type.
    Object { name: &'a str, title: &'a str, fingerprint: u64 },
    /// For what comes of a method; the arguments follow.
    Method { object: u32, name: &'a str },
}

/// An object of another program.
#[derive(Clone, Serialize, Deserialize)]
pub struct Distant {
    link: Link,
    object: u32,
    /// As it is shared.
    name: String,
}

impl Distant {
    /// The object of this name, if it has these methods.
    pub(super) fn open(link: &Link, name: &str, title: &str, fingerprint: u64) -> Result<Distant, CallError> {
        let object = ask(link, &Asks::Object { name, title, fingerprint }, &())?;
        Ok(Distant { link: link.clone(), object, name: String::from(name) })
    }

    /// Calls a method, and waits for what comes of it.
    pub(super) fn call<A: Serialize, R: DeserializeOwned>(&self, name: &str, arguments: &A) -> Result<R, CallError> {
        ask(&self.link, &Asks::Method { object: self.object, name }, arguments)
    }
}

fn ask<A: Serialize, R: DeserializeOwned>(link: &Link, asks: &Asks<'_>, arguments: &A) -> Result<R, CallError> {
    let mut request = encode_once(asks, None)?;
    // In a tuple, where a vector of numbers is like any other and a reference like what it leads to.
    request.append(&mut encode_once(&(arguments,), None).map_err(|error| error.about::<A>())?);
    fits(request.len())?;
    let answer = link.ask(&request).map_err(|broken| match broken {
        Broken::Ended => CallError::Shutdown,
        Broken::Failed(reason) => CallError::Io { reason },
    })?;
    decode_once::<Result<R, CallError>>(&answer, None).map_err(|error| error.about::<R>())?
}

/// Whether so many bytes can go to another program at once.
pub(super) fn fits(bytes: usize) -> Result<(), MessageError> {
    // With the byte that says what they are.
    if bytes < LIMIT {
        return Ok(());
    }
    let reason =
        format!("{bytes} bytes are too many to go to another program, which takes {LIMIT} at once: send parts");
    Err(MessageError::Memory { reason })
}

impl fmt::Debug for Distant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", format_args!("{} at {}", self.name, self.link.path().display()).to_string())
    }
}
