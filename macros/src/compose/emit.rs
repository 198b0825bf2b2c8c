//! Writes the one call a composition becomes.
//!
//! Does not parse and does not refuse: whatever was read has an expansion.

use super::parse::{Composition, Mode, Part};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// The whole call. Its user is told when results `is_thrown_away` that hold errors.
pub(super) fn composition(composition: &Composition, is_thrown_away: bool) -> TokenStream {
    let library = &composition.library;
    let parts = tuple(library, &composition.parts, is_thrown_away);
    match composition.mode {
        Mode::Network => quote!(#library::__private::parallel(#parts)),
        Mode::Parallel => quote!(#library::__private::parallel(#parts).run()),
        Mode::Sequence => quote!(#library::__private::sequence(#parts).run()),
        Mode::Spawn => quote!(#library::__private::spawn(#parts)),
    }
}

fn tuple(library: &TokenStream, parts: &[Part], is_thrown_away: bool) -> TokenStream {
    let parts = parts.iter().map(|part| self::part(library, part, is_thrown_away));
    quote!((#(#parts,)*))
}

fn part(library: &TokenStream, part: &Part, is_thrown_away: bool) -> TokenStream {
    match part {
        Part::Expression(expression) => {
            // The bound is proved here and not for the tuple, so that a failure stands at this part.
            let span = Span::mixed_site().located_at(expression.span());
            let located = located_at(span, library);
            let part = quote_spanned!(span=> #located::__private::part(#expression));
            if !is_thrown_away {
                return part;
            }
            let probe = probe(library, span, &quote_spanned!(span=> __part));
            quote_spanned!(span=> match #part { __part => { #probe __part } })
        }
        Part::For { for_token, pattern, iterator, part } => {
            let part = self::part(library, part, false);
            let probe = is_thrown_away.then(|| {
                let span = Span::mixed_site().located_at(for_token.span);
                probe(library, span, &quote_spanned!(span=> __parts))
            });
            // A loop and no closure: `?`, `return` and `break` keep their meaning in the user's expressions. The name
            // is invisible to them.
            quote_spanned! {Span::mixed_site()=>
                {
                    let mut __parts = ::std::vec::Vec::new();
                    for #pattern in #iterator {
                        __parts.push(#part);
                    }
                    #probe
                    __parts
                }
            }
        }
        Part::Parallel(parts) => {
            let parts = tuple(library, parts, is_thrown_away);
            quote!(#library::__private::parallel(#parts))
        }
        Part::Sequence(parts) => {
            let parts = tuple(library, parts, is_thrown_away);
            quote!(#library::__private::sequence(#parts))
        }
    }
}

/// A statement that does nothing, and that the compiler warns of at `span` if `part` gives `Result`s in a `Vec`.
fn probe(library: &TokenStream, span: Span, part: &TokenStream) -> TokenStream {
    let library = located_at(span, library);
    quote_spanned! {span=>
        {
            use #library::__private::thrown_away::{AnyPart as _, InVec as _, OtherInVec as _, Probe};
            (&&&Probe(&#part)).results();
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
