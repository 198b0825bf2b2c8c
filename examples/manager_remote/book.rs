//! What the two programs have in common: the type of the object, the names, and how one gets there.
//!
//! Knows nothing of who serves and who calls. The methods that other programs may call are those that are `pub`.

use clap::Args;
use csproc::prelude::*;
use csproc::shared::Event;
use std::path::PathBuf;

pub(crate) const NAME: &str = "book";

/// A queue of texts.
pub(crate) const GREETINGS: &str = "greetings";

/// Both programs have it; a real one would read it from a file that only its user can read.
pub(crate) const KEY: &[u8] = b"guests only";

/// Where the programs meet.
#[derive(Args)]
pub(crate) struct Place {
    /// The path of the socket, in a directory that only its user may enter
    #[arg(default_value_os_t = std::env::temp_dir().join("csproc-guests/socket"))]
    pub(crate) path: PathBuf,
}

/// A guest book with a last page.
pub(crate) struct Book {
    names: Vec<String>,
    pages: usize,
    full: Event,
}

#[managed]
#[expect(unreachable_pub, reason = "what other programs may call is `pub`")]
impl Book {
    /// `full` is set when the last page is written.
    pub fn open(pages: usize, full: Event) -> Book {
        Book { names: Vec::new(), pages, full }
    }

    /// The page on which the name stands, or the reason why there is none.
    pub fn sign(&mut self, name: String) -> Result<usize, String> {
        if self.names.len() == self.pages {
            return Err(format!("the book is full: it has {} pages", self.pages));
        }
        self.names.push(name);
        if self.names.len() == self.pages {
            self.full.set();
        }
        Ok(self.names.len())
    }

    pub fn names(&self) -> Vec<String> {
        self.names.clone()
    }
}
