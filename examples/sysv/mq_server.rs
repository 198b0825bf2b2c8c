//! Numbers typed in one terminal come out in another: this is where they are typed.
//!
//! # Shows
//! A message queue of the kernel between two programs that know nothing of each other but its key. The queue is the
//! kernel's: it is seen by `ipcs -q`, and by programs in Python (`sysv_ipc.MessageQueue(128)`), which may stand for
//! either side. It would outlive both programs, so it is removed however this one ends: its owner removes it when
//! `main` returns or panics, and a thread that waits for signals when Ctrl-C, a closed terminal or `kill` ends the
//! program. After `kill -9`, `ipcrm -Q 128` removes it.
//!
//! A line that is no number is asked again, and sends nothing. A zero ends the server, and so does the end of the
//! input; it first waits until a client has read everything, because the queue goes with what is in it.
//!
//! # Run
//! First this, then `mq_client` in another terminal; here type numbers, and 0 at last.
//! ```text
//! cargo run --example mq_server -- [KEY]
//! ```
//!
//! # Prints
//! Nothing but, for each line that is no number,
//! ```text
//! Input error, try again!
//! ```

use clap::Parser;
use csproc::sysv::MessageQueue;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io::{BufRead, stdin};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// Sends the numbers that it is given, a line each, up to a 0.
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

fn number(line: &[u8]) -> Option<i64> {
    str::from_utf8(line).ok()?.trim().parse().ok()
}

fn main() -> csproc::Result<()> {
    let Arguments { key } = Arguments::parse();

    // From here on a signal waits for the thread below.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let queue = MessageQueue::create(key)?.remove_on_drop();
    let same = (*queue).clone();
    spawn(move || {
        for signal in signals.forever() {
            // The owner may have been faster.
            let _ = same.remove();
            let _ = emulate_default_handler(signal);
        }
    });

    for line in stdin().lock().split(b'\n').chain([Ok(b"0".to_vec())]) {
        let Some(value) = number(&line?) else {
            println!("Input error, try again!");
            continue;
        };
        queue.send(value.to_string(), 1)?;
        if value == 0 {
            break;
        }
    }
    while queue.status()?.messages > 0 {
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
