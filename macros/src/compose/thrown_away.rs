//! Whether the results of a composition are thrown away: `Parallel!(…)?;`, a statement of its own. The compiler warns
//! of a `Result` that nobody looks at, but not of a `Vec` of them, which a `for` part gives.
//!
//! A macro sees no more than what stands between its parentheses, so the lines around them are read in the source file.
//! Does not know the types of the results, and says nothing where it is not sure: in code that another macro wrote, in
//! an editor that keeps no file, behind a method or a comment that it does not understand.

use proc_macro2::{TokenStream, TokenTree};
use std::path::PathBuf;

/// Whether nobody looks at the value of the macro that was given the parts of `input`, which is `mode [path] parts`.
pub(super) fn is_thrown_away(input: &TokenStream) -> bool {
    // Without a compiler, as in tests of this crate, there is no source.
    if !proc_macro::is_available() {
        return false;
    }
    let mut tokens = input.clone().into_iter().skip(2);
    let Some(first) = tokens.next() else { return false };
    let last = tokens.last().unwrap_or_else(|| first.clone());
    around(&first, &last).is_some_and(|(before, after)| is_statement(&before, &after))
}

/// The source before `first` and behind `last`.
fn around(first: &TokenTree, last: &TokenTree) -> Option<(String, String)> {
    let (start, end) = (first.span().unwrap().start(), last.span().unwrap().end());
    let file: PathBuf = start.local_file()?;
    if end.local_file()? != file {
        return None;
    }
    let source = std::fs::read_to_string(file).ok()?;
    let before = source.get(..offset(&source, start.line(), start.column())?)?;
    let after = source.get(offset(&source, end.line(), end.column())?..)?;
    Some((before.to_owned(), after.to_owned()))
}

/// Where a place that is counted from one, in lines and characters, lies in `source`.
fn offset(source: &str, line: usize, column: usize) -> Option<usize> {
    let above: usize = source.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let (within, _) = source.get(above..)?.char_indices().nth(column.checked_sub(1)?)?;
    Some(above + within)
}

fn is_statement(before: &str, after: &str) -> bool {
    let Some((rest, name)) = call(before) else { return false };
    let begins = significant(rest).is_empty() || significant(rest).ends_with([';', '{', '}']);
    begins && drops_its_value(name, after)
}

/// Splits `… Parallel!(` before the name of the macro.
fn call(before: &str) -> Option<(&str, &str)> {
    let before = significant(before).strip_suffix(['(', '[', '{'])?.trim_end();
    let before = before.strip_suffix('!')?.trim_end();
    let begin = before
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')))
        .map_or(0, |place| place + before[place..].chars().next().map_or(0, char::len_utf8));
    let (rest, path) = before.split_at(begin);
    Some((rest, path.rsplit("::").next()?))
}

/// `source` up to its last character that is neither space nor comment. A `//` inside a text is taken for a comment,
/// and what is left of the text does not look like the end of a statement.
fn significant(source: &str) -> &str {
    let mut source = source.trim_end();
    loop {
        let line = source.rfind('\n').map_or(0, |end| end + 1);
        match source[line..].find("//") {
            Some(comment) => source = source[..line + comment].trim_end(),
            None => return source,
        }
    }
}

/// Reads `)?;` and what may stand between: whether a value came out of a `Result`, and was dropped.
fn drops_its_value(name: &str, after: &str) -> bool {
    let Some(mut rest) = next(after).strip_prefix([')', ']', '}']).map(next) else { return false };
    let mut has_run = match name {
        "Parallel" | "Sequence" => true,
        "network" | "Spawn" => false,
        _ => return false,
    };
    let mut is_unpacked = false;
    loop {
        if rest.starts_with(';') {
            return has_run && is_unpacked;
        }
        if let Some(behind) = rest.strip_prefix('?') {
            is_unpacked = true;
            rest = next(behind);
            continue;
        }
        let Some((method, behind)) = method(rest) else { return false };
        match method {
            "unwrap" | "expect" => is_unpacked = true,
            "run" | "join" => (has_run, is_unpacked) = (true, false),
            "spawn" | "on_deadlock" => {}
            _ => return false,
        }
        rest = behind;
    }
}

/// Splits `.name(…) rest`, whose arguments hold no parentheses.
fn method(source: &str) -> Option<(&str, &str)> {
    let (name, behind) = next(source.strip_prefix('.')?).split_once('(')?;
    let (_, behind) = behind.split_once(')')?;
    Some((name.trim_end(), next(behind)))
}

/// `source` from its first character that is neither space nor comment.
fn next(source: &str) -> &str {
    let mut source = source.trim_start();
    while let Some(comment) = source.strip_prefix("//") {
        source = comment.find('\n').map_or("", |end| &comment[end..]).trim_start();
    }
    source
}

#[cfg(test)]
mod tests {
    use super::{is_statement, offset};

    /// `source` with `@` in place of the parts.
    fn is_thrown_away(source: &str) -> bool {
        let (before, after) = source.split_once('@').expect("the parts");
        is_statement(before, after)
    }

    #[test]
    fn a_statement_of_its_own_throws_its_value_away() {
        for source in [
            "fn main() { Parallel!(@)?; }",
            "f();\n    csproc::Parallel!(\n        @\n    )\n    .unwrap();",
            "if x { y } Sequence! [ @ ]?;",
            "let x = 1; // why\n// and how\nParallel!( // the parts\n @ // done\n) // so\n?;",
            "; Parallel! { @ }.expect(\"it runs\");",
            "; network!(@).on_deadlock(Deadlock::Report).run()?;",
            "; Spawn!(@)?.join()?;",
            "; network!(@).spawn()?.join().unwrap();",
        ] {
            assert!(is_thrown_away(source), "{source}");
        }
    }

    #[test]
    fn nothing_is_said_of_a_value_that_is_used_or_of_what_is_not_understood() {
        for source in [
            "let v = Parallel!(@)?;",
            "let _ = Parallel!(@)?;",
            "drop(Parallel!(@)?);",
            "f(); Parallel!(@)?",
            "; Parallel!(@)",
            "; Parallel!(@);",
            "; Parallel!(@).values()?;",
            "; Parallel!(@)?.into_iter().for_each(drop);",
            "; Parallel!(@)?.0;",
            "match x { A => Parallel!(@)?, }",
            "f(|| Parallel!(@)?);",
            "; mine!(@)?;",
            "; Parallel(@)?;",
            "; network!(@)?;",
            "; network!(@).run();",
            "; Spawn!(@)?;",
            "; Spawn!(@)?.join();",
            "#[allow(unused_must_use)] Parallel!(@)?;",
            "; x = /* a; */ Parallel!(@)?;",
            "let x = // a;\n Parallel!(@)?;",
        ] {
            assert!(!is_thrown_away(source), "{source}");
        }
    }

    #[test]
    fn a_place_is_counted_from_one_in_characters() {
        assert_eq!(offset("ab\näöü\n", 2, 3), Some(7));
        assert_eq!(offset("ab", 1, 1), Some(0));
        assert_eq!(offset("ab", 3, 1), None);
        assert_eq!(offset("ab", 0, 0), None);
    }
}
