//! Reads a composition: its mode, the path of the library, and the parts, however deeply nested.
//!
//! Does not know the types of the parts, only which expressions and loops there are.

use crate::list::items;
use crate::report::{Report, text};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Expr, Macro, Pat, Result, Token};

/// As far as the library's tuples go.
const MOST_PARTS: usize = 16;

/// One call of a composition macro.
pub(super) struct Composition {
    pub(super) mode: Mode,
    pub(super) library: TokenStream,
    pub(super) parts: Vec<Part>,
}

/// What becomes of the parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Network,
    Parallel,
    Sequence,
    Spawn,
}

/// What stands between two commas.
pub(super) enum Part {
    /// A process, or a `Vec` of them, or whatever else the library takes.
    Expression(Expr),
    /// `for pattern in iterator => part`
    For { for_token: Token![for], pattern: Pat, iterator: Expr, part: Box<Part> },
    /// `Parallel!(…)` or `network!(…)`, not run but made a part of the whole.
    Parallel(Vec<Part>),
    /// `Sequence!(…)` likewise.
    Sequence(Vec<Part>),
}

impl Composition {
    pub(super) fn parse(input: TokenStream) -> Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let mode = input.parse()?;
            let content;
            syn::bracketed!(content in input);
            let library = content.parse()?;
            let mut report = Report::default();
            let parts = parts(input, &mut report);
            if mode == Mode::Spawn && parts.is_empty() && report.is_empty() {
                report.add(Error::new(Span::call_site(), "`Spawn!` needs a process: write `Spawn!(worker(input))`"));
            }
            report.into_result()?;
            Ok(Composition { mode, library, parts })
        };
        parser.parse2(input)
    }
}

impl Parse for Mode {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mode: syn::Ident = input.parse()?;
        match mode.to_string().as_str() {
            "network" => Ok(Mode::Network),
            "parallel" => Ok(Mode::Parallel),
            "sequence" => Ok(Mode::Sequence),
            "spawn" => Ok(Mode::Spawn),
            _ => Err(Error::new_spanned(mode, "expected a mode of composition")),
        }
    }
}

fn parts(input: ParseStream<'_>, report: &mut Report) -> Vec<Part> {
    let mut count = 0;
    items(input, report, "a part", |input, report| {
        count += 1;
        if count == MOST_PARTS + 1 {
            report.add(input.error(format!("at most {MOST_PARTS} parts; put the rest in a `for` part or a `Vec`")));
        }
        let part = part(input, report)?;
        separator(input)?;
        Ok(part)
    })
}

/// Sees to it that a comma or the end follows a part. The comma stays.
fn separator(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error(if input.peek(Token![;]) {
        "found `;`: parts are separated by commas; write `,`"
    } else if input.peek(Token![=>]) {
        "found `=>`, which belongs to a `for` part: write `for i in 0..4 => worker(i)`"
    } else {
        "expected `,` between two parts"
    }))
}

fn part(input: ParseStream<'_>, report: &mut Report) -> Result<Part> {
    // `for<'a> |x| …` is a closure.
    if input.peek(Token![for]) && !input.peek2(Token![<]) {
        return for_part(input, report);
    }
    if let Some(nested) = nested(input)? {
        let parts = nested.parse_body_with(|input: ParseStream<'_>| Ok(parts(input, report)))?;
        return Ok(match nested.path.segments.last() {
            Some(last) if last.ident == "Sequence" => Part::Sequence(parts),
            _ => Part::Parallel(parts),
        });
    }
    input.parse().map(Part::Expression)
}

/// A composition macro that is the whole of a part. `Parallel!(…)?` is not: that runs a network and is an expression.
fn nested(input: ParseStream<'_>) -> Result<Option<Macro>> {
    let ahead = input.fork();
    let Ok(nested) = ahead.parse::<Macro>() else {
        return Ok(None);
    };
    let whole = ahead.is_empty() || ahead.peek(Token![,]);
    let Some(last) = nested.path.segments.last().filter(|_| whole) else {
        return Ok(None);
    };
    match last.ident.to_string().as_str() {
        "Parallel" | "network" | "Sequence" => {}
        "Spawn" => {
            let message = "`Spawn!` starts a process at once, and its `Child` is not a part; \
                           write the process itself, or `Parallel!(…)` for several";
            return Err(Error::new_spanned(&nested.path, message));
        }
        _ => return Ok(None),
    }
    input.advance_to(&ahead);
    Ok(Some(nested))
}

fn for_part(input: ParseStream<'_>, report: &mut Report) -> Result<Part> {
    let for_token: Token![for] = input.parse()?;
    let pattern = input.call(Pat::parse_multi_with_leading_vert)?;
    if !input.peek(Token![in]) {
        return Err(
            input.error(format!("expected `in` after the pattern: write `for {} in 0..4 => …`", text(&pattern)))
        );
    }
    let in_token: Token![in] = input.parse()?;
    let ahead = input.fork();
    let iterator = match Expr::parse_without_eager_brace(&ahead) {
        Ok(iterator) => iterator,
        // `0..4 -> worker(i)` begins like a subtraction.
        Err(error) => return Err(thin_arrow(input, &pattern).unwrap_or(error)),
    };
    input.advance_to(&ahead);
    let header = quote!(#for_token #pattern #in_token #iterator);
    if !input.peek(Token![=>]) {
        return Err(no_arrow(input, &pattern, &header));
    }
    input.parse::<Token![=>]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        let message = format!("expected a part after `=>`: write `{} => worker(…)`", text(&header));
        return Err(Error::new_spanned(header, message));
    }
    let part = Box::new(part(input, report)?);
    Ok(Part::For { for_token, pattern, iterator, part })
}

/// The complaint about a `->` before the next comma, if there is one.
fn thin_arrow(input: ParseStream<'_>, pattern: &Pat) -> Option<Error> {
    let ahead = input.fork();
    while !ahead.is_empty() && !ahead.peek(Token![,]) {
        if ahead.peek(Token![->]) {
            return Some(ahead.error(format!("found `->`: write `=>`, as in `for {} in 0..4 => …`", text(pattern))));
        }
        ahead.parse::<TokenTree>().ok()?;
    }
    None
}

/// The complaint about whatever stands where `=>` is due.
fn no_arrow(input: ParseStream<'_>, pattern: &Pat, header: &TokenStream) -> Error {
    let header_text = text(header);
    if let Some(error) = thin_arrow(input, pattern).filter(|_| input.peek(Token![->])) {
        return error;
    }
    if input.is_empty() || input.peek(Token![,]) {
        let message = format!("a `for` part says what to run: write `{header_text} => worker(…)`");
        return Error::new_spanned(header, message);
    }
    let ahead = input.fork();
    let Ok(TokenTree::Group(found)) = ahead.parse::<TokenTree>() else {
        return input.error(format!("expected `=>` before this: write `{header_text} => …`"));
    };
    let body = text(found.stream());
    let body = body.trim().trim_end_matches(';');
    let body = if body.is_empty() || body.contains(';') { "…" } else { body };
    input.error(format!("found the body of a loop: write `{header_text} => {body}`"))
}
