//! What a coverage has seen as text and as a page: the same tables.
//!
//! Knows nothing of runs.

use super::reached::{Seen, names};
use std::fmt::{self, Write};

/// One section: its title, how many of how many were reached, and its rows.
struct Section {
    title: &'static str,
    reached: usize,
    all: usize,
    rows: Vec<Row>,
}

struct Row {
    what: String,
    times: String,
    was_reached: bool,
}

fn row(what: String, times: u64) -> Row {
    let was_reached = times > 0;
    let times = if was_reached { times.to_string() } else { String::from("never") };
    Row { what, times, was_reached }
}

fn section(title: &'static str, rows: Vec<Row>) -> Section {
    Section { title, reached: rows.iter().filter(|row| row.was_reached).count(), all: rows.len(), rows }
}

fn sections(seen: &Seen) -> Vec<Section> {
    let guards = seen.places.iter().flat_map(|(place, at)| {
        let who = names(&at.processes);
        at.guards.iter().map(move |fires| row(format!("{place}  {who} {}", fires.what()), fires.times))
    });
    let channels = seen.channels.iter().map(|(channel, times)| row(format!("`{channel}`"), *times));
    let orders = seen.both_orders().into_iter().map(|([first, second], before, after)| Row {
        what: format!("{first}; {second}"),
        times: format!("{before} and {after} the other way round"),
        was_reached: after > 0,
    });
    let mut sections = vec![
        section("guards have fired", guards.collect()),
        section("channels were used", channels.collect()),
        section("neighbours came in both orders", orders.collect()),
    ];
    if seen.crashes > 0 {
        let places = seen.places.iter().filter(|(_, at)| at.can_crash());
        let crashes = places.map(|(place, at)| row(format!("{place}  {}", names(&at.processes)), at.crashes));
        sections.push(section("places had a crash", crashes.collect()));
    }
    sections
}

fn title(seen: &Seen) -> String {
    let runs = if seen.runs == 1 { String::from("1 run") } else { format!("{} runs", seen.runs) };
    format!("coverage of {runs}")
}

/// The sections in characters.
pub(super) fn text(seen: &Seen, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}", title(seen))?;
    for section in sections(seen) {
        write!(f, "\n{} of {} {}", section.reached, section.all, section.title)?;
        let width = section.rows.iter().map(|row| row.times.chars().count()).max().unwrap_or(0);
        for Row { what, times, .. } in &section.rows {
            write!(f, "\n  {times:>width$}  {what}")?;
        }
    }
    Ok(())
}

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<style>\n\
    body { font-family: sans-serif; margin: 2em auto; max-width: 60em; }\n\
    td { font-family: monospace; padding: 0.1em 1em; }\n\
    td:first-child { text-align: right; white-space: nowrap; }\n\
    .never { background: #fdd; }\n\
    </style>\n";

/// The sections as a page.
pub(super) fn html(seen: &Seen) -> String {
    let title = title(seen);
    let mut page = format!("{HEAD}<title>{title}</title>\n<h1>{title}</h1>\n");
    for section in sections(seen) {
        let _ = writeln!(page, "<h2>{} of {} {}</h2>\n<table>", section.reached, section.all, section.title);
        for Row { what, times, was_reached } in &section.rows {
            let class = if *was_reached { "" } else { " class=\"never\"" };
            let _ = writeln!(page, "<tr{class}><td>{times}</td><td>{}</td></tr>", escaped(what));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</html>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
