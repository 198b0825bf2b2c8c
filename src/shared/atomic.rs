//! `Atomic`: one number that processes share, without a lock.
//!
//! Knows nothing of where the word lies; each operation is one of the processor's.

use crate::channel::{Gate, MessageError};
use crate::process::remedy::{Carried, Probe};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// One number that processes share, without a lock: each operation takes effect at one moment, and all processes agree
/// on the order of these moments (`SeqCst`).
///
/// No operation waits, whoever is stopped or dead. Arithmetic wraps around at the type's bounds.
///
/// A clone is the same number, and so is one that was given to a process as an argument or sent through a channel.
///
/// (Python: `multiprocessing.RawValue`, and `Value` with `lock=False`, whose operations, however, are reads and
/// writes.)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::Atomic;
///
/// #[process]
/// fn count(total: Atomic<u64>, times: u64) {
///     for _ in 0..times {
///         total.fetch_add(1);
///     }
/// }
///
/// fn main() -> csproc::Result<()> {
///     let total = Atomic::new(0)?;
///     Parallel!(for _ in 0..3 => count(total.clone(), 50))?;
///     assert_eq!(total.load(), 150);
///     Ok(())
/// }
/// ```
pub struct Atomic<T> {
    gate: Arc<Gate>,
    values: PhantomData<T>,
}

mod sealed {
    /// A number as the lowest bits of a word.
    pub trait Bits: Copy + Eq + Ord {
        const ZERO: Self;
        fn to_bits(self) -> u64;
        /// What is above the lowest bits is of no importance.
        fn of_bits(bits: u64) -> Self;
        fn and(self, other: Self) -> Self;
        fn or(self, other: Self) -> Self;
    }
}

/// A number that an [`Atomic`] can be: `u8` to `u64`, `i8` to `i64`, `usize`, `isize`.
///
/// # Examples
/// ```
/// fn is_word<T: csproc::shared::Word>() {}
/// is_word::<u64>();
/// is_word::<i8>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the word of an `Atomic`",
    label = "not an integer of at most 64 bits",
    note = "`u8` to `u64`, `i8` to `i64`, `usize` and `isize` are; other plain data is shared by a `Value`"
)]
pub trait Word: sealed::Bits {}

macro_rules! words {
    ($($number:ty)*) => {
        $(
            impl sealed::Bits for $number {
                const ZERO: $number = 0;

                fn to_bits(self) -> u64 {
                    self as u64
                }

                fn of_bits(bits: u64) -> $number {
                    bits as $number
                }

                fn and(self, other: $number) -> $number {
                    self & other
                }

                fn or(self, other: $number) -> $number {
                    self | other
                }
            }

            impl Word for $number {}
        )*
    };
}

words!(u8 u16 u32 u64 i8 i16 i32 i64 usize isize);

impl<T> Clone for Atomic<T> {
    /// The same number.
    fn clone(&self) -> Atomic<T> {
        Atomic { gate: Arc::clone(&self.gate), values: PhantomData }
    }
}

