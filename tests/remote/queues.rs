//! A queue that another program shares is used as one's own, and an item is got once, whoever dies, stands still or
//! ends at whichever moment: what was taken for a client that did not come to have it is in the queue again.
//!
//! Knows nothing of how items travel. Clients are processes that reach the queue over its socket, of this program and
//! of others.

use crate::harness::pause::{go_on, stop};
use crate::harness::place::Place;
use crate::harness::scenario::{Program, Scenario, command};
use crate::{KEY, path, served};
use csproc::prelude::*;
use csproc::shared::{CallError, List};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("serves a queue", serves_a_queue),
    ("gets and says so", gets_and_says_so),
    ("waits for an item", waits_for_an_item),
];

const PATH: &str = "CSPROC_TEST_PATH";

fn told_path() -> PathBuf {
    std::env::var_os(PATH).unwrap().into()
}

fn start(scenario: &str, path: &Path) -> Program {
    let (mut program, tag) = command(scenario);
    program.env(PATH, path).stdin(std::process::Stdio::piped());
    Program::start_as(&mut program, tag)
}

/// A queue, and a handle of it as another program has it.
pub(crate) fn shared<T: Message + 'static>(queue: Queue<T>) -> (Manager, Queue<T>, Queue<T>) {
    let (manager, _, connect) = served();
    manager.share("jobs", &queue).unwrap();
    let there = connect().get("jobs").unwrap();
    (manager, queue, there)
}

/// Until its input ends; a line is an item.
fn serves_a_queue() {
    let (manager, queue) = (Manager::new().unwrap(), Queue::<u64>::new().named("jobs"));
    manager.share("jobs", &queue).unwrap();
    manager.serve(told_path(), KEY).unwrap();
    println!("serving");
    for line in std::io::stdin().lines() {
        queue.put(line.unwrap().parse().unwrap()).unwrap();
    }
    manager.shutdown().unwrap();
    println!("ended with {}", queue.len());
}

fn jobs() -> Queue<u64> {
    Manager::connect(told_path(), KEY).unwrap().get("jobs").unwrap()
}

fn gets_and_says_so() {
    let jobs = jobs();
    println!("getting");
    for item in jobs.results() {
        match item {
            Ok(item) => println!("got {item}"),
            Err(error) => return println!("told: {error:?}"),
        }
    }
    println!("over");
}

/// Nobody in this program but its main thread could put something: it is no deadlock, for other programs can.
fn waits_for_an_item() {
    let (manager, queue) = (Manager::new().unwrap(), Queue::<u64>::new());
    manager.share("jobs", &queue).unwrap();
    manager.share("looks", &LooksProxy::begin(&manager).unwrap()).unwrap();
    manager.serve(told_path(), KEY).unwrap();
    println!("waiting");
    println!("got {}", queue.get().unwrap());
}

/// How often its program was looked at.
struct Looks;

#[managed]
impl Looks {
    pub(crate) fn begin() -> Looks {
        Looks
    }

    pub(crate) fn count(&self) -> u64 {
        csproc::__private::looks()
    }
}

/// Waits for an item, and for nothing else.
#[process]
fn wait_for_one(jobs: Queue<u64>, ready: Writer<Place>) -> Result<u64, ChannelError> {
    // What comes first is that the connection is there.
    let _ = jobs.try_get();
    Place::announce(&ready);
    jobs.get()
}

/// Notes what it has got where it outlives the process.
#[process]
fn note_all(jobs: Queue<u64>, log: PathBuf) {
    let mut log = File::options().append(true).open(log).unwrap();
    for item in jobs.results() {
        log.write_all(&item.unwrap().to_le_bytes()).unwrap();
    }
}

#[process]
fn get_and_wait(jobs: Queue<u64>, ready: Writer<Place>, until: Reader<()>) -> csproc::Result<()> {
    jobs.get()?;
    Place::announce(&ready);
    until.read()?;
    Ok(())
}

