//! The table that benchmarks print.
//!
//! Knows nothing of what is measured.

use std::time::Instant;

const ROUNDS: usize = 7;

/// What one run divides its work by; `None` when there is nothing to run: `cargo test --benches` only wants to see it
/// start.
pub(crate) fn scale() -> Option<u64> {
    if std::env::args().any(|argument| argument == "--test") {
        return None;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("usable cores: {cores}");
    Some(if cores > 1 { 1 } else { 2 })
}

pub(crate) fn nanoseconds(start: Instant, count: u64) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

/// One row of the table: what is measured, and how.
pub(crate) type Row<'a> = (&'a str, Box<dyn Fn() -> f64 + 'a>);

/// Measures all rows in turn and prints medians, and ratios to the first row.
pub(crate) fn table(title: &str, unit: &str, rows: &[Row<'_>]) {
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for (row, times) in rows.iter().zip(&mut times) {
            times.push(row.1());
        }
    }
    println!("\n| {title} | {unit} (median of {ROUNDS}) | csproc, processes = 1 |");
    println!("|---|---|---|");
    let mut first = None;
    for (row, times) in rows.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        let base = *first.get_or_insert(median);
        println!("| {} | {median:.0} | {:.2} |", row.0, median / base);
    }
}
