//! The arguments of the examples: sizes by position, flags, `--placement` and `--help`.
//!
//! Knows nothing of any example. The help is the example's own header, so that the two cannot disagree.

use csproc::Placement;
use std::ops::RangeInclusive;
use std::process::exit;

/// A number that an example takes.
pub(crate) struct Size {
    /// What it counts, in the plural.
    pub(crate) of: &'static str,
    /// What it is when nothing is said.
    pub(crate) default: usize,
    /// What it may be.
    pub(crate) limits: RangeInclusive<usize>,
}

/// What was asked for.
pub(crate) struct Arguments<const SIZES: usize, const FLAGS: usize> {
    /// Where the processes of the example run.
    pub(crate) placement: Placement,
    /// The numbers, in the order of their description.
    pub(crate) sizes: [usize; SIZES],
    /// Whether each flag was given.
    pub(crate) flags: [bool; FLAGS],
}

impl<const SIZES: usize, const FLAGS: usize> Arguments<SIZES, FLAGS> {
    /// Reads the arguments of the program; `source` is the text of the example, whose header is the help.
    ///
    /// Does not return when help was asked for (exit code 0) or an argument is wrong (exit code 2).
    pub(crate) fn read(source: &str, sizes: [Size; SIZES], flags: [&str; FLAGS]) -> Arguments<SIZES, FLAGS> {
        let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        match understand(words, &sizes, flags) {
            Ok(Some(arguments)) => arguments,
            Ok(None) => {
                header(source).for_each(|line| println!("{line}"));
                exit(0)
            }
            Err(complaint) => {
                eprintln!("error: {complaint}; `--help` says what can be written");
                exit(2)
            }
        }
    }
}

/// The header of an example without the marks that make it a comment.
fn header(source: &str) -> impl Iterator<Item = &str> {
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    comment.map(|line| line.strip_prefix(' ').unwrap_or(line)).filter(|line| !line.starts_with("```"))
}

/// `None` stands for a call for help.
fn understand<const SIZES: usize, const FLAGS: usize>(
    mut words: impl Iterator<Item = String>,
    sizes: &[Size; SIZES],
    flags: [&str; FLAGS],
) -> Result<Option<Arguments<SIZES, FLAGS>>, String> {
    let mut arguments = Arguments {
        placement: Placement::Process,
        sizes: std::array::from_fn(|place| sizes[place].default),
        flags: [false; FLAGS],
    };
    let mut given = 0;
    while let Some(word) = words.next() {
        if word == "--help" || word == "-h" {
            return Ok(None);
        } else if word == "--placement" {
            let Some(placement) = words.next() else {
                return Err(String::from("`--placement` stands alone: write `process` or `thread` after it"));
            };
            arguments.placement = placement.parse()?;
        } else if let Some(placement) = word.strip_prefix("--placement=") {
            arguments.placement = placement.parse()?;
        } else if let Some(place) = flags.iter().position(|flag| *flag == word) {
            arguments.flags[place] = true;
        } else if word.starts_with('-') {
            return Err(format!("there is no option `{word}`"));
        } else {
            let Some(size) = sizes.get(given) else {
                return Err(format!("`{word}` is one argument too many"));
            };
            arguments.sizes[given] = number(&word, size)?;
            given += 1;
        }
    }
    Ok(Some(arguments))
}

fn number(word: &str, Size { of, limits, .. }: &Size) -> Result<usize, String> {
    // Underscores as in Rust, as long numbers are hard to read without.
    word.replace('_', "").parse().ok().filter(|number| limits.contains(number)).ok_or_else(|| {
        format!("`{word}` is no number of {of}: write a whole number from {} to {}", limits.start(), limits.end())
    })
}
