//! A number and an array in shared memory: a process sets them, and the program reads what it set.
//!
//! # Shows
//! `Value` and `Array`: given to a process as arguments, they are the same there. `get` and `set` for one number,
//! `get` and `set` by index for one element, `Debug` for all of them. (Python: `multiprocessing.Value` and `Array`.)
//!
//! # Run
//! ```text
//! cargo run --example value_array
//! ```
//!
//! # Prints
//! ```text
//! 3.1415927
//! [0, -1, -2, -3, -4, -5, -6, -7, -8, -9]
//! ```

use csproc::prelude::*;

/// A number that one recognizes.
#[expect(clippy::approx_constant, reason = "with as many digits as are to be printed")]
const NUMBER: f64 = 3.1415927;

#[process]
fn negate(number: Value<f64>, vector: Array<i32>) -> csproc::Result<()> {
    number.set(NUMBER)?;
    for i in 0..vector.len() {
        vector.set(i, -vector.get(i))?;
    }
    Ok(())
}

fn main() -> csproc::Result<()> {
    let number = Value::new(0.0);
    let vector: Array<i32> = (0..10).collect();
    Parallel!(negate(number.clone(), vector.clone())).values()?;

    println!("{}", number.get());
    println!("{vector:?}");
    assert_eq!(number.get(), NUMBER);
    assert_eq!(vector.to_vec(), (0..10).map(|i| -i).collect::<Vec<_>>());
    Ok(())
}
