//! Tasks given one by one: waited for, looked at, chosen among, cancelled, sent away, dropped.
//!
//! Knows nothing of jobs.

use crate::{pool, slowly};
use csproc::pool::{Pool, Task, TaskFailure};
use csproc::prelude::*;
use std::time::Duration;

/// Says that it has begun, and waits until it may go on.
fn hold((begun, go_on): (Writer<()>, Reader<u32>)) -> u32 {
    begun.write(()).unwrap();
    go_on.read().unwrap()
}

#[process]
fn wait_for_it(task: Task<u32>) -> Result<u32, csproc::pool::TaskError> {
    task.wait()
}

#[process]
fn cancel_it(task: Task<u32>) -> bool {
    task.cancel()
}

over_both! {
    fn a_task_gives_its_result_once(placement) {
        let pool = pool(1, placement).build().unwrap();
        let (begun, go_on) = (Channel::new(), Channel::new());
        let task = pool.submit(hold, (begun.writer(), go_on.reader())).unwrap();
        begun.reader().read().unwrap();
        assert!(task.try_get().is_none());
        assert!(task.wait_timeout(Duration::from_millis(2)).is_none());
        go_on.writer().write(7).unwrap();
        assert_eq!(task.wait_timeout(Duration::MAX), Some(Ok(7)));
        assert!(task.try_get().is_none() && task.wait_timeout(Duration::MAX).is_none());
        assert_eq!(AltSelect! { result = task => result.unwrap_err().failure }, Ok(TaskFailure::Taken));
        assert!(!task.cancel());
        assert_eq!(task.wait().unwrap_err().failure, TaskFailure::Taken);
        pool.join().unwrap();
    }

    fn tasks_are_guards_that_fire_however_they_end(placement) {
        let pool = pool(2, placement).build().unwrap();
        let tasks: Vec<Task<u64>> =
            (0..6).map(|number| pool.submit(|n: u64| 12 / (n % 3) + slowly(n), number).unwrap()).collect();
        let mut alternation = Alternation::new();
        let tokens: Vec<_> = tasks.into_iter().map(|task| alternation.own(task)).collect();
        let mut ended = Vec::new();
        while !alternation.is_empty() {
            let fired = alternation.fair_select().unwrap();
            let number = fired.index();
            let result = fired.take(tokens[number]);
            assert_eq!(result.is_err(), number.is_multiple_of(3), "{result:?}");
            drop(alternation.remove(tokens[number]));
            ended.push(number);
        }
        ended.sort_unstable();
        assert_eq!(ended, [0, 1, 2, 3, 4, 5]);
        pool.join().unwrap();
    }

    fn a_cancelled_task_never_begins_and_a_begun_one_is_not_cancelled(placement) {
        let pool = pool(1, placement).build().unwrap();
        let (begun, go_on) = (Channel::new(), Channel::new());
        let marks = Queue::new();
        let running = pool.submit(hold, (begun.writer(), go_on.reader())).unwrap();
        begun.reader().read().unwrap();
        let mark = |(marks, number): (Queue<u32>, u32)| marks.put(number).unwrap();
        let waiting: Vec<_> = (0..4).map(|number| pool.submit(mark, (marks.clone(), number)).unwrap()).collect();
        assert!(waiting[1].cancel() && waiting[2].cancel());
        assert!(!waiting[1].cancel(), "once");
        assert_eq!(AltSelect! { result = waiting[2] => result.unwrap_err().failure }, Ok(TaskFailure::Cancelled));
        assert_eq!(waiting[2].try_get().unwrap().unwrap_err().failure, TaskFailure::Cancelled);
        assert!(!running.cancel());
        go_on.writer().write(5).unwrap();
        assert_eq!(running.wait(), Ok(5));
        let ends: Vec<_> = waiting.into_iter().map(|task| task.wait().map_err(|error| error.failure)).collect();
        assert_eq!(ends, [Ok(()), Err(TaskFailure::Cancelled), Err(TaskFailure::Taken), Ok(())]);
        pool.join().unwrap();
        marks.close();
        assert!(marks.iter().eq([0, 3]));
    }

    fn of_a_worker_and_a_canceller_exactly_one_has_the_task(placement) {
        let pool = pool(2, placement).build().unwrap();
        let (mut cancelled, mut done) = (0, 0);
        for _ in 0..300 {
            let marks = Queue::new();
            let task = pool.submit(|marks: Queue<u32>| marks.put(1).unwrap(), marks.clone()).unwrap();
            if task.cancel() {
                cancelled += 1;
                assert_eq!(task.wait().unwrap_err().failure, TaskFailure::Cancelled);
                assert!(marks.is_empty());
            } else {
                done += 1;
                task.wait().unwrap();
                assert_eq!(marks.len(), 1);
            }
        }
        assert_eq!(cancelled + done, 300);
        pool.join().unwrap();
    }

    fn a_task_that_nobody_waits_for_is_done(placement) {
        let pool = pool(1, placement).build().unwrap();
        let marks = Queue::new();
        for number in 0..10 {
            drop(pool.submit(|(marks, number): (Queue<u32>, u32)| marks.put(number).unwrap(), (marks.clone(), number)));
        }
        pool.join().unwrap();
        marks.close();
        assert!(marks.iter().eq(0..10));
    }

    fn a_task_is_waited_for_and_cancelled_wherever_it_was_sent(placement) {
        let pool = pool(1, placement).build().unwrap();
        let (begun, go_on) = (Channel::new(), Channel::new());
        let running = pool.submit(hold, (begun.writer(), go_on.reader())).unwrap();
        begun.reader().read().unwrap();
        let never = pool.submit(|x: u32| x, 1).unwrap();
        assert!(Parallel!(cancel_it(never).on(placement)).unwrap());
        let waiter = Spawn!(wait_for_it(running).on(placement)).unwrap();
        go_on.writer().write(8).unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(8));
        let taken = pool.submit(|x: u32| x, 1).unwrap();
        while taken.try_get().is_none() {}
        assert_eq!(Parallel!(wait_for_it(taken).on(placement)).unwrap().unwrap_err().failure, TaskFailure::Taken);
        pool.join().unwrap();
    }
}

alone! {
    fn a_task_that_waits_for_its_own_pool_is_a_deadlock_that_is_told() {
        // The only worker waits for what its own caller would write once it has the result.
        let pool = Pool::builder().workers(1).named("knot").build().unwrap();
        let (w, r) = csproc::channel::<u32>();
        let task = pool.submit(|input: Reader<u32>| input.read().is_ok(), r).unwrap();
        let result = task.wait();
        drop(w);
        match result {
            Ok(read) => assert!(!read, "it was told of the deadlock, and went on"),
            Err(error) => assert!(matches!(error.failure, TaskFailure::Deadlock(_)), "{error}"),
        }
        pool.join().unwrap();
    }
}
