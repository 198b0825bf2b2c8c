//! `ImageFn`: a function of the program's image, in a form that one process can tell another.
//!
//! Knows nothing of what the functions do, nor of how the form travels. It is two words: how far the function lies from
//! the first byte of the image, and a number of its signature. Whoever takes a function out of two words is given it
//! only if the place lies in code of the image and the signature is the one that was put in; so what is called is a
//! function that somebody named, with the arguments that it takes.
//!
//! **Where the image lies does not matter.** The kernel chooses a place whenever a program is executed (ASLR), and a
//! fork keeps it. A distance within the image is that of the file, which the linker has chosen: it is the same in all
//! processes that run the file, forked or executed. So is the number of a signature, for the compiler has chosen it. A
//! function of a library has no such distance: libraries lie where there was room, and one that a process opens later
//! is not there in the others.
#![expect(unsafe_code, reason = "makes a function of a place in the image; listed in the architecture page")]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Range;

/// Why there is no such function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoImageFn {
    /// It lies somewhere else.
    #[error(
        "the function at {address:#x} lies in {place}, not in the program itself, so other processes do not find it; \
         call it from a function of the program"
    )]
    Foreign {
        address: usize,
        /// The file that is mapped there.
        place: String,
    },
    /// It was told as a function of another signature.
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
    /// It looks at one value.
    LooksAt<A, R> = fn(&A) -> R;
    /// It takes values one after the other, as a plan says.
    Gathers<A, B, R> = fn(&A, &mut dyn Iterator<Item = B>) -> R;
}

/// A function of the image.
pub(crate) struct ImageFn<S> {
    /// From the first byte of the image; within code.
    distance: usize,
    signature: PhantomData<S>,
}

impl<S: Signature> ImageFn<S> {
    /// # Errors
    /// The function is not one of the image.
    pub(crate) fn of(function: S::Function) -> Result<ImageFn<S>, NoImageFn> {
        ImageFn::at(S::place(function).expose_provenance().wrapping_sub(first_page().as_ptr().addr()))
    }

    /// What another process needs to find it.
    pub(crate) fn to_words(&self) -> [u64; 2] {
        [self.distance as u64, ImageFn::<S>::number()]
    }

    /// # Errors
    /// The words are not those of a function of this signature, or do not name a place in the code of the image.
    pub(crate) fn from_words([distance, number]: [u64; 2]) -> Result<ImageFn<S>, NoImageFn> {
        if number != ImageFn::<S>::number() {
            return Err(NoImageFn::Signature { expected: std::any::type_name::<S>() });
        }
        ImageFn::at(distance as usize)
    }

    /// The function.
    pub(crate) fn get(&self) -> S::Function {
        let address = first_page().as_ptr().addr().wrapping_add(self.distance);
        // SAFETY: the place lies in the code of this image, and its distance was taken from a function of this
        // signature: by `of`, perhaps in another process that runs the image, for nobody makes words but `to_words`.
        unsafe { S::at(std::ptr::with_exposed_provenance(address)) }
    }

    fn at(distance: usize) -> Result<ImageFn<S>, NoImageFn> {
        if code(first_page()).any(|range| range.contains(&distance)) {
            return Ok(ImageFn { distance, signature: PhantomData });
        }
        let address = first_page().as_ptr().addr().wrapping_add(distance);
        Err(NoImageFn::Foreign { address, place: place(address) })
    }

    /// The same in all processes of the image: the compiler's number of the type, hashed without a secret.
    fn number() -> u64 {
        let mut hasher = DefaultHasher::new();
        typeid::of::<S>().hash(&mut hasher);
        hasher.finish()
    }
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
        let words = ImageFn::<Takes<u64, u64>>::of(twice).unwrap().to_words();
        // SAFETY: the child takes no lock and allocates nothing.
        let forked = unsafe { fork() }.unwrap();
        let Forked::Parent(child) = forked else {
            let told = ImageFn::<Takes<u64, u64>>::from_words(words).map(|told| told.get()(21));
            exit_now(if told == Ok(42) { 7 } else { 1 });
        };
        let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.exit_status(), Some(7));
    }

    #[test]
    fn a_function_is_not_called_with_arguments_of_another() {
        let words = ImageFn::<LooksAt<u64, bool>>::of(is_even).unwrap().to_words();
        assert!(ImageFn::<LooksAt<u64, bool>>::from_words(words).unwrap().get()(&4));
        let error = ImageFn::<Takes<u64, bool>>::from_words(words).err().unwrap();
        assert!(matches!(error, NoImageFn::Signature { expected } if expected.contains("Takes<u64, bool>")), "{error}");
        assert!(ImageFn::<LooksAt<u32, bool>>::from_words(words).is_err());
    }

    #[test]
    fn a_function_of_a_library_is_refused_by_name() {
        let error = ImageFn::<Takes<u64, u64>>::of(foreign()).err().unwrap();
        let text = error.to_string();
        assert!(matches!(error, NoImageFn::Foreign { .. }) && text.contains("libc"), "{text}");
    }

    #[test]
    fn places_beside_the_code_are_refused() {
        let [distance, number] = ImageFn::<Takes<u64, u64>>::of(twice).unwrap().to_words();
        assert!(ImageFn::<Takes<u64, u64>>::from_words([distance, number]).is_ok());
        for beside in [0, 8, u64::MAX, u64::MAX - distance] {
            let error = ImageFn::<Takes<u64, u64>>::from_words([beside, number]).err().unwrap();
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
