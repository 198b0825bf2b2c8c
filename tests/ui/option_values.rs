//! Values of the wrong kind: each option shows how it is written.

use csproc::prelude::*;

#[process(thread = true)]
fn thread_with_value() {}

#[process(name)]
fn name_without_value() {}

#[process(name = )]
fn name_without_string() {}

#[process(name = adder)]
fn name_as_a_word() {}

#[process(name = "")]
fn empty_name() {}

#[process(on_crash = "ignore")]
fn unknown_policy() {}

#[process(on_crash = retire)]
fn policy_as_a_word() {}

#[process(crate)]
fn crate_without_path() {}

#[process(crate = 4)]
fn crate_with_a_number() {}

#[process(thread name = "x")]
fn comma_forgotten() {}

fn main() {
    let _ = thread_with_value().run();
}
