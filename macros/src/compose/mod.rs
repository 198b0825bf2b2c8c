//! The grammar of `network!`, `Parallel!`, `Sequence!` and `Spawn!`: parts go in, one call with a tuple comes out.
//!
//! Knows nothing of the attribute `#[process]`, nor of what a part may be: that is a bound of the library.

mod emit;
mod parse;
mod thrown_away;

use crate::fragments::visible;
use proc_macro2::TokenStream;
use quote::quote;

/// Expands one `mode [path] parts`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    // Where the tokens stand is known before fragments are opened.
    let is_thrown_away = thrown_away::is_thrown_away(&input);
    match parse::Composition::parse(visible(input)) {
        Ok(composition) => emit::composition(&composition, is_thrown_away),
        Err(error) => {
            let errors = error.into_compile_error();
            // Braces, because only they make several errors one expression.
            quote!({ #errors })
        }
    }
}

#[cfg(test)]
mod tests;
