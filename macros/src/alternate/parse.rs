//! Reads an alternation: its mode, the path of the library, and the arms.
//!
//! Does not know the types of the guards, only how they are spelled.

use crate::list::items;
use crate::report::{Report, text};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Expr, ExprCall, ExprMethodCall, Ident, Pat, Result, Token};

/// One call of an alternation macro.
pub(super) struct Alternation {
    pub(super) mode: Mode,
    pub(super) library: TokenStream,
    pub(super) arms: Vec<Arm>,
}

/// Which of the guards that are ready is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Alt,
    Pri,
    Fair,
}

/// `pattern = guard if condition => body`
pub(super) struct Arm {
    /// What the value is bound to; `None` when nobody wants it.
    pub(super) pattern: Option<Pat>,
    pub(super) guard: Guard,
    pub(super) condition: Option<Expr>,
    pub(super) body: Expr,
}

/// What an arm waits for.
pub(super) enum Guard {
    Read(Expr),
    ReadExtended(Expr),
    Write {
        end: Expr,
        value: Expr,
    },
    Sync(Expr),
    After(Expr),
    At(Expr),
    Skip(Ident),
    /// An expression whose value is a guard.
    Value(Expr),
}

impl Guard {
    fn gives_value(&self) -> bool {
        matches!(self, Guard::Read(_) | Guard::ReadExtended(_) | Guard::Value(_))
    }
}

impl Alternation {
    pub(super) fn parse(input: TokenStream) -> Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let mode = input.parse()?;
            let content;
            syn::bracketed!(content in input);
            let library = content.parse()?;
            let mut report = Report::default();
            let arms = arms(input, &mut report);
            if arms.is_empty() && report.is_empty() {
                let message = "an alternation without guards can never fire: \
                               write an arm, such as `v = input.read() => v`";
                report.add(Error::new(Span::call_site(), message));
            }
            let skips = arms.iter().filter_map(|arm| match &arm.guard {
                Guard::Skip(skip) => Some(skip),
                _ => None,
            });
            for skip in skips.skip(1) {
                report.at(skip, "a second `skip`: one is taken whenever nothing else is ready; remove this arm");
            }
            report.into_result()?;
            Ok(Alternation { mode, library, arms })
        };
        parser.parse2(input)
    }
}

impl Parse for Mode {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mode: Ident = input.parse()?;
        match mode.to_string().as_str() {
            "alt" => Ok(Mode::Alt),
            "pri" => Ok(Mode::Pri),
            "fair" => Ok(Mode::Fair),
            _ => Err(Error::new_spanned(mode, "expected a mode of alternation")),
        }
    }
}

fn arms(input: ParseStream<'_>, report: &mut Report) -> Vec<Arm> {
    items(input, report, "an arm", |input, report| {
        let arm = arm(input, report)?;
        separator(input, &arm.body)?;
        Ok(arm)
    })
}

/// Sees to it that a comma or the end follows an arm, unless its body is a block, as in `match`. The comma stays.
fn separator(input: ParseStream<'_>, body: &Expr) -> Result<()> {
    let block = matches!(
        body,
        Expr::Block(_)
            | Expr::Const(_)
            | Expr::ForLoop(_)
            | Expr::If(_)
            | Expr::Loop(_)
            | Expr::Match(_)
            | Expr::Unsafe(_)
            | Expr::While(_)
    );
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error(if input.peek(Token![;]) {
        "found `;`: arms are separated by commas; write `,`"
    } else if block {
        return Ok(());
    } else if input.peek(Token![=>]) {
        "found a second `=>`: an arm is `guard => expression`; write `,` between two arms"
    } else {
        "expected `,` between two arms"
    }))
}

fn arm(input: ParseStream<'_>, report: &mut Report) -> Result<Arm> {
    no_attributes(input, report)?;
    let pattern = pattern(input, report)?;
    no_attributes(input, report)?;
    let spelled = guard_expression(input)?;
    let condition = condition(input)?;
    if !input.peek(Token![=>]) {
        return Err(no_arrow(input, pattern.as_ref(), &spelled));
    }
    let arrow: Token![=>] = input.parse()?;
    // Read here and judged below, so that a wrong guard does not hide what is wrong with the body.
    let body = if input.is_empty() || input.peek(Token![,]) {
        report.at(arrow, "expected what the arm does after `=>`; write `=> {}` if that is nothing");
        None
    } else {
        Some(Expr::parse_with_earlier_boundary_rule(input)?)
    };
    let guard_text = text(&spelled);
    let guard = guard(spelled)?;
    let pattern = match pattern {
        Some(Pat::Wild(_)) => None,
        Some(pattern) if !guard.gives_value() => {
            if !matches!(&pattern, Pat::Tuple(unit) if unit.elems.is_empty()) {
                let message = format!("`{guard_text}` gives no value: write `{guard_text} => …`, without a pattern");
                report.at(pattern, message);
            }
            None
        }
        pattern => pattern,
    };
    // What stands in for a body that is missing is never emitted: the mistake has been reported.
    let body = body.unwrap_or_else(|| Expr::Verbatim(TokenStream::new()));
    Ok(Arm { pattern, guard, condition, body })
}

