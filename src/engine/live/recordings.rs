//! Recordings: rings are taken and given back, and what they say is read.
//!
//! Knows nothing of how a ring is written and read ([`ring`](super::ring)), nor of what the events mean.

use super::ring::{Life, OwnRing, Owner, Recording};
use super::sync::Ordering;
use super::tables::Tables;
use crate::memory::Slot;

/// So many rings of the dead are kept, as long as others can be had.
const TOMBS: usize = 64;

impl Tables {
    /// A ring for a context, or none if all are in use.
    pub(super) fn take_ring(self, owner: &Owner<'_>) -> Option<OwnRing> {
        let setting = self.arena.control().setting();
        let (epoch, rows) = (setting.epoch(), setting.rows().min(self.arena.rows_of_a_ring()));
        // Another one may be faster with what this one makes free.
        for _ in 0..4 {
            if let Some((index, _, ring)) = self.rings.take(|_, ring| ring.begin(owner, epoch, rows)) {
                return Some(OwnRing::new(ring, index, epoch, owner.serial, rows));
            }
            self.free_a_ring(epoch);
        }
        self.arena.shared().untraced.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Gives the ring back that can be done without most easily.
    fn free_a_ring(self, epoch: u32) {
        let mut dead = 0;
        let mut unused = Vec::new();
        for (index, generation, ring) in self.rings.taken() {
            let life = ring.life();
            dead += usize::from(life == Life::Died);
            let is_old = ring.epoch.load(Ordering::Relaxed) != epoch;
            if life != Life::Live {
                unused.push((!is_old, life == Life::Died, ring.ended.load(Ordering::Relaxed), index, generation));
            }
        }
        let spare = |(is_new, has_died, ..): &&(bool, bool, u64, u32, u32)| !is_new || !has_died || dead > TOMBS;
        if let Some((.., index, generation)) = unused.iter().filter(spare).min() {
            self.rings.give_back(*index, *generation);
        }
    }

    /// Reaper: what the dead have written stays, and nobody writes there any more.
    pub(super) fn bury_rings_of(self, host: u32, now: u64) {
        for (_, _, ring) in self.rings.taken() {
            if ring.host.load(Ordering::Acquire) == host && ring.life() == Life::Live {
                ring.end(Life::Died, now);
            }
        }
    }

    /// What all rings say, but those of an earlier epoch.
    pub(crate) fn recordings(self) -> Vec<Recording> {
        let epoch = self.arena.control().setting().epoch();
        if epoch == 0 {
            return Vec::new();
        }
        let rings = self.rings.taken();
        rings.filter_map(|(index, generation, ring)| ring.read(&self.arena, index, generation, epoch)).collect()
    }

    /// Rings whose owner is not there any more, although nobody has said so.
    pub(super) fn rings_of_nobody(self) -> Vec<String> {
        let of_nobody = self.rings.taken().filter_map(|(index, generation, ring)| {
            let context = ring.context.load(Ordering::Acquire);
            let is_live = ring.life() == Life::Live;
            let owner = self.contexts.get(context).and_then(|context| context.state().taken());
            let is_left = is_live && owner.is_none() && ring.state().is(generation);
            is_left.then(|| format!("ring {index} is written by context {context}, which is gone"))
        });
        of_nobody.collect()
    }
}
