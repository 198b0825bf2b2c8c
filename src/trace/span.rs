//! Spans: stretches of time to which a process gives a name.
//!
//! Knows nothing of what happens in them.

use super::note_text;
use crate::engine::EventKind;
use std::panic::Location;

/// A stretch of time in a trace, from the call of [`span`] until it is dropped.
///
/// # Examples
/// See [`span`].
#[derive(Debug)]
#[must_use = "a span ends when it is dropped: give it a name, such as `_span`"]
pub struct Span {
    text: String,
    location: &'static Location<'static>,
}

/// Writes into the trace that something begins, and, when what it gives is dropped, that it has ended.
///
/// # Examples
/// ```
/// use csproc::trace::{self, What};
///
/// trace::start();
/// {
///     let _span = trace::span("solve");
///     trace::mark("half");
/// }
/// let last = trace::last(3);
/// let what: Vec<What> = last.events().iter().map(|event| event.what()).collect();
/// assert_eq!(what, [What::SpanBegan, What::Marked, What::SpanEnded]);
/// assert_eq!(last.events()[2].text(), "solve");
/// ```
#[track_caller]
pub fn span(text: &str) -> Span {
    let location = Location::caller();
    note_text(EventKind::Span, text, location);
    Span { text: String::from(text), location }
}

impl Drop for Span {
    fn drop(&mut self) {
        note_text(EventKind::SpanEnd, &self.text, self.location);
    }
}
