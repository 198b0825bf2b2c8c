//! The architecture page tells the truth: layers, headers, `unsafe`, and the absence of panics that a user could reach.
//!
//! Knows nothing of what the code does; it reads the sources as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the crate's root that are no layers: text.
const PAGES: [&str; 1] = ["guide"];

const LAYERS: [&str; 17] = [
    "sys",
    "memory",
    "engine",
    "cause",
    "trace",
    "forkserver",
    "channel",
    "time",
    "alternation",
    "bridge",
    "process",
    "pool",
    "shared",
    "sysv",
    "toolkit",
    "plug",
    "testing",
];

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

/// The paths that a piece of code begins with `crate` or `super`, those in groups one by one: `crate::{a, b::{c, d}}`
/// is `crate::a`, `crate::b::c`, `crate::b::d`.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(place) = ["crate::", "super::"].iter().filter_map(|head| rest.find(head)).min() {
        let is_whole_word = !rest[..place].ends_with(|c: char| c.is_alphanumeric() || "_$:".contains(c));
        rest = &rest[place..];
        rest = if is_whole_word { branch(String::new(), rest, &mut found) } else { &rest["crate::".len()..] };
    }
    found
}

/// Reads one path or group behind `stem`, and gives what follows it.
fn branch<'a>(mut stem: String, mut rest: &'a str, found: &mut Vec<String>) -> &'a str {
    loop {
        rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            rest = group;
            loop {
                rest = branch(stem.clone(), rest, found).trim_start_matches(|c: char| c != ',' && c != '}');
                match rest.split_at_checked(1) {
                    Some((",", more)) if !more.trim_start().starts_with('}') => rest = more,
                    Some((",", more)) => return &more.trim_start()[1..],
                    Some((_, more)) => return more,
                    None => return rest,
                }
            }
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        stem.push_str(&rest[..end]);
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) if more.starts_with(|c: char| c.is_alphabetic() || "_{".contains(c)) => {
                stem.push_str("::");
                rest = more;
            }
            _ => {
                found.push(stem);
                return rest;
            }
        }
    }
}

/// What a path of this file names in the crate's root; `None` for a path that stays below it.
fn root_item<'a>(file: &str, path: &'a str) -> Option<&'a str> {
    let modules = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let mut segments = path.split("::");
    match segments.next()? {
        "crate" => segments.next(),
        _ => match path.split("::").take_while(|segment| *segment == "super").count() {
            ups if ups == modules => segments.nth(ups - 1),
            _ => None,
        },
    }
}

/// The layers from which the crate's root gives out its names.
fn public_names() -> BTreeMap<String, usize> {
    let declared = fs::read_to_string(root().join("src/lib.rs")).expect("the crate root");
    let uses = declared.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let mut found = Vec::new();
    uses.for_each(|tree| {
        branch(String::new(), tree, &mut found);
    });
    let layer_and_name = |path: &String| {
        let layer = LAYERS.iter().position(|layer| path.starts_with(&format!("{layer}::")))?;
        Some((path.rsplit("::").next()?.to_owned(), layer))
    };
    found.iter().filter_map(layer_and_name).chain(macros(&declared)).collect()
}

/// The macros of the crate's root, which are of the layer of what they expand to.
fn macros(declared: &str) -> impl Iterator<Item = (String, usize)> {
    declared.split("\nmacro_rules! ").skip(1).filter_map(|rest| {
        let (name, body) = rest.split_once(" {")?;
        let expands_to = [("alternate!", "alternation"), ("compose!", "process"), ("ChannelEnd", "channel")];
        let (_, layer) =
            expands_to.into_iter().find(|(item, _)| body.split("\n}").next().unwrap_or(body).contains(item))?;
        Some((name.to_owned(), LAYERS.iter().position(|known| *known == layer)?))
    })
}

