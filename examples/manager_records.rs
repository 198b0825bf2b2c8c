//! A process adds a record to a list that a manager has, and another one prints all of them.
//!
//! # Shows
//! `Manager::list`: the list is in a process of its own, and the two others are given proxies of it. `iter` gets all
//! items in one call. (Python: `multiprocessing.Manager`.)
//!
//! # Run
//! ```text
//! cargo run --example manager_records
//! ```
//!
//! # Prints
//! ```text
//! A New record is added
//!
//! Name: Computers
//! Score: 1
//! ...
//! Name: English
//! Score: 3
//! ```

use csproc::prelude::*;
use csproc::shared::List;

type Record = (String, u32);

#[process]
fn insert_record(record: Record, records: List<Record>) -> csproc::Result<()> {
    records.push(record)?;
    println!("A New record is added\n");
    Ok(())
}

#[process]
fn print_records(records: List<Record>) -> csproc::Result<()> {
    for (name, score) in records.iter()? {
        println!("Name: {name}\nScore: {score}\n");
    }
    Ok(())
}

fn main() -> csproc::Result<()> {
    let manager = Manager::new()?;
    let records = [("Computers", 1), ("Histoty", 5), ("Hindi", 9)];
    let records = manager.list(records.map(|(name, score)| (name.to_string(), score)))?;
    let new = ("English".to_string(), 3);
    Sequence!(insert_record(new, records.clone()), print_records(records.clone())).values()?;
    assert_eq!(records.len()?, 4);
    Ok(())
}
