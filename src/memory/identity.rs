//! The first bytes of an arena: that it is one, how it is laid out, and whose it is.
//!
//! Knows nothing of who looks at them. They are written once, before anybody else can see the mapping, and never change
//! afterwards. Whoever has got hold of an arena that it did not map itself reads them as bytes, and walks no further
//! when they are not what its own code would have written.
//!
//! ```text
//!      0  magic, 8 bytes           16  size of the arena, 8 bytes
//!      8  format, 4 bytes          24  number of the program's first process, 4 bytes
//!     12  layout, 4 bytes          32  nanoseconds from the start of the system to the mapping, 8 bytes
//! ```
//! Numbers have the byte order of the machine. The time tells a program from a later one whose first process has the
//! same number: that process has begun after the arena was mapped.

use crate::sys::map::Origin;

/// Bytes of the identity.
pub(super) const LENGTH: usize = 64;

const MAGIC: [u8; 8] = *b"csproc\0\0";
/// Changes when these bytes get another meaning.
const FORMAT: u32 = 1;

/// What the first bytes of an arena say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// A hash of the sizes and places of everything that processes share ([`Layout`]).
    pub(crate) layout: u32,
    /// Bytes of the arena.
    pub(crate) size: u64,
    /// The process that mapped it, and when.
    pub(crate) origin: Origin,
}

/// Why some bytes do not begin an arena that this program can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("{length} bytes are too few: an arena of csproc begins with {LENGTH}")]
    Short { length: usize },
    #[error("it does not begin as an arena of csproc does")]
    NoArena,
    #[error("its format is {found}, and this program reads format {FORMAT}: use the version of csproc that made it")]
    Format { found: u32 },
    #[error(
        "its layout is {found:08x}, and that of this program is {known:08x}: look at it with a program that was built \
         with the same version of csproc"
    )]
    Layout { found: u32, known: u32 },
}

impl Identity {
    pub(super) fn to_bytes(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.layout.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_ne_bytes());
        bytes[24..28].copy_from_slice(&self.origin.pid.to_ne_bytes());
        bytes[32..40].copy_from_slice(&self.origin.since_boot.to_ne_bytes());
        bytes
    }

    /// What the first bytes of an arena say, if it is one, and laid out as `layout` says.
    ///
    /// # Errors
    /// It is no arena, or one of another version of csproc.
    pub(crate) fn read(bytes: &[u8], layout: u32) -> Result<Identity, Unreadable> {
        let Some(bytes) = bytes.first_chunk::<LENGTH>() else {
            return Err(Unreadable::Short { length: bytes.len() });
        };
        let word = |place: usize| u32::from_ne_bytes(std::array::from_fn(|byte| bytes[place + byte]));
        let long = |place: usize| u64::from_ne_bytes(std::array::from_fn(|byte| bytes[place + byte]));
        if bytes[..8] != MAGIC {
            return Err(Unreadable::NoArena);
        }
        if word(8) != FORMAT {
            return Err(Unreadable::Format { found: word(8) });
        }
        if word(12) != layout {
            return Err(Unreadable::Layout { found: word(12), known: layout });
        }
        Ok(Identity { layout, size: long(16), origin: Origin { pid: word(24), since_boot: long(32) } })
    }
}

/// A hash of everything that two processes must agree on to share an arena, built up at compile time (FNV-1a).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout(u32);

impl Layout {
    pub(crate) const fn new() -> Layout {
        Layout(0x811c_9dc5)
    }

    pub(crate) const fn number(self, number: usize) -> Layout {
        self.bytes(&(number as u64).to_le_bytes())
    }

    pub(crate) const fn bytes(self, bytes: &[u8]) -> Layout {
        let (mut hash, mut place) = (self.0, 0);
        while place < bytes.len() {
            hash = (hash ^ bytes[place] as u32).wrapping_mul(0x0100_0193);
            place += 1;
        }
        Layout(hash)
    }

    pub(crate) const fn hash(self) -> u32 {
        self.0
    }
}

/// Adds a shared record to a [`Layout`]: its size, and the name and the place of every field. A field that is not
/// listed is an error of the compiler.
macro_rules! record {
    ($layout:expr, $record:ident { $($field:ident),+ $(,)? }) => {{
        let _all_are_listed = |record: &$record| {
            let $record { $($field: _),+ } = record;
        };
        $layout
            .number(size_of::<$record>())
            $(.bytes(stringify!($field).as_bytes()).number(std::mem::offset_of!($record, $field)))+
    }};
}
pub(crate) use record;

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { layout: 0xabcd, size: 16 << 30, origin: Origin { pid: 4711, since_boot: 1 << 40 } }
    }

    #[test]
    fn an_arena_says_how_it_is_laid_out_and_whose_it_is() {
        let bytes = identity().to_bytes();
        assert_eq!(Identity::read(&bytes, 0xabcd), Ok(identity()));
        // More may follow, as it does in a file.
        assert_eq!(Identity::read(&[&bytes[..], &[7; 4096]].concat(), 0xabcd), Ok(identity()));
    }

    #[test]
    fn what_is_no_arena_of_this_layout_is_refused_by_its_reason() {
        let refused = |bytes: &[u8]| Identity::read(bytes, 0xabcd).unwrap_err();
        let changed = |place: usize| {
            let mut bytes = identity().to_bytes();
            bytes[place] ^= 0x40;
            refused(&bytes)
        };
        assert_eq!(refused(&[]), Unreadable::Short { length: 0 });
        assert_eq!(refused(&identity().to_bytes()[..LENGTH - 1]), Unreadable::Short { length: LENGTH - 1 });
        assert_eq!(refused(&[0; LENGTH]), Unreadable::NoArena);
        for place in 0..8 {
            assert_eq!(changed(place), Unreadable::NoArena, "byte {place}");
        }
        assert_eq!(changed(8), Unreadable::Format { found: u32::from_ne_bytes([0x41, 0, 0, 0]) });
        let other = Unreadable::Layout { found: 0xabcd, known: 0xabce };
        assert_eq!(Identity::read(&identity().to_bytes(), 0xabce).unwrap_err(), other);
        assert!(other.to_string().contains("0000abcd") && other.to_string().contains("same version of csproc"));
    }

    #[test]
    fn a_layout_changes_with_the_size_the_name_and_the_place_of_a_field() {
        mod first {
            pub(super) struct Record {
                pub(super) a: u32,
                pub(super) b: u32,
            }
        }
        mod swapped {
            #[repr(C)]
            pub(super) struct Record {
                pub(super) b: u32,
                pub(super) a: u32,
            }
        }
        mod longer {
            pub(super) struct Record {
                pub(super) a: u32,
                pub(super) b: u64,
            }
        }
        macro_rules! hash_of {
            ($module:ident) => {{
                use $module::Record;
                record!(Layout::new(), Record { a, b }).hash()
            }};
        }
        let hashes = [hash_of!(first), hash_of!(swapped), hash_of!(longer), Layout::new().hash()];
        for (place, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..place].contains(hash), "{hashes:?}");
        }
    }
}
