//! Work of other crates that panics where it should fail: the panic is caught, and is nobody's business.
//!
//! Knows nothing of what other panic hooks do: one is put in front of them that ends such a panic, and a hook that is
//! put in front of that one asks [`is_quiet`].

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// A panic of this thread is expected.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of the calling thread is expected.
pub(crate) fn is_quiet() -> bool {
    QUIET.try_with(Cell::get).unwrap_or(false)
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

fn hook() {
    static HOOK: Once = Once::new();
    // A thread that panics may not set one: then the panic is caught, and printed.
    if std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !is_quiet() {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_expected_only_within_the_work() {
        let inner = quietly(|| {
            assert!(quietly(|| panic!("inside another")).is_err());
            assert!(is_quiet(), "the inner work has ended the outer one's quiet");
            panic!("expected");
        });
        assert!(inner.is_err() && !is_quiet());
    }

    #[test]
    fn work_is_done_in_a_panic_as_well() {
        struct Works<'a>(&'a Cell<bool>);
        impl Drop for Works<'_> {
            fn drop(&mut self) {
                self.0.set(quietly(|| ()).is_ok());
            }
        }
        let done = Cell::new(false);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _works = Works(&done);
            std::panic::resume_unwind(Box::new("while it is dropped"));
        }));
        assert!(panicked.is_err() && done.get());
    }
}
