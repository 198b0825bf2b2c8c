//! A channel of a type that is not a message, and a generic function without the bound: the words are those of
//! messages.

use csproc::prelude::*;

struct Job;

fn of_no_message(w: Writer<Job>, r: Reader<Job>) {
    let _ = w.write(Job);
    let _ = r.read();
    let _ = r.results();
}

fn copy<T>(r: Reader<T>, w: Writer<T>) {
    for value in r.results() {
        let _ = w.write(value.unwrap());
    }
}

fn main() {}
