//! Accepted forms of the composition macros.

#![forbid(unsafe_code)]
#![deny(unused, unused_qualifications, rust_2018_idioms)]

use csproc::prelude::*;

#[process(thread)]
fn worker(n: u64) -> u64 {
    n
}

#[process(thread)]
fn pair<A: Message, B: Message>(a: A, b: B) -> (A, B) {
    (a, b)
}

fn parse(text: &str) -> csproc::Result<u64> {
    Ok(text.parse()?)
}

fn main() -> csproc::Result<()> {
    let () = Parallel!()?;
    let () = Sequence! {}?;
    let one: u64 = Parallel!(worker(1))?;
    let bare: u64 = Parallel![worker(1),]?;
    assert_eq!(one, bare);

    let (a, b) = Parallel!(worker(1), pair::<u64, String>(2, String::new()))?;
    assert_eq!((a, b.0), (1, 2));

    let (first, all, rest) = Parallel!(
        worker(0),
        for i in 0..3 => worker(i),
        vec![worker(3), worker(4)],
    )?;
    assert_eq!((first, all, rest), (0, vec![0, 1, 2], vec![3, 4]));

    let grid = Parallel!(for row in 0..2 => for column in 0..2 => worker(2 * row + column))?;
    assert_eq!(grid, [[0, 1], [2, 3]]);

    let nested = Parallel!(
        Sequence!(worker(1), worker(2)),
        csproc::Parallel!(worker(3), for (i, n) in [4, 5].into_iter().enumerate() => worker(n + i as u64)),
        network!(worker(6)),
        for i in 0..2 => Parallel!(worker(i), Sequence![worker(i), worker(i)]),
    )?;
    assert_eq!(
        nested,
        ((1, 2), (3, vec![4, 6]), 6, vec![(0, (0, 0)), (1, (1, 1))])
    );

    // `?` and blocks keep their meaning in a `for` part.
    let parsed = Parallel!(for text in ["1", "2"] => worker(parse(text)?))?;
    let blocks = Sequence!(
        for i in 0..2 => {
            let __parts = i + 1;
            worker(__parts)
        },
        if one == 1 { worker(1) } else { worker(2) },
    )?;
    assert_eq!((parsed, blocks), (vec![1, 2], (vec![1, 2], 1)));

    let network: Network<(u64, u64)> = network!(worker(1), worker(2));
    assert_eq!(Parallel!(network, worker(3))?, ((1, 2), 3));

    let child: Child<u64> = Spawn!(worker(1))?;
    assert_eq!(child.join()?, 1);

    let sixteen = Parallel!(
        worker(0),
        worker(1),
        worker(2),
        worker(3),
        worker(4),
        worker(5),
        worker(6),
        worker(7),
        worker(8),
        worker(9),
        worker(10),
        worker(11),
        worker(12),
        worker(13),
        worker(14),
        worker(15),
    )?;
    assert_eq!(sixteen.15, 15);
    Ok(())
}
