//! What `#[managed]` marks: the methods of a type, some of them `pub`.

use csproc::prelude::*;

struct Counter(i64);
struct Silent(i64);
struct Borrowed<'a>(&'a str);

#[managed]
impl Clone for Counter {
    fn clone(&self) -> Counter {
        Counter(self.0)
    }
}

#[managed]
impl Silent {
    pub fn new() -> Silent {
        Silent(0)
    }

    fn get(&self) -> i64 {
        self.0
    }
}

#[managed]
impl<'a> Borrowed<'a> {
    pub fn length(&self) -> usize {
        self.0.len()
    }
}

#[managed]
struct Data(i64);

#[managed]
fn count() {}

fn main() {
    let _ = (Silent::new().get(), Data(1), count(), Counter(1).clone(), Borrowed("x").length());
}
