//! How a semaphore is found or made.
//!
//! Knows nothing of what is done with it. The kernel makes a semaphore and gives it its value in two calls (the race
//! is told in W. R. Stevens, UNIX Network Programming, volume 2, and in `semget(2)`). Here the second call adds to
//! the value, which is 0 at first: so whoever takes or gives permits in between is no mistake. That it was made shows
//! in the time of the last operation and in the process that did it; whoever finds a semaphore waits until one of
//! them is there.

use super::super::error::{Noun, SysvError};
use super::super::key::Key;
use super::super::options::{Options, existing, found};
use super::super::patience::{Patience, Pause};
use super::{Semaphore, Step, ZERO, amount};
use crate::sys::semaphore;
use crate::sys::sysv::Opening;
use rustix::io::Errno;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the maker of a semaphore may be on the way between its two calls.
const PATIENCE: Duration = Duration::from_secs(1);

impl Options<Semaphore> {
    /// Makes the semaphore with so many permits, or opens it if it is there.
    ///
    /// # Blocking
    /// As [`Semaphore::create`].
    ///
    /// # Errors
    /// As for [`Semaphore::create`]; and [`System`](SysvError::System) when the mode has other bits than the nine of
    /// [`mode`](Options::mode).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::options().mode(0o660).create(Key::PRIVATE, 3)?.remove_on_drop();
    /// let status = semaphore.status()?;
    /// assert_eq!((status.mode, status.value), (0o660, 3));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create(&self, key: impl Into<Key>, permits: usize) -> Result<Semaphore, SysvError> {
        let key = key.into();
        loop {
            let there = match self.create_new(key, permits) {
                Err(SysvError::AlreadyExists { .. }) => find(key, Opening::Open, self.checked("semget")?),
                made => return made,
            };
            match there.and_then(|id| finished(key, id)) {
                // Removed since it was found to be there.
                Err(SysvError::NotFound { .. }) => (),
                opened => return opened,
            }
        }
    }

    /// Makes the semaphore with so many permits; it must not be there.
    ///
    /// # Errors
    /// As for [`create`](Options::create), and [`AlreadyExists`](SysvError::AlreadyExists).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::options().mode(0o400).create_new(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert_eq!(semaphore.status()?.mode, 0o400);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create_new(&self, key: impl Into<Key>, permits: usize) -> Result<Semaphore, SysvError> {
        let (key, amount) = (key.into(), amount(permits)?);
        let mode = self.checked("semget")?;
        // Its maker gives it its value, whatever may be done afterwards.
        let made = Semaphore::known(key, find(key, Opening::CreateNew, mode | 0o600)?);
        let begun = match made.operate([Step { amount, ..ZERO }], Patience::None, "change") {
            // With nothing to add: somebody else has been there before.
            Err(SysvError::WouldBlock) => Ok(()),
            begun => begun,
        };
        let begun = begun.and_then(|()| if mode & 0o600 == 0o600 { Ok(()) } else { made.set_mode(mode.into()) });
        // Nobody is to find a semaphore that has failed.
        begun.inspect_err(|_| drop(made.remove())).map(|()| made)
    }
}

impl Semaphore {
    /// Makes the semaphore with this key and so many permits, or opens it if it is there, with the permits it has.
    ///
    /// Only programs of the same user may use a semaphore that was made so; see [`options`](Semaphore::options).
    ///
    /// # Blocking
    /// If another process is just making it: until that is done, a second at most.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) when the semaphore is there and is not for this process,
    /// [`Limit`](SysvError::Limit) when the system has as many semaphores as it may have or for more than 32767
    /// permits, and [`Unfinished`](SysvError::Unfinished) when whoever has made it was stopped or killed before it had
    /// a value.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b's')?;
    /// let semaphore = Semaphore::create(key, 2)?.remove_on_drop();
    /// let permit = semaphore.acquire()?;
    /// assert_eq!(Semaphore::create(key, 2)?.value()?, 1); // the same semaphore
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create(key: impl Into<Key>, permits: usize) -> Result<Semaphore, SysvError> {
        Semaphore::options().create(key, permits)
    }

    /// Makes the semaphore with this key and so many permits; it must not be there.
    ///
    /// # Errors
    /// [`AlreadyExists`](SysvError::AlreadyExists), and as for [`create`](Semaphore::create).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'u')?;
    /// let _semaphore = Semaphore::create_new(key, 1)?.remove_on_drop();
    /// assert_eq!(Semaphore::create_new(key, 1), Err(SysvError::AlreadyExists { key }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create_new(key: impl Into<Key>, permits: usize) -> Result<Semaphore, SysvError> {
        Semaphore::options().create_new(key, permits)
    }

    /// Opens the semaphore with this key, which must be there; of a set, its first.
    ///
    /// # Blocking
    /// As [`create`](Semaphore::create).
    ///
    /// # Errors
    /// [`NotFound`](SysvError::NotFound), always so for [`Key::PRIVATE`], and [`Unfinished`](SysvError::Unfinished).
    /// Whether the process may use the semaphore shows when it does.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'v')?;
    /// assert_eq!(Semaphore::open(key), Err(SysvError::NotFound { key }));
    /// let semaphore = Semaphore::create(key, 1)?.remove_on_drop();
    /// assert_eq!(Semaphore::open(key)?, *semaphore);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn open(key: impl Into<Key>) -> Result<Semaphore, SysvError> {
        let key = key.into();
        finished(key, existing(key, |opening| find(key, opening, 0))?)
    }

    /// Makes a semaphore with another mode.
    ///
    /// # Examples
    /// See [`Options`].
    pub fn options() -> Options<Semaphore> {
        Options::new()
    }
}

fn find(key: Key, opening: Opening, mode: u16) -> Result<i32, SysvError> {
    const LIMIT: &str = "it has as many semaphores as `/proc/sys/kernel/sem` says; `ipcs -s` lists them, and \
                         `ipcrm -S KEY` removes one";
    found(semaphore::open(key.into(), opening, mode), key, Noun::SEMAPHORE, LIMIT)
}

/// The semaphore that was found, once it has had a value.
fn finished(key: Key, id: i32) -> Result<Semaphore, SysvError> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Pause::default();
    loop {
        let has_begun = semaphore::state(id)
            .and_then(|state| Ok(state.sem_otime != 0 || semaphore::number(id, libc::GETPID)? != 0));
        match has_begun {
            Ok(false) if Instant::now() >= deadline => return Err(SysvError::Unfinished { key }),
            Ok(false) => sleep(pause.next()),
            Err(Errno::INVAL | Errno::IDRM) => return Err(SysvError::NotFound { key }),
            // Who may not look takes it as it is.
            Ok(true) | Err(_) => return Ok(Semaphore::known(key, id)),
        }
    }
}
