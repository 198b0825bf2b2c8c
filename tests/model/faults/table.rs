//! Faults that are seeded in copies of csproc's sources, so that the models can show that they would find them.
//!
//! Knows nothing of how a fault is found. A fault is one edit, or several of the same name. The sources themselves hold
//! nothing of it: when a line of theirs changes that an edit names, the models do not build until the edit says again
//! what stands there. While its fault is not in place, an edit adds nothing to what the protocol does, not even a look
//! at a shared word: that would be a step that csproc does not have.

/// One place of a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    /// What is wrong, in words.
    pub(crate) fault: &'static str,
    /// The file, below `src`.
    pub(crate) file: &'static str,
    /// What stands in it, once.
    pub(crate) there: &'static str,
    /// What stands in the copy, on as many lines. [`FAULTY`] is whether the fault is in place.
    pub(crate) instead: &'static str,
}

/// The word in an edit that asks whether its fault is in place.
pub(crate) const FAULTY: &str = "FAULTY";

/// All edits.
pub(crate) const EDITS: &[Edit] = &[
    Edit {
        fault: "an offer is queued before it waits",
        file: "engine/live/offer.rs",
        there: "self.publish(wait, timer.is_some());
        self.unlock_all();",
        instead: "if FAULTY { self.unlock_all(); self.publish(wait, timer.is_some()); } else {
        self.publish(wait, timer.is_some()); self.unlock_all(); }",
    },
    Edit {
        fault: "an offer is queued before it waits",
        file: "engine/live/single.rs",
        there: "self.publish(&mut OnThread, timed);
        channel.lock.release();",
        instead: "if FAULTY { channel.lock.release(); self.publish(&mut OnThread, timed); } else {
        self.publish(&mut OnThread, timed); channel.lock.release(); }",
    },
    Edit {
        fault: "a partner is removed after the commit",
        file: "engine/live/commit.rs",
        there: "queue.remove(tables, offer);
            offer.set_number(event);",
        instead: "if !FAULTY { queue.remove(tables, offer);
            offer.set_number(event); }",
    },
    Edit {
        fault: "a partner is removed after the commit",
        file: "engine/live/commit.rs",
        there: "if let Attempt::Committed { parked } = attempt {",
        instead: "if FAULTY { queue.remove(tables, offer); } if let Attempt::Committed { parked } = attempt {",
    },
    Edit {
        fault: "a short message is read behind the commit",
        file: "engine/live/commit.rs",
        there: "self.short = offer.beside();",
        instead: "if !FAULTY { self.short = offer.beside(); }",
    },
    Edit {
        fault: "a short message is read behind the commit",
        file: "engine/live/pairing.rs",
        there: "let mut fired = Fired::with(number, partner.taking);",
        instead: "if FAULTY && is_short(partner.taking) { \
                  self.short = partner.context.offers(self.tables())[0].beside(); } \
                  let mut fired = Fired::with(number, partner.taking);",
    },
    Edit {
        fault: "a short message is written behind the commit",
        file: "engine/live/commit.rs",
        there: "offer.put_beside(self.short);",
        instead: "if !FAULTY { offer.put_beside(self.short); }",
    },
    Edit {
        fault: "a short message is written behind the commit",
        file: "engine/live/pairing.rs",
        there: "// A writer that is held sleeps on.",
        instead: "if FAULTY && is_short(giving) { \
                  partner.context.offers(self.tables())[0].put_beside(self.short); }",
    },
    Edit {
        fault: "a message is stowed, and the hand keeps its block",
        file: "engine/live/commit.rs",
        there: "if matches!(attempt, Attempt::Committed { .. }) && is_short(giving) {",
        instead: "if matches!(attempt, Attempt::Committed { .. }) && is_short(giving) && !FAULTY {",
    },
    Edit {
        fault: "a reader that gave no block holds nobody",
        file: "engine/live/short.rs",
        there: "reader @ HELD..SHORT => Some(Owner::Context(reader - HELD)),",
        instead: "reader @ HELD..SHORT => (!FAULTY).then(|| Owner::Context(reader - HELD)),",
    },
    Edit {
        fault: "a spare is tagged when the channel names it",
        file: "engine/live/buffer.rs",
        there: "tables.arena.block(hand).set_owner(Owner::Channel(index).tag());
            channel.spare().store(hand, Ordering::Release);",
        instead: "if FAULTY { channel.spare().store(hand, Ordering::Release); }
            tables.arena.block(hand).set_owner(Owner::Channel(index).tag()); \
                  if !FAULTY { channel.spare().store(hand, Ordering::Release); }",
    },
    Edit {
        fault: "a spare is taken while the channel names it",
        file: "engine/live/buffer.rs",
        there: "channel.spare().store(NONE, Ordering::Release);
            self.received(spare);",
        instead: "if FAULTY { self.received(spare); } channel.spare().store(NONE, Ordering::Release);
            if !FAULTY { self.received(spare); }",
    },
    Edit {
        fault: "a channel goes without its spare",
        file: "engine/live/holding.rs",
        there: "self.drop_spare(channel);",
        instead: "if !FAULTY { self.drop_spare(channel); }",
    },
    Edit {
        fault: "a refill is not announced",
        file: "engine/live/commit.rs",
        there: "self.context.announce_storing(channel, giving, taking, number);",
        instead: "if !FAULTY { self.context.announce_storing(channel, giving, taking, number); }",
    },
    Edit {
        fault: "the mark stays after a failed commit",
        file: "engine/live/commit.rs",
        there: "offer.set_linked(false);",
        instead: "if !FAULTY { offer.set_linked(false); }",
    },
    Edit {
        fault: "a reader meets a reader",
        file: "engine/live/pairing.rs",
        there: "let opposite = channel.queue(!output);",
        instead: "let nobody = FAULTY && channel.queue(!output).first(self.tables()).is_none(); \
                  let opposite = channel.queue(if nobody { output } else { !output });",
    },
    Edit {
        fault: "a deadline beats a commit",
        file: "engine/live/wait.rs",
        there: "if late && word.withdraw() == Own::Done {",
        instead: "if late && (word.withdraw() == Own::Done || FAULTY) {",
    },
    Edit {
        fault: "an unlock wakes nobody",
        file: "engine/live/lock.rs",
        there: "if self.0.swap(0, Ordering::Release) & SLEEPERS != 0 {",
        instead: "if self.0.swap(0, Ordering::Release) & SLEEPERS != 0 && !FAULTY {",
    },
    Edit {
        fault: "holders of locks have no generation",
        file: "engine/live/lock.rs",
        there: "LockHolder((generation >> 1) << GENERATION",
        instead: "LockHolder(if FAULTY { 0 } else { generation >> 1 } << GENERATION",
    },
    Edit {
        fault: "the reaper waits patiently",
        file: "engine/live/lock.rs",
        there: "if wait(&self.0, marked, Some(&soon)) == Woken::TimedOut {",
        instead: "if wait(&self.0, marked, Some(&soon)) == Woken::TimedOut && !FAULTY {",
    },
    Edit {
        fault: "a reply wakes nobody",
        file: "engine/live/extended.rs",
        there: "context.wake(self.tables());
        true",
        instead: "if !FAULTY { context.wake(self.tables()); }
        true",
    },
    Edit {
        fault: "a spare block is not taken back for a reply",
        file: "engine/live/extended.rs",
        there: "if word.names_block() {",
        instead: "if word.names_block() && !FAULTY {",
    },
    Edit {
        fault: "a reply is taken for what the word said before",
        file: "engine/live/word.rs",
        there: "let guard = if held.has_fired() { held.guard() as u16 } else { 0 };",
        instead: "let guard = if held.has_fired() || FAULTY { held.guard() as u16 } else { 0 };",
    },
    Edit {
        fault: "a reply is tagged when the word is idle",
        file: "engine/live/extended.rs",
        there: "if let Some(reply) = reply {
            self.received(reply);
        }
        self.context.word.idle();",
        instead: "if let Some(reply) = reply.filter(|_| !FAULTY) {
            self.received(reply);
        }
        self.context.word.idle(); if let Some(reply) = reply.filter(|_| FAULTY) { self.received(reply); }",
    },
    Edit {
        fault: "a release wakes nobody",
        file: "engine/live/extended.rs",
        there: "if context.word.release(word, unfinished.is_none()) {",
        instead: "if context.word.release(word, unfinished.is_none()) && !FAULTY {",
    },
    Edit {
        fault: "a lent block counts as owned",
        file: "engine/live/word.rs",
        there: "self.is_committed() && self.guard() != usize::from(LENT)",
        instead: "self.is_committed() && (self.guard() != usize::from(LENT) || FAULTY)",
    },
    Edit {
        fault: "a claim is not taken back",
        file: "engine/live/barrier.rs",
        there: "for (name, _) in &parties[..stale] {",
        instead: "for (name, _) in if FAULTY { &[] } else { &parties[..stale] } {",
    },
    Edit {
        fault: "a dead party keeps its mark",
        file: "engine/live/barrier.rs",
        there: "} else {
                        offer.set_linked(false);",
        instead: "} else if !FAULTY {
                        offer.set_linked(false);",
    },
    Edit {
        fault: "an end is known by its slot alone",
        file: "engine/live/end.rs",
        there: "self.0 >> Keeping::GENERATION == other.0 >> Keeping::GENERATION",
        instead: "self.0 >> Keeping::GENERATION == other.0 >> Keeping::GENERATION || FAULTY",
    },
    Edit {
        fault: "closed ends are not given back",
        file: "engine/live/holding.rs",
        there: "in tables.ends_in_hand(dead.index, dead.context) {",
        instead: "in tables.ends_in_hand(dead.index, dead.context) { if FAULTY { continue; }",
    },
    Edit {
        fault: "the end of writing is told to nobody who waits",
        file: "engine/live/holding.rs",
        there: "locked.raise(NO_WRITERS);
            locked.local.resolve(locked.channel);",
        instead: "locked.raise(NO_WRITERS);
            if !FAULTY { locked.local.resolve(locked.channel); }",
    },
    Edit {
        fault: "a crash poisons what bears it",
        file: "engine/live/channel.rs",
        there: "Closing::Lost { .. } if flags & may_crash(direction) != 0 => Closing::Retire,",
        instead: "Closing::Lost { .. } if flags & may_crash(direction) != 0 && !FAULTY => Closing::Retire,",
    },
    Edit {
        fault: "a process is disowned by its slot alone",
        file: "engine/live/member.rs",
        there: "self.generation() == generation",
        instead: "self.generation() == generation || FAULTY",
    },
    Edit {
        fault: "a deadlock is noted by the slot alone",
        file: "engine/live/member.rs",
        there: "(self.0 >> 32) as u32 == generation && self.0 as u32 != Noted::CLOSED",
        instead: "(self.0 >> 32) as u32 == generation && self.0 as u32 != Noted::CLOSED || FAULTY",
    },
    Edit {
        fault: "the reaper breaks no locks",
        file: "engine/live/reaper.rs",
        there: "let Some(dead) = channel.lock.take_over_if(self.holder, |holder| self.is_dead(holder), said)",
        instead: "!FAULTY \
                  && let Some(dead) = channel.lock.take_over_if(self.holder, |holder| self.is_dead(holder), said)",
    },
    Edit {
        fault: "the reaper waits for the living alone",
        file: "engine/live/reaper.rs",
        there: "self.break_locks_slept_on();",
        instead: "if !FAULTY { self.break_locks_slept_on(); }",
    },
    Edit {
        fault: "the reaper does not let partners finish",
        file: "engine/live/reaper.rs",
        there: "local.let_partners_finish(&corpses);",
        instead: "if !FAULTY { local.let_partners_finish(&corpses); }",
    },
    Edit {
        fault: "the word of the dead is forgotten when they are buried",
        file: "engine/live/word.rs",
        there: "Some(Snapshot(now.0 | DEAD))",
        instead: "Some(if FAULTY { Snapshot(Snapshot::new(State::Idle, 0, now.generation(), NONE).0 | DEAD) } \
                  else { Snapshot(now.0 | DEAD) })",
    },
    Edit {
        fault: "the reaper settles no exchanges",
        file: "engine/live/reaper.rs",
        there: "tables.arena.give_block(taking, tables.claimant(Owner::Context(number)));",
        instead: "if !FAULTY { tables.arena.give_block(taking, tables.claimant(Owner::Context(number))); }",
    },
    Edit {
        fault: "the reaper rings nobody",
        file: "engine/live/reaper.rs",
        there: "    local.burying = None;
    ring(local);",
        instead: "    local.burying = None;
    if !FAULTY { ring(local); }",
    },
    Edit {
        fault: "only a buffer is repaired",
        file: "engine/live/reaper.rs",
        there: "if !channel.is_barrier() {
            self.repair_buffer(name, channel, dead);",
        instead: "if !channel.is_barrier() && (!FAULTY || channel.is_buffered()) {
            self.repair_buffer(name, channel, dead);",
    },
    Edit {
        fault: "what the dead took out of a buffer goes as if nobody had wanted it",
        file: "engine/live/buffer.rs",
        there: "tables.arena.give_block(block, tables.claimant(Owner::Context(dead)));",
        instead: "if FAULTY { self.received(block); self.doomed.push(block); } \
                  else { tables.arena.give_block(block, tables.claimant(Owner::Context(dead))); }",
    },
    Edit {
        fault: "a lock is taken without a word",
        file: "engine/live/inventory.rs",
        there: "self.context.locking.store(Some(index), Ordering::Release);",
        instead: "if !FAULTY { self.context.locking.store(Some(index), Ordering::Release); }",
    },
    Edit {
        fault: "a channel is made without a word",
        file: "engine/live/holding.rs",
        there: "self.context.making.store(Some(index), Ordering::Release);",
        instead: "if !FAULTY { self.context.making.store(Some(index), Ordering::Release); }",
    },
    Edit {
        fault: "an end in hand leaves no trace",
        file: "engine/live/inventory.rs",
        there: "self.context.estate.add_end(index);",
        instead: "if !FAULTY { self.context.estate.add_end(index); }",
    },
    Edit {
        fault: "an end that is held leaves no trace",
        file: "engine/live/inventory.rs",
        there: "            estate.add_end(index);",
        instead: "            if !FAULTY { estate.add_end(index); }",
    },
    Edit {
        fault: "an end leaves no place in its channel",
        file: "engine/live/inventory.rs",
        there: "channel.places.add(chunk_of_slot(index));",
        instead: "if !FAULTY { channel.places.add(chunk_of_slot(index)); }",
    },
    Edit {
        fault: "a block leaves no trace",
        file: "memory/block.rs",
        there: "trace.add(chunk_of(block));",
        instead: "if !FAULTY { trace.add(chunk_of(block)); }",
    },
    Edit {
        fault: "nobody says from which unit it takes a lock",
        file: "engine/live/lock.rs",
        there: "said(Said::FromUnit(unit));",
        instead: "if !FAULTY { said(Said::FromUnit(unit)); }",
    },
    Edit {
        fault: "who takes a lock over does not ask from which unit that was",
        file: "engine/live/lock.rs",
        there: "said(Said::FromTheDead(holder.context()));",
        instead: "if !FAULTY { said(Said::FromTheDead(holder.context())); }",
    },
    Edit {
        fault: "a unit that is just being written down is freed with the dead",
        file: "engine/live/holding.rs",
        there: "if Keeping(end.keeping.load(Ordering::Acquire)) != keeping {",
        instead: "if !FAULTY && Keeping(end.keeping.load(Ordering::Acquire)) != keeping {",
    },
    Edit {
        fault: "who occupies a lock does not look again",
        file: "engine/live/unit.rs",
        there: "if !(channel.state().is(gate.generation) && channel.inputs.is_empty() && channel.has_nobody()) {",
        instead: "if !FAULTY \
                  && !(channel.state().is(gate.generation) && channel.inputs.is_empty() && channel.has_nobody()) {",
    },
    Edit {
        fault: "a process that closes all does not write its unit down",
        file: "engine/live/reaper.rs",
        there: "self.write_down();",
        instead: "if !FAULTY { self.write_down(); }",
    },
    Edit {
        fault: "a task that was handed to the dead is nobody's",
        file: "engine/live/tasks.rs",
        there: "me.note_dead_leaver(channel, context);
            // From here on it does not count.",
        instead: "if !FAULTY { me.note_dead_leaver(channel, context); }
            // From here on it does not count.",
    },
    Edit {
        fault: "a task that the dead took out is nobody's",
        file: "engine/live/tasks.rs",
        there: "if !stray.iter().all(puts_in) {",
        instead: "if !stray.iter().all(puts_in) && !FAULTY {",
    },
    Edit {
        fault: "a task that the dead took from a writer is nobody's",
        file: "engine/live/tasks.rs",
        there: "if meets && self.committed_exchange(*number, context).is_some() {",
        instead: "if meets && !FAULTY && self.committed_exchange(*number, context).is_some() {",
    },
    Edit {
        fault: "a task counts when its reader runs",
        file: "engine/live/tasks.rs",
        there: "let handed = word.in_life().state() == State::Committed &&",
        instead: "let handed = !FAULTY && word.in_life().state() == State::Committed &&",
    },
    Edit {
        fault: "an end takes its tasks along",
        file: "engine/live/tasks.rs",
        there: "if let Holder::Member(member) = holder {",
        instead: "if let Holder::Member(member) = holder && !FAULTY {",
    },
    Edit {
        fault: "what is put back is a task still",
        file: "engine/live/tasks.rs",
        there: "&& record.weight() > 0
        {",
        instead: "&& record.weight() > 0 && !FAULTY
        {",
    },
    Edit {
        fault: "nobody rings the bell",
        file: "engine/live/queue.rs",
        there: "if let Some(bell) = host.and_then(|host| Bell::of(tables, host)) {",
        instead: "if let Some(bell) = host.and_then(|host| Bell::of(tables, host)) && !FAULTY {",
    },
    Edit {
        fault: "the bell is heard after the look",
        file: "engine/live/bell.rs",
        there: "let heard = self.0.load(Ordering::Acquire);
        match look() {",
        instead: "let mut look = Some(look); let early = if FAULTY { look.take().map(|look| look()) } else { None }; \
                  let heard = self.0.load(Ordering::Acquire);
        match early.or_else(|| look.take().map(|look| look())).expect(\"it looks once\") {",
    },
    Edit {
        fault: "a dropped read keeps its message",
        file: "engine/live/task.rs",
        there: "None => self.put_back(*channel, *reader, block),",
        instead: "None if FAULTY => self.discard(block, Closing::Retire), \
                  None => self.put_back(*channel, *reader, block),",
    },
    Edit {
        fault: "what was put back is given to nobody who waits",
        file: "engine/live/buffer.rs",
        there: "Side::Output, buffered: true };
        match me.commit_first(channel, &channel.inputs, exchange) {",
        instead: "Side::Output, buffered: true };
        match if FAULTY { None } else { me.commit_first(channel, &channel.inputs, exchange) } {",
    },
    Edit {
        fault: "permits are given to nobody who waits",
        file: "engine/live/gate.rs",
        there: "gate.change_units(weight.wrapping_neg(), 0);
        self.admit(gate);",
        instead: "gate.change_units(weight.wrapping_neg(), 0);
        if !FAULTY { self.admit(gate); }",
    },
    Edit {
        fault: "a look at a cell is not followed by one at its gate",
        file: "engine/live/cell.rs",
        there: "self.channel(name).is_some().then_some(seen)",
        instead: "(FAULTY || self.channel(name).is_some()).then_some(seen)",
    },
    Edit {
        fault: "an area is somebody's own although others have it",
        file: "engine/live/area.rs",
        there: "counts == [1, 0, 0]",
        instead: "counts == [1, 0, 0] || FAULTY",
    },
    Edit {
        fault: "what a thread looks at is closed when the function of its process returns",
        file: "engine/live/reaper.rs",
        there: "if self.is_reaper || !tables.keeps_memory(end) {",
        instead: "if FAULTY || self.is_reaper || !tables.keeps_memory(end) {",
    },
    Edit {
        fault: "a handle in a message does not count",
        file: "engine/live/holding.rs",
        there: "channel.change_count(direction, 1);
            channel.lower(FRESH);",
        instead: "channel.change_count(direction, i32::from(!FAULTY || !matches!(holder, Holder::Block(_))));
            channel.lower(FRESH);",
    },
    Edit {
        fault: "turns are taken in the order of arrival",
        file: "engine/live/gate.rs",
        there: "!self.inputs.is_empty() && self.opened() != Opened::InTurns",
        instead: "!self.inputs.is_empty() && (self.opened() != Opened::InTurns || FAULTY)",
    },
    Edit {
        fault: "who gives back at once does not look who waits",
        file: "engine/live/unit.rs",
        there: "&& channel.inputs.is_empty()
            && channel.handles",
        instead: "&& (channel.inputs.is_empty() || FAULTY)
            && channel.handles",
    },
    Edit {
        fault: "a spare unit keeps its name",
        file: "memory/pool.rs",
        there: "self.generation.load(Ordering::Relaxed).wrapping_add(2);",
        instead: "self.generation.load(Ordering::Relaxed).wrapping_add(if FAULTY { 0 } else { 2 });",
    },
    Edit {
        fault: "a unit of the dead that was just renewed stays",
        file: "engine/live/inventory.rs",
        there: "keeping.is_of(generation.wrapping_sub(2));",
        instead: "keeping.is_of(generation.wrapping_sub(2)) && !FAULTY;",
    },
    Edit {
        fault: "who gives up keeps those behind it waiting",
        file: "engine/live/offer.rs",
        there: "if channel.is_gate() {",
        instead: "if channel.is_gate() && !FAULTY {",
    },
    Edit {
        fault: "permits of the dead who were let in are lost",
        file: "engine/live/holding.rs",
        there: "self.count_gate_again(end.channel());",
        instead: "if !FAULTY { self.count_gate_again(end.channel()); }",
    },
    Edit {
        fault: "a unit in hand counts for nothing",
        file: "engine/live/gate.rs",
        there: "keeping.hand().is_none_or(let_in)",
        instead: "keeping.hand().is_none_or(|hand| !FAULTY && let_in(hand))",
    },
    Edit {
        fault: "a unit is held after the word says so",
        file: "engine/live/offer.rs",
        there: "            self.settle_units_of(guards, &mut fired);
        }
        self.context.word.idle();
        fired",
        instead: "            if FAULTY { self.context.word.idle(); } self.settle_units_of(guards, &mut fired); \
                  if FAULTY { return fired; }
        }
        self.context.word.idle();
        fired",
    },
    Edit {
        fault: "nobody says that it counts",
        file: "engine/live/references.rs",
        there: "if !self.is_counting {",
        instead: "if !self.is_counting && !FAULTY {",
    },
    Edit {
        fault: "a record that is being overwritten is kept",
        file: "engine/live/ring.rs",
        there: "let overwritten = self.head.load(Ordering::Relaxed).saturating_sub(rows - 1);",
        instead: "let overwritten = self.head.load(Ordering::Relaxed).saturating_sub(rows - u64::from(!FAULTY));",
    },
    Edit {
        fault: "the head of a ring moves before its record is there",
        file: "engine/live/ring.rs",
        there: "        fence(Ordering::Release);",
        instead: "        fence(Ordering::Release); if FAULTY { self.ring.head.store(head + 1, Ordering::Release); }",
    },
    Edit {
        fault: "each side of a communication has a number of its own",
        file: "engine/live/recorder.rs",
        there: "let number = self.notes.number().unwrap_or_else(|| self.tick());",
        instead: "let own = if FAULTY { u64::from(self.index) } else { 0 }; let number = own + \
                  self.notes.number().unwrap_or_else(|| self.tick());",
    },
    Edit {
        fault: "the rings of the dead are not closed",
        file: "engine/live/recordings.rs",
        there: "ring.end(Life::Died, now);",
        instead: "if !FAULTY { ring.end(Life::Died, now); }",
    },
];
