//! A guest book that other programs sign: this is the program that has it.
//!
//! # Shows
//! A manager between programs that know nothing of each other but a path and a key. `share` gives an object a name, and
//! `serve` lets programs of the same user in, by a socket in a directory that nobody else may enter. (Python:
//! `BaseManager(address, authkey)`, where whoever connects can run any code in the server; here a client calls the
//! `pub` methods of one type, and uses one queue.)
//!
//! The queue is shared as the book is. Here it is a guard: what a client puts is printed when it comes, and meanwhile
//! the server waits for its own end, too.
//!
//! The directory, the socket and the lock beside it are gone however the server ends: when the book is full, when it is
//! told to end by Ctrl-C or `kill`, and when it panics. What `kill -9` leaves, the next server takes over.
//!
//! # Run
//! First this, then `manager_remote_client` in as many other terminals as you like.
//! ```text
//! cargo run --example manager_remote_server -- [PAGES] [PATH]
//! ```
//!
//! # Prints
//! After three guests and Ctrl-C:
//! ```text
//! a book of 100 pages lies at /tmp/csproc-guests/socket
//! hello
//! hello
//! hello
//! SIGINT: 3 guests were here: Ada, Ada, Alan
//! ```

mod book;

use book::{BookProxy, GREETINGS, KEY, NAME, Place};
use clap::Parser;
use csproc::prelude::*;
use csproc::shared::Event;
use csproc::toolkit::{Signal, signal};

/// Lets other programs sign a guest book.
#[derive(Parser)]
struct Arguments {
    /// How many names fit: 1 to 100000
    #[arg(default_value_t = 100, allow_negative_numbers = true, value_parser = pages)]
    pages: usize,
    #[command(flatten)]
    place: Place,
}

fn pages(word: &str) -> Result<usize, String> {
    let number = word.parse().ok().filter(|number| (1..=100_000).contains(number));
    number.ok_or_else(|| String::from("give a number from 1 to 100000"))
}

fn main() -> csproc::Result<()> {
    let Arguments { pages, place } = Arguments::parse();

    // From here on a signal ends the wait below, and with it the program.
    let signals = signal([Signal::HangUp, Signal::Interrupt, Signal::Terminate])?;
    let manager = Manager::new()?;
    let full = Event::new();
    let book = BookProxy::open(&manager, pages, full.clone())?;
    manager.share(NAME, &book)?;
    let greetings = Queue::<String>::new();
    manager.share(GREETINGS, &greetings)?;
    manager.serve(&place.path, KEY)?;
    println!("a book of {pages} pages lies at {}", place.path.display());

    // A greeting comes before its guest signs, and is looked at first: none is left when the book is full.
    let why = loop {
        PriSelect! {
            greeting = greetings => println!("{greeting}"),
            which = signals.read() => break which.to_string(),
            full => break String::from("the book is full"),
        }?;
    };
    let mut names = book.names()?;
    // Who signs at this moment is answered first.
    manager.shutdown()?;
    names.sort();
    println!("{why}: {} guests were here: {}", names.len(), names.join(", "));
    Ok(())
}
