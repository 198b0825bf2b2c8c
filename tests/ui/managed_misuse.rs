//! What cannot be called from another process: each is told what to write instead.

use csproc::prelude::*;
use std::borrow::Cow;
use std::rc::Rc;

struct Counter {
    count: i64,
    names: Vec<String>,
}

#[managed]
impl Counter {
    pub fn new(start: &i64) -> Counter {
        Counter { count: *start, names: Vec::new() }
    }

    pub fn rename(&mut self, name: &str) {
        self.names.push(name.to_string());
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn first(&self, _or: Cow<'_, str>) -> Option<&String> {
        self.names.first()
    }

    pub fn into_count(self) -> i64 {
        self.count
    }

    pub fn boxed(self: Box<Self>) -> i64 {
        self.count
    }

    pub async fn later(&self) -> i64 {
        self.count
    }

    pub unsafe fn trust(&self) -> i64 {
        self.count
    }

    pub fn add<N: Into<i64>>(&mut self, number: N) {
        self.count += number.into();
    }

    pub fn add_all(&mut self, numbers: impl Iterator<Item = i64>) -> impl Iterator<Item = i64> {
        self.count += numbers.sum::<i64>();
        std::iter::once(self.count)
    }

    pub fn twin(&self, other: Option<Self>) -> Self {
        other.unwrap_or(Counter { count: self.count, names: Vec::new() })
    }

    pub fn never(&self) -> ! {
        panic!()
    }

    // Not in the proxy, and so as it likes.
    fn helper(&self, _name: &str) -> Rc<u8> {
        Rc::new(0)
    }
}

fn main() {
    let manager = Manager::new().unwrap();
    let counter = CounterProxy::new(&manager, &1).unwrap();
    let _ = (counter.rename("x"), counter.names(), counter.into_count(), counter.later(), counter.never());
    let _ = Counter { count: 0, names: Vec::new() }.helper("x");
}
