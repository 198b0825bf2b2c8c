//! Two children put something into a queue, and their parent gets it.
//!
//! # Shows
//! `Queue`: whoever has a handle puts and gets, and a clone is one more handle. Both programs of Python's documents are
//! here: one puts a list, which is a tuple where its things are of different types, and one puts a greeting. An item is
//! in shared memory when `put` comes back, so the child may end, and be joined, before anybody gets it. In Python a
//! thread of the child carries the items to a pipe of the system, and joining the child before its items are got may
//! wait for ever.
//!
//! # Run
//! ```text
//! cargo run --example queue
//! ```
//!
//! # Prints
//! ```text
//! [42, None, 'hello']
//! Received message in the main process: Hello from the worker process!
//! ```
//! It is checked that nothing is left in the queues.

use csproc::prelude::*;

type List = (i32, Option<()>, String);

#[process]
fn f(q: Queue<List>) -> csproc::Result<()> {
    q.put((42, None, "hello".to_string()))?;
    Ok(())
}

#[process]
fn worker(queue: Queue<String>) -> csproc::Result<()> {
    let message = "Hello from the worker process!".to_string();
    queue.put(message)?;
    Ok(())
}

fn main() -> csproc::Result<()> {
    let q = Queue::new();
    let p = Spawn!(f(q.clone()))?;
    let (number, nothing, text) = q.get()?;
    println!("[{number}, {nothing:?}, '{text}']");
    p.join()??;

    let queue = Queue::new();
    let process = Spawn!(worker(queue.clone()))?;
    // The other way round: it has ended, and what it has put is there.
    process.join()??;
    let message = queue.get()?;
    println!("Received message in the main process: {message}");

    assert!(q.is_empty() && queue.is_empty());
    Ok(())
}
