//! Says which functions can be processes: everything that stands in the way is reported at its token, with what to
//! write instead.
//!
//! Does not know which types are messages: that is a bound, and the compiler's to check.

use super::parse::Function;
use crate::report::{Report, text};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, ExprAsync, ExprClosure, ExprTry, ExprTryBlock, FnArg, GenericParam, Item, Lifetime, PatType,
    ReturnType, Safety, Signature, Token, Type, TypeFnPtr, TypeImplTrait, TypeReference, TypeTraitObject,
};

/// As far as the library's tuples go.
const MOST_ARGUMENTS: usize = 16;

/// Reports every reason why `function` cannot be a process.
pub(super) fn function(function: &Function, report: &mut Report) {
    let signature = &function.signature;
    if signature.ident == "main" {
        report.at(
            &signature.ident,
            "found `main`, with which the program begins: remove `#[process]` here, mark the functions that it runs, \
             and run them from `main`, as in `Parallel!(worker(…))`",
        );
    }
    qualifiers(function, report);
    generics(signature, report);
    arguments(signature, report);
    result(signature, report);
    if function.body.is_none() {
        report.at(
            signature,
            "found a function without a body: a process is what its body does; \
             write the body here, or leave `#[process]` to the functions that have one",
        );
    }
    for found in questions(function) {
        report.at(
            found,
            "found `?` in a process that has no result: write `-> csproc::Result<()>`, and `Ok(())` at its end",
        );
    }
}

/// Every `?` that would return an error from a function that returns `()`. The compiler proposes a result for it that
/// no process can have.
pub(super) fn questions(function: &Function) -> Vec<Token![?]> {
    let has_result = match &function.signature.output {
        ReturnType::Default => false,
        ReturnType::Type(_, result) => !matches!(&**result, Type::Tuple(tuple) if tuple.elems.is_empty()),
    };
    let body = function.body.as_ref().filter(|_| !has_result).map(ToTokens::to_token_stream);
    let mut questions = Questions(Vec::new());
    if let Some(body) = body.and_then(|body| syn::parse2::<Block>(body).ok()) {
        questions.visit_block(&body);
    }
    questions.0
}

struct Questions(Vec<Token![?]>);

impl<'ast> Visit<'ast> for Questions {
    fn visit_expr_try(&mut self, found: &'ast ExprTry) {
        self.0.push(found.question_token);
        visit::visit_expr_try(self, found);
    }

    // These have results of their own.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_try_block(&mut self, _: &'ast ExprTryBlock) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// The attribute by which a runtime drives an `async fn`: `#[tokio::main]` and its like.
fn executor(function: &Function) -> Option<&Attribute> {
    function.attributes.iter().find(|attribute| {
        let segments = &attribute.path().segments;
        segments.len() > 1 && segments.last().is_some_and(|last| last.ident == "main")
    })
}

fn qualifiers(function: &Function, report: &mut Report) {
    let signature = &function.signature;
    if let Some(found) = &signature.constness {
        report.at(found, "found `const fn`: a process is run, never evaluated by the compiler; remove `const`");
    }
    if let Some(found) = &signature.asyncness {
        match executor(function) {
            None => report.at(
                found,
                "found `async fn`: a process has a thread of control of its own, and simply waits in `read` and \
                 `write`; remove `async`",
            ),
            Some(executor) => report.at(
                executor,
                format!(
                    "found `{}` below `#[process]`: write it above, so that it makes a plain function of the \
                     `async fn` first",
                    text(executor)
                ),
            ),
        }
    }
    if let Safety::Unsafe(found) = &signature.safety {
        report.at(
            found,
            "found `unsafe fn`: nobody is there to keep a promise when the process runs; \
             remove `unsafe`, and put an `unsafe` block around what needs it",
        );
    }
    if let Some(found) = &signature.abi {
        let message = format!("found `{} fn`: only the library calls the body of a process; remove `{0}`", text(found));
        report.at(found, message);
    }
    if let Some(found) = &signature.variadic {
        report.at(found, "found variadic arguments: a process takes a fixed number; write a `Vec<T>`");
    }
}

fn generics(signature: &Signature, report: &mut Report) {
    for parameter in &signature.generics.params {
        if let GenericParam::Lifetime(found) = parameter {
            let message = format!(
                "found the lifetime parameter `{}`: a process owns its arguments, because they are sent to it; \
                 remove it, and write owned types (`String` for `&{0} str`, `Vec<T>` for `&{0} [T]`)",
                found.lifetime
            );
            report.at(found, message);
        }
    }
}

fn arguments(signature: &Signature, report: &mut Report) {
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(found) => report.at(
                found,
                "found a `self` receiver: a process is a function by itself, it runs where there is no object; \
                 write a function outside the `impl` that takes the value as an argument, `state: State`",
            ),
            FnArg::Typed(argument) => {
                conditional(argument, report);
                OwnedType::check(&argument.ty, Place::Argument, report);
            }
        }
    }
    if let Some(first_too_many) = signature.inputs.iter().nth(MOST_ARGUMENTS) {
        let message = format!(
            "this is argument {} of {}, and a process takes at most {MOST_ARGUMENTS}; group them in a struct that \
             derives `serde::Serialize` and `serde::Deserialize`",
            MOST_ARGUMENTS + 1,
            signature.inputs.len()
        );
        report.at(first_too_many, message);
    }
}

