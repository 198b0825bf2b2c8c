//! Lists with commas, read to their end however much of them is wrong: the parts of a composition, the arms of an
//! alternation, the options of an attribute.
//!
//! Knows nothing of what stands between the commas.

use crate::report::Report;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Result, Token};

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

/// Reads the options of an attribute, each at most once but those that are `repeated`, and reports those that cannot be
/// read one by one. `known` says which there are; `set` reads what stands behind the name of one, or says by `false`
/// that there is none of this name.
pub(crate) fn options(
    tokens: TokenStream,
    report: &mut Report,
    known: &str,
    repeated: &[&str],
    mut set: impl FnMut(&Ident, ParseStream<'_>) -> Result<bool>,
) {
    let mut given = Vec::new();
    let mut option = |input: ParseStream<'_>| {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected an option; {known}")));
        }
        let option = input.call(Ident::parse_any)?;
        if given.contains(&option) && !repeated.iter().any(|name| option == name) {
            return Err(Error::new_spanned(&option, format!("`{option}` is given twice; {known}")));
        }
        if !set(&option, input)? {
            return Err(Error::new_spanned(&option, format!("unknown option `{option}`; {known}")));
        }
        given.push(option);
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected `,` between two options"));
        }
        Ok(())
    };
    let parser = |input: ParseStream<'_>| {
        items(input, report, "an option", |input, _| option(input));
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        report.add(error);
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: Result<TokenTree> = input.parse();
    }
}
