//! The architecture page tells the truth: layers, headers, `unsafe`, and the absence of panics that a user could reach.
//!
//! Knows nothing of what the code does; it reads the sources as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 8] = ["sys", "memory", "engine", "forkserver", "channel", "alternation", "bridge", "process"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust sources below `directory`, with their path relative to it.
fn sources(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(&place).expect("the source directory can be read") {
            let path = entry.expect("a directory entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(directory).expect("below the directory").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    found.sort();
    found
}

fn layer_of(file: &str) -> Option<usize> {
    let module = file.split(['/', '.']).next()?;
    LAYERS.iter().position(|layer| *layer == module)
}

/// The code of a file before its unit tests, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| !line.contains("mod tests {")).filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn a_module_imports_only_from_the_layers_above_it() {
    let mut wrong = Vec::new();
    for (file, text) in sources(&root().join("src")) {
        let Some(layer) = layer_of(&file) else { continue };
        if file.contains("/tests/") {
            continue;
        }
        for line in code(&text) {
            for (number, name) in LAYERS.iter().enumerate().skip(layer + 1) {
                if line.contains(&format!("crate::{name}::")) || line.contains(&format!("crate::{name};")) {
                    wrong.push(format!("{file} (layer {}) uses `{name}` (layer {}): {line}", layer + 1, number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_layer_of_the_page_exists_and_is_in_its_place() {
    let page = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("the architecture page");
    let rows: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | `"))
        .filter(|(number, _)| number.parse::<usize>().is_ok())
        .map(|(_, rest)| rest.split('`').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(rows, LAYERS);
    let declared = fs::read_to_string(root().join("src/lib.rs")).expect("the crate root");
    let modules: BTreeSet<&str> = declared
        .lines()
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(modules, LAYERS.into_iter().collect());
}

#[test]
fn every_file_says_first_what_it_promises() {
    let mut naked = Vec::new();
    for directory in ["src", "macros/src", "examples", "tests"] {
        for (file, text) in sources(&root().join(directory)) {
            if !text.starts_with("//! ") && !file.starts_with("ui/") {
                naked.push(format!("{directory}/{file}"));
            }
        }
    }
    assert!(naked.is_empty(), "{naked:?}");
}

#[test]
fn unsafe_stands_only_where_the_page_lists_it() {
    let page = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("the architecture page");
    let section = page.split("## Where `unsafe` stands").nth(1).and_then(|rest| rest.split("\n## ").next());
    let listed: BTreeSet<String> = section
        .expect("the section on unsafe")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    let used: BTreeSet<String> = sources(&root().join("src"))
        .into_iter()
        .filter(|(file, text)| {
            !file.contains("/tests/") && code(text).any(|line| line.contains("unsafe") && !line.contains("unsafe_"))
        })
        .map(|(file, _)| file)
        .collect();
    assert_eq!(used, listed);
}

#[test]
fn library_code_does_not_unwrap() {
    let mut found = Vec::new();
    for (file, text) in sources(&root().join("src")) {
        if file.contains("/tests/") {
            continue;
        }
        for line in code(&text) {
            if line.contains(".unwrap()") || line.contains(".expect(") || line.contains("todo!") {
                found.push(format!("{file}: {line}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