/// An argument is named four times in the expansion, once in a tuple expression, where `cfg` is not allowed.
fn conditional(argument: &PatType, report: &mut Report) {
    for attribute in &argument.attrs {
        let path = attribute.path();
        if path.is_ident("cfg") || path.is_ident("cfg_attr") {
            let message = format!(
                "found `{}` on an argument: a process has the same arguments in every configuration; \
                 put the attribute on the function, and write the function twice",
                text(path)
            );
            report.at(attribute, message);
        }
    }
}

fn result(signature: &Signature, report: &mut Report) {
    let ReturnType::Type(_, result) = &signature.output else {
        return;
    };
    if let Type::Never(found) = &**result {
        report.at(
            found,
            "found the result `!`: whoever runs a process waits for its result; leave the result out, \
             a process that loops for ever fits `()` as well",
        );
        return;
    }
    OwnedType::check(result, Place::Result, report);
}

/// Whether the result of `signature` can stand in `Process<…>` at all.
pub(super) fn result_is_owned(signature: &Signature) -> bool {
    let mut report = Report::default();
    result(signature, &mut report);
    report.is_empty()
}

#[derive(Clone, Copy)]
enum Place {
    Argument,
    Result,
}

/// Looks for what cannot be sent anywhere inside a type, whatever the types it names are.
struct OwnedType<'a> {
    place: Place,
    report: &'a mut Report,
}

impl<'a> OwnedType<'a> {
    fn check(ty: &Type, place: Place, report: &'a mut Report) {
        OwnedType { place, report }.visit_type(ty);
    }
}

impl<'ast> Visit<'ast> for OwnedType<'_> {
    fn visit_type_reference(&mut self, found: &'ast TypeReference) {
        let instead = owned(&found.elem);
        let message = match self.place {
            Place::Argument if found.mutability.is_some() => format!(
                "found `{}`: a process owns its arguments, because they are sent to it; return what has \
                 changed, and write `{instead}`",
                text(found)
            ),
            Place::Argument => format!(
                "found `{}`: a process owns its arguments, because they are sent to it; write `{instead}`",
                text(found)
            ),
            Place::Result => format!(
                "found `{}`: a process gives its result away, because it is sent back; write `{instead}`",
                text(found)
            ),
        };
        self.report.at(found, message);
        if instead.contains('&') {
            self.visit_type(&found.elem);
        }
    }

    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        let found_text = text(found);
        let bounds = text(&found.bounds);
        let message = match self.place {
            Place::Argument => format!(
                "found `{found_text}`: the arguments of a process are sent to it, so their types need names; \
                 write a type parameter `T: {bounds} + Message` and the argument `T`"
            ),
            Place::Result => format!(
                "found `{found_text}`: the result of a process is sent back, so its type needs a name; \
                 write the type itself, or collect into a `Vec<T>`"
            ),
        };
        self.report.at(found, message);
    }

    fn visit_lifetime(&mut self, found: &'ast Lifetime) {
        // A named lifetime was reported where it is declared; `'static` asks for nothing.
        if found.ident == "_" {
            self.report.at(
                found,
                "found `'_`: a process borrows nothing, because its arguments and its result are sent; \
                 write `'static`",
            );
        }
    }

    fn visit_path(&mut self, found: &'ast syn::Path) {
        if let Some(first) = found.segments.first().filter(|first| first.ident == "Self") {
            self.report.at(&first.ident, "found `Self`: a process is a function by itself; write the name of the type");
        }
        visit::visit_path(self, found);
    }

    // References inside these borrow when they are called, not now; if such a type cannot be sent, its bound says so.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_type_trait_object(&mut self, _: &'ast TypeTraitObject) {}

    // The length of an array and other constants are expressions, where `&` means something else.
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

/// The type to write in place of a reference to `borrowed`.
pub(crate) fn owned(borrowed: &Type) -> String {
    match borrowed {
        Type::Slice(slice) => format!("Vec<{}>", owned(&slice.elem)),
        Type::Reference(reference) => owned(&reference.elem),
        Type::Paren(inner) => owned(&inner.elem),
        Type::Group(inner) => owned(&inner.elem),
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Path(path) if path.path.is_ident("Path") => "PathBuf".to_owned(),
        other => text(other),
    }
}
