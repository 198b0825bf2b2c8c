//! Files at the beginning and at the end of a network.
//!
//! Knows nothing of what is in them.

use super::lines::Lines;
use super::whole::poison_unless_whole;
use crate::channel::{Reader, Writer};
use csproc_macros::process;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// For what is read at once.
const ROOM: usize = 64 << 10;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("the file {path:?} cannot be {action}: {source}")]
struct FileError {
    path: PathBuf,
    action: &'static str,
    source: io::Error,
}

fn wrong(path: &Path, action: &'static str) -> impl Fn(io::Error) -> FileError {
    move |source| FileError { path: path.to_owned(), action, source }
}

/// A process that reads a file, line by line: `\n` or `\r\n` ends a line and does not come with it.
///
/// # Blocking
/// A file that is a pipe or a terminal is waited for; that nobody reads from `out` any more shows with the next line.
///
/// # Errors
/// The file cannot be opened or read; a line is not UTF-8, for which [`file_chunks`](file_chunks()) is made, or is too
/// long for a message. Each names the file.
///
/// # Poison and retire
/// At the end of the file, `out` retires. After an error, `out` is poisoned: nobody is to take what has come for all
/// there is. When nobody reads from `out`, the process ends with [`Retired`](crate::ChannelError::Retired).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::file_reader;
///
/// #[process]
/// fn first_words(lines: Reader<String>) -> csproc::Result<Vec<String>> {
///     let lines = lines.results().map(|line| Ok(line?.split(' ').next().unwrap_or_default().to_string()));
///     lines.collect()
/// }
///
/// let path = std::env::temp_dir().join(format!("file_reader-{}", std::process::id()));
/// std::fs::write(&path, "one two\nthree four\n")?;
/// let c = Channel::new();
/// let (_, words) = Parallel!(file_reader(path.clone(), c.writer()), first_words(c.reader())).values()?;
/// assert_eq!(words, ["one", "three"]);
/// std::fs::remove_file(&path)?;
///
/// let c = Channel::new();
/// let error = Parallel!(file_reader(path, c.writer())).values().unwrap_err();
/// assert!(error.to_string().contains("file_reader-"));
/// # Ok::<(), csproc::Error>(())
/// ```
#[process(crate = crate)]
pub fn file_reader(path: PathBuf, out: Writer<String>) -> crate::Result<()> {
    poison_unless_whole(&out, |out| {
        let mut file = File::open(&path).map_err(wrong(&path, "opened"))?;
        let (mut lines, mut room) = (Lines::of(format!("the file {path:?}")), vec![0; ROOM]);
        loop {
            match file.read(&mut room) {
                Ok(0) => return lines.finish(out),
                Ok(count) => lines.feed(&room[..count], out)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(wrong(&path, "read")(error).into()),
            }
        }
    })
}

/// A process that reads a file in chunks of `size` bytes; the last one may have fewer.
///
/// # Blocking
/// As for [`file_reader`](file_reader()); of a pipe or a terminal, a whole chunk is waited for.
///
/// # Errors
/// The file cannot be opened or read, which names the file; `size` is 0, or more than a message can have.
///
/// # Poison and retire
/// As for [`file_reader`](file_reader()).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::file_chunks;
///
/// let path = std::env::temp_dir().join(format!("file_chunks-{}", std::process::id()));
/// std::fs::write(&path, [7; 10])?;
/// let c = Channel::buffered(Buffer::Unbounded);
/// let r = c.reader();
/// Parallel!(file_chunks(path.clone(), 4, c.writer())).values()?;
/// assert_eq!(r.iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), [4, 4, 2]);
/// std::fs::remove_file(&path)?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[process(crate = crate)]
pub fn file_chunks(path: PathBuf, size: usize, out: Writer<Vec<u8>>) -> crate::Result<()> {
    poison_unless_whole(&out, |out| {
        if size == 0 {
            return Err(crate::Error::msg(format!("chunks of the file {path:?} need a size of at least one byte")));
        }
        let file = File::open(&path).map_err(wrong(&path, "opened"))?;
        loop {
            let mut chunk = Vec::new();
            let count = (&file).take(size as u64).read_to_end(&mut chunk).map_err(wrong(&path, "read"))?;
            if count > 0 {
                out.write(chunk)?;
            }
            // Where less came than was asked for is the end; a terminal that is asked again might have more.
            if count < size {
                return Ok(());
            }
        }
    })
}

/// A process that writes what comes to a file, and returns how many bytes came.
///
/// The file is made, or emptied if it is there. What has come is with the system before the next message is read: if
/// the process is killed, it is in the file.
///
/// # Blocking
/// The process ends when `input` retires.
///
/// # Errors
/// The file cannot be made or written to, which names the file; or `input` is poisoned, or lost with a process that
/// died: then the file has what came before, and no error passes for the end.
///
/// # Poison and retire
/// After an error `input` retires, which whoever writes to it is told.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::file_writer;
///
/// let path = std::env::temp_dir().join(format!("file_writer-{}", std::process::id()));
/// let c = Channel::buffered(Buffer::Unbounded);
/// let w = c.writer();
/// w.write(b"one\n".to_vec())?;
/// w.write(b"two\n".to_vec())?;
/// drop(w);
/// assert_eq!(Parallel!(file_writer(c.reader(), path.clone())).values()?, 8);
/// assert_eq!(std::fs::read_to_string(&path)?, "one\ntwo\n");
/// std::fs::remove_file(&path)?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[process(crate = crate)]
pub fn file_writer(input: Reader<Vec<u8>>, path: PathBuf) -> crate::Result<u64> {
    let mut file = File::create(&path).map_err(wrong(&path, "made"))?;
    let mut written = 0;
    for bytes in input.results() {
        let bytes = bytes?;
        file.write_all(&bytes).map_err(wrong(&path, "written to"))?;
        written += bytes.len() as u64;
    }
    Ok(written)
}
