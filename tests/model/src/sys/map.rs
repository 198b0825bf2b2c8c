//! The arena: pages of this process, all zero when an execution begins.
//!
//! Knows nothing of what lies in them. One arena serves all executions, one after the other; what an execution has
//! touched is wiped before the next one.

use rustix::io::Errno;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const PAGE: usize = 4096;
/// The smallest arena, which the program asks for last, is large enough.
const LARGEST: usize = 4 << 20;

#[repr(align(4096))]
#[derive(Debug)]
struct Page([AtomicU64; PAGE / 8]);

static PAGES: OnceLock<&'static [Page]> = OnceLock::new();
static TOUCHED: [AtomicBool; LARGEST / PAGE] = [const { AtomicBool::new(false) }; LARGEST / PAGE];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping {
    pages: &'static [Page],
}

impl Mapping {
    pub(crate) fn shared(size: usize) -> Result<Mapping, Errno> {
        Mapping::private(size)
    }

    pub(crate) fn private(size: usize) -> Result<Mapping, Errno> {
        if size > LARGEST {
            return Err(Errno::NOMEM);
        }
        let pages = PAGES.get_or_init(|| {
            let page = || Page([const { AtomicU64::new(0) }; PAGE / 8]);
            Box::leak(std::iter::repeat_with(page).take(size / PAGE).collect())
        });
        Ok(Mapping { pages })
    }

    pub(crate) fn base(self) -> *mut u8 {
        self.pages.as_ptr().cast_mut().cast()
    }

    pub(crate) fn size(self) -> usize {
        self.pages.len() * PAGE
    }

    /// Gives nothing back.
    ///
    /// # Safety
    /// None is needed here; csproc asks its callers for something.
    #[expect(unsafe_code, reason = "the signature is csproc's")]
    pub(crate) unsafe fn give_back(self, offset: usize, _length: usize) -> std::ops::Range<usize> {
        offset..offset
    }
}

/// Which process mapped something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) pid: u32,
    /// Nanoseconds since the system was started.
    pub(crate) since_boot: u64,
}

impl Origin {
    /// This process, now.
    pub(crate) fn here() -> Origin {
        Origin { pid: std::process::id(), since_boot: 0 }
    }
}

/// A word at this address is used.
pub(crate) fn touch(address: usize) {
    if let Some(pages) = PAGES.get()
        && let Some(touched) = TOUCHED.get(address.wrapping_sub(pages.as_ptr().addr()) / PAGE)
    {
        touched.store(true, Ordering::Relaxed);
    }
}

/// Makes the arena as if it were new. The bytes of messages lie on the pages of their blocks' headers, which are words.
pub(crate) fn wipe() {
    for (page, touched) in PAGES.get().copied().unwrap_or_default().iter().zip(&TOUCHED) {
        if touched.swap(false, Ordering::Relaxed) {
            for word in &page.0 {
                word.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// Whether a word at this address lies in the arena.
pub(crate) fn holds(address: usize) -> bool {
    PAGES.get().is_some_and(|pages| pages.as_ptr_range().contains(&std::ptr::without_provenance(address)))
}

/// What lies at an address, in as many bytes.
pub(crate) fn peek(address: usize, bytes: usize) -> u64 {
    let pages = PAGES.get().copied().unwrap_or_default();
    let offset = address.wrapping_sub(pages.as_ptr().addr());
    let word = pages[offset / PAGE].0[offset % PAGE / 8].load(Ordering::Relaxed);
    let mut value = [0; 8];
    value[..bytes].copy_from_slice(&word.to_ne_bytes()[offset % 8..][..bytes]);
    u64::from_ne_bytes(value)
}
