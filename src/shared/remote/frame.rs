//! Frames: a length and so many bytes, over a stream that may end, or say anything.
//!
//! Knows nothing of what is in them. Memory grows with the bytes that have come, not with the length that was promised.

use rustix::net::{SendFlags, send};
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How many bytes a frame has at most, without its length.
pub(in crate::shared) const LIMIT: usize = 64 << 20;

/// Waits for a frame; `None` if the stream ends before one has begun.
///
/// # Errors
/// The stream ends in the middle, or the length is beyond the limit; and those of the stream.
pub(super) fn read(stream: &UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut come = 0;
    while come < length.len() {
        match read_some(stream, &mut length[come..])? {
            0 if come == 0 => return Ok(None),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => come += count,
        }
    }
    let length = u32::from_le_bytes(length);
    if length as usize > LIMIT {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("a frame of {length} bytes")));
    }
    let mut bytes = Vec::new();
    let mut reader = stream;
    reader.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

fn read_some(mut stream: &UnixStream, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            other => return other,
        }
    }
}

/// Sends a frame of these parts.
///
/// # Errors
/// Those of the stream; part of the frame may have gone, and then nothing can follow it. More bytes than a frame has.
pub(super) fn write(stream: &UnixStream, parts: [&[u8]; 2]) -> io::Result<()> {
    let length = parts[0].len() + parts[1].len();
    let promised = u32::try_from(length).ok().filter(|_| length <= LIMIT);
    let promised = promised.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, format!("{length} bytes")))?;
    // One system call for a small one.
    if length <= SMALL {
        let mut bytes = Vec::with_capacity(4 + length);
        bytes.extend(promised.to_le_bytes());
        parts.iter().for_each(|part| bytes.extend(*part));
        return write_all(stream, &bytes);
    }
    write_all(stream, &promised.to_le_bytes())?;
    parts.iter().try_for_each(|part| write_all(stream, part))
}

/// What is copied to go at once.
const SMALL: usize = 16 << 10;

/// As `write_all` of a stream does it, and no signal comes if nobody reads.
pub(super) fn write_all(stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match send(stream, bytes, SendFlags::NOSIGNAL) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits for so many bytes until then, however they come.
///
/// # Errors
/// The time is over, or the stream ends; and those of the stream.
pub(super) fn read_until(stream: &UnixStream, bytes: &mut [u8], deadline: Instant) -> io::Result<()> {
    let mut come = 0;
    while come < bytes.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match read_some(stream, &mut bytes[come..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => come += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => (),
            Err(error) => return Err(error),
        }
    }
    stream.set_read_timeout(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Shutdown;

    #[test]
    fn a_frame_comes_as_it_was_sent() {
        let (a, b) = UnixStream::pair().unwrap();
        for length in [0, 1, SMALL, SMALL + 1, 100_000] {
            let bytes = vec![7; length];
            let (head, body) = bytes.split_at(length / 3);
            std::thread::scope(|scope| {
                scope.spawn(|| write(&a, [head, body]).unwrap());
                assert_eq!(read(&b).unwrap().as_ref(), Some(&bytes));
            });
        }
        drop(a);
        assert_eq!(read(&b).unwrap(), None);
    }

    #[test]
    fn a_frame_that_is_cut_off_or_too_long_is_none() {
        for (bytes, kind) in [
            (&[1, 0][..], ErrorKind::UnexpectedEof),
            (&[4, 0, 0, 0, 1, 2, 3], ErrorKind::UnexpectedEof),
            (&[0xff; 8], ErrorKind::InvalidData),
            (&[1, 0, 0, 4], ErrorKind::InvalidData),
        ] {
            let (a, b) = UnixStream::pair().unwrap();
            write_all(&a, bytes).unwrap();
            a.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read(&b).unwrap_err().kind(), kind, "{bytes:?}");
        }
        let (a, _b) = UnixStream::pair().unwrap();
        let too_long = vec![0; LIMIT + 1];
        assert_eq!(write(&a, [&too_long, &[]]).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn a_deadline_holds_however_slowly_bytes_come() {
        let (a, b) = UnixStream::pair().unwrap();
        let drip = std::thread::spawn(move || {
            while write_all(&a, &[1]).is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let deadline = Instant::now() + Duration::from_millis(100);
        assert_eq!(read_until(&b, &mut [0; 4096], deadline).unwrap_err().kind(), ErrorKind::TimedOut);
        drop(b);
        drip.join().unwrap();
    }

    #[test]
    fn who_sends_to_nobody_gets_an_error_and_no_signal() {
        let (a, b) = UnixStream::pair().unwrap();
        drop(b);
        assert_eq!(write(&a, [&[1], &[]]).unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}
