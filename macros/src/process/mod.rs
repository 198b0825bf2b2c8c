//! The attribute `#[process]`: a function goes in, a function that returns an inert `Process<R>` comes out.
//!
//! Knows nothing of the composition macros, nor of what the library does with what it is handed.

mod check;
mod emit;
mod parse;
mod remedy;

pub(crate) use check::owned;
pub(crate) use parse::path_value;
pub(crate) use remedy::bound;

use crate::fragments::visible_before_body;
use crate::report::Report;
use proc_macro2::TokenStream;
use quote::quote;

/// Expands one `#[process(options)] item`.
///
/// Whatever is wrong, an item of the same name comes out as well, so that the callers of a faulty process do not
/// report errors of their own.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = visible_before_body(item);
    let mut report = Report::default();
    let options = parse::Options::parse(options, &mut report);
    let function = match parse::Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            report.add(error);
            let errors = report.into_tokens();
            return quote! { #errors #item };
        }
    };

    // A wrong option leaves a right function: it is emitted in full.
    let mut faults = Report::default();
    check::function(&function, &mut faults);
    let output = if faults.is_empty() {
        emit::process(&function, &options)
    } else if function.signature.ident == "main" {
        // The compiler wants a `main` of the program's own form.
        item
    } else {
        emit::stub(&function, &options)
    };
    let (wrong_options, faults) = (report.into_tokens(), faults.into_tokens());
    quote! { #wrong_options #faults #output }
}

#[cfg(test)]
mod tests;
