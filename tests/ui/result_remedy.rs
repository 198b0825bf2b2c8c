//! A result or an error of another library is told of the library's own result.

use csproc::prelude::*;
use std::error::Error;
use std::io;

#[process]
fn input() -> io::Result<u64> {
    Ok(1)
}

#[process]
fn boxed() -> Result<(), Box<dyn Error>> {
    Ok(())
}

#[process]
fn alone() -> io::Error {
    io::Error::other("failed")
}

#[process]
fn shared() -> csproc::Result<std::rc::Rc<u64>> {
    Ok(std::rc::Rc::new(1))
}

fn main() {}
