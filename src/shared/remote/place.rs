//! The place of a server: a socket in a directory that only its user may enter, with a lock beside it.
//!
//! Knows nothing of what is served.
//!
//! Whoever serves holds the lock of the file `path.lock` for as long as it does, and the system gives it back when the
//! program dies, however it does. So a socket that lies there while nobody has the lock is a dead program's: it is
//! removed, under the lock alone, and never that of a program that lives. The file says whether the directory was made
//! for it, so that whoever takes over from the dead removes that, too.

use super::error::ServeError;
use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, chmod, flock, fstat, mkdir, open, rmdir, stat, statat, unlink,
};
use rustix::io::{Errno, pread, pwrite};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};
use rustix::process::geteuid;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many bytes the path of a socket has at most: the system's address has one more, for a zero.
const PATH_LIMIT: usize = 107;

/// How many connections wait to be accepted.
const BACKLOG: i32 = 128;

/// A place that is held. Dropped, it takes away what was made for it.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    lock_path: PathBuf,
    /// As long as it is open, the lock is held.
    _lock: OwnedFd,
    _directory: Made,
}

/// A directory that was made for a place, if it was. It goes with the place, unless somebody has put something there.
#[derive(Debug)]
struct Made(Option<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        if let Some(directory) = &self.0 {
            let _ = rmdir(directory);
        }
    }
}

impl Place {
    /// Takes a place, and listens there.
    ///
    /// # Errors
    /// It is served by somebody, its directory is open to others, its path is too long, or the system refuses.
    pub(super) fn take(path: &Path) -> Result<(Place, UnixListener), ServeError> {
        /// Whoever ends at this moment takes away what was just found; nobody does so a hundred times in a row.
        const TRIES: usize = 100;
        let path = whole(path)?;
        let address = address(&path)?;
        let Some(directory) = path.parent() else {
            return Err(ServeError::InUse { path });
        };
        for _ in 0..TRIES {
            let mut made = Made(make_private(directory)?.then(|| directory.to_path_buf()));
            let lock_path = beside(&path);
            let Some(lock) = hold(&path, &lock_path)? else { continue };
            if was_made(&lock, made.0.is_some()).map_err(|error| failed_lock(&lock_path, error))? {
                made.0.get_or_insert_with(|| directory.to_path_buf());
            }
            // From here on what was made is taken away again.
            let place = Place { path, lock_path, _lock: lock, _directory: made };
            let listener = place.listen(&address)?;
            return Ok((place, listener));
        }
        Err(ServeError::InUse { path })
    }

    fn listen(&self, address: &SocketAddrUnix) -> Result<UnixListener, ServeError> {
        let failed = |what: &'static str| move |error: Errno| ServeError::system(&self.path, what, error);
        match kind_of(&self.path) {
            // Left by a program that has died: we have the lock.
            Ok(FileType::Socket) => {
                unlink(&self.path).map_err(failed("the socket of a dead program cannot be removed"))?;
            }
            Ok(_) => return Err(ServeError::InUse { path: self.path.clone() }),
            Err(Errno::NOENT) => (),
            Err(error) => return Err(failed("it cannot be looked at")(error)),
        }
        let socket = socket().map_err(failed("there is no socket for it"))?;
        bind(&socket, address).map_err(failed("the socket cannot be made there"))?;
        chmod(&self.path, Mode::RUSR | Mode::WUSR).map_err(failed("the socket cannot be closed to others"))?;
        listen(&socket, BACKLOG).map_err(failed("the socket cannot listen"))?;
        Ok(socket.into())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The lock last: who has it removes what it finds. What is no socket was never ours.
        if kind_of(&self.path) == Ok(FileType::Socket) {
            let _ = unlink(&self.path);
        }
        let _ = unlink(&self.lock_path);
    }
}

