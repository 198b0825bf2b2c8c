//! The options of `#[managed]`.

use csproc::prelude::*;

struct One(i64);
struct Two(i64);
struct Three(i64);
struct Four(i64);

#[managed(name = "x", exclusive, exclusive)]
impl One {
    pub fn get(&self) -> i64 {
        self.0
    }
}

#[managed(proxy)]
impl Two {
    pub fn get(&self) -> i64 {
        self.0
    }
}

#[managed(proxy = "Three", exclusive = true)]
impl Three {
    pub fn get(&self) -> i64 {
        self.0
    }
}

#[managed(proxy = Quad, crate)]
impl Four {
    pub fn get(&self) -> i64 {
        self.0
    }
}

fn all(_: OneProxy, _: TwoProxy, _: ThreeProxy, _: Quad) {}

fn main() {
    let _ = all;
}
