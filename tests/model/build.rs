//! The sources of the models: csproc's own, with faults that wait to be put in place.
//!
//! Knows nothing of the faults.

#[path = "faults/seed.rs"]
mod seed;

fn main() {
    seed::copy_sources(&[("layers.rs", &["engine/mod.rs", "memory/mod.rs"])]);
}
