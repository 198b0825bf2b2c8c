//! Lines of text out of bytes, whatever pieces the bytes come in.
//!
//! Knows nothing of where the bytes come from.

use super::whole::poison_unless_whole;
use crate::channel::{Reader, Writer};
use csproc_macros::process;

/// A line that is no text.
#[derive(Debug, thiserror::Error)]
#[error("{place}: line {line} is not UTF-8 from its byte {byte} on; what is no text is to be taken as bytes")]
struct NotText {
    place: String,
    line: u64,
    byte: usize,
}

/// What has come of a line that has not ended.
#[derive(Debug)]
pub(super) struct Lines {
    /// What errors call the place where the bytes come from.
    place: String,
    begun: Vec<u8>,
    /// How many lines have ended.
    count: u64,
}

impl Lines {
    pub(super) fn of(place: String) -> Lines {
        Lines { place, begun: Vec::new(), count: 0 }
    }

    /// Writes the lines that these bytes end.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &Writer<String>) -> crate::Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.strip_suffix(b"\n");
            self.begun.extend_from_slice(ends.unwrap_or(piece));
            if ends.is_some() {
                if self.begun.ends_with(b"\r") {
                    self.begun.pop();
                }
                self.end(out)?;
            }
        }
        Ok(())
    }

    /// No more bytes come: what has begun is the last line.
    pub(super) fn finish(mut self, out: &Writer<String>) -> crate::Result<()> {
        if self.begun.is_empty() { Ok(()) } else { self.end(out) }
    }

    fn end(&mut self, out: &Writer<String>) -> crate::Result<()> {
        self.count += 1;
        let line = String::from_utf8(std::mem::take(&mut self.begun)).map_err(|error| NotText {
            place: self.place.clone(),
            line: self.count,
            byte: error.utf8_error().valid_up_to() + 1,
        })?;
        Ok(out.write(line)?)
    }
}

/// A process that makes lines of bytes: what [`execute`](super::execute()) writes, for instance, comes in pieces of any
/// length.
///
/// A line comes without its end, which is `\n` or `\r\n`. The last one needs none. A line that never ends is kept in
/// memory until it is too long for a message.
///
/// # Errors
/// A line is not UTF-8; or `input` is lost with a process that died, or the line is too long for a message.
///
/// # Poison and retire
/// At the end of `input`, `out` retires. After an error, `out` is poisoned: nobody is to take what has come for all
/// there is. When nobody reads from `out`, the process ends with [`Retired`](crate::ChannelError::Retired).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::line_splitter;
///
/// let (bytes, lines) = (Channel::buffered(Buffer::Unbounded), Channel::buffered(Buffer::Unbounded));
/// let (w, r) = (bytes.writer(), lines.reader());
/// for piece in ["one\ntw", "o\r\n\nth", "ree"] {
///     w.write(piece.as_bytes().to_vec())?;
/// }
/// drop(w);
/// Parallel!(line_splitter(bytes.reader(), lines.writer())).values()?;
/// assert_eq!(r.iter().collect::<Vec<String>>(), ["one", "two", "", "three"]);
/// # Ok::<(), csproc::Error>(())
/// ```
#[process(thread, crate = crate)]
pub fn line_splitter(input: Reader<Vec<u8>>, out: Writer<String>) -> crate::Result<()> {
    poison_unless_whole(&out, |out| {
        let mut lines = Lines::of("the input".to_string());
        for bytes in input.results() {
            lines.feed(&bytes?, out)?;
        }
        lines.finish(out)
    })
}
