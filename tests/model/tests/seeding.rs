//! A fault is seeded where its text stands, once, on as many lines; what is not so ends the build, and says why.
//!
//! Knows nothing of the faults that there are.

#[expect(dead_code, reason = "the build script copies files")]
#[path = "../faults/seed.rs"]
mod seed;

use seed::seeded;
use seed::table::Edit;

const SOURCE: &str = "first();\nsecond();\nfirst_and(last());\n";

fn edit(there: &'static str, instead: &'static str) -> Edit {
    Edit { fault: "nothing works", file: "engine/some.rs", there, instead }
}

fn is_refused(edits: &[Edit], why: &str) {
    let refusal = seeded(SOURCE, &edits.iter().collect::<Vec<_>>()).expect_err("it is wrong");
    assert!(refusal.contains("\"nothing works\"") && refusal.contains("src/engine/some.rs"), "{refusal}");
    assert!(refusal.contains(why), "{refusal}");
}

#[test]
fn an_edit_is_made_where_its_text_stands() {
    let edits = [edit("last()", "FAULTY"), edit("first();\nsecond()", "if !FAULTY { first() }\nsecond()")];
    let copy = seeded(SOURCE, &edits.iter().collect::<Vec<_>>()).expect("nothing is wrong");
    let asked = "crate::seeded::is_in_place(\"nothing works\")";
    assert_eq!(copy, format!("if !{asked} {{ first() }}\nsecond();\nfirst_and({asked});\n"));
}

#[test]
fn a_source_without_faults_is_copied_as_it_is() {
    assert_eq!(seeded(SOURCE, &[]).as_deref(), Ok(SOURCE));
}

#[test]
fn a_text_that_is_gone_is_refused() {
    is_refused(&[edit("third();", "FAULTY;")], "0 times");
}

#[test]
fn a_text_that_stands_in_two_places_is_refused() {
    is_refused(&[edit("first", "FAULTY")], "2 times");
}

#[test]
fn an_edit_that_moves_lines_is_refused() {
    is_refused(&[edit("second();", "if FAULTY {\n second(); }")], "the numbers of the lines");
}

#[test]
fn an_edit_that_is_always_in_place_is_refused() {
    is_refused(&[edit("second();", "")], "does not ask");
}

#[test]
fn two_edits_of_one_text_are_refused() {
    is_refused(&[edit("second();", "FAULTY;"), edit("cond", "FAULTY")], "another edit");
}
