//! Accepted forms of `#[process]`.

#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    unused,
    unused_qualifications,
    unreachable_pub,
    rust_2018_idioms
)]

use csproc::prelude::*;
use std::collections::HashMap;

/// Copies `input` to `out`.
///
/// A process like any other.
#[process]
pub(crate) fn relay<T: Message>(input: Reader<T>, out: Writer<T>) -> csproc::Result<()>
where
    T: Clone,
{
    for value in input {
        out.write(value.clone())?;
    }
    Ok(())
}

#[process]
fn nothing() {}

#[process()]
fn parentheses() -> () {}

#[process(thread)]
#[inline(never)]
fn patterns((a, b): (u64, u64), _: String, mut c: u64, _unused: u8, Point { x, y }: Point) -> u64 {
    c += a + b;
    c + x + y
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Tag<const N: usize>(u64);

#[derive(serde::Serialize, serde::Deserialize)]
struct Point {
    x: u64,
    y: u64,
}

#[process(name = "counter", on_crash = "retire", thread)]
fn bounded<const N: usize, K, V: Default>(map: HashMap<K, V>, tags: Vec<Tag<N>>) -> HashMap<K, V>
where
    K: Message + std::hash::Hash + Eq,
    V: Message,
{
    assert!(tags.len() <= N);
    map
}

#[process(on_crash = "poison")]
fn countdown(n: u64) -> csproc::Result<u64> {
    if n == 0 {
        return Ok(0);
    }
    Ok(1 + countdown(n - 1).run()??)
}

#[process]
#[must_use = "sort it out"]
#[expect(clippy::too_many_arguments, reason = "as many as there can be")]
fn sixteen(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    o: u8,
    p: u8,
) -> [u8; 16] {
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

#[process]
#[expect(unused_variables, reason = "an expectation set outside holds inside")]
fn lint_levels(r#type: u64, input: Option<Reader<u64>>) {}

#[process]
#[expect(dead_code, reason = "nobody calls it")]
fn never_called() {}

struct Worker;

impl Worker {
    #[process]
    fn associated(n: u64) -> u64 {
        n
    }
}

macro_rules! declare {
    ($name:ident, $argument:ident: $type:ty, $result:ty, $body:expr) => {
        #[process]
        fn $name($argument: $type, other: u64) -> $result {
            let _ = other;
            $body
        }
    };
}

declare!(declared, number: Vec<u64>, Option<u64>, number.first().copied());

mod renamed {
    use csproc as csp;
    use csproc::Placement;

    #[csp::process(crate = csp)]
    pub(super) fn by_path(n: u64) -> u64 {
        n
    }

    #[csp::process(crate = "::csproc", thread)]
    pub(super) fn by_string(placement: u64) -> u64 {
        let _ = Placement::Thread;
        placement
    }
}

fn main() -> csproc::Result<()> {
    let pass = |from: &Channel<u64>, to: &Channel<u64>| relay(from.reader(), to.writer());
    let (a, b) = (Channel::new(), Channel::new());
    let _ = pass(&a, &b);
    let () = nothing().run()?;
    let () = parentheses().run()?;
    let point = Point { x: 1, y: 2 };
    assert_eq!(patterns((1, 2), String::new(), 3, 4, point).run()?, 9);
    assert_eq!(
        bounded::<4, u8, u8>(HashMap::new(), vec![Tag(1)])
            .run()?
            .len(),
        0
    );
    assert_eq!(countdown(2).run()??, 2);
    assert_eq!(
        sixteen(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15).run()?[15],
        15
    );
    lint_levels(1, None).run()?;
    assert_eq!(Worker::associated(3).run()?, 3);
    assert_eq!(declared(vec![7], 0).run()?, Some(7));
    assert_eq!(renamed::by_path(1).run()? + renamed::by_string(1).run()?, 2);
    Ok(())
}
