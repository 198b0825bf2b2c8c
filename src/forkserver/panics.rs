//! Writes down where and why a process panicked, while it is still possible to know.
//!
//! Knows nothing of what happens to the process then. A panic's place is known to the panic hook alone; and when panics
//! abort, nothing runs after the hook. So one hook is put in front of the one that was there, and looks whether the
//! thread runs a process.

use super::obituary::record_panic;
use crate::engine::live::tables;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

thread_local! {
    /// The member whose panic is written down, plus one.
    static RECORDED: Cell<u32> = const { Cell::new(0) };
    /// A panic of this thread is expected, and is nobody's business.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` of another crate that panics where it should fail: the panic is caught, and neither printed nor written
/// down.
pub(crate) fn quietly<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    hook();
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result
}

/// Runs `work`; a panic in it is that of the member.
pub(crate) fn record_panics_of<R>(member: u32, work: impl FnOnce() -> R) -> R {
    hook();
    RECORDED.set(member + 1);
    let result = work();
    RECORDED.set(0);
    result
}

/// Puts the hook in place. The server does it once for all its children.
pub(super) fn hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(stand_in_front);
}

/// Puts the hook in front of the present one again, which may have taken its place.
pub(super) fn stand_in_front() {
    /// How often it was put in front: of several, the first does the work.
    static FRONT: AtomicU32 = AtomicU32::new(0);
    let own = FRONT.fetch_add(1, Ordering::Relaxed) + 1;
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if QUIET.try_with(Cell::get).unwrap_or(false) {
            return;
        }
        if FRONT.load(Ordering::Relaxed) == own {
            if let Some(index) = RECORDED.try_with(Cell::get).ok().and_then(|recorded| recorded.checked_sub(1))
                && let Some(member) = tables().members.get(index)
            {
                let location = panic.location().map_or_else(|| String::from("an unknown place"), ToString::to_string);
                record_panic(index, member, &text_of(panic.payload()), &location);
            }
        }
        before(panic);
    }));
}

/// What a panic said.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => String::from(*text),
        (None, Some(text)) => text.clone(),
        (None, None) => String::from("a panic that is not a text"),
    }
}
