//! All sources of csproc, with faults that wait to be put in place.
//!
//! Knows nothing of the faults.

#[path = "src/faults.rs"]
mod faults;
#[path = "../model/faults/seed.rs"]
#[expect(dead_code, reason = "shared with the models, which take a part of the sources")]
mod seed;

use std::fs;

fn main() {
    // Features of csproc that nothing here needs: the sources ask for them.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"anyhow\", \"async\", \"crossbeam\"))");
    let out = seed::copy(&[""], faults::EDITS).join("src");
    // Text alone, from files that are not copied.
    fs::write(out.join("guide/mod.rs"), "//! The guide.\n").expect("the copy can be written to");
    let root = out.join("lib.rs");
    // In the middle of another file there is no place for what is said of a whole crate; nor are all of its pages here.
    let text = fs::read_to_string(&root).expect("the copy was just made");
    let line = |line| match line {
        page if str::starts_with(page, "#[doc = include_str!") => "/// A page.",
        whole if ["//!", "#!["].iter().any(|start| str::starts_with(whole, start)) => "",
        line => line,
    };
    let lines = text.lines().map(line);
    fs::write(&root, lines.collect::<Vec<_>>().join("\n")).expect("the copy can be written to");
}
