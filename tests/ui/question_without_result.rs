//! `?` needs a result, and the result that the compiler proposes cannot be sent.

use csproc::prelude::*;

#[process]
fn copy(input: Reader<u8>, output: Writer<u8>) {
    while let Ok(value) = input.read() {
        output.write(value)?;
    }
    let parsed = || -> Result<u8, std::num::ParseIntError> { Ok("1".parse::<u8>()? + 1) };
    output.write(parsed().unwrap())?;
}

fn main() {
    let c = Channel::new();
    copy(c.reader(), c.writer()).run().unwrap();
}
