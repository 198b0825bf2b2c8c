//! A process changes two numbers in a namespace that a manager has.
//!
//! # Shows
//! `Manager::namespace`: values of any types under names. `update` changes a value where it is, in one step; in Python,
//! `using_ns.x += 5` is two, and what another process does in between is overwritten.
//!
//! # Run
//! ```text
//! cargo run --example namespace
//! ```
//!
//! # Prints
//! ```text
//! before Namespace(x = 1, y = 1)
//! after Namespace(x = 6, y = 10)
//! ```

use csproc::prelude::*;

#[process]
fn change(namespace: Namespace) -> csproc::Result<()> {
    namespace.update("x", |x: &mut i32| *x += 5)?;
    namespace.update("y", |y: &mut i32| *y *= 10)?;
    Ok(())
}

fn main() -> csproc::Result<()> {
    let manager = Manager::new()?;
    let namespace = manager.namespace()?;
    namespace.set("x", 1)?;
    namespace.set("y", 1)?;
    println!("before {namespace}");
    Parallel!(change(namespace.clone())).values()?;
    println!("after {namespace}");
    assert_eq!((namespace.get::<i32>("x")?, namespace.get::<i32>("y")?), (6, 10));
    Ok(())
}
