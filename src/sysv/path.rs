//! The key that belongs to a file.
//!
//! Knows nothing of queues.

use super::error::SysvError;
use super::key::Key;
use crate::sys::sysv::key_of;
use rustix::io::Errno;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Key {
    /// The key that belongs to a file and a number of the project's own, as the C function `ftok` makes it.
    ///
    /// Two files may have one key: it is made of 16 bits of the file's number and 8 of its device's. A file that was
    /// removed and made anew has another.
    ///
    /// # Errors
    /// [`System`](SysvError::System) when there is no such file, or when `project` is 0, for which no key is defined.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::Key;
    ///
    /// assert_eq!(Key::from_path("/", b'q')?, Key::from_path("/", b'q')?);
    /// assert_ne!(Key::from_path("/", b'q')?, Key::from_path("/", b'r')?);
    /// let error = Key::from_path("/no/such/file", 1).unwrap_err();
    /// assert_eq!(error.to_string(), "ftok(\"/no/such/file\", 1): No such file or directory (os error 2)");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn from_path(path: impl AsRef<Path>, project: u8) -> Result<Key, SysvError> {
        let path = path.as_ref();
        let failed = |errno: Errno| SysvError::System {
            call: format!("ftok({path:?}, {project})"),
            errno: errno.raw_os_error(),
        };
        if project == 0 {
            return Err(failed(Errno::INVAL));
        }
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| failed(Errno::INVAL))?;
        // The call's -1 may be a key; whether there is such a file, this says.
        rustix::fs::stat(path).map_err(failed)?;
        Ok(Key::from(key_of(&name, project)))
    }
}
