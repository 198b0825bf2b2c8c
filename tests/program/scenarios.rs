//! The programs: each is what `main` does.
//!
//! Knows nothing of what is expected of them.

use csproc::prelude::*;
use csproc::shared::Region;
use std::io::BufRead;
use std::sync::{Condvar, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn play(scenario: &str) -> csproc::Result<()> {
    let (scenario, ending) = scenario.split_once(", then ").unwrap_or((scenario, "return"));
    match scenario {
        "say who is there" => say_who_is_there(),
        "write to itself" => write_to_itself()?,
        "read from itself" => read_from_itself(),
        "a helper function fails" => _ = write_to_itself().map_err(csproc::Error::from),
        "show the report" => println!("{}", write_to_itself().unwrap_err().deadlock().unwrap()),
        "unwrap" => write_to_itself().unwrap(),
        "say how long" => say_how_long(),
        "go on" => go_on(),
        "wait with a child" => wait_with_a_child()?,
        "children in a ring" => children_in_a_ring()?,
        "a child that crashes" => a_child_that_crashes(),
        "a child that is at work" => a_child_that_is_at_work()?,
        "a process whose child crashes" => a_process_whose_child_crashes(),
        "a deadlock after the state was asked for" => a_deadlock_after_the_state_was_asked_for()?,
        "a deadlock without rights" => a_deadlock_without_rights(),
        "a child that ends" => drop(Spawn!(until_told(String::from("/dev/null")))?),
        "children that end when they are told" => children_that_end_when_they_are_told()?,
        "an end that nobody drops" => an_end_that_nobody_drops()?,
        "wait for a thread" => wait_for_a_thread(),
        "wait until some time" => wait_until_some_time(),
        "a manager in a static" => a_manager_in_a_static()?,
        "a manager that is forgotten" => a_manager_that_is_forgotten()?,
        "a region that a thread goes on writing" => a_region_that_a_thread_goes_on_writing()?,
        "an array that a thread goes on changing" => an_array_that_a_thread_goes_on_changing()?,
        "tie a knot" => tie_a_knot()?,
        "show what everybody does" => show_what_everybody_does()?,
        "stay" => stay(),
        other => panic!("there is no scenario `{other}`"),
    }
    match ending {
        "return" => Ok(()),
        "fail" => Err(csproc::Error::msg("main fails")),
        "panic" => panic!("main panics"),
        _ => std::process::exit(3),
    }
}

fn named<T: Message>(name: &str) -> Channel<T> {
    Channel::builder().name(name).build().unwrap()
}

/// The names of the program and of its children, one in a line.
fn say_who_is_there() {
    let own = std::process::id().to_string();
    let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
    for pid in std::iter::once(own.as_str()).chain(children.split_whitespace()) {
        print!("{}", std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap());
    }
}

fn a_manager_in_a_static() -> csproc::Result<()> {
    static MANAGER: OnceLock<(Manager, csproc::shared::List<u32>)> = OnceLock::new();
    let manager = Manager::new()?;
    let list = manager.list([1])?;
    let (_, list) = MANAGER.get_or_init(|| (manager, list));
    Ok(list.push(2)?)
}

fn a_manager_that_is_forgotten() -> csproc::Result<()> {
    let manager = Manager::new()?;
    std::mem::forget((manager.list([1])?, manager));
    Ok(())
}

/// Waits until all ends of its starter are closed, takes as much memory as that had, and looks whether it is its own.
#[process]
fn take_what_is_free(until: Reader<()>) -> csproc::Result<()> {
    assert!(until.read().unwrap_err().is_retired());
    let mine: Vec<Region<u64>> = (0..8).map(|_| Region::zeroed(1 << 17)).collect();
    for _ in 0..20 {
        assert!(mine.iter().all(|region| region.iter().all(|value| *value == 0)), "somebody else writes there");
        thread::yield_now();
    }
    println!("all mine");
    Ok(())
}

/// When `main` has returned and its ends are closed.
fn a_region_that_a_thread_goes_on_writing() -> csproc::Result<()> {
    let c = Channel::new();
    let child = Spawn!(take_what_is_free(c.reader()))?;
    let mut region = Region::<u64>::zeroed(1 << 17);
    region[0] = 1;
    thread::spawn(move || {
        loop {
            region.fill(7);
        }
    });
    std::mem::forget((child, c.writer()));
    Ok(())
}

/// So many numbers take some milliseconds to change.
const MANY: usize = 1 << 20;

/// As [`take_what_is_free`], for arrays.
#[process]
fn take_what_is_left(until: Reader<()>) -> csproc::Result<()> {
    assert!(until.read().unwrap_err().is_retired());
    let mine: Vec<Array<u64>> = (0..4).map(|_| Array::zeroed(MANY)).collect();
    for _ in 0..10 {
        assert!(mine.iter().all(|array| array.to_vec().iter().all(|value| *value == 0)), "somebody else writes there");
    }
    println!("all mine");
    Ok(())
}

/// The same, for what is changed under a lock.
fn an_array_that_a_thread_goes_on_changing() -> csproc::Result<()> {
    let (c, begun) = (Channel::new(), mpsc::channel());
    let child = Spawn!(take_what_is_left(c.reader()))?;
    let array = Array::<u64>::zeroed(MANY);
    thread::spawn(move || {
        array.fill(7).unwrap();
        begun.0.send(()).unwrap();
        while array.fill(7).is_ok() {}
    });
    begun.1.recv().unwrap();
    std::mem::forget((child, c.writer()));
    Ok(())
}

/// Both ends of the channel that it travels through.
#[derive(serde::Serialize, serde::Deserialize)]
struct Knot(Writer<Knot>, Reader<Knot>);

/// A channel whose own ends lie in its own buffer: found when nobody else has one, and not before.
fn tie_a_knot() -> csproc::Result<()> {
    let tie = || -> csproc::Result<Reader<Knot>> {
        let knot = Channel::builder().name("knot").buffer(csproc::Buffer::Fifo(1)).build()?;
        let (w, r) = (knot.writer(), knot.reader());
        w.write(Knot(knot.writer(), knot.reader()))?;
        Ok(r)
    };
    // Whoever reads it empty has untied it.
    drop(tie()?.read()?);
    assert_eq!(csproc::audit().channels(), 0);

    let r = tie()?;
    let audit = csproc::audit();
    assert!(audit.is_clean(), "{audit}");
    drop(r);
    let audit = csproc::audit();
    assert_eq!(audit.channels(), 1);
    let [finding] = audit.findings() else { panic!("{audit}") };
    assert!(finding.contains("`knot` can be reached by nobody"), "{audit}");
    Ok(())
}

/// The first thing that somebody tries.
fn write_to_itself() -> Result<(), ChannelError> {
    let own = named("own");
    let w = own.writer();
    w.write(1_u64)?; // blocks: write
    assert_eq!(own.reader().read(), Ok(1));
    Ok(())
}

#[process]
fn source(out: Writer<u64>, count: u64) -> csproc::Result<()> {
    for value in 0..count {
        out.write(value)?;
    }
    Ok(())
}

/// The second thing: the process has ended long ago, and the own writer keeps the channel open.
fn read_from_itself() {
    let (w, r) = {
        let own = named("own");
        (own.writer(), own.reader())
    };
    let child = Spawn!(source(w.clone(), 3)).unwrap();
    println!("read {:?}", r.iter().collect::<Vec<_>>());
    child.join().unwrap().unwrap();
    drop(w);
}

fn say_how_long() {
    let own = Channel::<u64>::new();
    let start = Instant::now();
    own.reader().read().unwrap_err().deadlock().unwrap();
    println!("{} ms", start.elapsed().as_millis());
}

/// Does not care, and waits for somebody else.
fn go_on() {
    let _ = write_to_itself();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
}

#[process]
fn pass_on(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

/// The classic: nobody reads results while jobs are still written.
fn wait_with_a_child() -> csproc::Result<()> {
    let (jobs, results) = (named("jobs"), named("results"));
    let (w, r) = (jobs.writer(), results.reader());
    let child = Spawn!(pass_on(jobs.reader(), results.writer()))?;
    for value in 0..10 {
        w.write(value)?;
    }
    println!("{}", r.into_iter().sum::<u64>());
    child.join()??;
    Ok(())
}

#[process]
fn read_first(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    out.write(input.read()?)?;
    Ok(())
}

fn children_in_a_ring() -> csproc::Result<()> {
    let links: Vec<Channel<u64>> = (0..8).map(|_| Channel::new()).collect();
    for place in 0..8 {
        drop(Spawn!(read_first(links[place].reader(), links[(place + 1) % 8].writer()))?);
    }
    Ok(())
}

#[process]
fn crash(input: Reader<u64>) -> csproc::Result<()> {
    input.read()?;
    panic!("on purpose")
}

fn a_child_that_crashes() {
    let c = Channel::new();
    let (w, r) = (c.writer(), c.reader());
    let _child = Spawn!(crash(r)).unwrap();
    w.write(1).unwrap();
    assert!(w.write(2).unwrap_err().fate.is_lost());
}

/// Says at its end that its child has crashed. What it drops after it has learned that is closed as it ends itself.
#[process]
fn leave_a_child_that_crashes(ending: Option<i32>, dropped: Writer<u64>) {
    a_child_that_crashes();
    drop(dropped);
    if let Some(code) = ending {
        std::process::exit(code);
    }
}

fn a_process_whose_child_crashes() {
    let (c, d) = (Channel::new(), Channel::new());
    let (returned, exited) = (c.reader(), d.reader());
    leave_a_child_that_crashes(None, c.writer()).run().unwrap();
    assert!(returned.read().unwrap_err().is_retired());
    let error = leave_a_child_that_crashes(Some(3), d.writer()).run().unwrap_err();
    assert!(exited.read().unwrap_err().is_lost());
    let is_own = |failure: &Failure| matches!(failure, Failure::Crashed { cause: Cause::Exited { code: 3 }, .. });
    assert!(error.failures().iter().all(is_own), "{error:?}");
}

fn a_deadlock_after_the_state_was_asked_for() -> csproc::Result<()> {
    let (ready, c) = (Channel::new(), Channel::new());
    let child = Spawn!(wait_for_ever(ready.writer(), c.reader()))?;
    ready.reader().read()?;
    // The thread that answers is the one that looks for deadlocks, and it answers first.
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::QUIT)?;
    let (there, back) = (Channel::new(), Channel::new());
    let network = network!(read_first(there.reader(), back.writer()), read_first(back.reader(), there.writer()));
    drop((there, back));
    if network.run().unwrap_err().deadlock().is_some() {
        println!("found");
    }
    // It waited for the program, which was in the deadlock.
    assert!(child.join().unwrap_err().deadlock().is_some());
    Ok(())
}

#[process]
fn give_up_rights_and_read(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    give_up_rights();
    output.write(input.read()?)?;
    Ok(())
}

fn give_up_rights() {
    let nobody = nix::unistd::Uid::from_raw(65534);
    nix::unistd::setresuid(nobody, nobody, nobody).unwrap();
}

/// First one of the processes has given up its rights, then the program, too.
fn a_deadlock_without_rights() {
    let is_found = || {
        let (there, back) = (Channel::new(), Channel::new());
        let first = give_up_rights_and_read(there.reader(), back.writer());
        let network = network!(first, read_first(back.reader(), there.writer()));
        drop((there, back));
        network.run().unwrap_err().deadlock().is_some()
    };
    assert!(is_found());
    give_up_rights();
    assert!(is_found());
}

#[process]
fn wait_for_ever(ready: Writer<()>, input: Reader<u64>) -> csproc::Result<u64> {
    ready.write(())?;
    Ok(input.read()?)
}

fn a_child_that_is_at_work() -> csproc::Result<()> {
    let (ready, c) = (Channel::new(), Channel::new());
    let _child = Spawn!(wait_for_ever(ready.writer(), c.reader()))?;
    ready.reader().read()?;
    std::mem::forget(c);
    Ok(())
}

/// Waits for the end of a file: of standard input.
#[process]
fn until_told(file: String) {
    std::io::copy(&mut std::fs::File::open(file).unwrap(), &mut std::io::sink()).unwrap();
}

#[process]
fn ends_at_once() {}

fn children_that_end_when_they_are_told() -> csproc::Result<()> {
    let told = || until_told(String::from("/dev/stdin"));
    drop(Spawn!(ends_at_once())?);
    let process = Spawn!(told())?; // spawns a process
    drop(Spawn!(told().on(Placement::Thread))?); // spawns a thread
    let kept = Spawn!(told().on_crash(OnCrash::Restart { max: 1, within: LONG }))?; // spawns what is kept alive
    drop(network!(Sequence!(told(), told())).spawn()?); // spawns a sequence
    println!("{} {}", process.pid().unwrap(), kept.pid().unwrap());
    Ok(())
}

/// Says how its channel ended.
#[process]
fn hear_the_end(input: Reader<u64>) {
    println!("{:?}", input.read());
}

/// `main` returns with an end in a static, which outlives it.
fn an_end_that_nobody_drops() -> csproc::Result<()> {
    static KEPT: OnceLock<Writer<u64>> = OnceLock::new();
    let (w, r) = csproc::channel();
    KEPT.get_or_init(|| w);
    drop(Spawn!(hear_the_end(r))?);
    Ok(())
}

/// Long enough to be found, were it a deadlock.
const LONG: Duration = Duration::from_millis(400);

/// Nobody has looked after this program yet when it begins to wait.
fn wait_for_a_thread() {
    let own = Channel::new();
    let (w, r) = (own.writer(), own.reader());
    drop(own);
    let thread = thread::spawn(move || {
        thread::sleep(LONG);
        w.write(7).unwrap();
    });
    assert_eq!(r.read(), Ok(7));
    thread.join().unwrap();
}

#[process]
fn read_once(input: Reader<u64>) -> Result<u64, ChannelError> {
    input.read()
}

/// The main thread has an end that another thread has made, and waits with a deadline, in every way that there is.
fn wait_until_some_time() {
    let (_say, silent) = mpsc::channel::<()>();
    let waits: [fn(&mpsc::Receiver<()>); 3] = [
        |_| thread::park_timeout(LONG),
        |silent| _ = silent.recv_timeout(LONG),
        |_| {
            let lock = Mutex::new(());
            let _ = Condvar::new().wait_timeout(lock.lock().unwrap(), LONG).unwrap();
        },
    ];
    for placement in [Placement::Process, Placement::Thread] {
        for wait in waits {
            let (say, said) = mpsc::channel();
            let other = thread::spawn(move || {
                let c = Channel::new();
                let (w, r) = (c.writer(), c.reader());
                drop(c);
                say.send(w).unwrap();
                read_once(r).on(placement).run()
            });
            let w = said.recv().unwrap();
            wait(&silent);
            w.write(7).unwrap();
            assert_eq!(other.join().unwrap().unwrap(), Ok(7));
        }
    }
}

/// Waits for a thread that waits for the world outside.
fn stay() {
    let own = named("own");
    let (w, r) = (own.writer(), own.reader());
    drop(own);
    let thread = thread::spawn(move || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).unwrap();
        w.write(7_u64).unwrap();
    });
    assert_eq!(r.read(), Ok(7));
    thread.join().unwrap();
}

