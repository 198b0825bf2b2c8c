//! The hello: how the two ends of a connection come to trust each other, before anything else is said.
//!
//! Knows nothing of what follows. Each side has the kernel say who is at the other end; then the server says which
//! version and which instance it is and gives a nonce, the client gives that back with the key, and the server says
//! whether it is admitted.

use super::error::ServeError;
use super::frame::{read_until, write_all};
use constant_time_eq::{constant_time_eq, constant_time_eq_16};
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many bytes a key has at most.
pub(super) const KEY_LIMIT: usize = 4096;

/// How long the whole hello may take; a client's, from the beginning of its connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Which server: another one at the same path has another number.
pub(super) type Instance = [u8; 16];

const GREETING_BYTES: usize = 32;

/// What both sides are.
const GREETING: [u8; GREETING_BYTES] = {
    let text = concat!("csproc manager ", env!("CARGO_PKG_VERSION")).as_bytes();
    let mut greeting = [0; GREETING_BYTES];
    let mut at = 0;
    while at < text.len() {
        greeting[at] = text[at];
        at += 1;
    }
    greeting
};

// What the server says of who has come.
const WELCOME: u8 = 1;
const BUSY: u8 = 2;
const OTHER_USER: u8 = 3;
const ADMITTED: u8 = 4;
const WRONG_KEY: u8 = 5;

/// The server's first word: the greeting, whether one is welcome, the instance and the nonce.
const FIRST: usize = GREETING_BYTES + 1 + 16 + 16;
/// The client's word before the key: the greeting, the nonce and the length of the key.
const SECOND: usize = GREETING_BYTES + 16 + 2;

