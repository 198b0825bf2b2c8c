//! How much a thread has allocated and not freed, to the byte.
//!
//! Knows nothing of what is allocated. Resident memory does not answer the question: it grows by 64 KiB whenever code
//! runs for the first time, the code that measures included, and by every page of shared memory that another process
//! has used before. The heap of the whole process does not answer it either: the thread that looks for deadlocks may
//! be in the middle of a look.

#![expect(unsafe_code, reason = "an allocator that counts has no safe interface")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Less than nothing for a thread that frees what others have allocated.
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

/// The bytes that the calling thread has allocated, without those that it has freed.
pub(crate) fn bytes() -> isize {
    BYTES.get()
}

fn count(bytes: isize) {
    // A thread that has ended counts no more.
    let _ = BYTES.try_with(|sum| sum.set(sum.get() + bytes));
}

/// The allocator of the system, which does all the work.
struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

// SAFETY: the allocator of the system keeps the rules, and the counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller has promised what it asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller has promised what it asks for.
        unsafe { System.dealloc(place, layout) }
    }
}