/// A stream to whoever serves at a path, by then.
///
/// # Errors
/// Nobody does, or the path is too long; and those of the system, the time being over among them.
pub(super) fn reach(path: &Path, deadline: Instant) -> Result<UnixStream, ServeError> {
    let address = address(path)?;
    let failed = |error: Errno| match error {
        Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR => ServeError::NotFound { path: path.to_path_buf() },
        Errno::ACCESS | Errno::PERM => ServeError::User { path: path.to_path_buf() },
        error => ServeError::system(path, "no connection", error),
    };
    let socket = socket().map_err(failed)?;
    loop {
        // While too many wait to be let in, so do we. No time at all would be no limit.
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        set_socket_timeout(&socket, Timeout::Send, Some(left)).map_err(failed)?;
        match connect(&socket, &address) {
            Ok(()) => return Ok(socket.into()),
            Err(Errno::INTR) => (),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// The path from the root on: who goes elsewhere finds it all the same.
pub(super) fn whole(path: &Path) -> Result<PathBuf, ServeError> {
    std::path::absolute(path).map_err(|error| ServeError::system(path, "it is no path", error))
}

fn address(path: &Path) -> Result<SocketAddrUnix, ServeError> {
    if path.as_os_str().len() > PATH_LIMIT {
        return Err(ServeError::Long { path: path.to_path_buf(), limit: PATH_LIMIT });
    }
    SocketAddrUnix::new(path.as_os_str().as_bytes()).map_err(|error| ServeError::system(path, "it is no path", error))
}

fn socket() -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

/// What lies at a path itself, wherever that may lead.
fn kind_of(path: &Path) -> Result<FileType, Errno> {
    statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map(|found| FileType::from_raw_mode(found.st_mode))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    PathBuf::from(name)
}

/// Sees to it that there is a directory which only its user may enter. Whether it was made.
fn make_private(directory: &Path) -> Result<bool, ServeError> {
    match mkdir(directory, Mode::RWXU) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => (),
        Err(error) => return Err(ServeError::system(directory, "the directory cannot be made", error)),
    }
    let found = match statat(CWD, directory, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => found,
        // Whoever had it has just ended, and it is made anew.
        Err(Errno::NOENT) => return Ok(false),
        Err(error) => return Err(ServeError::system(directory, "the directory cannot be looked at", error)),
    };
    let is_directory = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
    let is_private = found.st_uid == geteuid().as_raw() && found.st_mode & 0o077 == 0;
    if is_directory && is_private { Ok(false) } else { Err(ServeError::Open { path: directory.to_path_buf() }) }
}

/// Whether the directory was made for a server, by this one or by a dead one that had the lock before. Notes it.
fn was_made(lock: &OwnedFd, now: bool) -> Result<bool, Errno> {
    const MADE: [u8; 1] = [b'd'];
    let mut note = [0];
    if now {
        pwrite(lock, &MADE, 0)?;
        return Ok(true);
    }
    Ok(pread(lock, &mut note, 0)? == 1 && note == MADE)
}

fn failed_lock(lock_path: &Path, error: Errno) -> ServeError {
    ServeError::system(lock_path, "the lock cannot be taken", error)
}

/// The lock of a place; `None` if somebody has just taken its file, or its directory, away.
fn hold(path: &Path, lock_path: &Path) -> Result<Option<OwnedFd>, ServeError> {
    let failed = |error| failed_lock(lock_path, error);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let lock = match open(lock_path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(lock) => lock,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => (),
        Err(Errno::WOULDBLOCK) => return Err(ServeError::InUse { path: path.to_path_buf() }),
        Err(error) => return Err(failed(error)),
    }
    let held = fstat(&lock).map_err(failed)?;
    // The lock of a file that has been removed keeps nobody out.
    let is_there = stat(lock_path).is_ok_and(|found| (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino));
    Ok(is_there.then_some(lock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A directory of this test, which is removed with everything in it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Scratch {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let name = format!("csproc-place-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_place_is_for_its_user_alone_and_leaves_nothing() {
        let scratch = Scratch::new();
        let directory = scratch.0.join("new");
        let path = directory.join("socket");
        let (place, listener) = Place::take(&path).unwrap();
        assert_eq!([mode(&directory), mode(&path), mode(&beside(&path))], [0o700, 0o600, 0o600]);
        let in_use = ServeError::InUse { path: path.clone() };
        assert_eq!(Place::take(&path).unwrap_err(), in_use);
        let stream = reach(&path, soon()).unwrap();
        listener.accept().unwrap();
        drop((place, stream));
        assert!(!directory.exists());
        assert_eq!(reach(&path, soon()).unwrap_err(), ServeError::NotFound { path });
    }

    #[test]
    fn a_directory_that_was_there_stays() {
        let scratch = Scratch::new();
        fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o700)).unwrap();
        drop(Place::take(&scratch.0.join("socket")).unwrap());
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
    }

    #[test]
    fn what_others_may_enter_is_refused() {
        let scratch = Scratch::new();
        for mode in [0o755, 0o710, 0o701, 0o777] {
            fs::set_permissions(&scratch.0, fs::Permissions::from_mode(mode)).unwrap();
            let error = Place::take(&scratch.0.join("socket")).unwrap_err();
            assert_eq!(error, ServeError::Open { path: scratch.0.clone() }, "{mode:o}");
        }
        fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o700)).unwrap();
        let link = scratch.0.join("link");
        symlink(&scratch.0, &link).unwrap();
        assert_eq!(Place::take(&link.join("socket")).unwrap_err(), ServeError::Open { path: link });
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 1);
    }

    #[test]
    fn what_a_dead_program_has_left_is_taken_over_and_files_are_not() {
        let scratch = Scratch::new();
        let path = scratch.0.join("new/socket");
        let (place, listener) = Place::take(&path).unwrap();
        // As if it had been killed: everything stays, and nobody has the lock.
        let lock = rustix::io::dup(&place._lock).unwrap();
        std::mem::forget(place);
        drop(listener);
        assert_eq!(reach(&path, soon()).unwrap_err(), ServeError::NotFound { path: path.clone() });
        assert_eq!(Place::take(&path).unwrap_err(), ServeError::InUse { path: path.clone() });
        flock(&lock, FlockOperation::Unlock).unwrap();
        drop(lock);
        drop(Place::take(&path).unwrap());
        assert!(!path.parent().unwrap().exists(), "the dead one has made it");

        fs::DirBuilder::new().mode(0o700).create(path.parent().unwrap()).unwrap();
        fs::write(&path, "a file").unwrap();
        assert_eq!(Place::take(&path).unwrap_err(), ServeError::InUse { path: path.clone() });
        assert_eq!(fs::read(&path).unwrap(), b"a file");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn one_of_many_has_a_place_while_they_come_and_go() {
        let scratch = Scratch::new();
        let path = scratch.0.join("new/socket");
        let (served, inside) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while served.load(Ordering::Relaxed) < 300 {
                        match Place::take(&path) {
                            Ok((place, _listener)) => {
                                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                                assert!(path.exists());
                                served.fetch_add(1, Ordering::Relaxed);
                                inside.fetch_sub(1, Ordering::SeqCst);
                                drop(place);
                            }
                            Err(ServeError::InUse { .. }) => std::thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
        });
        // The directory may stay, if the next one came before it was removed.
        assert!(!path.exists() && !beside(&path).exists());
    }

    #[test]
    fn who_is_not_let_in_waits_until_its_time_is_over() {
        let scratch = Scratch::new();
        let path = scratch.0.join("socket");
        let socket = socket().unwrap();
        bind(&socket, &address(&path).unwrap()).unwrap();
        listen(&socket, 0).unwrap();
        // As many as the system has room for wait to be accepted, and nobody accepts them.
        let mut waiting = Vec::new();
        let deadline = loop {
            let deadline = Instant::now() + Duration::from_millis(200);
            match reach(&path, deadline) {
                Ok(stream) => waiting.push(stream),
                Err(error) => {
                    assert!(matches!(error, ServeError::System { .. }), "{error}");
                    break deadline;
                }
            }
        };
        assert!(!waiting.is_empty() && Instant::now() >= deadline);
    }

    #[test]
    fn a_path_that_is_too_long_is_told() {
        let path = std::env::temp_dir().join("x".repeat(120));
        let long = ServeError::Long { path: path.clone(), limit: PATH_LIMIT };
        assert_eq!(Place::take(&path).unwrap_err(), long);
        assert_eq!(reach(&path, soon()).unwrap_err(), long);
    }
}