#[process]
fn square(jobs: Queue<u64>, squares: Queue<(u64, u64)>) -> csproc::Result<()> {
    for job in &jobs {
        squares.put((job, job * job))?;
        jobs.task_done()?;
    }
    Ok(())
}

fn noted(logs: &[PathBuf]) -> Vec<u64> {
    let bytes = logs.iter().flat_map(|log| std::fs::read(log).unwrap());
    bytes.collect::<Vec<u8>>().chunks_exact(8).map(|item| u64::from_le_bytes(item.try_into().unwrap())).collect()
}

/// An item that nobody survives to read.
#[derive(Debug, Serialize)]
struct Trap;

impl<'de> Deserialize<'de> for Trap {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Trap, D::Error> {
        std::panic::resume_unwind(Box::new("trapped"));
    }
}

over_both! {
    fn clients_work_off_what_is_put_and_say_that_it_is_done(placement) {
        let (manager, jobs, there) = shared(Queue::<u64>::new());
        let squares = Queue::<(u64, u64)>::new();
        manager.share("squares", &squares).unwrap();
        let back: Queue<(u64, u64)> = {
            let list = manager.list([there.clone()]).unwrap();
            assert_eq!(list.get(0).unwrap().unwrap().len(), 0, "it travels as other messages do");
            squares.clone()
        };
        let workers = Spawn!(for _ in 0..3 => square(there.clone(), back.clone()).on(placement)).unwrap();
        for round in 1..=2 {
            (0..50).try_for_each(|job| jobs.put(job)).unwrap();
            jobs.join().unwrap();
            assert_eq!((jobs.len(), squares.len()), (0, 50 * round), "all is done, not only got");
        }
        there.close();
        workers.join().values().unwrap();
        squares.close();
        assert!(squares.iter().all(|(job, square)| square == job * job));
    }
}

