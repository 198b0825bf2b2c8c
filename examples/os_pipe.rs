//! A child speaks to its parent through a pipe of the operating system.
//!
//! # Shows
//! What lies below: `std::io::pipe`, and a program that is started with one end of it as its standard output. Here it
//! is this program, started again with a variable that says so. A pipe of the system carries bytes, and ends when its
//! last writing end is closed, wherever that is; so the parent gives its own away. No csproc is in it: a `pipe` of
//! csproc carries values of a type, and says who died.
//!
//! In Python this program is often written with two mistakes, and fails. `write_end.close()` is called in the child
//! before it writes: `os.pipe()` gives plain numbers, which have no such method; and if they had, the child would have
//! closed what it is about to write to. And the parent prints what one `os.read` gives: when the child has failed, that
//! is the empty message of an end of file, printed as if it had been sent. Here an end is a value with a type: the
//! compiler refuses to write to one that is gone, and the child's failure is its parent's error.
//!
//! # Run
//! ```text
//! cargo run --example os_pipe
//! ```
//!
//! # Prints
//! ```text
//! Received message in parent process: Hello from the child process!
//! ```
//! It is checked that the child has ended well, and that the message is the whole of what it said.

use std::io::{Read, Write};
use std::process::Command;

/// Tells the program that it is the child.
const CHILD: &str = "OS_PIPE_EXAMPLE_CHILD";
const MESSAGE: &str = "Hello from the child process!";

fn child_process() -> csproc::Result<()> {
    // The write end of the pipe.
    let mut write_end = std::io::stdout();
    write_end.write_all(MESSAGE.as_bytes())?;
    write_end.flush()?;
    Ok(())
}

fn parent_process() -> csproc::Result<()> {
    let (mut read_end, write_end) = std::io::pipe()?;
    // The command has the parent's write end, and goes with it at the end of this line.
    let mut child = Command::new(std::env::current_exe()?).env(CHILD, "1").stdout(write_end).spawn()?;

    let mut message = String::new();
    read_end.read_to_string(&mut message)?;
    let ended = child.wait()?;
    assert!(ended.success(), "the child has failed: {ended}");
    assert_eq!(message, MESSAGE);
    println!("Received message in parent process: {message}");
    Ok(())
}

fn main() -> csproc::Result<()> {
    if std::env::var_os(CHILD).is_some() { child_process() } else { parent_process() }
}