/// Says where it is without ever going to sleep. If it is seen asleep afterwards, then in its next operation.
fn announce(ready: &Writer<(u32, u32)>) {
    let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
    while ready.try_write((std::process::id(), thread)).is_err() {
        thread::yield_now();
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// Copies one value, then waits for whatever comes first.
#[process]
fn copy_one(
    ready: Writer<(u32, u32)>,
    from: Reader<u64>,
    to: Writer<u64>,
    next: Reader<u64>,
    all: Barrier,
) -> csproc::Result<()> {
    to.write(from.read()?)?;
    announce(&ready);
    PriSelect! { _v = next => (), all => (), after(HOUR) => () }?; // shows: waits
    Ok(())
}

#[process]
fn write_to_nobody(ready: Writer<(u32, u32)>, out: Writer<u64>) -> csproc::Result<()> {
    announce(&ready);
    out.write(7)?; // shows: writes
    Ok(())
}

fn show_what_everybody_does() -> csproc::Result<()> {
    let buffered = |name: &str| Channel::builder().name(name).buffer(csproc::Buffer::Fifo(3)).build();
    let (jobs, results) = (buffered("jobs")?, buffered("results")?);
    let [next, refused, dead] = ["next", "refused", "dead"].map(named::<u64>);
    let (ready, all) = (named("ready"), Barrier::new(3));
    let (w, announced, _unread) = (jobs.writer(), ready.reader(), refused.reader());
    dead.writer().poison();
    let copy = || copy_one(ready.writer(), jobs.reader(), results.writer(), next.reader(), all.clone());
    let ended = Spawn!(ends_at_once())?;
    let children = [
        Spawn!(copy().named("copy"))?,
        Spawn!(copy().named("copy on a thread").on(Placement::Thread))?,
        Spawn!(write_to_nobody(ready.writer(), refused.writer()))?,
    ];
    w.write(1)?;
    w.write(2)?;
    for _ in 0..children.len() {
        let (pid, thread) = announced.read()?;
        let stat = format!("/proc/{pid}/task/{thread}/stat");
        while !std::fs::read_to_string(&stat)?.contains(") S ") {
            thread::yield_now();
        }
    }
    ended.exit_guard().wait()?; // shows: the program
    println!("{} {} {}", ended.pid().unwrap(), children[0].pid().unwrap(), children[2].pid().unwrap());
    csproc::dump();
    [next, refused].iter().for_each(Channel::poison);
    children.into_iter().for_each(|child| drop(child.join()));
    Ok(())
}