once! {
    fn a_queue_has_its_methods() {
        let (manager, here, there) = shared(Queue::<String>::bounded(2));
        let text = String::from;
        assert_eq!((there.len(), there.is_empty(), there.capacity()), (0, true, Some(2)));
        there.put(text("one")).unwrap();
        assert_eq!(here.try_get(), Ok(text("one")));
        here.put(text("two")).unwrap();
        there.put(text("three")).unwrap();
        let full = there.try_put(text("four")).unwrap_err();
        assert!(full.fate.is_would_block() && full.value == "four", "{full:?}");
        let (began, short) = (Instant::now(), Duration::from_millis(20));
        let full = there.put_timeout(text("four"), short).unwrap_err();
        assert!(full.fate.is_timed_out() && full.value == "four" && began.elapsed() >= short, "{full:?}");
        assert!(there.put_deadline(text("four"), Instant::now()).unwrap_err().fate.is_timed_out());
        assert_eq!((there.len(), there.get(), there.try_get()), (2, Ok(text("two")), Ok(text("three"))));
        assert_eq!(there.try_get(), Err(ChannelError::WouldBlock));
        let began = Instant::now();
        assert_eq!(there.get_timeout(short), Err(ChannelError::TimedOut));
        assert!(began.elapsed() >= short);
        assert_eq!(there.get_deadline(Instant::now()), Err(ChannelError::TimedOut));
        // Three items were got, one of them here.
        assert!(there.join_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
        assert!(there.task_done().is_ok() && there.task_done().is_ok());
        let error = there.task_done().unwrap_err().to_string();
        assert!(error.contains("`jobs at /"), "{error}");
        here.task_done().unwrap();
        assert_eq!((there.join(), there.join_timeout(Duration::ZERO)), (Ok(()), Ok(())));
        assert!(format!("{there:?}").starts_with("Queue(\"jobs at /"), "{there:?}");
        here.put(text("last")).unwrap();
        there.close();
        assert!(here.put(text("x")).unwrap_err().is_retired() && there.put(text("x")).unwrap_err().is_retired());
        assert_eq!(there.clone().into_iter().collect::<Vec<_>>(), ["last"]);
        assert_eq!(there.get(), Err(ChannelError::Retired));
        assert!(there.results().next().is_none());
        let again = manager.share("again", &there).unwrap_err();
        assert!(again.to_string().contains("let that one share it"), "{again}");
    }

    fn numbers_go_as_they_are_and_too_many_are_refused() {
        let (_manager, here, there) = shared(Queue::<Vec<u32>>::new());
        let numbers: Vec<u32> = (0..500_000).collect();
        there.put(numbers.clone()).unwrap();
        assert_eq!(here.get().unwrap(), numbers);
        here.put(numbers.clone()).unwrap();
        assert_eq!(there.get().unwrap(), numbers);
        let many = vec![1; 17 << 20];
        let refused = there.put(many.clone()).unwrap_err();
        assert!(refused.fate.to_string().contains("too many to go to another program"), "{refused:?}");
        here.put(many).unwrap();
        let refused = there.get().unwrap_err();
        assert!(refused.to_string().contains("too many to go to another program"), "{refused}");
        assert_eq!(here.len(), 1, "it is in the queue again");
    }

    fn another_type_is_another_queue() {
        let (manager, _, connect) = served();
        manager.share("jobs", &Queue::<u64>::new()).unwrap();
        let remote = connect();
        let wrong = |asked: &str| {
            CallError::WrongType { name: "jobs".into(), stored: "Queue<u64>".into(), asked: asked.into() }
        };
        assert_eq!(remote.get::<Queue<i64>>("jobs").unwrap_err(), wrong("Queue<i64>"));
        assert_eq!(remote.get::<List<u64>>("jobs").unwrap_err(), wrong("List<u64>"));
        assert_eq!(remote.get::<Queue<u64>>("jobs").unwrap().len(), 0);
    }

    fn who_waits_hears_of_the_end_and_of_poison() {
        type End = fn(&Queue<u64>);
        let ends: [(End, ChannelError); 2] =
            [(Queue::close, ChannelError::Retired), (|queue| queue.poison(), ChannelError::Poisoned)];
        for by_client in [false, true] {
            for (end, expected) in &ends {
                let (_manager, here, there) = shared(Queue::<u64>::new());
                let (ready, announced) = csproc::channel();
                let waiting = Spawn!(wait_for_one(there.clone(), ready)).unwrap();
                announced.read().unwrap().until_asleep();
                end(if by_client { &there } else { &here });
                assert_eq!(waiting.join().unwrap(), Err(expected.clone()));
                assert_eq!(there.put(1).unwrap_err().fate, *expected);
            }
        }
    }

    fn what_is_waited_for_by_the_dead_is_not_taken() {
        let (_manager, here, there) = shared(Queue::<u64>::new());
        for item in 0..100 {
            let (ready, announced) = csproc::channel();
            let waiting = Spawn!(wait_for_one(there.clone(), ready)).unwrap();
            announced.read().unwrap().until_asleep();
            // At once, and when nobody is there any more.
            if item % 2 == 0 {
                here.put(item).unwrap();
                let _ = waiting.kill();
                match waiting.join() {
                    Ok(got) => assert_eq!(got, Ok(item)),
                    Err(_) => {
                        // It was faster, and had it, or it has gone, and it is here: that is told below.
                        let left = here.get_timeout(Duration::from_millis(200));
                        assert!(matches!(left, Err(ChannelError::TimedOut)) || left == Ok(item), "{left:?}");
                    }
                }
            } else {
                waiting.kill().unwrap();
                assert!(waiting.join().is_err());
                here.put(item).unwrap();
                assert_eq!(here.get_timeout(Duration::from_secs(30)), Ok(item), "the dead have taken it");
            }
            assert!(here.is_empty());
        }
    }

    fn in_full_traffic_an_item_is_got_once_or_lost_with_the_one_dead_who_had_it() {
        const ITEMS: u64 = 20_000;
        let (_manager, here, there) = shared(Queue::<u64>::new());
        let log = |number| std::env::temp_dir().join(format!("csproc-items-{}-{number}", std::process::id()));
        let (mut logs, mut put, mut killed) = (Vec::new(), 0, 0_u64);
        while killed < 40 && put < ITEMS {
            let clients: Vec<_> = (0..2)
                .map(|_| {
                    let log = log(logs.len());
                    File::create(&log).unwrap();
                    logs.push(log.clone());
                    Spawn!(note_all(there.clone(), log)).unwrap()
                })
                .collect();
            let before = noted(&logs).len();
            while noted(&logs).len() < before + 20 {
                (0..100).try_for_each(|more| here.put(put + more)).unwrap();
                put += 100;
            }
            std::thread::sleep(Duration::from_micros(killed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53));
            for client in clients {
                client.kill().unwrap();
                assert!(client.join().is_err());
                killed += 1;
            }
        }
        // What was in a hand here comes back when the thread has seen that its client has gone.
        let mut left = BTreeSet::new();
        while let Ok(item) = here.get_timeout(Duration::from_millis(300)) {
            assert!(left.insert(item), "{item} is in the queue twice");
        }
        let got = noted(&logs);
        let all: BTreeSet<u64> = got.iter().chain(&left).copied().collect();
        assert_eq!(all.len(), got.len() + left.len(), "an item was got twice");
        let lost = (0..put).filter(|item| !all.contains(item)).count() as u64;
        assert!(lost <= killed, "{lost} of {put} items are lost with {killed} dead");
        assert!(all.last().is_some_and(|last| *last < put));
        logs.iter().for_each(|log| std::fs::remove_file(log).unwrap());
    }

    fn a_client_that_stands_still_holds_one_item_and_nobody_up() {
        let (_manager, here, there) = shared(Queue::<u64>::new());
        for goes_on in [true, false] {
            let (ready, announced) = csproc::channel();
            let waiting = Spawn!(wait_for_one(there.clone(), ready)).unwrap();
            let place: Place = announced.read().unwrap();
            place.until_asleep();
            stop(place.pid);
            here.put(1).unwrap();
            // It is sent to the one that has waited longest.
            while !here.is_empty() {
                std::thread::yield_now();
            }
            here.put(2).unwrap();
            assert_eq!(there.get_timeout(Duration::from_secs(30)), Ok(2));
            if goes_on {
                go_on(place.pid);
                assert_eq!(waiting.join().unwrap(), Ok(1));
            } else {
                waiting.kill().unwrap();
                assert_eq!(there.get_timeout(Duration::from_secs(30)), Ok(1), "it is in the queue again");
                assert!(waiting.join().is_err());
            }
        }
    }

    fn what_a_client_has_not_done_is_left_behind_under_its_name() {
        let (_manager, here, there) = shared(Queue::<u64>::new().named("work"));
        for is_killed in [true, false] {
            here.put(1).unwrap();
            let ((ready, announced), (word, until)) = (csproc::channel(), csproc::channel());
            let client = Spawn!(get_and_wait(there.clone(), ready, until)).unwrap();
            let place: Place = announced.read().unwrap();
            assert!(here.join_timeout(Duration::from_millis(20)).unwrap_err().is_timed_out());
            if is_killed {
                client.kill().unwrap();
            } else {
                word.write(()).unwrap();
            }
            let left = ChannelError::Abandoned { process: format!("client {} of work", place.pid) };
            assert_eq!(if is_killed { here.join() } else { there.join() }, Err(left));
            assert_eq!(client.join().is_err(), is_killed);
            assert_eq!((here.join(), there.join()), (Ok(()), Ok(())), "it was told");
        }
    }

    fn with_the_last_handle_of_a_client_its_tasks_are_left_and_no_others() {
        let (_manager, here, there) = shared(Queue::<u64>::new());
        (0..2).try_for_each(|item| here.put(item)).unwrap();
        let other = there.clone();
        assert_eq!((there.get(), other.get()), (Ok(0), Ok(1)));
        drop(there);
        other.task_done().unwrap();
        assert!(here.join_timeout(Duration::from_millis(20)).unwrap_err().is_timed_out());
        drop(other);
        let left = here.join().unwrap_err();
        let expected = format!("client {} of ", std::process::id());
        assert!(matches!(&left, ChannelError::Abandoned { process } if process.starts_with(&expected)), "{left}");
    }

    fn when_a_manager_ends_its_clients_are_told_and_no_item_is_lost_or_doubled() {
        let queue = Queue::<u64>::new();
        let (mut put, mut got) = (0, BTreeSet::new());
        for round in 0..30 {
            let (manager, _, there) = shared(queue.clone());
            let clients: Vec<_> = (0..3)
                .map(|_| {
                    let there = there.clone();
                    std::thread::spawn(move || {
                        let items = there.iter().collect::<Vec<u64>>();
                        (items, there.get(), there.put(0).unwrap_err().fate)
                    })
                })
                .collect();
            for _ in 0..20 + round {
                queue.put(put).unwrap();
                put += 1;
            }
            drop(manager);
            for client in clients {
                let (items, gets, puts) = client.join().unwrap();
                for error in [gets.unwrap_err(), puts] {
                    let is_told = matches!(&error, ChannelError::Io { reason } if reason.contains("was not done"));
                    assert!(is_told, "{error}");
                }
                items.into_iter().for_each(|item| assert!(got.insert(item), "{item} was got twice"));
            }
        }
        let left: Vec<u64> = std::iter::from_fn(|| queue.try_get().ok()).collect();
        left.iter().for_each(|item| assert!(got.insert(*item), "{item} was got, and is in the queue"));
        assert!(got.into_iter().eq(0..put), "an item is lost");
    }

    fn what_cannot_go_to_another_program_stays_in_the_queue() {
        let (_manager, here, there) = shared(Queue::<Option<Writer<u8>>>::new());
        let (word, input) = csproc::channel();
        here.put(Some(word)).unwrap();
        here.put(None).unwrap();
        for _ in 0..2 {
            let error = there.get().unwrap_err();
            assert!(error.is_invalid() && error.to_string().contains("it is in the queue again"), "{error}");
        }
        let reads = std::thread::spawn(move || input.read());
        here.get().unwrap().unwrap().write(7).unwrap();
        assert_eq!(reads.join().unwrap(), Ok(7));
        assert!(there.get().unwrap().is_none());
        let (own, _kept) = csproc::channel();
        let refused = there.put(Some(own)).unwrap_err();
        assert!(refused.fate.is_invalid() && refused.value.is_some(), "{refused:?}");
    }

    fn an_item_that_panics_as_it_is_read_costs_its_own_connection_alone() {
        let (_manager, here, there) = shared(Queue::<Trap>::new());
        for _ in 0..3 {
            let refused = there.put(Trap).unwrap_err();
            assert!(matches!(&refused.fate, ChannelError::Io { .. }), "{refused:?}");
        }
        assert_eq!((here.len(), there.len()), (0, 0), "it was never put");
    }

    fn a_program_gets_what_another_one_puts_and_is_told_of_its_end() {
        let path = path();
        for is_killed in [false, true] {
            let mut server = start("serves a queue", &path);
            server.until("serving");
            let mut client = start("gets and says so", &path);
            client.until("getting");
            let mut input = server.child.stdin.take().unwrap();
            for item in 0..3 {
                writeln!(input, "{item}").unwrap();
                assert_eq!(client.until("got "), item.to_string());
            }
            if is_killed {
                server.child.kill().unwrap();
            } else {
                drop(input);
                assert_eq!(server.until("ended with "), "0");
            }
            server.wait();
            // In a get, which nobody knows the end of, or between two; the end of the queue it is not.
            let told = client.until("told: ");
            assert!(told.starts_with("Io"), "{told}");
            assert!(is_killed || told.contains("was not done"), "{told}");
            assert!(client.wait().success());
        }
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    fn programs_that_are_killed_in_the_middle_of_a_get_take_nothing_along() {
        let path = path();
        let mut server = start("serves a queue", &path);
        server.until("serving");
        let mut input = server.child.stdin.take().unwrap();
        let jobs: Queue<u64> = Manager::connect(&path, KEY).unwrap().get("jobs").unwrap();
        for item in 0..10 {
            let mut client = start("gets and says so", &path);
            client.until("getting");
            client.child.kill().unwrap();
            client.wait();
            writeln!(input, "{item}").unwrap();
            assert_eq!(jobs.get_timeout(Duration::from_secs(30)), Ok(item));
        }
        drop(input);
        assert_eq!(server.until("ended with "), "0");
        assert!(server.wait().success());
    }

    fn who_waits_for_what_another_program_puts_is_in_no_deadlock() {
        let path = path();
        let mut server = start("waits for an item", &path);
        server.until("waiting");
        let remote = Manager::connect(&path, KEY).unwrap();
        let (looks, jobs): (LooksProxy, Queue<u64>) = (remote.get("looks").unwrap(), remote.get("jobs").unwrap());
        let since = looks.count().unwrap();
        while looks.count().unwrap() < since + 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        jobs.put(42).unwrap();
        assert_eq!(server.until("got "), "42");
        assert!(server.wait().success());
    }

    fn a_time_limit_holds_although_the_server_stands_still() {
        let path = path();
        let mut server = start("serves a queue", &path);
        server.until("serving");
        let jobs: Queue<u64> = Manager::connect(&path, KEY).unwrap().get("jobs").unwrap();
        // Connections for all of them.
        std::thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(|| jobs.get_timeout(Duration::from_millis(50)))));
        });
        stop(server.pid());
        let short = Duration::from_millis(10);
        std::thread::scope(|scope| {
            let gets = scope.spawn(|| jobs.get_timeout(short));
            let tries = scope.spawn(|| jobs.try_get());
            let puts = scope.spawn(|| jobs.put_timeout(7, short));
            assert_eq!(gets.join().unwrap(), Err(ChannelError::TimedOut));
            assert_eq!(tries.join().unwrap(), Err(ChannelError::WouldBlock));
            // It may be there or not, and nobody says that it is not.
            let put = puts.join().unwrap().unwrap_err();
            assert!(matches!(&put.fate, ChannelError::Io { reason } if reason.contains("in time")), "{put:?}");
        });
        go_on(server.pid());
        // Nothing was taken by those that gave up.
        let mut input = server.child.stdin.take().unwrap();
        writeln!(input, "8").unwrap();
        let mut got = jobs.get_timeout(Duration::from_secs(30)).unwrap();
        if got == 7 {
            got = jobs.get_timeout(Duration::from_secs(30)).unwrap();
        }
        assert_eq!(got, 8);
        drop(input);
        server.until("ended with ");
    }
}

