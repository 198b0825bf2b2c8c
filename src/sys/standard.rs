//! The three standard descriptors: open before anything else is opened, and written to whatever has become of them.
//!
//! Knows nothing of what is printed. The library runs before the standard library opens `/dev/null` on each standard
//! descriptor that is closed, so whatever the library opened first would be taken for input or output of the program.
#![expect(unsafe_code, reason = "asks about descriptors by number; listed in the architecture page")]

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::io::Write as _;
use std::os::fd::IntoRawFd as _;

/// Opens `/dev/null` on each standard descriptor that is closed, as the standard library does later.
///
/// # Errors
/// No descriptor can be opened at all.
pub(crate) fn occupy() -> Result<(), Errno> {
    for number in 0..=2 {
        // SAFETY: asks for the flags of a number, which need not be a descriptor.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0 {
            continue;
        }
        // The system gives the lowest free number, and all lower ones are taken. Without `/dev/null` a descriptor that
        // can be neither read nor written holds the place.
        let holder = open(c"/dev/null", OFlags::RDWR, Mode::empty())
            .or_else(|_| open(c"/", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()))?;
        let _ = holder.into_raw_fd();
    }
    Ok(())
}

/// Says something on standard error. It may be closed, or a pipe that nobody reads: then nobody hears it.
pub(crate) fn say(text: &str) {
    super::signal::without_broken_pipe(|| {
        let _ = std::io::stderr().write_all(text.as_bytes());
    });
}
