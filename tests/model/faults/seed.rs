//! Copies of csproc's sources for the models, with the faults of the table in them: for their build scripts.
//!
//! Knows nothing of what a fault does. A fault is in a copy behind a question, so one program has them all, and a test
//! chooses which one is in place. Lines keep their numbers, by which `tests/loom` knows the orderings. What the
//! compiler says of a line, it says of that line of the copy, in the directory of the build.

#[path = "table.rs"]
pub(crate) mod table;

use std::path::{Path, PathBuf};
use std::{env, fs};
use table::{EDITS, Edit, FAULTY};

/// The layers that the models take from csproc.
const LAYERS: [&str; 2] = ["engine", "memory"];

/// Clippy looks at the sources themselves; edits have no room for its style.
const LENIENCE: &str = "#[allow(clippy::all, clippy::allow_attributes, reason = \"edited by the build\")]";

/// Copies the layers, and writes files for `include!`, each of which declares some of the copies as modules: by a name
/// and the files, below `src`. What is wrong with an edit ends the build.
pub(crate) fn copy_sources(entries: &[(&str, &[&str])]) {
    // A feature of csproc that the models have nothing of: the sources ask for it.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"testing\"))");
    let out = copy(&LAYERS, EDITS);
    for (name, files) in entries {
        let modules = files.iter().map(|file| {
            let module = file.trim_end_matches(".rs").trim_end_matches("/mod").rsplit('/').next().unwrap_or(file);
            format!("{LENIENCE}\n#[path = \"src/{file}\"]\nmod {module};\n")
        });
        write(&out.join(name), &modules.collect::<String>());
    }
}

/// Copies these directories of the sources, the root by an empty name, with these edits; gives the directory of the
/// build, in which the copies are below `src`.
pub(crate) fn copy(directories: &[&str], edits: &[Edit]) -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo runs this"));
    let (from, to) = (Path::new("../../src"), out.join("src"));
    if to.exists() {
        fs::remove_dir_all(&to).expect("the last copies can be removed");
    }
    let files: Vec<String> = directories.iter().flat_map(|directory| sources(from, directory)).collect();
    for edit in edits.iter().filter(|edit| !files.iter().any(|file| file == edit.file)) {
        println!("cargo::error={}", refusal(edit, "there is no such file"));
    }
    for file in &files {
        println!("cargo::rerun-if-changed={}", from.join(file).display());
        let source = fs::read_to_string(from.join(file)).expect("a source file");
        let edits: Vec<&Edit> = edits.iter().filter(|edit| edit.file == file).collect();
        match seeded(&source, &edits) {
            Ok(copy) => write(&to.join(file), &copy),
            Err(refusal) => println!("cargo::error={refusal}"),
        }
    }
    out
}

/// The files of a layer, without its unit tests.
fn sources(root: &Path, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(directory)).expect("the sources of csproc are two directories up");
    let names = entries.map(|entry| entry.expect("a directory entry").file_name().into_string().expect("a name"));
    let files = names.flat_map(|name| {
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        match name.as_str() {
            "tests" => Vec::new(),
            _ if name.ends_with(".rs") => vec![path],
            _ if root.join(&path).is_dir() => sources(root, &path),
            _ => Vec::new(),
        }
    });
    files.collect()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it is below a directory")).expect("the directory of the build");
    fs::write(path, text).expect("the directory of the build can be written to");
}

/// The source with these edits, or what is wrong with one of them.
pub(crate) fn seeded(source: &str, edits: &[&Edit]) -> Result<String, String> {
    let mut places = Vec::new();
    for edit in edits {
        let found: Vec<usize> = source.match_indices(edit.there).map(|(place, _)| place).collect();
        let [place] = found[..] else {
            return Err(refusal(edit, &format!("its text is in the file {} times, not once", found.len())));
        };
        if !edit.instead.contains(FAULTY) {
            return Err(refusal(edit, "it does not ask whether the fault is in place"));
        }
        let lines = |text: &str| text.matches('\n').count();
        if lines(edit.instead) != lines(edit.there) {
            return Err(refusal(edit, "it changes the numbers of the lines behind it"));
        }
        places.push((place, *edit));
    }
    places.sort_by_key(|(place, _)| *place);
    let (mut copy, mut done) = (String::new(), 0);
    for (place, edit) in places {
        let Some(before) = source.get(done..place) else {
            return Err(refusal(edit, "another edit has changed the same text"));
        };
        copy += before;
        copy += &edit.instead.replace(FAULTY, &format!("crate::seeded::is_in_place({:?})", edit.fault));
        done = place + edit.there.len();
    }
    Ok(copy + &source[done..])
}

fn refusal(edit: &Edit, why: &str) -> String {
    format!("the fault {:?} (tests/model/faults/table.rs) in src/{}: {why}", edit.fault, edit.file)
}
