//! The end of the program itself: children that nobody has joined are joined when `main` returns.
//!
//! What nobody was told before is told now, however the program leaves: failures of such children, and deadlocks.
//!
//! Knows nothing of how joining works. When `main` returns, the program closes the ends it still holds and waits for
//! its children, as every process does. When it leaves in any other way (an error, a panic, `std::process::exit`, a
//! signal), it does not wait: the process server dies with it and takes every process along.
//!
//! The C library runs exit handlers in both cases, so the two are told apart by the stack: after `main` has returned
//! there is nothing below the handler but the C library.

use super::awaited::Waiting;
use super::children::{awaited_by, join_children_of, tell_failed_children_of};
use super::untold;
use crate::engine::{Actor, Closing, actor, host};
use std::ffi::{c_int, c_void};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The process that the handler was registered in: a forked copy has nothing to join.
static REGISTERED: AtomicU32 = AtomicU32::new(0);

/// Frames of the C library between the program's entry and an exit handler after `main`; with `std::process::exit`
/// there are at least four more.
const FRAMES: usize = 8;

/// Whether this process has ever started another one.
static HAS_CHILDREN: AtomicBool = AtomicBool::new(false);

/// From now on this process joins its children when `main` returns.
pub(super) fn join_at_exit() {
    HAS_CHILDREN.store(true, Ordering::Release);
    speak_at_exit();
}

/// From now on this process says at its end what nobody was told before.
pub(super) fn speak_at_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        REGISTERED.store(std::process::id(), Ordering::Release);
        crate::sys::exit::at_exit(at_exit);
    });
}

extern "C" fn at_exit(status: c_int, _: *mut c_void) {
    if REGISTERED.load(Ordering::Acquire) != std::process::id() {
        return;
    }
    // A process that calls `exit` has lost its ends, also those whose closing was deferred: the reaper closes them.
    drop(actor(Actor::end_process));
    // Counted here: a further frame would be one of the library's.
    let main_has_returned = status == 0 && is_main_thread() && crate::sys::exit::stack_depth() <= FRAMES;
    if HAS_CHILDREN.load(Ordering::Acquire) {
        see_to_children(main_has_returned);
    }
    untold::print_all();
    if HAS_CHILDREN.load(Ordering::Acquire) {
        crate::forkserver::end_server();
    }
}

fn see_to_children(main_has_returned: bool) {
    let Ok(host) = host() else { return };
    if !main_has_returned {
        tell_failed_children_of(host);
    } else if actor(|actor| actor.close_held(host, Closing::Retire)).is_ok() {
        let waiting = Waiting::for_all(awaited_by(host));
        join_children_of(host);
        drop(waiting);
    }
    // Else: without a context nothing can be closed, and the children may wait for ever: then they are killed with the
    // server.
}

fn is_main_thread() -> bool {
    rustix::thread::gettid() == rustix::process::getpid()
}
