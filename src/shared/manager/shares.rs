//! What a manager shares with other programs: its objects by name, as a service.
//!
//! Knows nothing of sockets. Who asks gets the number of an object, if it is of the type that was asked for, and calls
//! it by that.

use super::error::CallError;
use super::methods::{Methods, Proxy, encoded};
use crate::channel::{MessageError, decode_head};
use crate::shared::remote::{Asks, Line, Reply, Service};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many bytes a name has at most.
const NAME_LIMIT: usize = 255;

/// The objects that are shared.
#[derive(Default)]
pub(super) struct Shares(RwLock<Table>);

#[derive(Default)]
struct Table {
    names: BTreeMap<String, u32>,
    /// By number. One that has lost its name is there for those who have it.
    objects: Vec<Arc<dyn Shared>>,
}

/// An object whose type is not known here.
trait Shared: Send + Sync {
    fn title(&self) -> &str;
    fn fingerprint(&self) -> u64;
    fn call(&self, name: &str, line: &Line, arguments: &[u8]) -> Option<Reply>;
}

struct Share<P> {
    proxy: P,
    methods: Methods<P>,
}

impl<P: Proxy> Shared for Share<P> {
    fn title(&self) -> &str {
        self.methods.title()
    }

    fn fingerprint(&self) -> u64 {
        self.methods.fingerprint()
    }

    fn call(&self, name: &str, line: &Line, arguments: &[u8]) -> Option<Reply> {
        self.methods.call(&self.proxy, name, line, arguments)
    }
}

impl Shares {
    /// From now on the name leads to this object.
    pub(super) fn insert<P: Proxy>(&self, name: &str, proxy: P) -> Result<(), CallError> {
        let full = |reason: String| CallError::Invalid(MessageError::Memory { reason });
        if name.len() > NAME_LIMIT {
            let reason =
                format!("the name `{name}` has {} bytes, at most {NAME_LIMIT} fit: choose a shorter one", name.len());
            return Err(full(reason));
        }
        proxy.may_be_shared()?;
        let mut table = self.0.write();
        let number =
            u32::try_from(table.objects.len()).map_err(|_| full(String::from("too many objects are shared")))?;
        table.objects.push(Arc::new(Share { proxy, methods: P::methods() }));
        table.names.insert(String::from(name), number);
        Ok(())
    }

    fn find(&self, name: &str, title: &str, fingerprint: u64) -> Result<u32, CallError> {
        let table = self.0.read();
        let found = table.names.get(name).and_then(|number| Some((*number, table.objects.get(*number as usize)?)));
        let Some((number, object)) = found else {
            return Err(CallError::Missing { name: String::from(name) });
        };
        if object.fingerprint() == fingerprint {
            return Ok(number);
        }
        let mut stored = String::from(object.title());
        if stored == title {
            stored += " with other methods or fields";
        }
        Err(CallError::WrongType { name: String::from(name), stored, asked: String::from(title) })
    }
}

impl Service for Shares {
    fn answer(&self, line: &Line, request: &[u8]) -> Option<Reply> {
        let (asks, arguments) = decode_head::<Asks<'_>>(request)?;
        match asks {
            Asks::Object { name, title, fingerprint } => {
                Some(Reply::Done(encoded(&self.find(name, title, fingerprint))))
            }
            Asks::Method { object, name } => {
                let object = self.0.read().objects.get(object as usize)?.clone();
                object.call(name, line, arguments)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_asked_is_answered_or_none(request in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (line, _other) = Line::pair();
            let answer = Shares::default().answer(&line, &request);
            prop_assert!(!matches!(answer, Some(Reply::Done(bytes)) if bytes.is_empty()));
        }
    }
}
