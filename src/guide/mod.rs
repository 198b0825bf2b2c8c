//! A way into csproc, chapter by chapter. Every program on these pages is run by the tests.
//!
//! Knows nothing of how the library works inside; that is on the [`architecture`](crate::architecture) page. It is
//! written for somebody who has used Python's `multiprocessing`, PyCSP, Go or crossbeam. The tables in [`coming_from`]
//! start from there.
//!
//! | chapter | answers |
//! |---|---|
//! | [`process`] | What stands in `Cargo.toml`? What is a process, and how is it run? |
//! | [`channel`] | Who holds an end? Why does my program not end? |
//! | [`result`] | How does an error get back to me? How do I know why a loop ended? |
//! | [`alternation`] | How do I wait for several things, for a limited time, or for a set that changes? |
//! | [`termination`] | How does a network end: all work done, at once, or by Ctrl-C? |
//! | [`failure`] | What happens when a process panics or is killed? What does a restart lose? |
//! | [`surroundings`] | What does a process see of my program? Why does my logger print nothing? |
//! | [`debugging`] | How do I test a network, read a deadlock report, attach a debugger? |
//! | [`testing`][page] (feature `testing`) | How do I try a network under any schedule, and run a failure again? |
//! | [`coming_from`] | What is that called here, if I know Python, PyCSP, Go or crossbeam? |
//! | [`cookbook`] | A farm, request and reply, a progress bar, a clean Ctrl-C, tokio: to copy |
//! | [`glossary`] | What does this word mean? |
//!
//! Read the first three in order. The others stand alone.
//!
//! [page]: https://docs.rs/csproc/latest/csproc/guide/testing/index.html

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

pub mod failure {
    #![doc = include_str!("failure.md")]
}

pub mod surroundings {
    #![doc = include_str!("surroundings.md")]
}

pub mod debugging {
    #![doc = include_str!("debugging.md")]
}

#[cfg(feature = "testing")]
pub mod testing {
    #![doc = include_str!("testing.md")]
}

pub mod coming_from {
    #![doc = include_str!("coming_from.md")]
}

pub mod cookbook {
    #![doc = include_str!("cookbook.md")]
}

pub mod glossary {
    #![doc = include_str!("glossary.md")]
}
