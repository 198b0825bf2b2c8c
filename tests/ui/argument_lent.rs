//! A loan does not leave its process but through a writer, and only plain data are lent.

use csproc::prelude::*;
use csproc::{Flat, Loan, View};

#[process]
fn takes(_loan: Loan<f64>) {}

#[process]
fn gives(input: Reader<Flat<f64>>) -> View<f64> {
    input.read_loan().unwrap()
}

#[process]
fn lends_texts(_out: Writer<Flat<String>>) {}

fn main() {}
