//! Scenarios of gates: permits that several want, and that come back in order, with a death, or not at all.
//!
//! Knows nothing of locks. That no more permits are taken than there are is held by the stage.

use crate::engine::{Closing, Fate, Opened};
use crate::party::{Arm, Part, Seen};
use crate::scenario::{READER, Scenario, WRITER, all_live, lost_or};
use crate::stage::Stage;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Whoever lives has seen this, and was told of no end.
fn all_saw(parts: &[Part], wanted: &[Seen]) {
    for part in parts.iter().flatten() {
        assert_eq!(part, wanted, "{parts:?}");
    }
}

/// A lock that so many want, each so many times.
fn lock_of(stage: &mut Stage, parties: usize, times: usize) {
    let lock = stage.gate(1, Opened::ByHolders);
    for _ in 0..parties {
        stage.party(&[], move |me| {
            for _ in 0..times {
                me.choose(&[Arm::Pass(lock, 1)]);
                me.linger(lock);
                me.give_back(lock);
            }
        });
    }
}

/// A lock that two want.
pub static TWO: Scenario = Scenario {
    name: "a lock of two",
    parties: 2,
    prepare: |stage| lock_of(stage, 2, 1),
    judge: |parts| all_saw(parts, &[Seen::Passed(1)]),
};

/// A lock that three want.
pub static LOCK: Scenario = Scenario {
    name: "a lock of three",
    parties: 3,
    prepare: |stage| lock_of(stage, 3, 1),
    judge: |parts| all_saw(parts, &[Seen::Passed(1)]),
};

/// A lock that two want, each twice.
pub static TWICE: Scenario = Scenario {
    name: "a lock of two, twice",
    parties: 2,
    prepare: |stage| lock_of(stage, 2, 2),
    judge: |parts| all_saw(parts, &[Seen::Passed(1), Seen::Passed(1)]),
};

/// One takes a lock twice, with the same record; the other one, who has seen the first unit, closes that by its name.
pub static RENEWED: Scenario = Scenario {
    name: "a unit that is closed by the name that it had before",
    parties: 2,
    prepare: |stage| {
        let lock = stage.gate(1, Opened::ByHolders);
        let first = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&first);
        stage.party(&[], move |me| {
            me.choose(&[Arm::Pass(lock, 1)]);
            let unit = me.unit_of(lock);
            me.give_back(lock);
            *seen.lock().expect("one thread runs all") = unit;
            me.choose(&[Arm::Pass(lock, 1)]);
            me.linger(lock);
            me.give_back(lock);
        });
        stage.party(&[], move |me| {
            let known = *first.lock().expect("one thread runs all");
            if let Some(unit) = known {
                me.close_end(unit);
            }
            me.choose(&[Arm::Pass(lock, 1)]);
            me.give_back(lock);
        });
    },
    judge: |parts| {
        for (part, times) in parts.iter().zip([2, 1]).filter_map(|(part, times)| Some((part.as_ref()?, times))) {
            assert_eq!(*part, vec![Seen::Passed(1); times], "{parts:?}");
        }
    },
};

/// One has a lock and does not give it back before its end.
pub static KEPT: Scenario = Scenario {
    name: "a lock that is kept until the end",
    parties: 2,
    prepare: |stage| {
        let lock = stage.gate(1, Opened::ByHolders);
        for _ in 0..2 {
            stage.party(&[], move |me| {
                me.choose(&[Arm::Pass(lock, 1)]);
                me.close(Closing::Retire);
            });
        }
    },
    judge: |parts| all_saw(parts, &[Seen::Passed(1)]),
};

/// The same, for who had it before: so its unit is in hand, and occupies the lock until somebody asks for it.
pub static KEPT_AGAIN: Scenario = Scenario {
    name: "a lock that is given back, and kept the second time",
    parties: 2,
    prepare: |stage| {
        let lock = stage.gate(1, Opened::ByHolders);
        for _ in 0..2 {
            stage.party(&[], move |me| {
                me.choose(&[Arm::Pass(lock, 1)]);
                me.give_back(lock);
                me.choose(&[Arm::Pass(lock, 1)]);
                me.linger(lock);
                me.close(Closing::Retire);
            });
        }
    },
    judge: |parts| all_saw(parts, &[Seen::Passed(1), Seen::Passed(1)]),
};

