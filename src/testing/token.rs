//! Tokens: a schedule as a text that can be copied.
//!
//! Knows nothing of what the choices mean.

use crate::engine::sim::{Choice, Kind};
use std::fmt::Write;

/// What a token begins with: its format.
const HEAD: &str = "csp1:";

/// A schedule as a text.
pub(super) fn write(choices: &[Choice]) -> String {
    let plain: Vec<(u8, u32, u32, u32)> = choices
        .iter()
        .map(|choice| {
            // So that nobody and nothing are short.
            let [who, with, channel] = [choice.who, choice.with, choice.channel].map(|number| number.wrapping_add(1));
            (choice.kind as u8, who, with, channel)
        })
        .collect();
    let bytes = postcard::to_stdvec(&plain).unwrap_or_default();
    bytes.iter().fold(String::from(HEAD), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The schedule that a token says.
///
/// # Panics
/// The text is none.
#[track_caller]
pub(super) fn wanted(text: &str) -> Vec<Choice> {
    match read(text) {
        Some(wanted) => wanted,
        None => panic!("`{text}` is no token: copy all of what a run has printed, from `csp1:` on"),
    }
}

/// The schedule that a text says; `None` if it says none.
pub(super) fn read(text: &str) -> Option<Vec<Choice>> {
    let digits = text.trim().strip_prefix(HEAD)?;
    if !digits.is_ascii() || digits.len() % 2 != 0 {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let plain: Vec<(u8, u32, u32, u32)> = postcard::from_bytes(&bytes?).ok()?;
    let choice = |(kind, who, with, channel): (u8, u32, u32, u32)| {
        let [who, with, channel] = [who, with, channel].map(|number| number.wrapping_sub(1));
        Some(Choice { kind: Kind::of(kind)?, who, with, channel })
    };
    plain.into_iter().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sim::NOBODY;

    #[test]
    fn a_token_says_what_was_written_and_nothing_else_is_one() {
        let all = [
            Choice { kind: Kind::Communication, who: 1, with: 2, channel: 300 },
            Choice { kind: Kind::Crash, who: 7, with: NOBODY, channel: NOBODY },
        ];
        assert_eq!(read(&write(&all)), Some(all.to_vec()));
        assert_eq!(read(&write(&[])), Some(Vec::new()));
        for wrong in ["", "csp1:", "csp2:00", "csp1:0", "csp1:zz", "csp1:01ff010101", "csp1:é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
