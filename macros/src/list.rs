//! Lists with commas, read to their end however much of them is wrong: the parts of a composition, the arms of an
//! alternation, the options of a process.
//!
//! Knows nothing of what stands between the commas.

use crate::report::Report;
use proc_macro2::TokenTree;
use syn::parse::ParseStream;
use syn::{Result, Token};

/// Reads to the end of `input`, and past every item that is wrong to the next comma. `what` is what an item is called,
/// with its article; `item` leaves the comma behind it.
pub(crate) fn items<T>(
    input: ParseStream<'_>,
    report: &mut Report,
    what: &str,
    mut item: impl FnMut(ParseStream<'_>, &mut Report) -> Result<T>,
) -> Vec<T> {
    let mut items = Vec::new();
    while !input.is_empty() {
        if input.peek(Token![,]) {
            report.add(input.error(format!("expected {what} before this `,`; remove the comma")));
        } else {
            match item(input, report) {
                Ok(item) => items.push(item),
                Err(error) => {
                    report.add(error);
                    skip_to_comma(input);
                }
            }
        }
        let _: Result<Token![,]> = input.parse();
    }
    items
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: Result<TokenTree> = input.parse();
    }
}
