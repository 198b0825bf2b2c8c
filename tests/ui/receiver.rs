//! Methods are no processes, whatever the form of `self`; callers of the method report nothing.

use csproc::prelude::*;

struct Counter {
    count: u64,
}

impl Counter {
    #[process]
    fn by_reference(&self, _out: Writer<u64>) -> u64 {
        self.count
    }

    #[process]
    fn by_value(mut self) {}

    #[process]
    fn by_box(self: Box<Self>) {}

    #[process]
    fn of_its_own_type(other: Self) -> Vec<Self> {
        vec![other]
    }
}

fn main() {
    let c = Channel::<u64>::new();
    let counter = Counter { count: 1 };
    let _ = counter.by_reference(c.writer()).named("counter").run();
}
