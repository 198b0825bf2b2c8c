//! The stage: values on one side of a component, and all that comes out on the other.
//!
//! Knows nothing of the component. Whoever reads here reads until the end, and whoever is left waiting is the
//! watchdog's affair.

use csproc::prelude::*;
use proptest::prelude::ProptestConfig;
use std::thread;

/// What every component is.
pub(crate) type Component = Process<csproc::Result<()>>;

pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[process(thread)]
pub(crate) fn feed<T: Message>(values: Vec<T>, out: Writer<T>) -> csproc::Result<()> {
    for value in values {
        out.write(value)?;
    }
    Ok(())
}

/// What components make of streams that end. A ring of them may end anywhere first, but nothing else may end it.
pub(crate) fn streams<T: Message, U: Message + Send + 'static>(
    values: Vec<Vec<T>>,
    outputs: usize,
    components: impl FnOnce(Vec<Reader<T>>, Vec<Writer<U>>) -> Vec<Component>,
) -> Vec<Vec<U>> {
    let (starts, ins): (Vec<_>, Vec<_>) = values.iter().map(|_| csproc::channel()).unzip();
    let (outs, ends): (Vec<_>, Vec<_>) = (0..outputs).map(|_| csproc::channel::<U>()).unzip();
    let readers: Vec<_> = ends.into_iter().map(|end| thread::spawn(move || end.read_all().unwrap())).collect();
    let feeding = values.into_iter().zip(starts);
    Parallel!(components(ins, outs), for (values, out) in feeding => feed(values, out)).values_or_end().unwrap();
    readers.into_iter().map(|reader| reader.join().unwrap()).collect()
}

/// What a component with one input and one output makes of a stream.
pub(crate) fn stream<T: Message, U: Message + Send + 'static>(
    values: Vec<T>,
    component: impl FnOnce(Reader<T>, Writer<U>) -> Component,
) -> Vec<U> {
    let one = |mut ins: Vec<Reader<T>>, mut outs: Vec<Writer<U>>| vec![component(ins.remove(0), outs.remove(0))];
    streams(vec![values], 1, one).remove(0)
}

/// The first values of components that write for ever.
pub(crate) fn first<U: Message>(count: usize, components: impl FnOnce(Writer<U>) -> Vec<Component>) -> Vec<U> {
    let (out, end) = csproc::channel();
    let network = network!(components(out)).spawn().unwrap();
    let values = end.iter().take(count).collect();
    drop(end);
    network.join().values_or_end().unwrap();
    values
}
