//! One execution: the processes of a scenario run, some of them are killed and buried, and then nothing may be left.
//!
//! Knows nothing of schedules. A killed thread is a killed process: its context, its ends and its blocks are left as
//! they are, and the engine's own `bury` is run for it by the process server, which is a thread as the others are and
//! can be killed as they can. Then the program buries everybody, the server too. Both checkers use this file, each over
//! a `checker` of its own.

use crate::checker::Checker;
use crate::engine::live::{Local, bury};
use crate::engine::{Closing, Fate, MemberName, become_host, tables};
use crate::machine::{self, Machine};
use crate::memory::{Block, Claimant};
use crate::party::{INSIDE, KEPT, Part, Party, Seen, USING, pid};
use crate::scenario::Scenario;
use crate::stage::{Heir, Stage, create_process};
use std::cell::RefCell;
use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// Somebody who may be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// This process, in the order of the scenario.
    Party(usize),
    /// The process server, which buries the dead.
    Server,
}

/// A death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Who is killed.
    pub victim: Victim,
    /// Before which of its steps, the first one being 0.
    pub step: u64,
}

/// The number of a victim's thread in the machine.
fn thread_of(victim: Victim, parties: usize) -> usize {
    match victim {
        Victim::Party(party) => party + 1,
        Victim::Server => parties + 1,
    }
}

/// Which of these deaths have come to pass in the execution that has ended.
pub(crate) fn executed(scenario: &Scenario, deaths: &[Death]) -> Vec<bool> {
    let killed = machine::executed();
    deaths.iter().map(|death| killed.contains(&thread_of(death.victim, scenario.parties))).collect()
}

/// What the heir does, on the thread of the server: nobody else begins a process while the dead are buried.
fn inherit(body: Heir, member: MemberName) {
    let mut party = Checker::quietly(|| Party::new(member.index));
    body(&mut party);
    let local = party.local;
    Checker::at_last(move || Checker::quietly(|| drop(ManuallyDrop::into_inner(local))));
}

/// A reaper of the process `host`.
fn reaper(host: u32) -> ManuallyDrop<Local> {
    Checker::quietly(|| {
        become_host(host);
        ManuallyDrop::new(Local::for_reaper(tables()).expect("a context"))
    })
}

/// One execution of a scenario, inside the checker. The dead are buried in the order in which
/// they die.
pub(crate) fn perform(scenario: &Scenario, deaths: &[Death]) {
    Checker::begin();
    KEPT.with(RefCell::take);
    INSIDE.with(RefCell::take);
    USING.with(RefCell::take);
    let stage = Checker::quietly(|| {
        let mut stage = Stage::new();
        (scenario.prepare)(&mut stage);
        stage
    });
    let Stage { local, root, roles, heir } = stage;
    let mut members: Vec<MemberName> = roles.iter().map(|role| role.member).collect();
    let (parties, hosts) = (roles.len(), members.iter().map(|member| member.index).collect::<Vec<u32>>());
    let victims: Vec<usize> = deaths.iter().filter_map(|death| death.victim.party()).collect();
    let server = (!deaths.is_empty()).then(|| {
        let member = Checker::quietly(|| create_process(root));
        members.push(member);
        (member.index, reaper(member.index))
    });
    let heir = heir.filter(|_| server.is_some()).map(|body| {
        let member = Checker::quietly(|| create_process(root));
        members.push(member);
        (body, member)
    });
    Checker::quietly(|| become_host(root));
    for death in deaths {
        machine::sentence(thread_of(death.victim, parties), death.step);
    }
    let threads: Vec<_> = roles
        .into_iter()
        .enumerate()
        .map(|(place, role)| {
            let pid = pid(role.member.index);
            Some(Checker::spawn(place + 1, pid, move || role.act()))
        })
        .collect();
    let parts: Rc<RefCell<Vec<Part>>> = Rc::new(RefCell::new(threads.iter().map(|_| None).collect()));
    // Whoever is to wait for the end of a party takes its thread; the server may be killed before it does.
    let threads = Rc::new(RefCell::new(threads));
    let end_of = {
        let parts = Rc::clone(&parts);
        move |party: usize| {
            let thread = threads.borrow_mut()[party].take();
            if let Some(thread) = thread {
                let part = Checker::join(thread);
                parts.borrow_mut()[party] = part;
            }
        }
    };
    let end_of = Rc::new(end_of);
    let undertaking = server.map(|(server, mut local)| {
        let (end_of, mut left, hosts) = (Rc::clone(&end_of), victims.clone(), hosts.clone());
        let thread = Checker::spawn(thread_of(Victim::Server, parties), pid(server), move || {
            while !left.is_empty() {
                let pids: Vec<u32> = left.iter().map(|victim| pid(hosts[*victim])).collect();
                let victim = left.remove(Checker::first_to_end(&pids));
                end_of(victim);
                bury(&mut local, hosts[victim]);
            }
            machine::pardon();
            if let Some((body, member)) = heir {
                inherit(body, member);
            }
            Checker::at_last(move || Checker::quietly(|| drop(ManuallyDrop::into_inner(local))));
        });
        (server, thread)
    });
    let succession = undertaking.map(|(server, thread)| {
        let (end_of, victims) = (Rc::clone(&end_of), victims.clone());
        Checker::spawn(parties + 2, pid(root), move || {
            if Checker::join(thread).is_none() {
                let mut local = reaper(root);
                let mut dead: Vec<u32> = victims.iter().map(|victim| hosts[*victim]).collect();
                dead.push(server);
                victims.into_iter().for_each(|victim| end_of(victim));
                for host in tables().unburied(root).into_iter().filter(|host| dead.contains(host)) {
                    bury(&mut local, host);
                }
                Checker::at_last(move || Checker::quietly(|| drop(ManuallyDrop::into_inner(local))));
            }
        })
    });
    (0..parties).filter(|party| !victims.contains(party)).for_each(|party| end_of(party));
    if let Some(succession) = succession {
        Checker::join(succession);
    }
    Checker::all_over();
    let executed = executed(scenario, deaths);
    Checker::quietly(|| {
        assert_eq!(tables().faults(), Vec::<String>::new());
        clear(ManuallyDrop::into_inner(local), root, &members, deaths, &executed);
    });
    let parts = parts.take();
    conserve(&parts);
    // Who came to its end before its death was buried all the same, and has retired from its channels: the judges do
    // not think of that.
    if deaths.iter().zip(&executed).all(|(death, executed)| *executed || death.victim == Victim::Server) {
        (scenario.judge)(&parts);
    }
}

