//! What is wrong with the user's tokens: every error of one macro call, reported together, in the user's own spelling.
//!
//! Knows neither macro's grammar: the texts are written where the mistakes are found.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Error;

/// The errors found so far; one compilation shows them all.
#[derive(Default)]
pub(crate) struct Report(Option<Error>);

impl Report {
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Reports `message` at the whole of `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(tokens, message));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn into_result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }

    /// One `compile_error!` per error; nothing when there is none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }
}

/// `tokens` spelled the way people write them.
///
/// `TokenStream::to_string` puts its spaces where it likes (`Vec < u64 >`), and a message that says what to write
/// must be fit to be copied.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let mut out = String::new();
    write(&mut out, tokens.to_token_stream());
    out
}

/// What stands before a token, as far as it says whether a space comes between.
#[derive(PartialEq)]
enum Before {
    Operator,
    Word,
    /// A word that no call begins with: `for (a, b)`, `&'a [T]`.
    Keyword,
    Group,
}

fn write(out: &mut String, tokens: TokenStream) {
    let mut operator = String::new();
    let mut before = Before::Operator;
    for token in tokens {
        if !matches!(token, TokenTree::Punct(_)) {
            push_operator(out, &std::mem::take(&mut operator));
        }
        before = match token {
            TokenTree::Punct(punct) => {
                let character = punct.as_char();
                let arrow = character == '>' && matches!(operator.as_str(), "-" | "=");
                // `Vec<Vec<u8>>` ends in two tokens that stand jointly, but are two all the same.
                let alone = matches!(character, '<' | '>' | '&' | '\'') && !arrow;
                if alone {
                    push_operator(out, &std::mem::take(&mut operator));
                }
                operator.push(character);
                if alone || arrow || punct.spacing() == Spacing::Alone {
                    push_operator(out, &std::mem::take(&mut operator));
                }
                Before::Operator
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                let brace = group.delimiter() == Delimiter::Brace;
                let begins = out.is_empty() || out.ends_with([' ', '(', '[']);
                if (brace && !begins) || before == Before::Keyword {
                    out.push(' ');
                }
                out.push_str(open);
                write(out, group.stream());
                out.push_str(close);
                Before::Group
            }
            word => {
                if before != Before::Operator {
                    out.push(' ');
                }
                let lifetime = out.ends_with('\'');
                let word = word.to_string();
                out.push_str(&word);
                match word.as_str() {
                    "as" | "const" | "dyn" | "else" | "for" | "if" | "impl" | "in" | "match" | "move" | "mut"
                    | "ref" | "return" => Before::Keyword,
                    _ if lifetime => Before::Keyword,
                    _ => Before::Word,
                }
            }
        };
    }
    push_operator(out, &operator);
}

fn push_operator(out: &mut String, operator: &str) {
    match operator {
        "," | ":" | ";" => {
            out.push_str(operator);
            out.push(' ');
        }
        "" | "::" | "<" | ">" | "&" | "'" | "!" | "." | ".." | "..=" | "?" | "#" => {
            out.push_str(operator);
        }
        _ => {
            out.push(' ');
            out.push_str(operator);
            out.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use quote::quote;

    #[test]
    fn types_are_spelled_as_people_write_them() {
        let cases = [
            (quote!(Vec<Vec<u8>>), "Vec<Vec<u8>>"),
            (quote!(&mut [T; 4]), "&mut [T; 4]"),
            (quote!(std::collections::HashMap<String, (u8, T)>), "std::collections::HashMap<String, (u8, T)>"),
            (quote!(impl Fn(u8) -> u8 + Send), "impl Fn(u8) -> u8 + Send"),
            (quote!((&'a str, &'a [T])), "(&'a str, &'a [T])"),
        ];
        for (tokens, spelling) in cases {
            assert_eq!(text(tokens), spelling);
        }
    }

    #[test]
    fn expressions_are_spelled_as_people_write_them() {
        assert_eq!(text(quote!(worker(i, jobs.reader()))), "worker(i, jobs.reader())");
        assert_eq!(text(quote!(0..n + 1)), "0..n + 1");
        assert_eq!(
            text(quote!(for (i, job) in [(1, a.b)] => if f(i)? { g::<T>(i) } else { h })),
            "for (i, job) in [(1, a.b)] => if f(i)? { g::<T>(i) } else { h }"
        );
    }
}
