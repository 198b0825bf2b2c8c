//! Executors: one of twenty lines, and tokio's two; and futures that are polled by hand.
//!
//! Knows nothing of channels.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use tokio::runtime::Builder;

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Executor {
    Plain,
    CurrentThread,
    MultiThread,
}

pub(crate) const EXECUTORS: [Executor; 3] = [Executor::Plain, Executor::CurrentThread, Executor::MultiThread];

impl Executor {
    pub(crate) fn block_on<F: Future>(self, future: F) -> F::Output {
        match self {
            Executor::Plain => block_on(future),
            Executor::CurrentThread => Builder::new_current_thread().build().unwrap().block_on(future),
            Executor::MultiThread => Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(future),
        }
    }
}

impl Executor {
    /// Polls once as a task of this executor; it must be pending then.
    pub(crate) fn suspend<F: Future + Unpin>(self, future: &mut F) {
        let pending = std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context).is_pending()));
        assert!(self.block_on(pending), "it is ready at once");
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Polls once, and has nobody woken.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls once; it must be pending then.
pub(crate) fn suspend<F: Future + Unpin>(future: &mut F) {
    assert!(poll_once(future).is_pending(), "it is ready at once");
}

/// Counts how often it is woken, and wakes a thread.
pub(crate) struct Counter {
    thread: Thread,
    count: AtomicUsize,
}

impl Counter {
    pub(crate) fn here() -> Arc<Counter> {
        Arc::new(Counter { thread: std::thread::current(), count: AtomicUsize::new(0) })
    }

    /// Comes back once it was woken so often.
    pub(crate) fn until(&self, count: usize) {
        while self.count.load(Ordering::SeqCst) < count {
            std::thread::park();
        }
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Both, side by side in one thread.
pub(crate) async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(context)
        {
            first = Some(output);
        }
        if second.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(context)
        {
            second = Some(output);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}
