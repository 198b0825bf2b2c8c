//! A child sends its parent a list through a pipe.
//!
//! # Shows
//! `pipe`: two ends, each of which knows the type that it sends and the type that it receives. An end is given to a
//! process as an argument, and moves there. Closed, or ended with its process, it ends the pipe: what was sent is still
//! received, and then `recv` says `Retired`, where Python's raises `EOFError`. A list of things of different types is a
//! tuple.
//!
//! # Run
//! ```text
//! cargo run --example pipe
//! ```
//!
//! # Prints
//! ```text
//! [42, None, 'hello']
//! ```
//! It is checked that the pipe has ended behind the list.

use csproc::prelude::*;

type List = (i32, Option<()>, String);

#[process]
fn f(conn: PipeEnd<List, ()>) -> csproc::Result<()> {
    conn.send((42, None, "hello".to_string()))?;
    conn.close();
    Ok(())
}

fn main() -> csproc::Result<()> {
    let (parent_conn, child_conn) = pipe();
    let p = Spawn!(f(child_conn))?;

    let (number, nothing, text) = parent_conn.recv()?;
    println!("[{number}, {nothing:?}, '{text}']");

    let end = parent_conn.recv();
    assert_eq!(end, Err(ChannelError::Retired));
    p.join()??;
    Ok(())
}