/// Sixteen bytes that nobody can guess.
///
/// # Errors
/// The system has none.
pub(super) fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut come = 0;
    while come < bytes.len() {
        match getrandom(&mut bytes[come..], GetRandomFlags::empty()) {
            Ok(count) => come += count,
            Err(rustix::io::Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

/// Whether the other end is held by this user, as the kernel remembers it.
fn is_same_user(stream: &UnixStream) -> io::Result<bool> {
    Ok(socket_peercred(stream)?.uid == geteuid())
}

/// The server's side, which is done within so long. Whether the client is admitted; it was told if not, unless it
/// speaks another language.
///
/// # Errors
/// Those of the stream, and the time is over.
pub(super) fn receive(stream: &UnixStream, key: &[u8], instance: &Instance, patience: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + patience;
    // The client may not read, either, now and later.
    stream.set_write_timeout(Some(patience))?;
    let nonce = random()?;
    let is_welcome = is_same_user(stream)?;
    let reception = if is_welcome { WELCOME } else { OTHER_USER };
    write_all(stream, &first(reception, instance, &nonce))?;
    if !is_welcome {
        return Ok(false);
    }
    let mut word = [0; SECOND];
    read_until(stream, &mut word, deadline)?;
    let (greeting, rest) = word.split_at(GREETING_BYTES);
    let (echo, length) = rest.split_at(16);
    let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
    if greeting != GREETING || length > KEY_LIMIT {
        return Ok(false);
    }
    let mut given = vec![0; length];
    read_until(stream, &mut given, deadline)?;
    let is_fresh = echo.try_into().is_ok_and(|echo: &[u8; 16]| constant_time_eq_16(echo, &nonce));
    let admitted = is_fresh & constant_time_eq(&given, key);
    write_all(stream, &[if admitted { ADMITTED } else { WRONG_KEY }])?;
    Ok(admitted)
}

/// Tells a client that there are too many. It does not wait for the client, which may not read it.
pub(super) fn send_away(stream: &UnixStream) {
    // A fresh stream has room for it.
    let _ = stream.set_nonblocking(true).and_then(|()| write_all(stream, &first(BUSY, &[0; 16], &[0; 16])));
}

fn first(reception: u8, instance: &Instance, nonce: &[u8; 16]) -> [u8; FIRST] {
    let mut word = [0; FIRST];
    let parts = GREETING.iter().chain([&reception]).chain(instance).chain(nonce);
    word.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = *byte);
    word
}

/// The client's side, which is done by then: gives the key to a server of the same user, and says which instance it
/// is.
///
/// # Errors
/// The server is another user's, has another version or key, or too many clients; `NotFound` if it ends meanwhile.
pub(super) fn introduce(
    stream: &UnixStream,
    path: &Path,
    key: &[u8],
    deadline: Instant,
) -> Result<Instance, ServeError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            ServeError::NotFound { path: path.to_path_buf() }
        }
        io::ErrorKind::TimedOut => ServeError::system(path, "what listens there does not answer", error),
        _ => ServeError::system(path, "the connection failed", error),
    };
    let length = u16::try_from(key.len()).ok().filter(|length| usize::from(*length) <= KEY_LIMIT);
    let Some(length) = length else {
        return Err(ServeError::LongKey { path: path.to_path_buf(), limit: KEY_LIMIT });
    };
    // The key is less than a stream holds that nobody reads, so this does not wait in fact.
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    if !is_same_user(stream).map_err(failed)? {
        return Err(ServeError::User { path: path.to_path_buf() });
    }
    let mut word = [0; FIRST];
    read_until(stream, &mut word[..GREETING_BYTES], deadline).map_err(failed)?;
    if word[..GREETING_BYTES] != GREETING {
        let found = String::from_utf8_lossy(&word[..GREETING_BYTES]);
        let found = String::from(found.trim_end_matches('\0'));
        return Err(ServeError::Version { path: path.to_path_buf(), found });
    }
    read_until(stream, &mut word[GREETING_BYTES..], deadline).map_err(failed)?;
    let (reception, rest) = (word[GREETING_BYTES], &word[GREETING_BYTES + 1..]);
    let (instance, nonce) = rest.split_at(16);
    match reception {
        WELCOME => (),
        BUSY => return Err(ServeError::Busy { path: path.to_path_buf() }),
        _ => return Err(ServeError::User { path: path.to_path_buf() }),
    }
    let mut answer = Vec::with_capacity(SECOND + key.len());
    answer.extend(GREETING);
    answer.extend(nonce);
    answer.extend(length.to_le_bytes());
    answer.extend(key);
    write_all(stream, &answer).map_err(failed)?;
    let mut verdict = [0];
    read_until(stream, &mut verdict, deadline).map_err(failed)?;
    match verdict {
        [ADMITTED] => {
            stream.set_write_timeout(None).map_err(failed)?;
            let mut which = [0; 16];
            which.copy_from_slice(instance);
            Ok(which)
        }
        _ => Err(ServeError::Key { path: path.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::thread::{scope, spawn};

    fn soon() -> Instant {
        Instant::now() + PATIENCE
    }

    fn meet(server: &[u8], client: &[u8]) -> (bool, Result<Instance, ServeError>) {
        let (a, b) = UnixStream::pair().unwrap();
        scope(|scope| {
            let received = scope.spawn(|| receive(&a, server, &[7; 16], PATIENCE).unwrap());
            let introduced = introduce(&b, Path::new("/here"), client, soon());
            (received.join().unwrap(), introduced)
        })
    }

    #[test]
    fn who_has_the_key_is_admitted_and_nobody_else() {
        let here = || Path::new("/here").to_path_buf();
        for key in [&b""[..], b"key", &[0xff; KEY_LIMIT]] {
            assert_eq!(meet(key, key), (true, Ok([7; 16])));
            for wrong in [&b"kez"[..], b"ke", b"keyy", &[0xff; KEY_LIMIT - 1]] {
                assert_eq!(meet(key, wrong), (false, Err(ServeError::Key { path: here() })));
            }
        }
        let (a, _b) = UnixStream::pair().unwrap();
        let error = introduce(&a, &here(), &[0; KEY_LIMIT + 1], soon()).unwrap_err();
        assert_eq!(error, ServeError::LongKey { path: here(), limit: KEY_LIMIT });
    }

    #[test]
    fn what_was_recorded_of_one_hello_lets_nobody_in_by_another() {
        let (a, b) = UnixStream::pair().unwrap();
        let (c, mut recorder) = UnixStream::pair().unwrap();
        let server = spawn(move || receive(&a, b"key", &[7; 16], PATIENCE).unwrap());
        let client = spawn(move || introduce(&c, Path::new("/here"), b"key", soon()).is_ok());
        // Between the two, it passes on and keeps what it sees.
        let (mut first, mut second, mut b) = ([0; FIRST], [0; SECOND + 3], b);
        b.read_exact(&mut first).unwrap();
        recorder.write_all(&first).unwrap();
        recorder.read_exact(&mut second).unwrap();
        b.write_all(&second).unwrap();
        let mut verdict = [0];
        b.read_exact(&mut verdict).unwrap();
        recorder.write_all(&verdict).unwrap();
        assert!(server.join().unwrap() && client.join().unwrap());

        let (a, mut b) = UnixStream::pair().unwrap();
        let server = spawn(move || receive(&a, b"key", &[7; 16], PATIENCE).unwrap());
        b.read_exact(&mut first).unwrap();
        b.write_all(&second).unwrap();
        b.read_exact(&mut verdict).unwrap();
        assert_eq!((server.join().unwrap(), verdict), (false, [WRONG_KEY]));
    }

    #[test]
    fn another_version_is_told_as_what_it_is() {
        let (a, mut b) = UnixStream::pair().unwrap();
        b.write_all(&[b"csproc manager 99.1.0".as_slice(), &[0; 11]].concat()).unwrap();
        let error = introduce(&a, Path::new("/here"), b"key", soon()).unwrap_err();
        assert_eq!(error, ServeError::Version { path: "/here".into(), found: "csproc manager 99.1.0".into() });
        // And it has not seen a byte of the key.
        drop(a);
        assert_eq!(b.read(&mut [0]).unwrap_or(0), 0);
    }

    #[test]
    fn who_is_silent_or_slow_is_cut_off() {
        for says in [&[][..], &GREETING[..7], &GREETING[..]] {
            let (a, mut b) = UnixStream::pair().unwrap();
            b.write_all(says).unwrap();
            let error = receive(&a, b"key", &[7; 16], Duration::from_millis(50)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[test]
    fn a_server_that_is_silent_slow_or_dies_holds_a_client_up_until_its_time_is_over_at_most() {
        let patience = Duration::from_millis(200);
        let whole = first(WELCOME, &[7; 16], &[1; 16]);
        // It comes to where the key is sent, and even then nobody answers.
        for says in [&[][..], &whole[..7], &whole[..GREETING_BYTES], &whole] {
            let (a, mut b) = UnixStream::pair().unwrap();
            b.write_all(says).unwrap();
            let began = Instant::now();
            let error = introduce(&a, Path::new("/here"), b"key", began + patience).unwrap_err();
            assert!(error.to_string().contains("does not answer"), "{error}");
            assert!(began.elapsed() >= patience);
        }
        // It says something again and again, and each time there is hope.
        let (a, mut b) = UnixStream::pair().unwrap();
        let drip = spawn(move || {
            let mut said = 0;
            for byte in whole {
                said += b.write(&[byte]).unwrap_or(0);
                std::thread::sleep(patience / 20);
            }
            said
        });
        let error = introduce(&a, Path::new("/here"), b"key", Instant::now() + patience).unwrap_err();
        assert!(error.to_string().contains("does not answer"), "{error}");
        drop(a);
        assert!(drip.join().unwrap() < whole.len());
        // It dies in the middle.
        for says in [&[][..], &whole[..7], &whole[..GREETING_BYTES], &whole] {
            let (a, mut b) = UnixStream::pair().unwrap();
            b.write_all(says).unwrap();
            drop(b);
            let error = introduce(&a, Path::new("/here"), b"key", soon()).unwrap_err();
            assert_eq!(error, ServeError::NotFound { path: "/here".into() });
        }
    }

    #[test]
    fn who_is_sent_away_is_told_why() {
        let (a, b) = UnixStream::pair().unwrap();
        send_away(&a);
        let error = introduce(&b, Path::new("/here"), b"key", soon()).unwrap_err();
        assert_eq!(error, ServeError::Busy { path: "/here".into() });
        drop(a);
        let error = introduce(&b, Path::new("/here"), b"key", soon()).unwrap_err();
        assert_eq!(error, ServeError::NotFound { path: "/here".into() });
    }
}
