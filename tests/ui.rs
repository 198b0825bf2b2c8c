//! Holds what the macros say to people: every misuse is reported at the token that is wrong, with what to write
//! instead, and every accepted form compiles and runs.
//!
//! Does not know what the macros expand to; the unit tests of `csproc-macros` hold that.

/// The texts belong to one compiler version: after an update of the toolchain, write them anew with
/// `TRYBUILD=overwrite` and read what changed.
#[test]
fn misuse_is_reported_at_its_token_with_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
    let of_the_feature = if cfg!(feature = "testing") { "under_schedules" } else { "without_testing" };
    cases.compile_fail(format!("tests/ui/{of_the_feature}/*.rs"));
}
