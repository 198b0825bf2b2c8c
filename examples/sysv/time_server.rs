//! What time is it? A server that answers through a message queue of the kernel: this is the server.
//!
//! # Shows
//! The kinds of messages. A message of kind 1 asks for the time, one of kind 2 ends the server, and an answer is of
//! kind 3 or more. `receive(-2)` takes the lowest kind up to 2: all who have asked are answered before the end, and the
//! server never takes its own answers.
//!
//! How several clients at once each get their own answer: a request carries the kind that its answer is to have, and
//! each client has a kind of its own, 3 and the number of its process. So no client can take an answer that is meant
//! for another. A request that says nothing is answered with kind 3, for a client in Python that knows of no other; of
//! several such clients each gets one answer, but any of them may take any.
//!
//! The queue is removed however the server ends: its owner removes it when `main` returns or panics, and a thread that
//! waits for signals at Ctrl-C, when the terminal closes, and at `kill`; that ends the server like a message of kind 2.
//!
//! # Run
//! First this, then `time_client` in as many other terminals as you like.
//! ```text
//! cargo run --example time_server -- [KEY]
//! ```
//!
//! # Prints
//! At its end:
//! ```text
//! terminating
//! ```

use clap::Parser;
use csproc::sysv::{MessageQueue, SysvError};
use jiff::ZonedDateTime;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::thread::spawn;

const TIME: i64 = 1;
const END: i64 = 2;
const ANSWER: i64 = 3;

/// Tells the time to whoever asks through a message queue.
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

/// Answers until somebody ends the server.
fn serve(queue: &MessageQueue) -> Result<(), SysvError> {
    loop {
        let (request, kind) = queue.receive(-END)?;
        if kind != TIME {
            return Ok(());
        }
        let wanted = str::from_utf8(&request).ok().and_then(|text| text.parse().ok()).filter(|kind| *kind > ANSWER);
        let now = ZonedDateTime::now().strftime("%a %b %e %H:%M:%S %Y").to_string();
        queue.send(now, wanted.unwrap_or(ANSWER))?;
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { key } = Arguments::parse();

    // From here on a signal waits for the thread below.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let queue = MessageQueue::create(key)?.remove_on_drop();
    let same = (*queue).clone();
    spawn(move || {
        signals.forever().next();
        // This ends the wait of the server, if it has not ended by now.
        let _ = same.remove();
    });

    match serve(&queue) {
        Ok(()) | Err(SysvError::Removed) => println!("terminating"),
        Err(error) => Err(error)?,
    }
    Ok(())
}
