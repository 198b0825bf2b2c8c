//! What time is it? A server that answers through a message queue of the kernel: this is a client, one of many.
//!
//! # Shows
//! A request that carries the kind of its answer, so that the answer reaches the client that has asked
//! (`time_server` says more), and a queue that is removed while a client waits: the client learns of it, and ends.
//!
//! What the user is asked goes to standard error, so the answers can be piped.
//!
//! # Run
//! While `time_server` runs in another terminal; then type 1 for the time, 2 to end the server:
//! ```text
//! cargo run --example time_client -- [KEY]
//! ```
//!
//! # Prints
//! For each 1 a line like
//! ```text
//! Wed Nov 25 22:17:50 2026
//! ```
//! and, for each line that is neither 1 nor 2, `Input error, try again!`.

use clap::Parser;
use csproc::sysv::{MessageQueue, SysvError};
use std::io::{BufRead, stdin};
use std::process;

const TIME: i64 = 1;
const END: i64 = 2;
const ANSWER: i64 = 3;

/// Asks `time_server` for the time, or ends it.
#[derive(Parser)]
struct Arguments {
    /// The key of the message queue: 1 to 2147483647
    #[arg(default_value_t = 129, allow_negative_numbers = true, value_parser = key)]
    key: i32,
}

fn key(word: &str) -> Result<i32, String> {
    let number = word.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("give a number from 1 to {}", i32::MAX))
}

/// The server's answer to a request of this client.
fn time(queue: &MessageQueue) -> Result<String, SysvError> {
    let own = ANSWER + i64::from(process::id());
    queue.send(own.to_string(), TIME)?;
    let (answer, _) = queue.receive(own)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn main() -> csproc::Result<()> {
    let Arguments { key } = Arguments::parse();

    let queue = MessageQueue::open(key)?;
    let ask = || eprint!("1 for the time, 2 to end the server: ");
    ask();
    for line in stdin().lock().split(b'\n') {
        let done = match line?.trim_ascii() {
            b"1" => time(&queue).map(|time| println!("{time}")),
            b"2" => return Ok(queue.send("", END)?),
            _ => {
                println!("Input error, try again!");
                Ok(())
            }
        };
        if done == Err(SysvError::Removed) {
            eprintln!("the server has ended");
            return Ok(());
        }
        done?;
        ask();
    }
    Ok(())
}
