//! Work to do when the calling thread has ended: after the destructors of its thread-local variables, and never because
//! somebody calls `exit`.
//!
//! Knows nothing of what is done then. `exit` runs the thread-local destructors of its caller in the middle of whatever
//! the caller was doing; the destructors of POSIX keys run only when a thread has come to its end.
#![expect(unsafe_code, reason = "a key of POSIX threads; listed in the architecture page")]

use std::ffi::c_void;
use std::sync::OnceLock;

/// Has `work` done when the calling thread ends; once for each call that follows a run of it.
pub(crate) fn when_thread_ends(work: fn()) {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    static WORK: OnceLock<fn()> = OnceLock::new();

    extern "C" fn ended(_value: *mut c_void) {
        if let Some(work) = WORK.get() {
            work();
        }
    }

    WORK.get_or_init(|| work);
    let key = KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: `key` outlives the call, and `ended` is a function of this image.
        (unsafe { libc::pthread_key_create(&raw mut key, Some(ended)) } == 0).then_some(key)
    });
    if let Some(key) = key {
        // Any value but null asks for the destructor. If the system refuses, the work is left to the reaper.
        let asked = std::ptr::without_provenance::<c_void>(1);
        // SAFETY: the key was created above and is never deleted; the value is never followed.
        unsafe { libc::pthread_setspecific(*key, asked) };
    }
}
