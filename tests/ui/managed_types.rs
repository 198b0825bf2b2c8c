//! Types that cannot be sent, and an object that several cannot look at.

use csproc::prelude::*;
use csproc::shared::{Managed, ManagedType};
use std::cell::Cell;
use std::rc::Rc;

#[derive(Clone)]
struct Local;

struct Store(Cell<u8>);

#[managed]
impl Store {
    pub fn get(&self) -> u8 {
        self.0.get()
    }
}

struct Shelf;

#[managed]
impl Shelf {
    pub fn put(&mut self, _number: u8, _shared: Rc<u8>) {}

    pub fn take(&mut self) -> Local {
        Local
    }
}

struct Plain(Cell<u8>);

impl ManagedType for Plain {
    type Proxy = Managed<Plain>;
    const NAME: &'static str = "Plain";
}

fn main() {
    let manager = Manager::new().unwrap();
    let plain = manager.create_with((), |()| Plain(Cell::new(0))).unwrap();
    let _ = plain.look((), |plain, ()| plain.0.get());
    let step = 3;
    let _ = plain.with((), |plain, ()| plain.0.set(step));
    let _ = manager.create(Plain(Cell::new(0)));
}
