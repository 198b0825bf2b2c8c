//! The grammar of `AltSelect!`, `PriSelect!` and `FairSelect!`: arms go in, one choice between guards comes out, with
//! the body of the arm that fired.
//!
//! Knows nothing of how one is chosen, nor of what can be a guard: the first is a function of the library, the second
//! are bounds on it.

mod emit;
mod parse;

use crate::fragments::visible;
use proc_macro2::TokenStream;
use quote::quote;

/// Expands one `mode [path] arms`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match parse::Alternation::parse(visible(input)) {
        Ok(alternation) => emit::alternation(&alternation),
        Err(error) => {
            let errors = error.into_compile_error();
            // Braces, because only they make several errors one expression.
            quote!({ #errors })
        }
    }
}

#[cfg(test)]
mod tests;