#[test]
fn a_module_imports_only_from_the_layers_above_it() {
    let names = public_names();
    let known = ["Channel", "Process", "Parallel", "AltSelect", "retire"];
    assert!(known.iter().all(|name| names.contains_key(*name)), "{names:?}");
    let mut wrong = Vec::new();
    for (file, text) in sources(&root().join("src")) {
        let Some(layer) = layer_of(&file) else { continue };
        if file.contains("/tests/") {
            continue;
        }
        let code = code(&text).collect::<Vec<_>>().join("\n");
        for path in paths(&code) {
            let Some(item) = root_item(&file, &path) else { continue };
            let found = LAYERS.iter().position(|name| *name == item).or_else(|| names.get(item).copied());
            match found {
                Some(number) if number <= layer => (),
                Some(number) => {
                    wrong.push(format!("{file} (layer {}) uses `{path}` of layer {}", layer + 1, number + 1))
                }
                None => wrong.push(format!("{file} uses `{path}`, which is of no layer")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Layers for which the arena is the engine's affair: they hold packets, ask for facts by name, and use the slot of a
/// process by its methods.
fn above_the_arena() -> impl Iterator<Item = &'static str> {
    LAYERS.into_iter().skip_while(|layer| *layer != "engine").skip(1)
}

#[test]
fn nobody_above_the_engine_knows_tables_blocks_or_futexes() {
    // Maps the arena before `main`.
    const MAKES_THE_ARENA: &str = "forkserver/constructor.rs";
    let mut wrong = Vec::new();
    for (file, text) in sources(&root().join("src")) {
        let is_above = layer_of(&file).is_some_and(|layer| above_the_arena().any(|above| above == LAYERS[layer]));
        if !is_above || file == MAKES_THE_ARENA || file.contains("/tests/") {
            continue;
        }
        let code = code(&text).collect::<Vec<_>>().join("\n");
        let names_memory = paths(&code).iter().any(|path| root_item(&file, path) == Some("memory"));
        let words = ["live", "tables", "arena", "take_block", "keep_block", "with_local", "futex"];
        let used = code.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| words.contains(word));
        if names_memory || used.is_some() {
            wrong.push(format!("{file}: {}", used.unwrap_or("memory")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// So no layer above can read or write an atomic of one: the compiler sees to the rest.
#[test]
fn the_words_of_a_process_are_private_to_its_slot() {
    let text = fs::read_to_string(root().join("src/engine/live/member.rs")).expect("the file of a member");
    let body = text.split("pub(crate) struct Member {").nth(1).and_then(|rest| rest.split("\n}").next());
    let fields: Vec<&str> = body.expect("the slot of a process").lines().map(str::trim).collect();
    assert!(fields.iter().any(|line| line.contains("AtomicU32")), "{fields:?}");
    let open: Vec<&&str> =
        fields.iter().filter(|line| line.starts_with("pub") && !line.starts_with("pub(super)")).collect();
    assert!(open.is_empty(), "{open:?}");
    let lent: Vec<&str> =
        text.lines().filter(|line| line.contains("pub(crate) fn") && line.contains("Atomic")).collect();
    assert!(lent.is_empty(), "{lent:?}");
}

/// The module of a directory that a path of a file in it leads into: in `channel`, the second name of
/// `channel::carrier::fetch`.
fn sibling(directory: &str, file: &str, path: &str) -> Option<String> {
    let mut place: Vec<&str> = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    let mut rest: Vec<&str> = path.split("::").collect();
    if rest.first() == Some(&"crate") {
        place.clear();
        rest.remove(0);
    }
    while rest.first() == Some(&"super") {
        place.pop();
        rest.remove(0);
    }
    place.extend(rest);
    let inside: Vec<&str> = directory.split('/').collect();
    place.strip_prefix(inside.as_slice())?.first().map(|module| (*module).to_owned())
}

/// Directories in which a file can be read after those that it imports.
fn without_circles() -> impl Iterator<Item = &'static str> {
    std::iter::once("engine/live").chain(above_the_arena())
}

#[test]
fn files_of_one_directory_import_each_other_in_no_circle() {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources(&root().join("src")) {
        let is_above = |directory: &&str| file.starts_with(&format!("{directory}/"));
        let Some(directory) = without_circles().find(is_above) else { continue };
        let inner = &file[directory.len() + 1..];
        if inner == "mod.rs" || inner.starts_with("tests/") {
            continue;
        }
        let module = inner.split(['/', '.']).next().expect("a module of it");
        let code = code(&text).collect::<Vec<_>>().join("\n");
        let others = paths(&code).into_iter().filter_map(|path| sibling(directory, &file, &path));
        let others = others.filter(|other| other != module).map(|other| format!("{directory}/{other}"));
        imports.entry(format!("{directory}/{module}")).or_default().extend(others);
    }
    assert!(imports["engine/live/local"].contains("engine/live/tables"), "{imports:?}");
    assert!(imports["channel/carrier"].contains("channel/codec"), "{imports:?}");
    // Whoever imports nothing that is left is in no circle.
    while let Some(free) = {
        let free = |(_, others): &(&String, &BTreeSet<String>)| others.iter().all(|other| !imports.contains_key(other));
        imports.iter().find(free).map(|(module, _)| module.clone())
    } {
        imports.remove(&free);
    }
    assert!(imports.is_empty(), "in a circle, or above one: {imports:#?}");
}

#[test]
fn an_import_is_seen_however_it_is_written() {
    let seen = |file, code| {
        let paths = paths(code);
        paths.iter().filter_map(|path| root_item(file, path)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(seen("sys/cpu.rs", "use crate::engine::Fate;"), ["engine"]);
    assert_eq!(
        seen("sys/cpu.rs", "use crate::{\n    channel,\n    process::{Child, Network as N},\n};"),
        ["channel", "process", "process"]
    );
    assert_eq!(seen("sys/cpu.rs", "let x = crate::bridge::ipc(r); crate::{memory}"), ["bridge", "memory"]);
    assert_eq!(seen("sys/mod.rs", "use super::{channel::Reader, Process};"), ["channel", "Process"]);
    assert_eq!(
        seen("sys/cpu.rs", "use super::super::process; use super::futex; use super::{super::bridge};"),
        ["process", "bridge"]
    );
    assert_eq!(seen("sys/cpu.rs", "$crate::process, mycrate::process, a::super::process"), [""; 0]);
}

/// What is asked by methods that are answered for both worlds at once, in a file: each one, and why it is.
const SAME_IN_BOTH_WORLDS: [(&str, &str, &str); 11] = [
    ("engine/door.rs", "gives_short", "a simulated world is told of what lies in a block"),
    ("engine/door.rs", "give_short", "nothing is handed over in this way in a simulated world"),
    ("engine/door.rs", "draft", "messages lie in blocks of the arena in both worlds"),
    ("engine/door.rs", "poison_all", "who finds deadlocks of the live world poisons their channels"),
    ("engine/door.rs", "note_deadlock", "who finds deadlocks of the live world notes them"),
    ("engine/door.rs", "view", "what there is in the arena"),
    ("engine/door.rs", "view_of_waits", "who looks for deadlocks looks into the arena"),
    ("engine/door.rs", "as_holder", "the actor says whom it acts for"),
    ("engine/named.rs", "facts", "`facts.rs` looks into either world, whichever it is"),
    ("engine/named.rs", "area", "a simulated network has no regions, so no gate keeps an area"),
    ("engine/named.rs", "keeps_memory", "only what lies in the arena of the live world outlives its process"),
];

/// The methods of these types in a source file, with their text.
fn methods<'a>(text: &'a str, types: &[&str]) -> Vec<(&'a str, &'a str)> {
    let blocks = text.split("\nimpl ").skip(1);
    let of_these = blocks.filter(|block| types.iter().any(|name| block.starts_with(&format!("{name} {{"))));
    let methods = of_these.flat_map(|block| {
        let block = block.split("\n}\n").next().unwrap_or(block);
        block.split("    pub(crate) fn ").skip(1)
    });
    methods.map(|method| (method.split(['(', '<']).next().unwrap_or(method), method)).collect()
}

#[test]
fn whatever_the_engine_is_asked_the_simulated_world_is_asked() {
    let mut found = Vec::new();
    for (file, types, question) in [
        ("engine/door.rs", &["Actor"][..], "simulated!("),
        ("engine/named.rs", &["ChannelName", "Holder", "EndName"][..], "in_simulation!("),
    ] {
        let text = fs::read_to_string(root().join("src").join(file)).expect("a source file");
        let methods = methods(&text, types);
        let listed = SAME_IN_BOTH_WORLDS.iter().filter(|(of, ..)| *of == file);
        let gone = listed.filter(|(_, same, _)| !methods.iter().any(|(name, _)| name == same));
        found.extend(gone.map(|(_, same, _)| format!("{file}: there is no method `{same}`")));
        for (name, method) in methods {
            let is_same = SAME_IN_BOTH_WORLDS.iter().any(|(of, same, _)| (*of, *same) == (file, name));
            match (method.contains(question), is_same) {
                (false, false) => found.push(format!("{file}: `{name}` does not ask the simulated world")),
                (true, true) => found.push(format!("{file}: `{name}` asks the simulated world, and is listed as one")),
                _ => (),
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
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
    assert_eq!(modules, LAYERS.into_iter().chain(PAGES).collect());
}

#[test]
fn every_module_of_the_live_engine_is_on_the_page() {
    let page = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("the architecture page");
    let row = page.lines().find(|line| line.starts_with("| 3 | `engine` |")).expect("the page has the layer");
    let modules = include_str!("../src/engine/live/mod.rs").lines();
    let missing: Vec<&str> = modules
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .filter(|module| *module != "tests" && !row.contains(&format!("`{module}`")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "not in the code map");
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

/// The width that rustfmt is told, which leaves comments, texts and the insides of macros alone.
#[test]
fn no_line_is_wider_than_the_formatter_is_told() {
    const WIDTH: usize = 120;
    let told = fs::read_to_string(root().join(".rustfmt.toml")).expect("the formatter's file");
    assert!(told.contains(&format!("max_width = {WIDTH}\n")));
    let mut wide = Vec::new();
    for directory in ["src", "macros/src", "examples", "tests"] {
        for (file, text) in sources(&root().join(directory)) {
            for (number, line) in text.lines().enumerate().filter(|(_, line)| line.chars().count() > WIDTH) {
                wide.push(format!("{directory}/{file}:{}: {} columns", number + 1, line.chars().count()));
            }
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

/// A file fits one sitting. What is longer is two things, and split by meaning.
#[test]
fn no_file_is_longer_than_600_lines() {
    const LINES: usize = 600;
    let mut long = Vec::new();
    for directory in ["src", "macros/src", "examples", "tests"] {
        for (file, text) in sources(&root().join(directory)) {
            let lines = text.lines().count();
            if lines > LINES {
                long.push(format!("{directory}/{file}: {lines} lines"));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// The functions of one line of a drawing and their file, which stands at the end: `│  Type::one ► two   prose   file`.
fn drawn(line: &str) -> Option<(Vec<&str>, &str)> {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "│▼".contains(c));
    let file = line.split_whitespace().next_back().filter(|word| word.ends_with(".rs"))?;
    Some((line.split("  ").next()?.split(" ► ").map(str::trim).collect(), file))
}

#[test]
fn the_walk_of_a_value_goes_by_functions_that_are_there() {
    let page = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("the architecture page");
    let drawing = page.split("## The walk of a value").nth(1).and_then(|rest| rest.split("```").nth(1));
    let (there, back) = drawing.and_then(|drawing| drawing.split_once("on the other side")).expect("the drawing");
    let mut wrong = Vec::new();
    for (side, first, last) in [(there, "Writer::write", "Context::wake"), (back, "", "Reader::read")] {
        let lines: Vec<_> = side.lines().filter_map(drawn).collect();
        let functions: Vec<&str> = lines.iter().flat_map(|(functions, _)| functions).copied().collect();
        assert!(functions.len() >= 6 && functions.ends_with(&[last]), "{functions:?}");
        assert!(first.is_empty() || functions.starts_with(&[first]), "{functions:?}");
        let mut callers = String::new();
        for (functions, file) in lines {
            let text = fs::read_to_string(root().join("src").join(file)).expect("a file of the drawing");
            let code = code(&text).collect::<Vec<_>>().join("\n");
            callers += &code;
            for function in functions {
                let (of, name) = function.rsplit_once("::").unwrap_or(("", function));
                let is_its = code.lines().any(|line| line.starts_with("impl") && line.contains(of));
                let is_there = [format!("fn {name}("), format!("fn {name}<")].iter().any(|head| code.contains(head));
                // On the way back the functions return, one after the other.
                let is_called = function == first || first.is_empty() || callers.contains(&format!("{name}("));
                if !(is_there && (of.is_empty() || is_its) && is_called) {
                    wrong.push(format!("{file}: {function}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The names of the keys of a section of a manifest.
fn keys(manifest: &str, section: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
    let body = text.split(&format!("[{section}]\n")).nth(1).and_then(|rest| rest.split("\n[").next());
    let names = body.unwrap_or_default().lines().filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
    names.map(str::to_owned).collect()
}

#[test]
fn the_first_example_needs_this_crate_alone() {
    let needed =
        ["dependencies", "dev-dependencies", "build-dependencies"].map(|kind| keys("examples/hello/Cargo.toml", kind));
    assert_eq!(needed.concat(), ["csproc"]);
}

#[test]
fn the_page_says_of_every_dependency_why_it_is_there() {
    let page = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("the architecture page");
    let section = page.split("## Dependencies").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows: Vec<&str> = section
        .expect("the section on dependencies")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .collect();
    let named = |name: &String| rows.iter().any(|row| row.split('`').skip(1).step_by(2).any(|word| word == name));
    let mut missing = Vec::new();
    for (manifest, ours) in [("Cargo.toml", "csproc-macros"), ("macros/Cargo.toml", "")] {
        for kind in ["dependencies", "dev-dependencies"] {
            let found = keys(manifest, kind);
            assert!(!found.is_empty() || manifest != "Cargo.toml", "{kind}");
            missing.extend(found.into_iter().filter(|name| name != ours && !named(name)));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
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

/// Faults are seeded in copies; a checker is put in the place of a layer. Nothing of either stands in the sources.
#[test]
fn the_protocol_knows_nothing_of_its_models() {
    const WORDS: [&str; 5] = ["mutant", "seeded", "faulty", "loom", "shuttle"];
    let mut found = Vec::new();
    for (file, text) in sources(&root().join("src")) {
        for line in text.lines().filter(|line| WORDS.iter().any(|word| line.to_lowercase().contains(word))) {
            found.push(format!("{file}: {line}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
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

#[test]
fn the_front_page_names_every_example() {
    let page = fs::read_to_string(root().join("README.md")).expect("the front page");
    let programs = sources(&root().join("examples")).into_iter().filter(|(_, text)| text.contains("\nfn main("));
    let programs: Vec<String> = programs.map(|(file, _)| format!("(examples/{file})")).collect();
    let missing: Vec<&String> = programs.iter().filter(|program| !page.contains(*program)).collect();
    assert!(programs.len() > 30 && missing.is_empty(), "{} examples, not on the page: {missing:?}", programs.len());
}

#[test]
fn the_front_page_leads_to_pages_that_exist() {
    let (names, declared) = (public_names(), fs::read_to_string(root().join("src/lib.rs")).expect("the crate root"));
    let page = fs::read_to_string(root().join("README.md")).expect("the front page");
    let links: Vec<&str> = page
        .split("https://docs.rs/csproc/latest/csproc/")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty())
        .collect();
    let is_there = |link: &str| match link.split(['/', '.']).collect::<Vec<_>>()[..] {
        ["architecture", "index", "html"] => true,
        ["attr", name @ ("process" | "setup" | "test"), "html"] => {
            let mut lists = declared.split("pub use csproc_macros::").skip(1).filter_map(|rest| rest.split(';').next());
            lists.any(|list| list.trim_matches(['{', '}']).split(", ").any(|attribute| attribute == name))
        }
        ["macro", name, "html"] => declared.contains(&format!("macro_rules! {name} {{")),
        [module, .., "html"] if PAGES.contains(&module) => match link.split('/').collect::<Vec<_>>()[..] {
            [module, chapter, "index.html"] => root().join(format!("src/{module}/{chapter}.md")).exists(),
            _ => link == format!("{module}/index.html"),
        },
        [module, .., "html"] if names.contains_key(module) => true,
        [module, "index", "html"] => declared.contains(&format!("pub mod {module};")),
        ["struct" | "enum" | "trait" | "fn", name, "html"] => names.contains_key(name),
        _ => false,
    };
    let missing: Vec<&&str> = links.iter().filter(|link| !is_there(link)).collect();
    assert!(links.len() > 30 && missing.is_empty(), "{} links, these lead nowhere: {missing:?}", links.len());
}

/// A program whose standard error is closed, or a pipe that nobody reads, must not end of what the library says.
#[test]
fn library_code_prints_with_no_macro_that_panics() {
    const MACROS: [&str; 5] = ["eprintln!", "println!", "eprint!", "print!", "dbg!"];
    let mut found = Vec::new();
    for (file, text) in sources(&root().join("src")) {
        if file.contains("/tests/") {
            continue;
        }
        for line in code(&text) {
            if MACROS.iter().any(|name| line.contains(name)) {
                found.push(format!("{file}: {line}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
