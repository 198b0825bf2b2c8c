//! A guest book that other programs sign: this is one that does.
//!
//! # Shows
//! An object of another program, called by the proxy that `#[managed]` has made of its type: the same methods as in the
//! program that has the object. A proxy goes to other processes, too; here each of several processes signs. And a queue
//! of another program, which has the methods of one's own: a greeting is put there first. Without the server the error
//! names the path.
//!
//! # Run
//! While `manager_remote_server` runs in another terminal:
//! ```text
//! cargo run --example manager_remote_client -- [TIMES] [NAME] [PATH]
//! ```
//!
//! # Prints
//! ```text
//! Ada signed on page 1
//! ```

mod book;

use book::{BookProxy, GREETINGS, KEY, NAME, Place};
use clap::Parser;
use csproc::prelude::*;

/// Signs the guest book of `manager_remote_server`.
#[derive(Parser)]
struct Arguments {
    /// How many processes sign: 1 to 100
    #[arg(default_value_t = 1, allow_negative_numbers = true, value_parser = times)]
    times: usize,
    /// As who
    #[arg(default_value = "Ada")]
    name: String,
    #[command(flatten)]
    place: Place,
}

fn times(word: &str) -> Result<usize, String> {
    let number = word.parse().ok().filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| String::from("give a number from 1 to 100"))
}

#[process]
fn sign(book: BookProxy, name: String) -> csproc::Result<usize> {
    // One error for what happens on the way, one for what the book says.
    book.sign(name)?.map_err(csproc::Error::msg)
}

fn main() -> csproc::Result<()> {
    let Arguments { times, name, place } = Arguments::parse();

    let manager = Manager::connect(&place.path, KEY)?;
    let (book, greetings): (BookProxy, Queue<String>) = (manager.get(NAME)?, manager.get(GREETINGS)?);
    greetings.put(String::from("hello"))?;
    let mut pages = Parallel!(for _ in 0..times => sign(book.clone(), name.clone())).values()?;
    pages.sort_unstable();
    for page in &pages {
        println!("{name} signed on page {page}");
    }
    Ok(())
}
