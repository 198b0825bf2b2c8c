//! `AnyFn`: a function without the type of its signature; one of the program's image in a form that one process can
//! tell another.
//!
//! Knows nothing of what the functions do, nor of how the form travels. It is two words: how far the function lies from
//! the first byte of the image, and a number of its signature. Words that come from another process are a function
//! only if the place lies in code of the image, and nobody is given a function but with the signature that was put in;
//! so what is called is a function that somebody named, with the arguments that it takes.
//!
//! **Where the image lies does not matter.** The kernel chooses a place whenever a program is executed (ASLR), and a
//! fork keeps it. A distance within the image is that of the file, which the linker has chosen: it is the same in all
//! processes that run the file, forked or executed. So is the number of a signature, for the compiler has chosen it. A
//! function of a library has no such distance: libraries lie where there was room, and one that a process opens later
//! is not there in the others. Within one process it is a function like any other.
#![expect(unsafe_code, reason = "makes a function of a place in the image; listed in the architecture page")]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::OnceLock;

/// Why there is no such function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoImageFn {
    /// It lies somewhere else.
    #[error(
        "the function at {address:#x} lies in {place}, and other processes find only those of {image}; call it from \
         one of those, or use Placement::Thread"
    )]
    Foreign {
        address: usize,
        /// The file that is mapped there.
        place: String,
        /// The file that this library is part of.
        image: String,
    },
    /// It is a function of another signature.
    #[error("a function of another signature was told where one for {expected} was expected")]
    Signature { expected: &'static str },
}

/// What functions take and give.
pub(crate) trait Signature {
    /// The pointer to such a function.
    type Function: Copy;

    fn place(function: Self::Function) -> *const u8;

    /// # Safety
    /// A function of this signature is at the place.
    unsafe fn at(place: *const u8) -> Self::Function;
}

macro_rules! signatures {
    ($($(#[$doc:meta])* $name:ident<$($part:ident),*> = $function:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<$($part),*>(PhantomData<($($part,)*)>);

        impl<$($part),*> Signature for $name<$($part),*> {
            type Function = $function;

            fn place(function: $function) -> *const u8 {
                function as *const u8
            }

            unsafe fn at(place: *const u8) -> $function {
                // SAFETY: a pointer to a function of this type, as the caller promises.
                unsafe { std::mem::transmute::<*const u8, $function>(place) }
            }
        }
    )*};
}

signatures! {
    /// It takes one value.
    Takes<A, R> = fn(A) -> R;
    /// It takes two values.
    TakesTwo<A, B, R> = fn(A, B) -> R;
    /// It looks at one value.
    LooksAt<A, R> = fn(&A) -> R;
    /// It looks at one value, and takes another.
    LooksWith<T, A, R> = fn(&T, A) -> R;
    /// It looks at one value, and changes another.
    LooksFor<T, A> = fn(&T, &mut A);
    /// It changes one value.
    Changes<T, R> = fn(&mut T) -> R;
    /// It changes one value, and takes another.
    ChangesWith<T, A, R> = fn(&mut T, A) -> R;
    /// It changes two values.
    ChangesFor<T, A> = fn(&mut T, &mut A);
    /// It takes values one after the other, as a plan says.
    Gathers<A, B, R> = fn(&A, &mut dyn Iterator<Item = B>) -> R;
}

/// A function of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnyFn {
    /// From the first byte of the image.
    distance: usize,
    signature: u64,
}

impl AnyFn {
    pub(crate) fn of<S: Signature>(function: S::Function) -> AnyFn {
        let distance = S::place(function).expose_provenance().wrapping_sub(first_page().as_ptr().addr());
        AnyFn { distance, signature: number::<S>() }
    }

    /// The function.
    ///
    /// # Errors
    /// It is one of another signature.
    pub(crate) fn get<S: Signature>(self) -> Result<S::Function, NoImageFn> {
        if self.signature != number::<S>() {
            return Err(NoImageFn::Signature { expected: std::any::type_name::<S>() });
        }
        // SAFETY: the distance was taken from a function of this signature: by `of` in this process, or in another one
        // that runs the image, and then the place lies in the image's code, for nobody makes words but `to_words`.
        Ok(unsafe { S::at(std::ptr::with_exposed_provenance(self.address())) })
    }

    /// What another process needs to find it.
    ///
    /// # Errors
    /// It is not a function of the image.
    pub(crate) fn to_words(self) -> Result<[u64; 2], NoImageFn> {
        self.check().map(|found| [found.distance as u64, found.signature])
    }

    /// # Errors
    /// The words do not name a place in the code of the image.
    pub(crate) fn from_words([distance, signature]: [u64; 2]) -> Result<AnyFn, NoImageFn> {
        AnyFn { distance: distance as usize, signature }.check()
    }

    /// Whether it lies in the code of the image.
    fn check(self) -> Result<AnyFn, NoImageFn> {
        if own_code().iter().any(|range| range.contains(&self.distance)) {
            return Ok(self);
        }
        let address = self.address();
        Err(NoImageFn::Foreign { address, place: place(address), image: place(first_page().as_ptr().addr()) })
    }

    fn address(self) -> usize {
        first_page().as_ptr().addr().wrapping_add(self.distance)
    }
}

