//! Which statics and thread-local variables of a program have changed, by their names.
//!
//! Knows nothing of who has changed them. The symbols of the program say where each lies; its bytes are read as a
//! debugger reads them, through `/proc`. What lies on the heap behind one whose own bytes are the same is not seen, nor
//! is what belongs to a shared library, and a program that was stripped has no names.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;

/// Crates whose statics are no concern of whoever tests a network.
const OTHERS: [&str; 8] = ["std", "core", "alloc", "test", "csproc", "proptest", "parking_lot", "parking_lot_core"];

thread_local! {
    /// The place of one thread-local variable says where the others of its thread lie.
    static ANCHOR: Cell<u8> = const { Cell::new(0) };
}

/// Where the variables of a program lie.
#[derive(Debug, Default)]
struct Symbols {
    variables: Vec<Variable>,
    /// The place of [`ANCHOR`] among the thread-local variables.
    anchor: Option<u64>,
    /// The program lies where the system has put it.
    is_relocated: bool,
}

#[derive(Debug)]
struct Variable {
    name: String,
    offset: u64,
    size: usize,
    is_local: bool,
}

/// The bytes of all variables that could be read.
pub(super) struct Snapshot(Vec<Option<Vec<u8>>>);

fn symbols() -> &'static Symbols {
    static SYMBOLS: OnceLock<Symbols> = OnceLock::new();
    SYMBOLS.get_or_init(|| Symbols::read().unwrap_or_default())
}

impl Snapshot {
    pub(super) fn take() -> Snapshot {
        let symbols = symbols();
        let memory = File::open("/proc/self/mem").ok();
        let (program, thread) = (symbols.program(), symbols.thread());
        let read = |variable: &Variable| {
            let base = if variable.is_local { thread } else { program };
            let mut bytes = vec![0; variable.size];
            memory.as_ref()?.read_exact_at(&mut bytes, base?.checked_add(variable.offset)?).ok()?;
            Some(bytes)
        };
        Snapshot(symbols.variables.iter().map(read).collect())
    }

    /// What has changed since, in words.
    pub(super) fn changes(&self, now: &Snapshot) -> Vec<String> {
        let pairs = symbols().variables.iter().zip(self.0.iter().zip(&now.0));
        let changed = pairs.filter(|(_, (before, now))| before != now).map(|(variable, _)| {
            let kind = if variable.is_local { "thread-local variable" } else { "static" };
            format!("the {kind} `{}`", variable.name)
        });
        changed.collect()
    }
}

impl Symbols {
    /// Out of the program's file; `None` if it is not laid out as expected (ELF of 64 bits, in this machine's order).
    fn read() -> Option<Symbols> {
        let file = File::open("/proc/self/exe").ok()?;
        let part = |offset: u64, size: u64| {
            let mut bytes = vec![0; usize::try_from(size).ok()?];
            file.read_exact_at(&mut bytes, offset).ok()?;
            Some(bytes)
        };
        let header = part(0, 64)?;
        let order = if cfg!(target_endian = "little") { 1 } else { 2 };
        if header[..6] != [0x7f, b'E', b'L', b'F', 2, order] {
            return None;
        }
        let (size, count) = (number::<2>(&header, 0x3a)?, number::<2>(&header, 0x3c)?);
        let sections = part(number::<8>(&header, 0x28)?, size * count)?;
        let sections: Vec<&[u8]> = sections.chunks_exact(usize::try_from(size).ok()?.max(64)).collect();
        let body = |section: &[u8]| part(number::<8>(section, 0x18)?, number::<8>(section, 0x20)?);
        let table = sections.iter().find(|section| number::<4>(section, 4) == Some(2))?;
        let names = body(sections.get(number::<4>(table, 0x28)? as usize)?)?;
        let is_writable = |place: u64| {
            let flags = sections.get(place as usize).and_then(|section| number::<8>(section, 8));
            flags.is_some_and(|flags| flags & 1 != 0)
        };
        let mut symbols = Symbols { is_relocated: number::<2>(&header, 0x10)? == 3, ..Symbols::default() };
        for symbol in body(table)?.chunks_exact(24) {
            // A variable, or a thread-local one.
            let is_local = match symbol[4] & 15 {
                1 => false,
                6 => true,
                _ => continue,
            };
            let name = names.get(number::<4>(symbol, 0)? as usize..)?.split(|byte| *byte == 0).next()?;
            let Ok(name) = std::str::from_utf8(name) else { continue };
            let (offset, size) = (number::<8>(symbol, 8)?, number::<8>(symbol, 16)? as usize);
            if is_local && name.contains("7testing7statics6ANCHOR") {
                symbols.anchor = Some(offset);
            }
            if size > 0
                && is_writable(number::<2>(symbol, 6)?)
                && let Some(name) = path_of(name)
            {
                symbols.variables.push(Variable { name, offset, size, is_local });
            }
        }
        Some(symbols)
    }

