//! `Progress`: a line on a terminal that says how far an exploration is, while it is under way.
//!
//! Knows nothing of what is explored. The line stands below where the cursor is, and the cursor goes back: what others
//! print there, as the name of a test that is not over, stays as it is, and whatever comes next takes the line's place.

use crate::sys::standard::say;
use parking_lot::Mutex;
use std::env;
use std::io::{IsTerminal as _, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An exploration that ends sooner than this says nothing.
const SHORT: Duration = Duration::from_secs(1);
/// The line is written anew after this time.
const PAUSE: Duration = Duration::from_millis(200);

/// Removes whatever stands behind the cursor and below it.
const ERASE: &str = "\x1b[J";
/// Makes room for a line below the cursor, and goes there; and goes back.
const BELOW: &str = "\x1bD\x1b[A\x1b7\x1b[B\r";
const BACK: &str = "\x1b8";

/// Of several explorations of a program, one says how far it is.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// A line on a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    /// When the next line is due, after the beginning; never, if nobody sees it.
    due: Mutex<Option<Duration>>,
    is_seen: fn() -> bool,
    write: fn(&str),
    is_shown: AtomicBool,
}

impl Progress {
    /// On standard error, if that is a terminal that understands what moves a cursor.
    pub(super) fn on_terminal() -> Progress {
        let is_seen = || stderr().is_terminal() && env::var_os("TERM").is_some_and(|kind| kind != "dumb");
        Progress::new(is_seen, say)
    }

    fn new(is_seen: fn() -> bool, write: fn(&str)) -> Progress {
        Progress { due: Mutex::new(Some(SHORT)), is_seen, write, is_shown: AtomicBool::new(false) }
    }

    /// It has taken so long, and this is what there is to say, if it is time to.
    pub(super) fn say(&self, after: Duration, text: impl FnOnce() -> String) {
        // Whoever comes while another one writes has nothing to add.
        let Some(mut due) = self.due.try_lock() else { return };
        if due.is_none_or(|due| after < due) {
            return;
        }
        *due = (self.is_seen)().then_some(after + PAUSE);
        if due.is_none() {
            return;
        }
        if self.is_shown.load(Ordering::Relaxed) || !IS_TAKEN.swap(true, Ordering::Relaxed) {
            self.is_shown.store(true, Ordering::Relaxed);
            (self.write)(&format!("{ERASE}{BELOW}{}{BACK}", text()));
        }
    }
}

/// The line is gone before anything is reported.
impl Drop for Progress {
    fn drop(&mut self) {
        if *self.is_shown.get_mut() {
            (self.write)(ERASE);
            IS_TAKEN.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    thread_local! {
        static WRITTEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    fn note(text: &str) {
        WRITTEN.with_borrow_mut(|written| written.push(String::from(text)));
    }

    #[test]
    fn a_line_comes_late_and_now_and_then_and_is_gone_at_the_end_and_one_speaks_at_a_time() {
        let (one, other, unseen) =
            (Progress::new(|| true, note), Progress::new(|| true, note), Progress::new(|| false, note));
        for (milliseconds, text) in [(999, "early"), (1000, "first"), (1100, "too soon"), (1200, "second")] {
            one.say(Duration::from_millis(milliseconds), || String::from(text));
            other.say(Duration::from_millis(milliseconds), || String::from("of another"));
            unseen.say(Duration::from_millis(milliseconds), || String::from("unseen"));
        }
        drop((unseen, one));
        other.say(Duration::from_secs(9), || String::from("its turn"));
        drop(other);
        let line = |text: &str| format!("{ERASE}{BELOW}{text}{BACK}");
        let expected = [line("first"), line("second"), String::from(ERASE), line("its turn"), String::from(ERASE)];
        assert_eq!(WRITTEN.take(), expected);
    }
}
