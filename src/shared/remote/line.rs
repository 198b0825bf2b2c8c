//! `Line`: a connection as whoever answers at the server's end sees it, and what is said in answer.
//!
//! Knows nothing of what is asked. A client says nothing while it waits for an answer, so a line on which something is
//! to be read meanwhile is that of a client that has gone, or of one that does not keep to the rules, or it was closed
//! because the server ends: in no case is anything done for it any more.

use super::departed::process_of;
use crate::bridge::{self, Readable};
use std::any::Any;
use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A connection, for the one thread that serves it.
pub(in crate::shared) struct Line {
    gone: Readable<Arc<UnixStream>>,
    /// What the client has here, by the number that it gives itself. It goes with the connection.
    kept: RefCell<Option<(u128, Arc<dyn Any + Send + Sync>)>>,
}

impl Line {
    pub(super) fn new(stream: Arc<UnixStream>) -> Line {
        Line { gone: bridge::readable(stream), kept: RefCell::default() }
    }

    /// A guard that fires when nothing is to be done for the client any more.
    pub(in crate::shared) fn gone(&self) -> &Readable<Arc<UnixStream>> {
        &self.gone
    }

    /// Whether that is so now.
    pub(in crate::shared) fn is_gone(&self) -> bool {
        self.gone.try_read().is_ok()
    }

    /// The number of the client's process, as the kernel knows it; none of one that it does not show here.
    pub(in crate::shared) fn pid(&self) -> Option<u32> {
        process_of(self.gone.get_ref())?.as_raw_nonzero().get().try_into().ok()
    }

    /// What the client of this number has here, or what is begun for it now. `None` if the connection is another one's.
    pub(in crate::shared) fn keep<V, E>(
        &self,
        number: u128,
        begin: impl FnOnce() -> Result<Arc<V>, E>,
    ) -> Option<Result<Arc<V>, E>>
    where
        V: Any + Send + Sync,
    {
        let mut kept = self.kept.borrow_mut();
        match &*kept {
            Some((of, value)) if *of == number => value.clone().downcast().ok().map(Ok),
            Some(_) => None,
            None => Some(begin().inspect(|value| *kept = Some((number, value.clone())))),
        }
    }
}

/// What is said in answer.
pub(in crate::shared) enum Reply {
    /// These bytes.
    Done(Vec<u8>),
    /// Something that the client is to have, and that is not lost if it does not come to that.
    Held(Box<dyn Held>),
}

/// Something on its way to a client. Dropped, it was not taken.
pub(in crate::shared) trait Held {
    fn bytes(&self) -> &[u8];

    /// The client has it.
    fn taken(self: Box<Self>);
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Line {
        /// One, and the other end of it.
        pub(in crate::shared) fn pair() -> (Line, UnixStream) {
            let (a, b) = UnixStream::pair().unwrap();
            (Line::new(Arc::new(a)), b)
        }
    }

    #[test]
    fn a_line_is_gone_with_its_client_or_when_that_does_not_wait() {
        let (line, other) = Line::pair();
        assert!(!line.is_gone() && line.pid() == Some(std::process::id()));
        drop(other);
        assert!(line.is_gone());
        let (line, mut other) = Line::pair();
        std::io::Write::write_all(&mut other, &[1]).unwrap();
        assert!(line.is_gone());
    }

    #[test]
    fn a_line_keeps_what_one_client_has_and_nothing_for_another_one() {
        let (line, _other) = Line::pair();
        assert!(matches!(line.keep(1, || Err::<Arc<u8>, _>("no room")), Some(Err("no room"))));
        let mine = Arc::new(7_u8);
        for value in [mine.clone(), Arc::new(8)] {
            assert!(matches!(line.keep(1, || Ok::<_, ()>(value)), Some(Ok(kept)) if *kept == 7));
        }
        assert!(line.keep(2, || Ok::<_, ()>(Arc::new(8_u8))).is_none());
        assert!(line.keep(1, || Ok::<_, ()>(Arc::new("another type"))).is_none());
        drop(line);
        assert_eq!(Arc::strong_count(&mine), 1);
    }
}