fn no_attributes(input: ParseStream<'_>, report: &mut Report) -> Result<()> {
    for attribute in input.call(Attribute::parse_outer)? {
        let message = if attribute.path().is_ident("cfg") {
            "a guard has no attributes: write a precondition, such as `r.read() if cfg!(unix)`"
        } else {
            "a guard has no attributes: put this on an expression in the body of the arm, or on the whole statement"
        };
        report.at(attribute, message);
    }
    Ok(())
}

/// Reads `pattern =`, if the arm begins so.
fn pattern(input: ParseStream<'_>, report: &mut Report) -> Result<Option<Pat>> {
    if input.peek(Token![let]) {
        report.add(input.error("an arm binds without `let`: write `v = r.read() => …`"));
        input.parse::<Token![let]>()?;
    }
    let ahead = input.fork();
    let Ok(pattern) = ahead.call(Pat::parse_multi_with_leading_vert) else {
        return Ok(None);
    };
    if ahead.peek(Token![:]) && !ahead.peek(Token![::]) {
        let message =
            format!("the guard says what type its value has: write `{0} = …` instead of `{0}: …`", text(pattern));
        return Err(ahead.error(message));
    }
    if !ahead.peek(Token![=]) || ahead.peek(Token![=>]) || ahead.peek(Token![==]) {
        return Ok(None);
    }
    input.advance_to(&ahead);
    input.parse::<Token![=]>()?;
    Ok(Some(pattern))
}

fn guard_expression(input: ParseStream<'_>) -> Result<Expr> {
    if input.peek(Token![else]) {
        return Err(input.error("found `else`: write `skip`, which fires when nothing else is ready"));
    }
    let ahead = input.fork();
    match ahead.parse() {
        Ok(expression) => {
            input.advance_to(&ahead);
            Ok(expression)
        }
        // `r.read() -> v` begins like a subtraction.
        Err(error) => Err(thin_arrow(input).unwrap_or(error)),
    }
}

/// Reads `if condition`, if that comes next.
fn condition(input: ParseStream<'_>) -> Result<Option<Expr>> {
    if !input.peek(Token![if]) {
        return Ok(None);
    }
    let if_token: Token![if] = input.parse()?;
    if input.is_empty() || input.peek(Token![=>]) || input.peek(Token![,]) {
        return Err(Error::new_spanned(if_token, "expected a condition after `if`: write `r.read() if credit > 0`"));
    }
    let ahead = input.fork();
    // As after any `if`, a struct stands in parentheses.
    let condition = match Expr::parse_without_eager_brace(&ahead) {
        Ok(condition) => condition,
        Err(error) => return Err(thin_arrow(input).unwrap_or(error)),
    };
    input.advance_to(&ahead);
    // It would bind for the end and the value, but not for the body, which runs when the guards are gone.
    if let Some(bound) = first_let(&condition) {
        let message = "a precondition is a `bool` and binds nothing: write `matches!(…)` or `.is_some()`";
        return Err(Error::new_spanned(bound, message));
    }
    Ok(Some(condition))
}

fn first_let(condition: &Expr) -> Option<&Expr> {
    match condition {
        Expr::Let(_) => Some(condition),
        Expr::Binary(both) => first_let(&both.left).or_else(|| first_let(&both.right)),
        _ => None,
    }
}

/// The complaint about a `->` in this arm, if there is one where `=>` is due.
fn thin_arrow(input: ParseStream<'_>) -> Option<Error> {
    let ahead = input.fork();
    while !ahead.is_empty() && !ahead.peek(Token![,]) && !ahead.peek(Token![=>]) {
        if ahead.peek(Token![->]) {
            return Some(ahead.error("found `->`: write `=>`, as in `v = r.read() => …`"));
        }
        ahead.parse::<TokenTree>().ok()?;
    }
    None
}

/// The complaint about whatever stands where `=>` is due.
fn no_arrow(input: ParseStream<'_>, pattern: Option<&Pat>, spelled: &Expr) -> Error {
    if let Some(error) = thin_arrow(input).filter(|_| input.peek(Token![->])) {
        return error;
    }
    let pattern_text = pattern.map(|pattern| format!("{} = ", text(pattern))).unwrap_or_default();
    let write = format!("write `{pattern_text}{} => …`", text(spelled));
    if input.is_empty() || input.peek(Token![,]) {
        return Error::new_spanned(spelled, format!("an arm says what to do when its guard fires: {write}"));
    }
    input.error(format!("expected `=>` before this: {write}"))
}