/// A lock beside a message: one of the two, and then the other.
pub static LOCK_OR_READ: Scenario = Scenario {
    name: "a lock or a message",
    parties: 3,
    prepare: |stage| {
        let (lock, c) = (stage.gate(1, Opened::ByHolders), stage.rendezvous());
        stage.party(&[(c, READER)], move |me| {
            me.choose(&[Arm::Pass(lock, 1), Arm::Read(c)]);
            if me.has_read(1) {
                me.choose(&[Arm::Pass(lock, 1)]);
            } else if !me.has_lost() {
                me.read(c);
            }
            me.give_back(lock);
        });
        stage.party(&[(c, WRITER)], move |me| me.write(c, 1));
        stage.party(&[], move |me| {
            me.choose(&[Arm::Pass(lock, 1)]);
            me.give_back(lock);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert!(parts[0].contains(&Seen::Passed(1)) && parts[0].contains(&Seen::Read(1)), "{parts:?}");
            assert_eq!(parts[1..], [[Seen::Wrote(1)], [Seen::Passed(1)]]);
        }
        None => lost_or(parts, |seen| matches!(seen, Seen::Wrote(_) | Seen::Read(_) | Seen::Passed(1))),
    },
};

/// Two that share, and between them one that wants all, for a while: when it gives up, those behind it pass.
pub static IMPATIENT: Scenario = Scenario {
    name: "two that share, and an impatient one that wants all",
    parties: 3,
    prepare: |stage| {
        let gate = stage.gate(2, Opened::ByHolders);
        for _ in 0..2 {
            stage.party(&[], move |me| {
                me.choose(&[Arm::Pass(gate, 1)]);
                me.give_back(gate);
            });
        }
        stage.party(&[], move |me| {
            me.choose(&[Arm::Pass(gate, 2), Arm::Wait]);
            me.give_back(gate);
        });
    },
    judge: |parts| {
        all_saw(&parts[..2], &[Seen::Passed(1)]);
        lost_or(&parts[2..], |seen| matches!(seen, Seen::Passed(2) | Seen::TimedOut));
    },
};

/// Who holds one permit keeps it until somebody has passed who came behind the impatient one.
pub static BEHIND: Scenario = Scenario {
    name: "one that passes when the impatient one before it gives up",
    parties: 3,
    prepare: |stage| {
        let (gate, c) = (stage.gate(2, Opened::ByHolders), stage.rendezvous());
        stage.party(&[(c, READER)], move |me| {
            me.choose(&[Arm::Pass(gate, 1)]);
            me.read(c);
            me.give_back(gate);
        });
        stage.party(&[(c, WRITER)], move |me| {
            me.choose(&[Arm::Pass(gate, 1)]);
            me.write(c, 1);
            me.give_back(gate);
        });
        stage.party(&[], move |me| {
            me.choose(&[Arm::Pass(gate, 2), Arm::Wait]);
            me.give_back(gate);
        });
    },
    judge: |parts| match all_live(parts) {
        Some(parts) => {
            assert_eq!(parts[..2], [[Seen::Passed(1), Seen::Read(1)], [Seen::Passed(1), Seen::Wrote(1)]]);
            assert!(matches!(parts[2], [Seen::Passed(2) | Seen::TimedOut]), "{parts:?}");
        }
        None => {
            lost_or(parts, |seen| matches!(seen, Seen::Passed(_) | Seen::Read(_) | Seen::Wrote(_) | Seen::TimedOut))
        }
    },
};

/// Two wait for a sign that stands under a lock, and are told one after the other.
pub static TURNS: Scenario = Scenario {
    name: "two that wait for a sign",
    parties: 3,
    prepare: |stage| {
        let (lock, turns) = (stage.gate(1, Opened::ByHolders), stage.gate(0, Opened::InTurns));
        let c = stage.rendezvous();
        let sign = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let sign = Arc::clone(&sign);
            stage.party(&[(c, READER)], move |me| {
                while !me.has_lost() {
                    me.choose(&[Arm::Pass(lock, 1)]);
                    let (seen, given) = (turns.facts().permits().0, sign.load(Ordering::SeqCst));
                    me.give_back(lock);
                    if given {
                        return me.see(Seen::Wrote(1));
                    }
                    // Nobody writes: whoever is to give the sign is lost.
                    me.choose(&[Arm::Await(turns, seen.wrapping_add(1)), Arm::Read(c)]);
                }
            });
        }
        stage.party(&[(c, WRITER)], move |me| {
            me.choose(&[Arm::Pass(lock, 1)]);
            sign.store(true, Ordering::SeqCst);
            me.give_back(lock);
            me.notify(turns);
            me.notify(turns);
        });
    },
    judge: |parts| {
        if all_live(parts).is_some() {
            assert!(parts[..2].iter().flatten().all(|seen| seen.last() == Some(&Seen::Wrote(1))), "{parts:?}");
        }
    },
};

