//! Numbers typed in one terminal come out in another: this is where they come out.
//!
//! # Shows
//! A message queue of the kernel that another program has made: opened by its key, read until a 0 comes. Without the
//! server the error names the key; when the server is ended by Ctrl-C, it says that the queue has been removed.
//!
//! # Run
//! While `mq_server` runs in another terminal:
//! ```text
//! cargo run --example mq_client -- [KEY]
//! ```
//!
//! # Prints
//! After 7, 42 and 0 were typed there:
//! ```text
//! received: 7
//! received: 42
//! exiting.
//! ```

use clap::Parser;
use csproc::sysv::MessageQueue;

/// Prints the numbers that `mq_server` sends.
#[derive(Parser)]
struct Arguments {
    /// The key of the message queue: 1 to 2147483647
    #[arg(default_value_t = 128, allow_negative_numbers = true, value_parser = key)]
    key: i32,
}

fn key(word: &str) -> Result<i32, String> {
    let number = word.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("give a number from 1 to {}", i32::MAX))
}

fn main() -> csproc::Result<()> {
    let Arguments { key } = Arguments::parse();

    let queue = MessageQueue::open(key)?;
    loop {
        let (bytes, _) = queue.receive(0)?;
        let value: i64 = str::from_utf8(&bytes)?.parse()?;
        if value == 0 {
            println!("exiting.");
            return Ok(());
        }
        println!("received: {value}");
    }
}
