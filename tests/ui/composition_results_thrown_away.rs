//! Results in a `Vec`, which a `for` part or a vector of processes gives, and which nobody looks at.

#![deny(unused_must_use)]

use csproc::prelude::*;

#[process]
fn worker(n: u64) -> csproc::Result<()> {
    if n == 7 { Err(csproc::Error::msg("seven")) } else { Ok(()) }
}

#[process]
fn plain(n: u64) -> u64 {
    n
}

#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("broken")]
struct Broken;

#[process]
fn own(n: u64) -> Result<u64, Broken> {
    Ok(n)
}

#[process]
fn code(n: u64) -> Result<(), u8> {
    if n == 7 { Err(7) } else { Ok(()) }
}

#[process]
fn echo<T: Message>(value: T) -> T {
    value
}

/// What the results hold is not known here.
fn run<R: Message>(processes: Vec<Process<R>>) {
    Parallel!(processes).unwrap();
}

/// The invocation is the program's own, though a macro of the program writes it.
macro_rules! all {
    ($process:expr) => {
        Parallel!(for _ in 0..3 => $process)?;
    };
}

/// What is made of the parts is this macro's to know.
macro_rules! each {
    ($($parts:tt)*) => {
        Parallel!($($parts)*)?.into_iter().for_each(drop)
    };
}

fn main() -> csproc::Result<()> {
    Parallel!(for n in 0..3 => worker(n))?;
    Parallel!(plain(1), for n in 0..3 => worker(n)).unwrap();
    // Of the nested loops, the outer one is told of.
    csproc::Sequence! {
        plain(1), // first
        for n in 0..3 => for m in 0..3 => worker(n * m), // second
    }
    .expect("the processes run");
    Parallel!(plain(1), Sequence!(plain(2), for n in 0..3 => Parallel!(plain(n), own(n))))?;
    Parallel!(worker(1) * 3)?;
    let workers: Vec<Process<csproc::Result<()>>> = (0..3).map(worker).collect();
    Parallel!(plain(1), workers)?;
    network!(for n in 0..3 => worker(n)).run()?;
    Spawn!(for n in 0..3 => worker(n))?.join()?;
    {
        Parallel!(for n in 0..3 => own(n))?;
    }
    Parallel!(for n in 0..3 => code(n))?;
    all!(worker(1));

    // Nobody warns of what holds no error, or is looked at, or is ignored in so many words.
    Parallel!(for n in 0..3 => plain(n))?;
    Parallel!(plain(1) * 3, plain(2))?;
    Parallel!(for n in 0..3 => worker(n)).values()?;
    let _ = Parallel!(for n in 0..3 => worker(n))?;
    let v: Vec<csproc::Result<()>> = Parallel!(for n in 0..3 => worker(n))?;
    drop(v);
    #[allow(unused_must_use)]
    {
        Parallel!(for n in 0..3 => worker(n))?;
    }
    Parallel!(for n in 0..3 => own(n))?.into_iter().for_each(drop);
    each!(for n in 0..3 => own(n));
    all!(plain(1));
    Parallel!(for n in 0..3 => echo(n))?;
    Parallel!(echo((1, 'x')) * 3)?;
    run(worker(1) * 3);
    Ok(())
}
