//! One MiB that goes to another process and back, and of which each changes one number: as a region, whose bytes stay
//! where they are, and as a vector, whose bytes are copied. Python's `multiprocessing` does the same beside them, with
//! `shared_memory` and with a pipe, where there is a `python3`.
//!
//! Knows nothing of what the numbers should be.

mod python;
mod table;

use csproc::prelude::*;
use csproc::shared::Region;
use python::python;
use std::ops::DerefMut;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

const LENGTH: usize = 1 << 17;

#[process]
fn count<T: Message + DerefMut<Target = [u64]>>(input: Reader<T>, output: Writer<T>) -> csproc::Result<()> {
    for mut numbers in input {
        numbers[LENGTH / 2] += 1;
        output.write(numbers)?;
    }
    Ok(())
}

/// Nanoseconds of a round.
fn csproc<T: Message + DerefMut<Target = [u64]>>(mut numbers: T, times: u64) -> f64 {
    let (there, back) = (Channel::new(), Channel::new());
    let child = Spawn!(count(there.reader(), back.writer())).expect("a process starts");
    let (w, r) = (there.writer(), back.reader());
    drop((there, back));
    let start = Instant::now();
    for _ in 0..times {
        numbers[0] += 1;
        w.write(numbers).expect("it is read");
        numbers = r.read().expect("it comes back");
    }
    let time = nanoseconds(start, times);
    drop(w);
    child.join().expect("it ends").expect("nobody dies");
    assert_eq!((numbers[0], numbers[LENGTH / 2]), (times, times));
    time
}

/// The same in Python, which prints nanoseconds.
const PYTHON: &str = "
import array, sys, time
from multiprocessing import get_context, shared_memory
context = get_context('fork')
way, length, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mine, yours = context.Pipe()

# Before the fork, so that both have one tracker of resources; two would remove the memory twice.
memory = shared_memory.SharedMemory(create=True, size=8 * length)

def shared():
    numbers = memory.buf.cast('Q')
    for _ in range(times):
        yours.recv_bytes()
        numbers[length // 2] += 1
        yours.send_bytes(b'x')
    numbers.release()

def piped():
    for _ in range(times):
        numbers = array.array('Q', yours.recv_bytes())
        numbers[length // 2] += 1
        yours.send_bytes(numbers)

child = context.Process(target=shared if way == 'shared' else piped)
child.start()
if way == 'shared':
    numbers = memory.buf.cast('Q')
    begin = time.perf_counter()
    for _ in range(times):
        numbers[0] += 1
        mine.send_bytes(b'x')
        mine.recv_bytes()
else:
    numbers = array.array('Q', bytes(8 * length))
    begin = time.perf_counter()
    for _ in range(times):
        numbers[0] += 1
        mine.send_bytes(numbers)
        numbers = array.array('Q', mine.recv_bytes())
print((time.perf_counter() - begin) * 1e9 / times)
child.join()
assert (numbers[0], numbers[length // 2]) == (times, times)
if way == 'shared':
    numbers.release()
memory.close()
memory.unlink()
";

fn main() {
    suite("region", measure_all);
}

fn measure_all(scale: u64) {
    let times = 20_000 / scale;
    let few = times / 20;
    let measured = |way: &str, times: u64| python(PYTHON, &[way, &LENGTH.to_string(), &times.to_string()]);
    let has_python = measured("shared", 1).is_some();
    let mut rows: Vec<Row<'_>> = vec![
        ("csproc, `Region`", Box::new(|| csproc(Region::zeroed(LENGTH), times))),
        ("csproc, `Vec`", Box::new(|| csproc(vec![0; LENGTH], few))),
    ];
    if has_python {
        let by = |way| move || measured(way, few).expect("Python has done it before");
        rows.push(("Python, `shared_memory`", Box::new(by("shared"))));
        rows.push(("Python, a pipe", Box::new(by("piped"))));
    }
    table("1 MiB, there and back", "ns each time", &rows);
}
