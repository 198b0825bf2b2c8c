//! A server that counts words for its clients, and answers each of them.
//!
//! # Shows
//! Request and reply with `csproc::ask`: a request brings the end by which its answer goes back, and the client waits
//! for the answer, for so long at most. The server is a process like any other: it holds its state alone, so nothing is
//! locked, and it ends when its last client has gone. A client that gives up waiting does not disturb it: the answer
//! finds nobody.
//!
//! ```text
//!   client × n ──requests──▶ server
//!       ▲                      │
//!       └────── replies ◀──────┘
//! ```
//!
//! # Run
//! ```text
//! cargo run --example server -- [CLIENTS] [REQUESTS]
//! ```
//!
//! # Prints
//! ```text
//! 400 words from 4 clients: fork 80, guard 80, poison 80, reader 80, writer 80
//! ```
//! It is checked that no word is lost, and that a client sees its own words counted.

use clap::Parser;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

const WORDS: [&str; 5] = ["fork", "guard", "poison", "reader", "writer"];
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client may want, and where the answer goes.
#[derive(Serialize, Deserialize)]
enum Request {
    /// How often the word was added, this time included.
    Add { word: String, reply: Writer<u64> },
    /// All words, and how often each was added.
    List { reply: Writer<BTreeMap<String, u64>> },
}

#[process]
fn server(requests: Reader<Request>) -> csproc::Result<()> {
    let mut counts = BTreeMap::new();
    for request in requests.results() {
        let answered = match request? {
            Request::Add { word, reply } => {
                let count = counts.entry(word).or_insert(0);
                *count += 1;
                reply.write(*count).map_err(ChannelError::from)
            }
            Request::List { reply } => reply.write(counts.clone()).map_err(ChannelError::from),
        };
        if let Err(error) = answered {
            // Whoever asked has gone, or does not wait any more.
            eprintln!("an answer was not taken: {error}");
        }
    }
    Ok(())
}

#[process]
fn client(server: Writer<Request>, requests: usize) -> csproc::Result<()> {
    let mut mine = BTreeMap::new();
    for word in WORDS.iter().cycle().take(requests).map(|word| word.to_string()) {
        let own = mine.entry(word.clone()).or_insert(0);
        *own += 1;
        let count = csproc::ask(&server, |reply| Request::Add { word, reply }, PATIENCE)?;
        assert!(count >= *own, "{count} of {own}");
    }
    Ok(())
}

/// Asks when all clients have gone.
/// Lets clients ask a server.
#[derive(Parser)]
struct Arguments {
    /// How many clients there are: 1 to 1000
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(1..=1000))]
    clients: usize,
    /// How many words each of them adds: 0 to 1000000
    #[arg(default_value_t = 100, allow_negative_numbers = true, value_parser = within(0..=1_000_000))]
    requests: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { clients, requests } = Arguments::parse();

    let channel = Channel::new();
    let service = Spawn!(server(channel.reader()))?;
    let asking = channel.writer();
    Parallel!(for _ in 0..clients => client(channel.writer(), requests)).values()?;
    let counts = csproc::ask(&asking, |reply| Request::List { reply }, PATIENCE)?;
    // The last writing end: now the server ends, too.
    drop(asking);
    service.join().values()?;

    let all: u64 = counts.values().sum();
    assert_eq!(all, (clients * requests) as u64, "{counts:?}");
    let counts: Vec<String> = counts.iter().map(|(word, count)| format!("{word} {count}")).collect();
    println!("{all} words from {clients} clients: {}", counts.join(", "));
    Ok(())
}