#[process]
fn put_one(jobs: Queue<u64>, ready: Writer<Place>) -> csproc::Result<()> {
    let _ = jobs.try_put(8);
    Place::announce(&ready);
    jobs.put(9)?;
    Ok(())
}

/// How many threads of this program are called like this.
fn threads(beginning: &str) -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name.starts_with(beginning)).count()
}

alone! {
    fn a_put_that_waits_for_room_is_withdrawn_with_its_client() {
        let (_manager, here, there) = shared(Queue::<u64>::bounded(1));
        here.put(1).unwrap();
        assert_eq!(there.len(), 1);
        let own = threads("csproc-client");
        for _ in 0..20 {
            let (ready, announced) = csproc::channel();
            let putting = Spawn!(put_one(there.clone(), ready)).unwrap();
            announced.read().unwrap().until_asleep();
            putting.kill().unwrap();
            assert!(putting.join().is_err());
        }
        while threads("csproc-client") > own {
            std::thread::yield_now();
        }
        assert_eq!(here.get(), Ok(1));
        assert_eq!(here.get_timeout(Duration::from_millis(20)), Err(ChannelError::TimedOut));
    }

    fn nothing_is_left_of_the_clients_of_a_queue() {
        let (manager, here, there) = shared(Queue::<u64>::new());
        here.put(1).unwrap();
        assert_eq!(there.get(), Ok(1));
        assert_eq!(threads("client "), 1);
        drop((manager, here, there));
        assert_eq!((threads("csproc-client"), threads("client ")), (0, 0));
    }
}