impl<T: Word> Atomic<T> {
    /// A number that nobody else has.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// let level = csproc::shared::Atomic::new(7_u8)?;
    /// assert_eq!(level.load(), 7);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn new(value: T) -> Result<Atomic<T>, MessageError> {
        let gate = Gate::with_cell(size_of::<u64>(), |cell| cell.begin(&value.to_bits().to_ne_bytes()));
        gate.made()?;
        Ok(Atomic { gate: Arc::new(gate.entrusted()), values: PhantomData })
    }

    /// The number now.
    ///
    /// # Examples
    /// See [`new`](Atomic::new).
    pub fn load(&self) -> T {
        self.on_word(|word| T::of_bits(word.load()))
    }

    /// Sets the number.
    ///
    /// # Examples
    /// ```
    /// let level = csproc::shared::Atomic::new(7_i8)?;
    /// level.store(-1);
    /// assert_eq!(level.load(), -1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn store(&self, value: T) {
        self.on_word(|word| {
            word.store(value.to_bits());
            T::ZERO
        });
    }

    /// Sets the number, and gives the one before.
    ///
    /// # Examples
    /// ```
    /// let level = csproc::shared::Atomic::new(7)?;
    /// assert_eq!((level.swap(8), level.load()), (7, 8));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn swap(&self, value: T) -> T {
        self.on_word(|word| T::of_bits(word.swap(value.to_bits())))
    }

    /// Adds, and gives the number before. It wraps around at the type's bounds.
    ///
    /// # Examples
    /// ```
    /// let level = csproc::shared::Atomic::new(250_u8)?;
    /// assert_eq!((level.fetch_add(10), level.load()), (250, 4));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn fetch_add(&self, value: T) -> T {
        self.on_word(|word| T::of_bits(word.add(value.to_bits())))
    }

    /// Subtracts, and gives the number before. It wraps around at the type's bounds.
    ///
    /// # Examples
    /// ```
    /// let level = csproc::shared::Atomic::new(4_i32)?;
    /// assert_eq!((level.fetch_sub(10), level.load()), (4, -6));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn fetch_sub(&self, value: T) -> T {
        self.on_word(|word| T::of_bits(word.add(value.to_bits().wrapping_neg())))
    }

    /// Sets the number to the greater of the two, and gives the one before.
    ///
    /// # Examples
    /// ```
    /// let most = csproc::shared::Atomic::new(-4)?;
    /// assert_eq!((most.fetch_max(3), most.fetch_max(2), most.load()), (-4, 3, 3));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn fetch_max(&self, value: T) -> T {
        self.update(|now| now.max(value))
    }

    /// Sets the number to the smaller of the two, and gives the one before.
    ///
    /// # Examples
    /// ```
    /// let least = csproc::shared::Atomic::new(3)?;
    /// assert_eq!((least.fetch_min(-4), least.load()), (3, -4));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn fetch_min(&self, value: T) -> T {
        self.update(|now| now.min(value))
    }

    /// Keeps the bits that both have, and gives the number before.
    ///
    /// # Examples
    /// ```
    /// let flags = csproc::shared::Atomic::new(0b110_u8)?;
    /// assert_eq!((flags.fetch_and(0b011), flags.load()), (0b110, 0b010));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn fetch_and(&self, value: T) -> T {
        self.update(|now| now.and(value))
    }

    /// Adds the bits that the other one has, and gives the number before.
    ///
    /// # Examples
    /// ```
    /// let flags = csproc::shared::Atomic::new(0b110_u8)?;
    /// assert_eq!((flags.fetch_or(0b011), flags.load()), (0b110, 0b111));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn fetch_or(&self, value: T) -> T {
        self.update(|now| now.or(value))
    }

    /// Sets the number to `new` if it is `current`, and gives the one before.
    ///
    /// # Errors
    /// It is another one, which is given; nothing was changed.
    ///
    /// # Examples
    /// ```
    /// let turn = csproc::shared::Atomic::new(1_u32)?;
    /// assert_eq!(turn.compare_exchange(1, 2), Ok(1));
    /// assert_eq!(turn.compare_exchange(1, 3), Err(2));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn compare_exchange(&self, current: T, new: T) -> Result<T, T> {
        self.try_update(|now| (now == current).then_some(new))
    }

    /// Sets the number to what `change` makes of it, and gives the one before. If others change it meanwhile, `change`
    /// is called again.
    ///
    /// # Examples
    /// ```
    /// let level = csproc::shared::Atomic::new(7)?;
    /// assert_eq!((level.update(|level| level * 2), level.load()), (7, 14));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn update(&self, mut change: impl FnMut(T) -> T) -> T {
        self.try_update(|now| Some(change(now))).unwrap_or_else(|now| now)
    }

    fn try_update(&self, mut change: impl FnMut(T) -> Option<T>) -> Result<T, T> {
        let mut outcome = Err(T::ZERO);
        self.on_word(|word| {
            // All of its bits are compared, also those above the number's.
            let mut bits = word.load();
            outcome = loop {
                let now = T::of_bits(bits);
                let Some(new) = change(now) else { break Err(now) };
                match word.compare_exchange(bits, new.to_bits()) {
                    Ok(_) => break Ok(now),
                    Err(seen) => bits = seen,
                }
            };
            T::ZERO
        });
        outcome
    }

    fn on_word(&self, work: impl FnOnce(&crate::engine::Word) -> T) -> T {
        self.gate.cell(|_, cell| cell.word().map(work)).flatten().unwrap_or(T::ZERO)
    }
}

impl<T: Word + fmt::Debug> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Atomic").field(&self.load()).finish()
    }
}

/// As the number now.
impl<T: Word + fmt::Display> fmt::Display for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}

impl<T> Serialize for Atomic<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.gate.serialize(serializer)
    }
}

/// A number is a message whatever it is, as an end is: what it is, is asked for by itself.
impl<'de, T> Deserialize<'de> for Atomic<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Atomic<T>, D::Error> {
        let gate = Gate::deserialize(deserializer)?.entrusted();
        if gate.cell(|_, cell| cell.word().is_none()) == Some(true) {
            return Err(serde::de::Error::custom("it names no number"));
        }
        Ok(Atomic { gate: Arc::new(gate), values: PhantomData })
    }
}

impl<T> Probe<Atomic<T>> {
    /// What it holds.
    #[must_use]
    pub fn counted(&self) -> Carried<T> {
        Carried::new()
    }
}
