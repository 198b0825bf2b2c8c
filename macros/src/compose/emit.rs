//! Writes the one call a composition becomes.
//!
//! Does not parse and does not refuse: whatever was read has an expansion.

use super::parse::{Composition, Mode, Part};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// The whole call.
pub(super) fn composition(composition: &Composition) -> TokenStream {
    let library = &composition.library;
    let parts = tuple(library, &composition.parts);
    match composition.mode {
        Mode::Network => quote!(#library::__private::parallel(#parts)),
        Mode::Parallel => quote!(#library::__private::parallel(#parts).run()),
        Mode::Sequence => quote!(#library::__private::sequence(#parts).run()),
        Mode::Spawn => quote!(#library::__private::spawn(#parts)),
    }
}

fn tuple(library: &TokenStream, parts: &[Part]) -> TokenStream {
    let parts = parts.iter().map(|part| self::part(library, part));
    quote!((#(#parts,)*))
}

fn part(library: &TokenStream, part: &Part) -> TokenStream {
    match part {
        Part::Expression(expression) => {
            // The bound is proved here and not for the tuple, so that a failure stands at this part.
            let span = Span::mixed_site().located_at(expression.span());
            let library = located_at(span, library);
            quote_spanned!(span=> #library::__private::part(#expression))
        }
        Part::For { pattern, iterator, part } => {
            let part = self::part(library, part);
            // A loop and no closure: `?`, `return` and `break` keep their meaning in the user's expressions. The name
            // is invisible to them.
            quote_spanned! {Span::mixed_site()=>
                {
                    let mut __parts = ::std::vec::Vec::new();
                    for #pattern in #iterator {
                        __parts.push(#part);
                    }
                    __parts
                }
            }
        }
        Part::Parallel(parts) => {
            let parts = tuple(library, parts);
            quote!(#library::__private::parallel(#parts))
        }
        Part::Sequence(parts) => {
            let parts = tuple(library, parts);
            quote!(#library::__private::sequence(#parts))
        }
    }
}

/// `tokens` that mean the same, but stand where `span` does: else the call would begin in the library's own macro, and
/// an error would be drawn from there.
fn located_at(span: Span, tokens: &TokenStream) -> TokenStream {
    let tokens = tokens.clone().into_iter();
    tokens
        .map(|mut token| {
            token.set_span(span.resolved_at(token.span()));
            token
        })
        .collect()
}
