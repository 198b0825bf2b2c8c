//! `Structure`: the processes of a network, its channels, and who holds which end.
//!
//! Knows nothing of what runs: it is what the arguments of the processes say before any of them starts.

use super::plan::Plan;
use crate::channel::describe_ends;
use crate::engine::Direction;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter, Write};

/// The processes and the channels of a network, and who holds which end: what
/// [`Network::structure`](crate::Network::structure) gives.
///
/// It prints as a line for each process with what it reads and writes.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn source(out: Writer<u32>) -> csproc::Result<()> {
///     Ok(out.write(7)?)
/// }
///
/// #[process]
/// fn sink(input: Reader<u32>) -> csproc::Result<u32> {
///     Ok(input.read()?)
/// }
///
/// let c = Channel::builder().name("numbers").build()?;
/// let structure = network!(source(c.writer()), for _ in 0..2 => sink(c.reader())).structure();
/// assert_eq!(structure.processes(), ["source", "sink[0]", "sink[1]"]);
/// let link = &structure.links()[0];
/// assert_eq!((link.name(), link.writers(), link.readers()), ("numbers", &[0][..], &[1, 2][..]));
/// assert_eq!(
///     structure.to_string(),
///     "source: writes `numbers`\nsink[0]: reads `numbers`\nsink[1]: reads `numbers`\n"
/// );
/// assert!(structure.to_dot().contains("p0 -> c0;"));
/// assert!(structure.to_mermaid().contains("p0 --> c0"));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    processes: Vec<String>,
    links: Vec<Link>,
}

/// What connects processes of a network: a channel, or a barrier.
///
/// # Examples
/// See [`Structure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    name: String,
    writers: Vec<usize>,
    readers: Vec<usize>,
    parties: Vec<usize>,
}

impl Link {
    /// The name that was given, or one that tells it from others.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The numbers of the processes that can write to it, one for each end.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn writers(&self) -> &[usize] {
        &self.writers
    }

    /// The numbers of the processes that can read from it, one for each end.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn readers(&self) -> &[usize] {
        &self.readers
    }

    /// The numbers of the processes that meet there, if it is a barrier.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn meet(all: Barrier) -> csproc::Result<()> {
    ///     Ok(all.sync()?)
    /// }
    ///
    /// let all = Barrier::new(2);
    /// let structure = network!(meet(all.clone()), meet(all)).structure();
    /// assert_eq!(structure.links()[0].parties(), [0, 1]);
    /// ```
    pub fn parties(&self) -> &[usize] {
        &self.parties
    }

    fn is_barrier(&self) -> bool {
        !self.parties.is_empty()
    }

    /// What a process does there, by its number.
    fn done_by(&self, number: usize) -> impl Iterator<Item = &'static str> {
        let sides = [("writes", &self.writers), ("reads", &self.readers), ("meets at", &self.parties)];
        sides.into_iter().filter(move |(_, ends)| ends.contains(&number)).map(|(does, _)| does)
    }
}

impl Structure {
    pub(super) fn of(plan: &Plan) -> Structure {
        let mut leaves = Vec::new();
        plan.leaves(&mut leaves);
        let mut processes = Vec::new();
        let (mut links, mut places) = (Vec::<Link>::new(), HashMap::new());
        for (number, leaf) in leaves.into_iter().enumerate() {
            processes.push(leaf.role.name().to_string());
            let Ok(arguments) = &leaf.arguments else { continue };
            for (id, name, direction) in describe_ends(arguments) {
                if matches!(direction, Direction::Handle | Direction::Unit) {
                    continue;
                }
                let place = *places.entry(id).or_insert_with(|| {
                    links.push(Link { name, writers: Vec::new(), readers: Vec::new(), parties: Vec::new() });
                    links.len() - 1
                });
                let Link { writers, readers, parties, .. } = &mut links[place];
                match direction {
                    Direction::Writer => writers.push(number),
                    Direction::Reader => readers.push(number),
                    _ => parties.push(number),
                }
            }
        }
        Structure { processes, links }
    }

    /// The names of the processes, in the order in which they stand in the network.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn processes(&self) -> &[String] {
        &self.processes
    }

    /// The channels and barriers of which some process has an end, in the order in which the processes come to them.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// A graph in the DOT language: processes (boxes), channels (ellipses), and who holds which end.
    ///
    /// An arrow leads from a writer to its channel, and from there to a reader. A barrier is an octagon, and lines
    /// without an arrow lead there from its parties.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph network {\n    rankdir=LR;\n");
        for (number, name) in self.processes.iter().enumerate() {
            let _ = writeln!(dot, "    p{number} [shape=box, label={name:?}];");
        }
        for (place, link) in self.links.iter().enumerate() {
            let shape = if link.is_barrier() { "octagon" } else { "ellipse" };
            let _ = writeln!(dot, "    c{place} [shape={shape}, label={:?}];", link.name);
            for number in &link.writers {
                let _ = writeln!(dot, "    p{number} -> c{place};");
            }
            for number in &link.readers {
                let _ = writeln!(dot, "    c{place} -> p{number};");
            }
            for number in &link.parties {
                let _ = writeln!(dot, "    p{number} -> c{place} [dir=none];");
            }
        }
        dot.push_str("}\n");
        dot
    }

    /// The same as a flowchart in the language of [Mermaid](https://mermaid.js.org): a barrier is a hexagon.
    ///
    /// # Examples
    /// See [`Structure`].
    pub fn to_mermaid(&self) -> String {
        let mut chart = String::from("flowchart LR\n");
        for (number, name) in self.processes.iter().enumerate() {
            let _ = writeln!(chart, "    p{number}[\"{}\"]", plain(name));
        }
        for (place, link) in self.links.iter().enumerate() {
            let (open, close) = if link.is_barrier() { ("{{", "}}") } else { ("([", "])") };
            let _ = writeln!(chart, "    c{place}{open}\"{}\"{close}", plain(&link.name));
            for number in &link.writers {
                let _ = writeln!(chart, "    p{number} --> c{place}");
            }
            for number in &link.readers {
                let _ = writeln!(chart, "    c{place} --> p{number}");
            }
            for number in &link.parties {
                let _ = writeln!(chart, "    p{number} --- c{place}");
            }
        }
        chart
    }
}

/// What Mermaid shows as this text, between quotation marks.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '"' => plain.push_str("#quot;"),
            '#' => plain.push_str("#35;"),
            '<' => plain.push_str("#lt;"),
            '&' => plain.push_str("#amp;"),
            character if character.is_control() => plain.push(' '),
            character => plain.push(character),
        }
    }
    plain
}

impl Display for Structure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, name) in self.processes.iter().enumerate() {
            let ends = self.links.iter().flat_map(|link| link.done_by(number).map(move |does| (does, &link.name)));
            let ends: Vec<String> = ends.map(|(does, link)| format!("{does} `{link}`")).collect();
            if ends.is_empty() {
                writeln!(f, "{name}")?;
            } else {
                writeln!(f, "{name}: {}", ends.join(", "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_label() {
        assert_eq!(plain("a\"]; p1[\"<b>&#\n"), "a#quot;]; p1[#quot;#lt;b>#amp;#35; ");
    }
}
