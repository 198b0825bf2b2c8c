//! `Remote`: a manager of another program.
//!
//! Knows nothing of what it has: each object is asked for by its name, as one of a type.

use super::distant::Distant;
use super::error::CallError;
use super::methods::Proxy;
use crate::shared::remote::{Link, ServeError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// A manager of another program of the same machine and user: what
/// [`Manager::connect`](crate::shared::Manager::connect) gives.
///
/// It gives proxies of what that program [shares](crate::shared::Manager::share). They are those of one's own objects,
/// with the same methods and errors, and go to other processes of this program as those do. Two things cannot be: a
/// function of this program cannot run in the other one (`with`, `look`, `update` and `sort` are
/// [`Elsewhere`](CallError::Elsewhere)), and the end of a channel, or a proxy of an object in *this* program, cannot be
/// an argument or a result ([`Invalid`](CallError::Invalid)).
///
/// A [`Queue`](crate::shared::Queue) that is shared is used as one's own, too: what an operation waits for it waits for
/// there, and an item goes to one who has it, or stays.
///
/// The objects are the server's: it keeps what it shares, and who has a proxy elsewhere does not. When the server has
/// ended, calls are [`Shutdown`](CallError::Shutdown), also when another one serves at the same path by then: that one
/// has other objects, and is to be connected to anew. When it dies in a call, that is
/// [`Io`](CallError::Io). When a client dies, a call that it has begun is finished, and nothing of it stays.
///
/// A clone leads to the same manager.
///
/// # Examples
/// See [`Manager::serve`](crate::shared::Manager::serve).
#[derive(Clone, Serialize, Deserialize)]
pub struct Remote(Link);

impl Remote {
    pub(super) fn connect(path: &Path, key: &[u8]) -> Result<Remote, ServeError> {
        Link::new(path, key).map(Remote)
    }

    /// A proxy of the object that is shared as `name`.
    ///
    /// Its type is compared with that of the object: by the names of the types and the methods, without the modules in
    /// which they lie, and by what the types have inside, as their `Deserialize` says when it is given made-up values.
    /// One that refuses those (a text that has to be a date) is compared as far as it went.
    ///
    /// # Blocking
    /// Until the other program has answered.
    ///
    /// # Errors
    /// Nothing is shared by this name ([`Missing`](CallError::Missing)), or something of another type
    /// ([`WrongType`](CallError::WrongType)); the other program has ended ([`Shutdown`](CallError::Shutdown)), or the
    /// connection broke ([`Io`](CallError::Io)).
    ///
    /// # Examples
    /// See [`Manager::serve`](crate::shared::Manager::serve).
    pub fn get<P: Proxy>(&self, name: &str) -> Result<P, CallError> {
        let methods = P::methods();
        Distant::open(&self.0, name, methods.title(), methods.fingerprint()).map(P::distant)
    }
}

/// With its path.
impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.0.path()).finish()
    }
}
