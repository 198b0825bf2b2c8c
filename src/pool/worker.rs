//! A worker: a process that does one chunk after the other, until there is no more or it has done its share.
//!
//! Knows nothing of the keeper, which starts the next one.

use super::state::{Bench, Recipe};
use super::work::{Chunk, perform};
use crate::channel::{ChannelError, Message, Patience, Reader, Writer};
use crate::process::ending::Ending;
use crate::process::{OnCrash, Options, Placement, Process, process};
use serde::{Deserialize, Serialize};
use std::panic::Location;

/// What a worker is given.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "I: Message", deserialize = "I: Message"))]
pub(super) struct Post<I> {
    pub(super) work: Reader<Chunk>,
    /// Where it says that somebody has finished a task: only if that is not said already.
    pub(super) finished: Writer<()>,
    /// Where it says that it has answered what it had, and is free for more, if somebody gives it its work.
    pub(super) free: Option<Writer<()>>,
    /// After so many tasks it ends.
    pub(super) limit: Option<usize>,
    pub(super) recipe: Recipe<I>,
}

impl<I: Message + 'static> Post<I> {
    /// Somebody who takes it.
    pub(super) fn worker<S: 'static>(self, name: String, placement: Placement) -> Process<()> {
        let options = Options { name: "worker", placement, on_crash: OnCrash::Poison };
        process(options, self, work::<I, S>, |()| Ending::Normal).named(name)
    }
}

fn work<I: Message + 'static, S: 'static>(post: Post<I>) {
    let Post { work, finished, free, limit, recipe } = post;
    let mut bench = Bench::<S>::new(recipe, finished);
    let mut left = limit.unwrap_or(usize::MAX);
    while left > 0 {
        let message = match work.read_packet(Patience::ForEver, Location::caller()) {
            Ok(message) => message,
            // Nothing to read with: another worker may have better luck.
            Err(error @ ChannelError::Invalid(_)) => std::panic::panic_any(error.to_string()),
            Err(_) => return,
        };
        left = left.saturating_sub(perform(&mut bench, message));
        if let Some(free) = &free {
            // Whoever gives it its work reads this before he gives more.
            let _ = free.try_write(());
        }
    }
}