/// Tells from the spelling what sort of guard it is.
fn guard(spelled: Expr) -> Result<Guard> {
    match spelled {
        Expr::MethodCall(call) => method(call),
        Expr::Call(call) => function(call),
        Expr::Path(path) => match path.path.get_ident().map(Ident::to_string).as_deref() {
            Some("skip") => Ok(Guard::Skip(path.path.segments[0].ident.clone())),
            Some("after") => Err(needs_time(&path, "after")),
            Some("at") => Err(needs_time(&path, "at")),
            Some("default") => {
                let message = "found `default`: write `skip`, which fires when nothing else is ready; a guard of your \
                               own with this name stands in parentheses, `(default)`";
                Err(Error::new_spanned(&path, message))
            }
            _ => Ok(Guard::Value(Expr::Path(path))),
        },
        Expr::Infer(underscore) => {
            let message = "found `_`: write `skip`, which fires when nothing else is ready";
            Err(Error::new_spanned(underscore, message))
        }
        Expr::Try(tried) => match guard((*tried.expr).clone()) {
            Ok(Guard::Value(_)) => Ok(Guard::Value(Expr::Try(tried))),
            Ok(_) => {
                let message = "the error of a channel is that of the whole alternation: \
                               remove this `?`, and write one after the macro's closing bracket";
                Err(Error::new_spanned(tried.question_token, message))
            }
            Err(error) => Err(error),
        },
        other => Ok(Guard::Value(other)),
    }
}

fn method(call: ExprMethodCall) -> Result<Guard> {
    let name = call.method.to_string();
    let receiver = text(&call.receiver);
    let due = match name.as_str() {
        "read" | "read_extended" | "sync" => 0,
        "write" => 1,
        // These wait, or do not, by themselves; in an alternation that is said by a guard of its own.
        "try_read" | "read_timeout" | "read_deadline" => return Err(waits_itself(&call, "read()")),
        "try_write" | "write_timeout" | "write_deadline" => return Err(waits_itself(&call, "write(value)")),
        _ => return Ok(Guard::Value(Expr::MethodCall(call))),
    };
    if let Some(turbofish) = &call.turbofish {
        let arguments = if due == 0 { "" } else { "value" };
        let message = format!("`{name}` has no type arguments in a guard: write `{receiver}.{name}({arguments})`");
        return Err(Error::new_spanned(turbofish, message));
    }
    if call.args.len() != due {
        return Err(wrong_arguments(&call, &name, &receiver));
    }
    let end = *call.receiver;
    Ok(match (name.as_str(), call.args.into_iter().next()) {
        (_, Some(value)) => Guard::Write { end, value },
        ("read", None) => Guard::Read(end),
        ("read_extended", None) => Guard::ReadExtended(end),
        (_, None) => Guard::Sync(end),
    })
}

fn waits_itself(call: &ExprMethodCall, operation: &str) -> Error {
    let guard = match call.method.to_string() {
        name if name.ends_with("timeout") => "after(duration)",
        name if name.ends_with("deadline") => "at(instant)",
        _ => "skip",
    };
    let message = format!("write `{}.{operation}`, and an arm `{guard} => …`", text(&call.receiver));
    Error::new_spanned(&call.method, format!("`{}` is not a guard: {message}", call.method))
}

fn wrong_arguments(call: &ExprMethodCall, name: &str, receiver: &str) -> Error {
    match (name, call.args.is_empty()) {
        ("write", true) => {
            let message = format!("`write` needs the value: write `{receiver}.write(value)`");
            Error::new_spanned(call, message)
        }
        ("write", false) => {
            let values = text(&call.args);
            let message = format!("`write` takes one value: write `{receiver}.write(({values}))` for a tuple");
            Error::new_spanned(&call.args, message)
        }
        ("read_extended", _) => {
            let message = format!(
                "the body of the arm is what the writer waits for: write `v = {receiver}.read_extended() => …`"
            );
            Error::new_spanned(&call.args, message)
        }
        _ => {
            let message = format!("`{name}` takes no argument in a guard: write `{receiver}.{name}()`");
            Error::new_spanned(&call.args, message)
        }
    }
}

fn function(mut call: ExprCall) -> Result<Guard> {
    let name = match &*call.func {
        Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
        _ => None,
    };
    match (name.as_deref(), call.args.len()) {
        (Some("skip"), _) => Err(Error::new_spanned(&call, "`skip` has no parentheses: write `skip => …`")),
        (Some(name @ ("after" | "at")), 1) => {
            let build = if name == "after" { Guard::After } else { Guard::At };
            match call.args.pop() {
                Some(time) => Ok(build(time)),
                None => Err(needs_time(&call, name)),
            }
        }
        (Some(name @ ("after" | "at")), _) => Err(needs_time(&call, name)),
        (Some("timeout"), _) => {
            let message = "found `timeout`: write `after(Duration::from_millis(50))`; a guard of your own with this \
                           name stands in parentheses, `(timeout(…))`";
            Err(Error::new_spanned(&call, message))
        }
        _ => Ok(Guard::Value(Expr::Call(call))),
    }
}

fn needs_time(found: &impl ToTokens, name: &str) -> Error {
    let message = match name {
        "after" => "`after` takes one duration: write `after(Duration::from_millis(50))`",
        _ => "`at` takes one instant: write `at(deadline)`",
    };
    Error::new_spanned(found, message)
}
