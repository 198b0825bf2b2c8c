//! How a queue is found or made.
//!
//! Knows nothing of what is done with it.

use super::error::{Noun, SysvError};
use super::key::Key;
use super::options::{Options, existing, found};
use super::queue::MessageQueue;
use crate::sys::sysv::{self, Opening};

impl Options<MessageQueue> {
    /// Makes the queue, or opens it if it is there.
    ///
    /// # Errors
    /// As for [`MessageQueue::create`]; and [`System`](SysvError::System) when the mode has other bits than the nine of
    /// [`mode`](Options::mode), which the kernel would take for something else.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let error = MessageQueue::options().mode(0o1600).create(Key::PRIVATE).unwrap_err();
    /// assert_eq!(error.to_string(), "msgget with the mode 0o1600: Invalid argument (os error 22)");
    /// ```
    pub fn create(&self, key: impl Into<Key>) -> Result<MessageQueue, SysvError> {
        self.find(key.into(), Opening::Create)
    }

    /// Makes the queue, which must not be there.
    ///
    /// # Errors
    /// As for [`create`](Options::create), and [`AlreadyExists`](SysvError::AlreadyExists).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::options().mode(0o620).create_new(Key::PRIVATE)?.remove_on_drop();
    /// assert_eq!(queue.status()?.mode, 0o620);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create_new(&self, key: impl Into<Key>) -> Result<MessageQueue, SysvError> {
        self.find(key.into(), Opening::CreateNew)
    }

    fn find(&self, key: Key, opening: Opening) -> Result<MessageQueue, SysvError> {
        Ok(MessageQueue::known(key, find(key, opening, self.checked("msgget")?)?))
    }
}

impl MessageQueue {
    /// Makes the queue with this key, or opens it if it is there, with what is in it.
    ///
    /// Only programs of the same user may use a queue that was made so; see [`options`](MessageQueue::options).
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) when the queue is there and is not for this process,
    /// [`Limit`](SysvError::Limit) when the system has as many queues as it may have.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'c')?;
    /// let queue = MessageQueue::create(key)?.remove_on_drop();
    /// MessageQueue::create(key)?.send("hello", 1)?; // the same queue
    /// assert_eq!(queue.receive(0)?, (b"hello".to_vec(), 1));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create(key: impl Into<Key>) -> Result<MessageQueue, SysvError> {
        MessageQueue::options().create(key)
    }

    /// Makes the queue with this key, which must not be there.
    ///
    /// # Errors
    /// [`AlreadyExists`](SysvError::AlreadyExists), and as for [`create`](MessageQueue::create).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'n')?;
    /// let _queue = MessageQueue::create_new(key)?.remove_on_drop();
    /// assert_eq!(MessageQueue::create_new(key), Err(SysvError::AlreadyExists { key }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create_new(key: impl Into<Key>) -> Result<MessageQueue, SysvError> {
        MessageQueue::options().create_new(key)
    }

    /// Opens the queue with this key, which must be there.
    ///
    /// # Errors
    /// [`NotFound`](SysvError::NotFound), always so for [`Key::PRIVATE`]. Whether the process may use the queue shows
    /// when it does.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'o')?;
    /// assert_eq!(MessageQueue::open(key), Err(SysvError::NotFound { key }));
    /// let queue = MessageQueue::create(key)?.remove_on_drop();
    /// assert_eq!(MessageQueue::open(key)?, *queue);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn open(key: impl Into<Key>) -> Result<MessageQueue, SysvError> {
        let key = key.into();
        Ok(MessageQueue::known(key, existing(key, |opening| find(key, opening, 0))?))
    }

    /// Makes a queue with another mode.
    ///
    /// # Examples
    /// See [`Options`].
    pub fn options() -> Options<MessageQueue> {
        Options::new()
    }
}

fn find(key: Key, opening: Opening, mode: u16) -> Result<i32, SysvError> {
    const LIMIT: &str = "it has as many message queues as `/proc/sys/kernel/msgmni` says; `ipcs -q` lists them, and \
                         `ipcrm -Q KEY` removes one";
    found(sysv::open(key.into(), opening, mode), key, Noun::QUEUE, LIMIT)
}
