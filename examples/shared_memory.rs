//! A number is increased and an array is doubled by another process, in shared memory.
//!
//! # Shows
//! `with_lock`: a change that reads what it changes. Nobody else changes the value meanwhile, others still read what
//! was there before, and the change takes effect as a whole when the closure returns.
//!
//! # Run
//! ```text
//! cargo run --example shared_memory
//! ```
//!
//! # Prints
//! ```text
//! Shared Number: 10
//! Shared Array: [2, 4, 6, 8, 10]
//! ```

use csproc::prelude::*;

#[process]
fn worker(number: Value<i32>, array: Array<i32>) -> csproc::Result<()> {
    number.with_lock(|number| *number += 10)?;
    array.with_lock(|elements| elements.iter_mut().for_each(|element| *element *= 2))?;
    Ok(())
}

fn main() -> csproc::Result<()> {
    let number = Value::new(0);
    let array = Array::from([1, 2, 3, 4, 5]);
    Parallel!(worker(number.clone(), array.clone())).values()?;

    println!("Shared Number: {number}");
    println!("Shared Array: {array:?}");
    assert_eq!(number.get(), 10);
    assert_eq!(array.to_vec(), [2, 4, 6, 8, 10]);
    Ok(())
}
