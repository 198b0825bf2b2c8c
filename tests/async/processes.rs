//! Futures across processes: in the program, in its processes, on both sides; peers that die; deadlocks.
//!
//! Knows nothing of threads alone; those are in `laws`.

use crate::executor::{EXECUTORS, Executor};
use crate::harness::cast::relay;
use csproc::prelude::*;

#[process]
fn double(input: Reader<u64>, output: Writer<u64>, executor: Executor) -> csproc::Result<()> {
    executor.block_on(async {
        while let Ok(value) = input.read_async().await {
            output.write_async(value * 2).await?;
        }
        Ok(())
    })
}

#[process]
fn die(_input: Reader<u64>, _output: Writer<u64>, start: Reader<()>) {
    let _ = start.read();
    std::process::abort();
}

#[process]
fn wait_for(input: Reader<u64>, _output: Writer<u64>) -> csproc::Result<u64> {
    Ok(Executor::Plain.block_on(input.read_async())?)
}

over_both! {
    fn a_chain_of_futures_and_blocking_processes(placement) {
        for executor in EXECUTORS {
            let channels: Vec<Channel<u64>> = (0..4).map(|_| Channel::new()).collect();
            let (first, last) = (channels[0].writer(), channels[3].reader());
            let chain = [
                Spawn!(double(channels[0].reader(), channels[1].writer(), executor).on(placement)).unwrap(),
                Spawn!(relay(channels[1].reader(), channels[2].writer()).on(placement)).unwrap(),
                Spawn!(double(channels[2].reader(), channels[3].writer(), executor).on(placement)).unwrap(),
            ];
            drop(channels);
            executor.block_on(async {
                for value in 0..50 {
                    first.write_async(value).await.unwrap();
                    assert_eq!(last.read_async().await, Ok(value * 4));
                }
            });
            drop(first);
            for child in chain {
                child.join().unwrap().unwrap();
            }
        }
    }
}

once! {
    fn a_peer_that_dies_ends_the_wait() {
        for executor in EXECUTORS {
            let (c, d, start) = (Channel::new(), Channel::new(), Channel::new());
            let child = Spawn!(die(c.reader(), d.writer(), start.reader())).unwrap();
            let (w, r, go) = (c.writer(), d.reader(), start.writer());
            drop((c, d, start));
            let (wrote, read) = executor.block_on(async {
                let reading = async {
                    go.write_async(()).await.unwrap();
                    r.read_async().await
                };
                crate::executor::both(w.write_async(1), reading).await
            });
            assert!(wrote.unwrap_err().fate.is_lost());
            assert!(read.unwrap_err().is_lost());
            assert!(child.join().is_err());
        }
    }
}

alone! {
    fn processes_whose_futures_wait_for_each_other_are_a_deadlock() {
        let (c, d) = (Channel::new(), Channel::new());
        let network = network!(wait_for(c.reader(), d.writer()), wait_for(d.reader(), c.writer()));
        drop((c, d));
        let error = network.run().unwrap_err().to_string();
        assert!(error.contains("deadlock"), "{error}");
        // Both are named with the line that awaits.
        assert_eq!(error.matches("process `wait_for` at tests/async/processes.rs:").count(), 2, "{error}");
    }
}