/// Two that have their turns one after the other, each twice, and wait for each other's sign meanwhile.
pub static IN_TURN: Scenario = Scenario {
    name: "two that wait for each other's sign",
    parties: 2,
    prepare: |stage| {
        let (lock, turns) = (stage.gate(1, Opened::ByHolders), stage.gate(0, Opened::InTurns));
        let channels = [stage.rendezvous(), stage.rendezvous()];
        let whose = Arc::new(AtomicUsize::new(0));
        for mine in 0..2 {
            let whose = Arc::clone(&whose);
            // Nobody writes: each hears when the other one is lost.
            stage.party(&[(channels[mine], WRITER), (channels[1 - mine], READER)], move |me| {
                for time in 1..=2 {
                    while !me.has_lost() {
                        me.choose(&[Arm::Pass(lock, 1)]);
                        if whose.load(Ordering::SeqCst) == mine {
                            whose.store(1 - mine, Ordering::SeqCst);
                            me.see(Seen::Wrote(time));
                            me.notify(turns);
                            me.give_back(lock);
                            break;
                        }
                        let seen = turns.facts().permits().0;
                        me.give_back(lock);
                        me.choose(&[Arm::Await(turns, seen.wrapping_add(1)), Arm::Read(channels[1 - mine])]);
                    }
                }
            });
        }
    },
    judge: |parts| {
        if let Some(parts) = all_live(parts) {
            assert!(parts.iter().all(|seen| seen.contains(&Seen::Wrote(2))), "{parts:?}");
        }
    },
};

/// A future that wants a lock is dropped while it may have it already.
pub static DROPPED_LOCK: Scenario = Scenario {
    name: "a wait for a lock that is dropped",
    parties: 2,
    prepare: |stage| {
        let lock = stage.gate(1, Opened::ByHolders);
        stage.party(&[], move |me| {
            me.choose(&[Arm::Pass(lock, 1)]);
            me.give_back(lock);
        });
        stage.future(&[], move |me| {
            me.suspend(&[Arm::Pass(lock, 1)]);
            me.dawdle();
            me.drop_future();
            me.give_back(lock);
            me.choose(&[Arm::Pass(lock, 1)]);
            me.give_back(lock);
        });
    },
    judge: |parts| lost_or(parts, |seen| matches!(seen, Seen::Passed(1))),
};

/// One waits for a lock that is poisoned as part of a deadlock; the lock itself stays what it is.
pub static DEADLOCKED: Scenario = Scenario {
    name: "a lock that is poisoned for a deadlock",
    parties: 3,
    prepare: |stage| {
        let lock = stage.gate(1, Opened::ByHolders);
        for _ in 0..2 {
            stage.party(&[], move |me| {
                me.choose(&[Arm::Pass(lock, 1)]);
                me.give_back(lock);
            });
        }
        stage.party(&[], move |me| me.poison(lock, WRITER));
    },
    judge: |parts| {
        for part in parts[..2].iter().flatten() {
            assert!(matches!(part[..], [Seen::Passed(1) | Seen::Ended(Fate::Poisoned)]), "{parts:?}");
        }
    },
};

/// All of them.
pub static ALL: [&Scenario; 13] = [
    &TWO,
    &LOCK,
    &TWICE,
    &RENEWED,
    &KEPT,
    &KEPT_AGAIN,
    &LOCK_OR_READ,
    &IMPATIENT,
    &BEHIND,
    &TURNS,
    &IN_TURN,
    &DROPPED_LOCK,
    &DEADLOCKED,
];
