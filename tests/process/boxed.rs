//! Errors of a process and those of other kinds become each other, and lose neither their texts nor what the runtime
//! must know.
//!
//! Knows nothing of how an error crosses from a process to its starter.

use csproc::prelude::*;
use csproc::{ChannelError, Error};
use std::error::Error as StdError;

type Boxed = Box<dyn StdError + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[error("no paper")]
struct NoPaper(#[source] std::num::ParseIntError);

fn boxed_helper() -> Result<u8, Boxed> {
    Err(NoPaper("x".parse::<u8>().unwrap_err()))?
}

fn plain_helper() -> Result<u8, Box<dyn StdError>> {
    Err(NoPaper("x".parse::<u8>().unwrap_err()))?
}

fn anyhow_helper() -> anyhow::Result<u8> {
    use anyhow::Context;
    Err::<u8, _>(NoPaper("x".parse::<u8>().unwrap_err())).context("the printer failed")
}

#[process]
fn with_a_box() -> csproc::Result<u8> {
    boxed_helper().map_err(Error::from_boxed)
}

#[process]
fn with_a_plain_box() -> csproc::Result<u8> {
    plain_helper().map_err(Error::from_boxed)
}

#[process]
fn with_anyhow() -> csproc::Result<u8> {
    anyhow_helper().map_err(Error::from_boxed)
}

#[process]
fn read_through_a_box(input: Reader<u8>) -> csproc::Result<u8> {
    let read = || -> Result<u8, Boxed> { Ok(input.read()?) };
    read().map_err(Error::from_boxed)
}

/// As a `main` that returns a box.
fn program(input: Reader<u8>) -> Result<u8, Boxed> {
    Ok(read_through_a_box(input).run().values()?)
}

fn program_with_a_plain_box() -> Result<u8, Box<dyn StdError>> {
    Ok(with_a_box().run().values()?)
}

fn program_that_fails(how: crate::outcome::How) -> Result<(), Boxed> {
    Ok(Parallel!(crash(how))?)
}

#[process]
fn crash(how: crate::outcome::How) {
    how.happen();
}

fn texts(error: &dyn StdError) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

once! {
    fn errors_in_boxes_keep_their_chain_through_a_process() {
        let chain = ["no paper", "invalid digit found in string"];
        let error = with_a_box().run().values().unwrap_err();
        assert!(error.chain().eq(chain), "{error:?}");
        assert_eq!(error.to_string(), "process `with_a_box`: no paper");
        let error = with_a_plain_box().run().values().unwrap_err();
        assert!(error.chain().eq(chain), "{error:?}");
        let error = with_anyhow().run().values().unwrap_err();
        assert!(error.chain().eq(["the printer failed"].into_iter().chain(chain)), "{error:?}");
    }

    fn an_error_of_a_process_goes_into_a_box_with_its_sources_and_comes_out_the_same() {
        let error = program_with_a_plain_box().unwrap_err();
        assert_eq!(texts(&*error), ["process `with_a_box`: no paper", "invalid digit found in string"]);
        assert!(format!("{error:?}").contains("Caused by:\n    invalid digit"), "{error:?}");
        let same = Error::from_boxed(error);
        assert_eq!(same.process(), Some("with_a_box"));
        assert!(same.chain().eq(["no paper", "invalid digit found in string"]), "{same:?}");
    }

    fn the_end_of_a_channel_is_seen_through_boxes() {
        let c = Channel::new();
        c.writer().poison();
        let error = program(c.reader()).unwrap_err();
        let source = error.source().and_then(|source| source.downcast_ref::<ChannelError>());
        assert!(source.is_some_and(ChannelError::is_poisoned), "{error:?}");
        assert!(Error::from_boxed(error).channel_error().unwrap().is_poisoned());
        let written: Boxed = Error::from(c.writer().write(1).unwrap_err()).into();
        assert_eq!(texts(&*written).len(), 2, "{:?}", texts(&*written));
        // Also where the box holds a plain error of a channel.
        let boxed: Box<dyn StdError> = Box::new(ChannelError::Retired);
        assert!(Error::from_boxed(boxed).channel_error().unwrap().is_retired());
    }

    fn a_network_that_failed_goes_into_a_box() {
        let error = program_that_fails(crate::outcome::How::Exit(3)).unwrap_err();
        assert!(error.downcast_ref::<NetworkError>().is_some(), "{error}");
    }
}

#[cfg(feature = "anyhow")]
#[test]
fn an_error_goes_into_anyhow_and_comes_out_the_same() {
    let turn = || -> anyhow::Result<()> { Err(Error::from(ChannelError::Retired))? };
    let error = turn().unwrap_err();
    assert!(error.chain().any(|error| error.downcast_ref::<ChannelError>().is_some()), "{error:?}");
    assert_eq!(Error::from_boxed(error), Error::from(ChannelError::Retired));
}