/// The same in all processes of the image: the compiler's number of the type, which is a hash already.
fn number<S>() -> u64 {
    struct AsItIs(u64);
    impl Hasher for AsItIs {
        fn write(&mut self, bytes: &[u8]) {
            let mut hasher = DefaultHasher::new();
            (self.0, bytes).hash(&mut hasher);
            self.0 = hasher.finish();
        }

        fn write_u64(&mut self, number: u64) {
            self.0 ^= number;
        }

        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut hasher = AsItIs(0);
    typeid::of::<S>().hash(&mut hasher);
    hasher.finish()
}

/// The first page of the image that this code is linked into: its ELF header, and what lies where.
pub(crate) fn first_page() -> &'static [u8; PAGE] {
    unsafe extern "C" {
        /// Every linker for ELF defines it, for this image only, and the kernel maps whole pages.
        safe static __ehdr_start: [u8; PAGE];
    }
    &__ehdr_start
}

const PAGE: usize = 4096;

/// The code of the image. It stays where it is, so its header is read once.
fn own_code() -> &'static [Range<usize>] {
    static CODE: OnceLock<Vec<Range<usize>>> = OnceLock::new();
    CODE.get_or_init(|| code(first_page()).collect())
}

/// Reads the header now, for this process and those forked from it.
pub(crate) fn read_header() {
    own_code();
}

/// Where the code lies, as distances from the first byte.
fn code(page: &[u8]) -> impl Iterator<Item = Range<usize>> {
    // Of the 64-bit ELF header and of its program headers.
    const TABLE: usize = 32;
    const SIZE: usize = 54;
    const COUNT: usize = 56;
    const LOADED: usize = 1;
    const EXECUTABLE: usize = 1;
    let number = |at: usize, bytes: usize| {
        let field = page.get(at..at.checked_add(bytes)?)?;
        Some(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let part = move |index: usize| {
        let header = number(TABLE, 8)?.checked_add(index * number(SIZE, 2)?)?;
        let field = |at: usize, bytes| number(header.checked_add(at)?, bytes);
        let [kind, flags, offset] = [field(0, 4)?, field(4, 4)?, field(8, 8)?];
        let [address, length] = [field(16, 8)?, field(40, 8)?];
        (kind == LOADED).then_some((flags, offset, address, length))
    };
    let parts = move || (0..number(COUNT, 2).unwrap_or(0)).filter_map(part);
    let first = parts().find(|(_, offset, ..)| *offset == 0).map_or(0, |(_, _, address, _)| address);
    parts().filter(|(flags, ..)| flags & EXECUTABLE != 0).map(move |(_, _, address, length)| {
        let start = address.wrapping_sub(first);
        start..start.saturating_add(length)
    })
}

/// The file that is mapped at an address.
fn place(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let file = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        (number(start)? <= address && address < number(end)?).then(|| rest.split_whitespace().nth(4))?
    });
    String::from(file.unwrap_or("no file"))
}

/// A function of the C library, as if it were one of ours; never called.
#[cfg(test)]
pub(crate) fn foreign() -> fn(u64) -> u64 {
    // SAFETY: a pointer to a function, which is not called.
    unsafe { std::mem::transmute::<*const u8, fn(u64) -> u64>(libc::getpid as *const u8) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::{Forked, exit_now, fork};
    use rustix::process::{WaitOptions, waitpid};

    fn twice(number: u64) -> u64 {
        2 * number
    }

    fn is_even(number: &u64) -> bool {
        number.is_multiple_of(2)
    }

    #[test]
    fn a_forked_process_calls_the_function_that_it_was_told() {
        let words = AnyFn::of::<Takes<u64, u64>>(twice).to_words().unwrap();
        // SAFETY: the child takes no lock and allocates nothing.
        let forked = unsafe { fork() }.unwrap();
        let Forked::Parent(child) = forked else {
            let told = AnyFn::from_words(words).and_then(AnyFn::get::<Takes<u64, u64>>).map(|told| told(21));
            exit_now(if told == Ok(42) { 7 } else { 1 });
        };
        let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.exit_status(), Some(7));
    }

    #[test]
    fn a_function_is_not_called_with_arguments_of_another() {
        let words = AnyFn::of::<LooksAt<u64, bool>>(is_even).to_words().unwrap();
        let told = AnyFn::from_words(words).unwrap();
        assert!(told.get::<LooksAt<u64, bool>>().unwrap()(&4));
        let error = told.get::<Takes<u64, bool>>().unwrap_err();
        assert!(matches!(error, NoImageFn::Signature { expected } if expected.contains("Takes<u64, bool>")), "{error}");
        assert!(told.get::<LooksAt<u32, bool>>().is_err());
    }

    #[test]
    fn a_function_of_a_library_is_told_to_nobody_else() {
        let library = AnyFn::of::<Takes<u64, u64>>(foreign());
        let error = library.to_words().unwrap_err();
        let own = std::env::current_exe().unwrap();
        let (text, own) = (error.to_string(), own.to_str().unwrap());
        assert!(matches!(error, NoImageFn::Foreign { .. }) && text.contains("libc") && text.contains(own), "{text}");
        assert!(
            std::ptr::fn_addr_eq(library.get::<Takes<u64, u64>>().unwrap(), foreign()),
            "it is one in this process"
        );
    }

    #[test]
    fn places_beside_the_code_are_refused() {
        let [distance, signature] = AnyFn::of::<Takes<u64, u64>>(twice).to_words().unwrap();
        assert!(AnyFn::from_words([distance, signature]).is_ok());
        for beside in [0, 8, u64::MAX, u64::MAX - distance] {
            let error = AnyFn::from_words([beside, signature]).unwrap_err();
            assert!(matches!(error, NoImageFn::Foreign { .. }), "{beside}: {error}");
        }
    }

    #[test]
    fn a_header_that_says_nothing_has_no_code() {
        assert_eq!(code(&[]).count(), 0);
        assert_eq!(code(&[0xff; 64]).count(), 0);
        assert!(code(first_page()).count() >= 1);
    }
}
