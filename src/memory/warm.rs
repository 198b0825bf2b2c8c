//! Warm blocks: large free blocks that still have their pages.
//!
//! Knows nothing of who uses them. A block that comes back gives its pages to the system if it is large, and whoever
//! takes it next has them made and cleared again, page by page: of 64 MiB that takes six times as long as to copy
//! them (50 ms against 8; November 2026). So the last ones that came back stay as they are for a while, on a stack
//! of their own for each class: as many as are 64 MiB together, two at least. What lies deeper has given its pages
//! back and is on the stack of all free blocks.
//!
//! **Warm is free.** A warm block belongs to nobody, and nobody has to die in order for others to have it. Whoever is
//! killed on the way from one stack to another loses the block that it had between them, as anywhere in this layer.
//!
//! **How many there are** stands in the blocks themselves: each says in its length, which a free block does not need,
//! how many are below it, and itself. Whoever puts one on top has read that of the head that it replaces, so no
//! counter can be wrong.
//!
//! **Cooling.** Somebody looks at all stacks now and then, and remembers their heads. The words of the heads count
//! whatever is done with them; one that is the same at the next look belongs to a class that nobody has used since, and
//! its blocks give their pages back. Without anybody who looks, what stays is what fits: 64 MiB of each class, or
//! two blocks.

use super::arena::Arena;
use super::block::{Block, CLASSES, LARGE_CLASS, NONE, size_of_class};
use crate::sys::atomic::{AtomicU64, Ordering};

/// So many classes are large enough.
pub(super) const WARM: usize = CLASSES - LARGE_CLASS;
/// So many bytes of a class stay warm.
const MOST: usize = 64 << 20;
/// So many blocks do in any case: one is filled while another one is read, and both may be free for a moment.
const LEAST: usize = 2;

/// The heads of the stacks of warm blocks as somebody has seen them last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warmth([u64; WARM]);

impl Arena {
    /// The stack of a class that has one.
    #[inline]
    fn warm(&self, class: usize) -> Option<&'static AtomicU64> {
        self.blocks_header().warm.get(class.checked_sub(LARGE_CLASS)?)
    }

    /// A free block with its pages.
    #[inline]
    pub(super) fn pop_warm(&self, class: usize) -> Option<Block> {
        self.pop(self.warm(class)?)
    }

    /// Keeps a large block, which is nobody's, as it is. `false` if enough are there.
    pub(super) fn keep_warm(&self, class: usize, block: Block) -> bool {
        let Some(stack) = self.warm(class) else { return false };
        let most = (MOST / size_of_class(class)).max(LEAST);
        self.push(stack, block, |below| {
            let depth = if below == NONE { 0 } else { self.block(below).length() };
            let is_kept = depth < most;
            if is_kept {
                self.block(block).set_length(depth + 1);
            }
            is_kept
        })
    }

    /// Has all blocks give their pages back whose class nobody has used since `seen` was seen. `true` while some are
    /// warm.
    pub(crate) fn cool(&self, seen: &mut Warmth) -> bool {
        let mut any = false;
        for (place, seen) in seen.0.iter_mut().enumerate() {
            let stack = &self.blocks_header().warm[place];
            if stack.load(Ordering::Acquire) == *seen {
                while let Some(block) = self.pop(stack) {
                    self.put_away(LARGE_CLASS + place, block);
                }
            }
            *seen = stack.load(Ordering::Acquire);
            any |= *seen as u32 != NONE;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::Claimant;
    use super::*;

    const BYTES: usize = 10 << 20;

    fn take(arena: &Arena) -> Block {
        arena.take_block(BYTES, Claimant::untraced(7)).unwrap()
    }

    fn warm(arena: &Arena) -> usize {
        let heads = arena.blocks_header().warm.iter().map(|stack| stack.load(Ordering::Relaxed) as u32);
        heads.filter(|head| *head != NONE).map(|head| arena.block(head).length()).sum()
    }

    #[test]
    fn of_large_blocks_that_come_back_those_stay_warm_that_are_64_mib_together() {
        let arena = Arena::private_of(1 << 30, 0).unwrap();
        let taken = [(); 5].map(|()| take(&arena));
        for (place, block) in taken.into_iter().enumerate() {
            arena.give_back_block(block);
            // Their class has 16 MiB and a unit, and so three fit.
            assert_eq!(warm(&arena), (place + 1).min(3), "after {place}");
        }
        let again = [(); 5].map(|()| take(&arena));
        assert!(again.iter().all(|block| taken.contains(block)) && warm(&arena) == 0);
        assert_eq!(again[..3], [taken[2], taken[1], taken[0]], "the warm ones are taken first");
    }

    #[test]
    fn two_blocks_stay_warm_however_large_they_are_and_small_ones_need_no_such_stack() {
        let arena = Arena::private_of(1 << 30, 0).unwrap();
        for (bytes, stays) in [(100 << 20, 2), (100, 2), (100 << 10, 2), (1 << 20, 5)] {
            let blocks = [(); 3].map(|()| arena.take_block(bytes, Claimant::untraced(7)).unwrap());
            blocks.into_iter().for_each(|block| arena.give_back_block(block));
            assert_eq!(warm(&arena), stays, "after {bytes} bytes");
        }
    }

    #[test]
    fn what_nobody_has_used_between_two_looks_is_warm_no_longer_and_can_be_taken_all_the_same() {
        let (arena, mut seen) = (Arena::private_of(1 << 30, 0).unwrap(), Warmth::default());
        assert!(!arena.cool(&mut seen));
        let block = take(&arena);
        arena.give_back_block(block);
        assert!(arena.cool(&mut seen) && warm(&arena) == 1, "it has come since");
        assert_eq!(take(&arena), block);
        arena.give_back_block(block);
        assert!(arena.cool(&mut seen) && warm(&arena) == 1, "it was used since");
        assert!(!arena.cool(&mut seen) && warm(&arena) == 0);
        assert_eq!(take(&arena), block);
    }
}
