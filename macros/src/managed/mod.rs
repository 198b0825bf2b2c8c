//! The attribute `#[managed]`: the methods of a type stay as they are, and beside them comes a proxy that has those
//! that are `pub`.
//!
//! Knows nothing of what a proxy does with a call; the library's `Managed` does it.

mod check;
mod emit;
mod parse;

use crate::fragments::visible;
use crate::report::Report;
use proc_macro2::TokenStream;
use quote::quote;

/// Expands one `#[managed(options)] item`. Whatever is wrong, the item comes out as well; and a proxy, if it can have a
/// name, so that those who use it do not report errors of their own.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let options = parse::Options::parse(options, &mut report);
    let proxy = match parse::Methods::parse(visible(item.clone())) {
        Ok(Some(methods)) => {
            let can_be_one = check::of_type(&methods, &mut report);
            let faulty = check::methods(&methods, &mut report);
            let name = methods.proxy(&options).filter(|_| can_be_one);
            name.map(|name| emit::proxy(&methods, &options, &name, &faulty))
        }
        // What is wrong inside is the compiler's to say.
        Ok(None) => None,
        Err(error) => {
            report.add(error);
            None
        }
    };
    let errors = report.into_tokens();
    quote!(#errors #item #proxy)
}

#[cfg(test)]
mod tests;
