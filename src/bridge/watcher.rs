//! The thread of a bridge: sleeps until there is something on the other side, and rings a bell that an alternation can
//! read.
//!
//! Knows nothing of messages, and takes none.
//!
//! ```text
//!  alternation                                  thread
//!  looks: nothing
//!  ask: DORMANT -> ASKED, unpark   ──────────►  waits for the other side; at once if there is something by now
//!  offers to read the bell                      ASKED -> DORMANT
//!                                  ◄──────────  rings
//!  looks again, and takes; or finds nothing, asks again, …
//! ```
//! **No wake-up is lost.** The bell is rung after the state went back to DORMANT. An alternation that finds ASKED is
//! therefore sure of a ring that is still to come, and whatever arrived before that ring is seen by the look that
//! follows it.
//!
//! **Nothing is taken back.** An alternation that another guard has won leaves the thread waiting, for the next one. A
//! ring that comes too late costs that one another look.

use super::bell::{Bell, ring};
use super::source::{Lookout, Source, refused};
use crate::channel::ChannelError;
use crate::engine::{self, ChannelName};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{Builder, JoinHandle, park, park_timeout};
use std::time::Duration;

/// The thread sleeps, or is about to ring.
const DORMANT: u8 = 0;
/// It is to ring as soon as there is something.
const ASKED: u8 = 1;
/// It is to end.
const STOPPED: u8 = 2;

/// Makes the thread when it is needed first.
#[derive(Default)]
pub(super) struct Watcher(RefCell<Option<Helper>>);

impl Watcher {
    /// Has the thread ring when the source is ready, and says where.
    pub(super) fn ask<S: Source>(&self, source: &S) -> Result<ChannelName, ChannelError> {
        let mut slot = self.0.borrow_mut();
        let helper = match &mut *slot {
            Some(helper) => helper,
            none => none.insert(Helper::start(source.lookout()?)?),
        };
        helper.ask();
        Ok(helper.bell.channel())
    }
}

/// Nobody outside of a simulation wakes anybody who is in it.
pub(super) fn refuse_in_simulation() -> Result<(), ChannelError> {
    Ok(engine::refuse_in_simulation("waiting for what comes from outside: a bridge, a command or a signal")?)
}

struct Helper {
    bell: Bell,
    state: Arc<AtomicU8>,
    /// Both are there until it is dropped.
    interrupt: Option<Box<dyn FnOnce() + Send>>,
    thread: Option<JoinHandle<()>>,
    /// After a bare fork the thread is not there.
    process: u32,
}

impl Helper {
    fn start(lookout: Lookout) -> Result<Helper, ChannelError> {
        refuse_in_simulation()?;
        let Lookout { wait, interrupt } = lookout;
        let bell = Bell::new()?;
        let state = Arc::new(AtomicU8::new(DORMANT));
        let (seen, name) = (state.clone(), bell.channel());
        let thread = Builder::new()
            .name(String::from("csproc-bridge"))
            .spawn(move || watch(&seen, wait, name))
            .map_err(|error| refused("a bridge cannot have a thread", error))?;
        Ok(Helper { bell, state, interrupt: Some(interrupt), thread: Some(thread), process: std::process::id() })
    }

    fn ask(&self) {
        let asked = self.state.compare_exchange(DORMANT, ASKED, Ordering::AcqRel, Ordering::Acquire);
        if let (Ok(_), Some(thread)) = (asked, &self.thread) {
            thread.thread().unpark();
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let (interrupt, thread) = (self.interrupt.take(), self.thread.take());
        if self.process != std::process::id() {
            // Neither is ours: the interrupt would reach the thread of the process we were forked from.
            std::mem::forget((interrupt, thread));
            return;
        }
        self.state.store(STOPPED, Ordering::Release);
        if let Some(interrupt) = interrupt {
            interrupt();
        }
        if let Some(thread) = thread {
            thread.thread().unpark();
            // It does not panic; if it did, it has ended all the same.
            let _ = thread.join();
        }
    }
}

fn watch(state: &AtomicU8, mut wait: Box<dyn FnMut() + Send>, bell: ChannelName) {
    loop {
        match state.load(Ordering::Acquire) {
            DORMANT => park(),
            ASKED => {
                wait();
                if state.compare_exchange(ASKED, DORMANT, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                    // Somebody waits for this ring: when there is no room for a context or a block, until there is.
                    while ring(bell).is_err() && state.load(Ordering::Acquire) != STOPPED {
                        park_timeout(Duration::from_millis(1));
                    }
                }
            }
            _ => return,
        }
    }
}
