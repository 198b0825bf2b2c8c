//! A type parameter needs the bound that its values are messages: the error says it, at the type that needs it.

use csproc::prelude::*;

#[process]
fn keep<T: Clone>(value: T) {
    drop(value);
}

#[process]
fn keep_all<K, T>(values: Vec<(K, T)>) -> usize {
    values.len()
}

#[process]
fn copy<T>(input: Reader<T>, output: Writer<Option<T>>) {
    for value in input {
        let _ = output.write(Some(value));
    }
}

#[process]
fn first<T>(values: Reader<u8>) -> Option<T> {
    drop(values);
    None
}

fn main() {
    let _ = keep(1u64).run();
}
