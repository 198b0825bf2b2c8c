//! A process fills a dictionary and reverses a list, and the program prints both.
//!
//! # Shows
//! `Manager::dict` and `Manager::list`. A dictionary has keys of one type and values of one type, in the order of the
//! keys; where a program mixes types, as this one does, an enum says which there are.
//!
//! # Run
//! ```text
//! cargo run --example manager_dict_list
//! ```
//!
//! # Prints
//! ```text
//! {1: 'one', 'two': 2}
//! [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
//! ```

use csproc::prelude::*;
use csproc::shared::{Dict, List};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Object {
    Number(i64),
    Text(String),
}

/// As Python prints it.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Number(number) => write!(f, "{number}"),
            Object::Text(text) => write!(f, "'{text}'"),
        }
    }
}

impl From<i64> for Object {
    fn from(number: i64) -> Object {
        Object::Number(number)
    }
}

impl From<&str> for Object {
    fn from(text: &str) -> Object {
        Object::Text(text.to_string())
    }
}

#[process]
fn fill(dict: Dict<Object, Object>, list: List<i64>) -> csproc::Result<()> {
    dict.insert(1.into(), "one".into())?;
    dict.insert("two".into(), 2.into())?;
    list.reverse()?;
    Ok(())
}

fn main() -> csproc::Result<()> {
    let manager = Manager::new()?;
    let (dict, list) = (manager.dict()?, manager.list(0..10)?);
    Parallel!(fill(dict.clone(), list.clone())).values()?;

    let items: Vec<String> = dict.items()?.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    println!("{{{}}}", items.join(", "));
    println!("{list}");
    assert_eq!(dict.get(&"two".into())?, Some(2.into()));
    assert_eq!(list.to_vec()?, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    Ok(())
}