impl Victim {
    fn party(self) -> Option<usize> {
        match self {
            Victim::Party(party) => Some(party),
            Victim::Server => None,
        }
    }
}

/// The end of the program: nothing may be left.
fn clear(mut local: Local, root: u32, members: &[MemberName], deaths: &[Death], executed: &[bool]) {
    become_host(root);
    let mut reaper = Local::for_reaper(tables()).expect("a context");
    for host in tables().unburied(root) {
        bury(&mut reaper, host);
    }
    for member in members {
        reaper.disown(*member);
    }
    local.close_held(root, Closing::Retire);
    // What its threads may be looking at goes with the program itself.
    reaper.close_held(root, Closing::Retire);
    drop((local, reaper));
    assert_eq!(tables().faults(), Vec::<String>::new());
    let census = tables().census();
    let left = [census.contexts, census.channels, census.ends, census.blocks];
    assert_eq!(left, [0; 4], "contexts, channels, ends, blocks that are left");
    let killed = executed.iter().filter(|executed| **executed).count();
    // The dead may have held somebody they were about to name in a verdict: one record of a process is lost with each.
    assert!(census.members <= 1 + killed, "{census:?}");
    // A burial counts the active ones while others change their number: see `recount`.
    assert!(!deaths.is_empty() || census.active == 0, "{census:?}");
    // Every block is free once: taking, of each size, all blocks and one more gives each one once, and cuts one new one
    // of each size. But a process that is killed between taking a block and putting its tag on it takes the block with
    // it.
    let tables = tables();
    let arena = &tables.arena;
    let blocks: Vec<usize> = arena.blocks().map(|(block, _)| arena.capacity(block)).collect();
    let sizes: HashSet<usize> = blocks.iter().copied().collect();
    let taken: HashSet<Block> = blocks
        .iter()
        .chain(&sizes)
        .map(|size| arena.take_block(*size, Claimant::untraced(1)).expect("a block"))
        .collect();
    assert_eq!(taken.len(), blocks.len() + sizes.len(), "a block is free twice");
    let lost = arena.blocks().count() - taken.len();
    assert!(lost <= killed, "{lost} blocks belong to nobody");
}

/// What holds in every scenario: no value is read twice, and none that nobody has written. What a living writer has
/// written was read, if all are alive and nothing was lost with the dead.
fn conserve(parts: &[Part]) {
    let all: Vec<Seen> = parts.iter().flatten().flatten().copied().collect();
    let reads: Vec<u64> =
        all.iter().filter_map(|seen| if let Seen::Read(value) = seen { Some(*value) } else { None }).collect();
    let distinct: HashSet<u64> = reads.iter().copied().collect();
    assert_eq!(distinct.len(), reads.len(), "a value was read twice: {parts:?}");
    if parts.iter().any(Option::is_none) {
        return;
    }
    let written: HashSet<u64> =
        all.iter().filter_map(|seen| if let Seen::Wrote(value) = seen { Some(*value) } else { None }).collect();
    let abandoned = all.iter().any(|seen| matches!(seen, Seen::Ended(Fate::Abandoned { .. })));
    assert!(abandoned || distinct.is_subset(&written), "a value was read whose writer failed: {parts:?}");
}
