//! The sources of the models: csproc's own, with faults that wait to be put in place. Three of them are here twice.
//!
//! Knows nothing of the faults, which are those of `tests/model`.

#[path = "../model/faults/seed.rs"]
mod seed;

fn main() {
    seed::copy_sources(&[
        ("layers.rs", &["engine/mod.rs", "memory/mod.rs"]),
        ("words.rs", &["engine/live/lock.rs", "engine/live/word.rs"]),
        ("cells.rs", &["memory/cell.rs"]),
    ]);
}
