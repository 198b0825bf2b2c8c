//! `Distant`: an object of another program, as a link leads to it.
//!
//! Knows nothing of what it is. A method is called by its name, and arguments and result are bytes: neither
//! a function nor the end of a channel can be among them.

use super::error::CallError;
use crate::channel::{decode_once, encode_once};
use crate::shared::remote::{Asks, Broken, Link, fits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;

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

    /// How another kind of object is reached there: by a link of its own, its number and its name.
    pub(super) fn apart(self) -> (Link, u32, String) {
        (self.link.apart(u64::from(self.object) + 1), self.object, self.name)
    }

    /// Calls a method, and waits for what comes of it.
    pub(super) fn call<A: Serialize, R: DeserializeOwned>(&self, name: &str, arguments: &A) -> Result<R, CallError> {
        ask(&self.link, &Asks::Method { object: self.object, name }, arguments)
    }
}

fn ask<A: Serialize, R: DeserializeOwned>(link: &Link, asks: &Asks<'_>, arguments: &A) -> Result<R, CallError> {
    let head = encode_once(asks, None)?;
    let body = encode_once(arguments, None).map_err(|error| error.about::<A>())?;
    fits(head.len() + body.len())?;
    let answer = link.ask([&head, &body], None).map_err(|broken| match broken {
        Broken::Ended => CallError::Shutdown,
        Broken::Failed(reason) | Broken::Late(reason) => CallError::Io { reason },
    })?;
    decode_once::<Result<R, CallError>>(answer.bytes(), None).map_err(|error| error.about::<R>())?
}

impl fmt::Debug for Distant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", format_args!("{} at {}", self.name, self.link.path().display()).to_string())
    }
}