    /// Where the program lies.
    fn program(&self) -> Option<u64> {
        if !self.is_relocated {
            return Some(0);
        }
        let program = fs::read_link("/proc/self/exe").ok()?;
        let maps = fs::read_to_string("/proc/self/maps").ok()?;
        let first = maps.lines().find(|line| line.ends_with(&*program.to_string_lossy()))?;
        u64::from_str_radix(first.split('-').next()?, 16).ok()
    }

    /// Where the thread-local variables of the calling thread lie.
    fn thread(&self) -> Option<u64> {
        let anchor = ANCHOR.with(|anchor| std::ptr::from_ref(anchor).addr());
        (anchor as u64).checked_sub(self.anchor?)
    }
}

/// A number of so many bytes.
fn number<const SIZE: usize>(bytes: &[u8], place: usize) -> Option<u64> {
    let mut number = [0; 8];
    let digits: &[u8] = bytes.get(place..place + SIZE)?;
    if cfg!(target_endian = "little") {
        number[..SIZE].copy_from_slice(digits);
    } else {
        number[8 - SIZE..].copy_from_slice(digits);
    }
    Some(u64::from_ne_bytes(number))
}

/// The path that a symbol stands for, in either of Rust's manglings; `None` if it is nobody's of the program.
fn path_of(symbol: &str) -> Option<String> {
    let mut rest = match symbol.strip_prefix("_ZN") {
        Some(rest) => rest,
        // The crate, with its disambiguator.
        None => symbol.strip_prefix("_R")?.split_once("Cs")?.1.split_once('_')?.1,
    };
    let mut path: Vec<&str> = Vec::new();
    while let Some(end) = rest.find(|character: char| !character.is_ascii_digit()).filter(|end| *end > 0) {
        let length: usize = rest[..end].parse().ok()?;
        let name = rest[end..].strip_prefix('_').filter(|_| symbol.starts_with("_R")).unwrap_or(&rest[end..]);
        path.push(name.get(..length)?);
        rest = &name[length..];
    }
    let is_hash = |name: &str| name.len() == 17 && name.starts_with('h');
    let is_shown = |name: &&str| !is_hash(name) && !name.starts_with("__RUST_STD") && !name.contains('$');
    if path.first().is_none_or(|name| OTHERS.contains(name) || name.contains('$')) {
        return None;
    }
    Some(path.into_iter().filter(is_shown).collect::<Vec<_>>().join("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_the_path_of_a_variable() {
        let local = "_ZN4bank6teller4LAST29_$u7b$$u7b$constant$u7d$$u7d$28_$u7b$$u7b$closure$u7d$$u7d$\
                     23__RUST_STD_INTERNAL_VAL17hcef0ba986c4da2beE";
        assert_eq!(path_of(local).as_deref(), Some("bank::teller::LAST"));
        assert_eq!(path_of("_ZN4bank5CALLS17h88797b866a7c2c43E").as_deref(), Some("bank::CALLS"));
        assert_eq!(path_of("_RNvNtCs4fqI2P2rA04_4bank6teller5CALLS").as_deref(), Some("bank::teller::CALLS"));
        for other in ["_ZN3std2io5stdio17h88797b866a7c2c43E", "_ZN6csproc1A17h88797b866a7c2c43E", "environ", "_ZN9xE"] {
            assert_eq!(path_of(other), None, "{other}");
        }
    }
}
