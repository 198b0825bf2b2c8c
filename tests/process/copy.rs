//! In a copy of the program that a bare fork has made, old ends and new channels say so, and the original is not
//! harmed.
//!
//! Knows nothing of how a copy is told from a process.

use crate::harness::scenario::{Scenario, command, output};
use csproc::MessageError;
use csproc::prelude::*;

pub(crate) const SCENARIOS: &[Scenario] = &[("a bare fork", a_bare_fork)];

/// What fails to say that it runs in a copy.
fn unaware(w: &Writer<u8>, r: &Reader<u8>) -> Vec<&'static str> {
    let (new, kept) = (Channel::<u8>::new(), Channel::<u8>::buffered(Buffer::Fifo(1)));
    let said = [
        ("an old writer", w.write(1).map_err(ChannelError::from)),
        ("an old reader", r.read().map(drop)),
        ("a clone of an old end", r.clone().try_read().map(drop)),
        ("a new channel", new.writer().write(1).map_err(ChannelError::from)),
        ("a new buffer", kept.writer().write(1).map_err(ChannelError::from)),
        ("the clone of a new end", kept.clone().reader().clone().read().map(drop)),
        ("a new barrier", csproc::Barrier::new(1).sync()),
        ("the builder", Channel::<u8>::builder().build().map(drop).map_err(ChannelError::Invalid)),
    ];
    said.into_iter()
        .filter(|(_, said)| *said != Err(ChannelError::Invalid(MessageError::Forked)))
        .map(|(what, _)| what)
        .collect()
}

#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn a_bare_fork() {
    let c = Channel::<u8>::buffered(Buffer::Fifo(1));
    let (w, r) = (c.writer(), c.reader());
    drop(c);
    // SAFETY: the copy uses its own memory and ends by `_exit`; the C library keeps its allocator usable.
    match unsafe { libc::fork() } {
        0 => {
            let unaware = unaware(&w, &r);
            if !unaware.is_empty() {
                eprintln!("{unaware:?}");
            }
            drop((w, r));
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(i32::from(!unaware.is_empty())) }
        }
        copy => {
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(copy, &raw mut status, 0) }, copy);
            assert_eq!(status, 0);
            w.write(1).unwrap();
            assert_eq!(r.read(), Ok(1));
        }
    }
}

once! {
    fn a_copy_by_a_bare_fork_is_told_what_it_is() {
        let remains = output(command("a bare fork").0);
        assert!(remains.status.success(), "{remains:?}");
    }
}
