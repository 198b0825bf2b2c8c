//! A program that knows nothing of csproc joins a network.
//!
//! # Shows
//! A bridge: the receiving end of an ipc-channel stands in an alternation beside a channel of the network, so one
//! process reads from both, in turn, whichever has something. Each side can hold its writer up, nothing is fetched
//! ahead. Both sides retire: when the outsider has ended, its guard fails with the same error as that of a channel
//! whose last writer is gone.
//!
//! ```text
//!   insider ──channel──▶ merge
//!                          ▲
//!   outsider ─ipc-channel──┘
//! ```
//! The outsider is a program of its own. Here it is this program, started again with a variable that says where to
//! connect; it could be written by others, as long as it speaks ipc-channel.
//!
//! # Run
//! ```text
//! cargo run --example bridge -- [VALUES]
//! ```
//!
//! # Prints
//! ```text
//! 1000 values from inside, 1000 from outside: sum 1501500
//! ```
//! The insider sends 1, 2, 3, … and the outsider twice as much; the sum is checked against a formula.

use clap::Parser;
use csproc::{bridge, prelude::*};
use ipc_channel::ipc::{IpcOneShotServer, IpcSender};
use std::ops::RangeInclusive;
use std::process::Command;

/// Tells the outsider where to connect, and how many numbers to send.
const CONNECT: &str = "BRIDGE_EXAMPLE_CONNECT";
const VALUES: &str = "BRIDGE_EXAMPLE_VALUES";

/// All that the other program does. No csproc here.
fn outsider(server: String) -> csproc::Result<()> {
    let values: u64 = std::env::var(VALUES)?.parse()?;
    let sender = IpcSender::connect(server)?;
    // Whoever accepts takes the first message apart from the others: a greeting.
    sender.send(0)?;
    for value in 1..=values {
        sender.send(2 * value)?;
    }
    Ok(())
}

#[process]
fn insider(out: Writer<u64>, values: u64) -> csproc::Result<()> {
    for value in 1..=values {
        out.write(value)?;
    }
    Ok(())
}

/// Starts the outsider and reads from both sides until both have ended; returns how many values came from each, and
/// their sum.
#[process]
fn merge(inside: Reader<u64>, values: u64) -> csproc::Result<([u64; 2], u64)> {
    let (server, name) = IpcOneShotServer::<u64>::new()?;
    let mut program =
        Command::new(std::env::current_exe()?).env(CONNECT, name).env(VALUES, values.to_string()).spawn()?;
    let (receiver, _greeting) = server.accept()?;
    let outside = bridge::ipc(receiver)?;

    let mut alternation = Alternation::new();
    let sides = [alternation.read(&inside), alternation.guard(&outside)];
    let (mut counts, mut sum) = ([0, 0], 0);
    loop {
        match alternation.fair_select() {
            Ok(fired) => {
                let side = fired.index();
                counts[side] += 1;
                sum += fired.take(sides[side]);
            }
            Err(ChannelError::NoGuards) => break,
            // One side has ended: it is not asked again.
            Err(ChannelError::Retired) => {
                if let Some(side) = alternation.failed() {
                    alternation.remove(sides[side]);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    assert!(program.wait()?.success());
    Ok((counts, sum))
}

/// Reads from a channel and from a program that is no csproc.
#[derive(Parser)]
struct Arguments {
    /// How many numbers each side sends: 0 to 100000000
    #[arg(default_value_t = 1000, allow_negative_numbers = true, value_parser = within(0..=100_000_000))]
    values: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    if let Ok(server) = std::env::var(CONNECT) {
        return outsider(server);
    }
    let Arguments { values } = Arguments::parse();

    let c = Channel::new();
    let merge = merge(c.reader(), values);
    let ((), ([from_inside, from_outside], sum)) = Parallel!(insider(c.writer(), values), merge).values()?;

    assert_eq!([from_inside, from_outside], [values; 2]);
    assert_eq!(sum, 3 * values * (values + 1) / 2);
    println!("{from_inside} values from inside, {from_outside} from outside: sum {sum}");
    Ok(())
}
