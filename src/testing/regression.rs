//! Failures in a file: one file for each test, in `csproc-regressions/` beside its source, for people and for the next
//! run.
//!
//! Knows nothing of how a failure is tried again.

use super::token;
use crate::engine::sim::Choice;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{env, fs, process};

/// The directory beside the source.
const DIRECTORY: &str = "csproc-regressions";

/// A failure as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Regression {
    /// Which case of proptest it was: the number that its dice began with, which belongs to its inputs.
    pub(super) case: u64,
    /// The smallest schedule that fails.
    pub(super) smallest: Vec<Choice>,
    /// The first one that failed, if the inputs were shrunk after that: these are not kept, and this one fails with
    /// those of the case.
    pub(super) found: Option<Vec<Choice>>,
    /// It has been tried since, and did not fail.
    pub(super) passes: bool,
    /// The decisions of the smallest one in words.
    pub(super) events: Vec<String>,
}

/// A failure in a file, and which lines are its.
pub(super) type Entry = (Regression, Range<usize>);

impl Regression {
    fn write(&self) -> String {
        let mut text = format!("\nfailure {}\ncase {:016x}\n", token::write(&self.smallest), self.case);
        if let Some(found) = &self.found {
            let _ = writeln!(text, "found {}", token::write(found));
        }
        if self.passes {
            text.push_str("passes now\n");
        }
        for (number, event) in self.events.iter().enumerate() {
            let _ = writeln!(text, "{:5}. {event}", number + 1);
        }
        text
    }

    /// The failures in a text. A line that says nothing is left out.
    fn read(text: &str) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        // Lines belong to a failure that cannot be read.
        let mut is_lost = true;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(token) = line.strip_prefix("failure ") {
                let smallest = token::read(token);
                is_lost = smallest.is_none();
                let failure =
                    |smallest| Regression { case: 0, smallest, found: None, passes: false, events: Vec::new() };
                all.extend(smallest.map(|smallest| (failure(smallest), number..number + 1)));
                continue;
            }
            let Some((regression, lines)) = all.last_mut().filter(|_| !is_lost) else { continue };
            if let Some(case) = line.strip_prefix("case ").and_then(|case| u64::from_str_radix(case, 16).ok()) {
                regression.case = case;
            } else if let Some(found) = line.strip_prefix("found ").and_then(token::read) {
                regression.found = Some(found);
            } else if line == "passes now" {
                regression.passes = true;
            } else if let Some((_, event)) = line.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok()) {
                regression.events.push(String::from(event));
            } else {
                is_lost = true;
                continue;
            }
            lines.end = number + 1;
        }
        all
    }
}

/// The file of a test; `None` if its source is not found from here, as proptest looks for it.
pub(super) fn file_of(source: &Path, test: &str) -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    // The compiler names a source from the root of the workspace, and a test runs in its package.
    let source = here.ancestors().map(|directory| directory.join(source)).find(|path| path.is_file())?;
    let plain = |character: char| if character.is_alphanumeric() || "_-".contains(character) { character } else { '.' };
    let name: String = test.replace("::", ".").chars().map(plain).collect();
    Some(source.parent()?.join(DIRECTORY).join(name + ".txt"))
}

/// The failures in a file; none if there is no file.
pub(super) fn load(file: &Path) -> io::Result<Vec<Entry>> {
    Ok(Regression::read(&text_of(file)?))
}

fn text_of(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

/// Adds a failure to the file of a test, in the place of one that has come again. What else stands there stays.
pub(super) fn keep(file: &Path, header: &Header<'_>, new: &Regression, again: Option<&Regression>) -> io::Result<()> {
    // Tests of one program change files one after the other; of two programs the last one is right.
    static CHANGES: Mutex<()> = Mutex::new(());
    let _turn = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
    let old = text_of(file)?;
    let mut text = if old.is_empty() { header.write() } else { String::new() };
    let is_replaced = |(kept, _): &&Entry| kept.smallest == new.smallest || Some(kept) == again;
    let entries = Regression::read(&old);
    let replaced: Vec<&Entry> = entries.iter().filter(is_replaced).collect();
    for (number, line) in old.lines().enumerate() {
        // With the empty line before it.
        if !replaced.iter().any(|(_, lines)| lines.contains(&number) || lines.start == number + 1 && line.is_empty()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&new.write());
    if text == old { Ok(()) } else { write(file, &text) }
}

/// What a new file begins with.
pub(super) struct Header<'a> {
    pub(super) test: &'a str,
    pub(super) has_inputs: bool,
}

impl Header<'_> {
    fn write(&self) -> String {
        let Header { test, has_inputs } = self;
        let files = if *has_inputs {
            "The inputs are kept by proptest, in a file of its own, in the line with the same token:\n\
             # both files belong in the repository."
        } else {
            "This file belongs in the repository."
        };
        format!(
            "# Schedules under which `{test}` has failed, each with its events. They are tried\n\
             # before all others. {files} To forget a failure, delete its lines.\n"
        )
    }
}

/// Whoever reads sees the old file or the new one.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let unfinished = file.with_extension(format!("{}.unfinished", process::id()));
    let done = fs::create_dir_all(file.parent().unwrap_or(file))
        .and_then(|()| fs::File::create(&unfinished))
        .and_then(|mut new| new.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&unfinished, file));
    if done.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sim::{Kind, NOBODY};

    fn regression(case: u64, who: u32) -> Regression {
        let smallest = vec![Choice { kind: Kind::Communication, who, with: 2, channel: 300 }];
        let found = vec![Choice { kind: Kind::Crash, who: 7, with: NOBODY, channel: NOBODY }; 3];
        let found = (case > 1).then_some(found);
        Regression {
            case,
            smallest,
            found,
            passes: case > 2,
            events: vec![String::from("`a. → b on 3. c`"), String::from("`x`")],
        }
    }

    #[test]
    fn what_is_written_is_read_and_other_lines_say_nothing() {
        let (one, two) = (regression(1, 1), regression(u64::MAX, 2));
        let text = format!("# a comment\nfailure csp1:zz\ncase 7\n{}# mine\n{}", one.write(), two.write());
        let read = Regression::read(&text);
        assert_eq!(read.iter().map(|(failure, _)| failure.clone()).collect::<Vec<_>>(), [one, two]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[read[0].1.start].starts_with("failure") && lines[read[0].1.end] == "# mine");
    }

    #[test]
    fn a_failure_that_comes_again_takes_the_place_of_the_old_one_and_notes_of_others_stay() {
        let directory = env::temp_dir().join(format!("csproc-regression-{}", process::id()));
        let file = directory.join("sub").join("test.txt");
        let header = Header { test: "test", has_inputs: true };
        for case in [1, 2, 3] {
            keep(&file, &header, &regression(case, case as u32), None).unwrap();
        }
        fs::write(&file, fs::read_to_string(&file).unwrap().replace("\nfailure", "# of mine\n\nfailure")).unwrap();
        let cases = || load(&file).unwrap().iter().map(|(failure, _)| failure.case).collect::<Vec<_>>();
        assert_eq!(cases(), [1, 2, 3]);
        // The same schedule, in another case.
        keep(&file, &header, &regression(4, 2), None).unwrap();
        assert_eq!(cases(), [1, 3, 4]);
        // Another schedule, in the case of an old one.
        keep(&file, &header, &regression(3, 9), Some(&regression(3, 3))).unwrap();
        assert_eq!(cases(), [1, 4, 3]);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!((text.matches("# of mine").count(), text.matches("# Schedules under").count()), (3, 1), "{text}");
        assert!(!text.contains("\n\n\n"), "{text}");
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }
}
