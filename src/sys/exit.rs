//! Work to do when this process exits, and the difference between leaving `main` and calling `exit`.
//!
//! Knows nothing of what is done then.
#![expect(unsafe_code, reason = "registering an exit handler and walking the stack; listed in the architecture page")]

use std::ffi::{c_int, c_void};

unsafe extern "C" {
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    fn _Unwind_Backtrace(step: extern "C" fn(*mut c_void, *mut c_void) -> c_int, argument: *mut c_void) -> c_int;
}

/// Calls `handler` with the exit status when this process exits in an orderly way.
pub(crate) fn at_exit(handler: extern "C" fn(c_int, *mut c_void)) {
    // SAFETY: the handler is a function of this image that lives for ever; its argument is unused.
    unsafe { on_exit(handler, std::ptr::null_mut()) };
}

/// The number of frames on the stack of the calling thread.
pub(crate) fn stack_depth() -> usize {
    extern "C" fn count(_frame: *mut c_void, depth: *mut c_void) -> c_int {
        let depth = depth.cast::<usize>();
        // SAFETY: `depth` is the counter that `stack_depth` passed, alive until the walk is over.
        unsafe { *depth += 1 };
        0
    }
    let mut depth = 0_usize;
    // SAFETY: the callback matches the unwinder's signature and only counts.
    unsafe { _Unwind_Backtrace(count, (&raw mut depth).cast()) };
    depth
}
