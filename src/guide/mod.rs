//! A way into csproc, chapter by chapter. Every program on these pages is run by the tests.
//!
//! Knows nothing of how the library works inside; that is on the [`architecture`](crate::architecture) page. It is written for
//! somebody who has used Python's `multiprocessing`, PyCSP, Go or crossbeam.
//!
//! | chapter | answers |
//! |---|---|
//! | [`process`] | What stands in `Cargo.toml`? What is a process, and how is it run? |
//! | [`channel`] | Who holds an end? Why does my program not end? |
//! | [`result`] | How does an error get back to me? How do I know why a loop ended? |
//! | [`alternation`] | How do I wait for several things, for a limited time, or for a set that changes? |
//! | [`termination`] | How does a network end: all work done, at once, or by Ctrl-C? |
//!
//! Read the first three in order. The others stand alone.

pub mod process {
    #![doc = include_str!("process.md")]
}

pub mod channel {
    #![doc = include_str!("channel.md")]
}

pub mod result {
    #![doc = include_str!("result.md")]
}

pub mod alternation {
    #![doc = include_str!("alternation.md")]
}

pub mod termination {
    #![doc = include_str!("termination.md")]
}
