//! What another macro passed on (`$value:expr`, `$body:block`) keeps its meaning: the invisible delimiters around a
//! fragment become parentheses where the fragment is an expression that they hold together, and go elsewhere.
//!
//! Knows nothing of the grammars that read the tokens afterwards.
//!
//! A fragment that `macro_rules!` hands over comes in delimiters that are not written. What a procedural macro writes
//! inside such delimiters is parsed as if they were not there (rust-lang/rust#67062): `!$e` with `false || true` for
//! `$e` becomes `!false || true`, which compiles and is wrong. So this runs once over all tokens that a macro of ours
//! takes apart, before anything is parsed. A group that goes back to the compiler as it came keeps its meaning by
//! itself.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::{Expr, Pat, Type};

/// The same tokens without invisible delimiters.
pub(crate) fn visible(tokens: TokenStream) -> TokenStream {
    if !has_fragments(tokens.clone()) {
        return tokens;
    }
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => fragment(&group),
            TokenTree::Group(group) => TokenTree::Group(inside(group)).into(),
            other => other.into(),
        })
        .collect()
}

/// The same for a function, whose body is not taken apart.
pub(crate) fn visible_before_body(function: TokenStream) -> TokenStream {
    let mut head: Vec<_> = function.into_iter().collect();
    let body = head.pop().map(opened);
    let mut function = visible(head.into_iter().collect());
    function.extend(body);
    function
}

/// The body alone, where it is a fragment.
fn opened(body: TokenTree) -> TokenTree {
    let TokenTree::Group(group) = &body else {
        return body;
    };
    let mut content = group.stream().into_iter();
    match (group.delimiter(), content.next(), content.next()) {
        (Delimiter::None, Some(inner), None) => opened(inner),
        _ => body,
    }
}

/// A group is made anew only where it must be: one that is made anew has one span instead of three.
fn inside(group: Group) -> Group {
    if !has_fragments(group.stream()) {
        return group;
    }
    let mut opened = Group::new(group.delimiter(), visible(group.stream()));
    opened.set_span(group.span());
    opened
}

fn has_fragments(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::None || has_fragments(group.stream()),
        _ => false,
    })
}

fn fragment(group: &Group) -> TokenStream {
    let content = visible(group.stream());
    if !can_come_apart(&content) {
        return content;
    }
    let mut held = Group::new(Delimiter::Parenthesis, content);
    // Ours, so that the compiler does not call these parentheses unnecessary.
    held.set_span(Span::mixed_site().located_at(group.span()));
    TokenTree::Group(held).into()
}

/// Whether what stands beside the fragment could take a part of it. A type such as `&T` and a pattern such as `0..=9`
/// that look like such an expression may stand in parentheses, too.
fn can_come_apart(content: &TokenStream) -> bool {
    if content.clone().into_iter().nth(1).is_none() {
        return false;
    }
    if let Ok(expression) = syn::parse2::<Expr>(content.clone()) {
        return !matches!(
            expression,
            Expr::Path(_)
                | Expr::Lit(_)
                | Expr::Call(_)
                | Expr::MethodCall(_)
                | Expr::Index(_)
                | Expr::Macro(_)
                | Expr::Await(_)
                | Expr::Try(_)
        );
    }
    if let Ok(ty) = syn::parse2::<Type>(content.clone()) {
        return match ty {
            Type::TraitObject(object) => object.bounds.len() > 1,
            Type::ImplTrait(object) => object.bounds.len() > 1,
            _ => false,
        };
    }
    let pattern = |input: syn::parse::ParseStream<'_>| Pat::parse_multi_with_leading_vert(input);
    match syn::parse::Parser::parse2(pattern, content.clone()) {
        Ok(Pat::Or(_)) => true,
        Ok(Pat::Ident(pattern)) => pattern.subpat.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text;
    use quote::quote;

    fn fragment(content: TokenStream) -> TokenTree {
        TokenTree::Group(Group::new(Delimiter::None, content))
    }

    #[test]
    fn an_expression_is_held_together_and_what_needs_no_parentheses_gets_none() {
        let cases = [
            (quote!(1 + 1), "2 * (1 + 1)"),
            (quote!(!a), "2 * (!a)"),
            (quote!(a.b), "2 * (a.b)"),
            (quote!(if a { 1 } else { 2 }), "2 * (if a { 1 } else { 2 })"),
            (quote!(7), "2 * 7"),
            (quote!(f(1)), "2 * f(1)"),
            (quote!(a::b), "2 * a::b"),
            (quote!(a[0]), "2 * a[0]"),
            (quote!((1 + 1)), "2 * (1 + 1)"),
        ];
        for (content, expected) in cases {
            let fragment = fragment(content);
            assert_eq!(text(visible(quote!(2 * #fragment))), expected);
        }
    }

    #[test]
    fn a_fragment_of_a_fragment_is_held_together_once() {
        let twice = fragment(fragment(quote!(1 + 1)).into());
        assert_eq!(text(visible(quote!(f([2 * #twice])))), "f([2 * (1 + 1)])");
    }

    #[test]
    fn a_body_goes_back_as_it_came() {
        let number = fragment(quote!(1 + 1));
        let function = visible_before_body(quote!(fn f(x: [u8; 2 * #number]) { 2 * #number }));
        let Some(TokenTree::Group(body)) = function.clone().into_iter().last() else { panic!("no body") };
        assert!(has_fragments(body.stream()));
        assert_eq!(text(function), "fn f(x: [u8; 2 * (1 + 1)]) { 2 * 1 + 1 }");
    }

    #[test]
    fn types_patterns_and_blocks_are_opened() {
        let (ty, block) = (fragment(quote!(Vec<u8>)), fragment(quote!({ 7 })));
        assert_eq!(text(visible(quote!(fn f() -> #ty #block))), "fn f() -> Vec<u8> { 7 }");
        let (either, object) = (fragment(quote!(1 | 2)), fragment(quote!(dyn Send + Sync)));
        assert_eq!(text(visible(quote!(&#either))), "&(1 | 2)");
        assert_eq!(text(visible(quote!(&#object))), "&(dyn Send + Sync)");
        let whole = fragment(fragment(quote!({ 2 * 7 })).into());
        assert_eq!(text(visible_before_body(quote!(fn f() -> #ty #whole))), "fn f() -> Vec<u8> { 2 * 7 }");
        let nothing = fragment(TokenStream::new());
        assert_eq!(text(visible(quote!(#nothing fn f()))), "fn f()");
    }
}
