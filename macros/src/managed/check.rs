//! Says which methods can be called from other processes: everything that stands in the way is reported at its token,
//! with what to write instead.
//!
//! Does not know which types are messages: that is a bound, and the compiler's to check.

use super::parse::{Methods, Role};
use crate::process::owned;
use crate::report::{Report, text};
use syn::visit::{self, Visit};
use syn::{
    FnArg, GenericParam, ImplItemFn, Lifetime, ReceiverKind, ReturnType, Safety, Type, TypeFnPtr, TypeImplTrait,
    TypeReference, TypeTraitObject,
};

/// As far as serde's tuples go.
const MOST_ARGUMENTS: usize = 16;

/// Reports every reason why a method cannot be one of a proxy; gives the places of such methods among all that a proxy
/// would have.
pub(super) fn methods(methods: &Methods, report: &mut Report) -> Vec<usize> {
    let mut faulty = Vec::new();
    for (place, (function, role)) in methods.public().enumerate() {
        let mut faults = Report::default();
        method(function, role, &text(&methods.0.self_ty), &mut faults);
        if let Err(error) = faults.into_result() {
            report.add(error);
            faulty.push(place);
        }
    }
    faulty
}

/// Reports every reason why there can be no proxy of a type; whether there can be one.
pub(super) fn of_type(methods: &Methods, report: &mut Report) -> bool {
    let item = &methods.0;
    let name = text(&item.self_ty);
    if let Some((found, _)) = &item.trait_ {
        let message = format!(
            "found the `impl` of a trait: a proxy has the methods of a type itself; write `#[managed] impl {name} {{ … \
             }}`, with methods that call those of the trait"
        );
        report.at(found, message);
    } else if !methods.public().any(|(_, role)| role == Role::Method) {
        let message = format!(
            "found no `pub` method of `{name}`: a proxy has those that are `pub`; write `pub` before what other \
             processes are to call, as in `pub fn get(&self) -> u64 {{ … }}`"
        );
        report.at(&item.self_ty, message);
    }
    if methods.name().is_none() {
        let message = format!("found `{name}`, which has no name that a proxy could have; write a struct around it");
        report.at(&item.self_ty, message);
    }
    for parameter in &item.generics.params {
        if let GenericParam::Lifetime(found) = parameter {
            let message = format!(
                "found the lifetime parameter `{}`: an object borrows nothing, because it stays when its maker has \
                 gone; remove it, and let the type own what it has",
                found.lifetime
            );
            report.at(found, message);
        }
    }
    item.trait_.is_none() && item.generics.lifetimes().next().is_none()
}

fn method(function: &ImplItemFn, role: Role, object: &str, report: &mut Report) {
    let signature = &function.sig;
    if let Some(found) = &signature.asyncness {
        report.at(
            found,
            "found `async fn`: a call of an object is answered by its process, which simply waits; remove `async`, or \
             remove `pub`",
        );
    }
    if let Safety::Unsafe(found) = &signature.safety {
        report.at(
            found,
            "found `unsafe fn`: nobody who calls from another process could keep its promise; remove `unsafe`, and put \
             an `unsafe` block around what needs it",
        );
    }
    if let Some(found) = &signature.variadic {
        report.at(found, "found variadic arguments: a call has a fixed number; write a `Vec<T>`");
    }
    if !signature.generics.params.is_empty() {
        report.at(
            &signature.generics,
            "found a generic method: a call names one function of the program; write a method for each type, or make \
             the parameter one of the `impl`",
        );
    }
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(found) if matches!(found.kind, ReceiverKind::Reference(..)) => (),
            FnArg::Receiver(found) => report.at(
                found,
                "found an object by value: it stays where it is, for others have it, too; write `&mut self`, and take \
                 out of it what is to be given away, or remove `pub`",
            ),
            FnArg::Typed(argument) => {
                let conditions = argument.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
                for found in conditions {
                    let message = "found `cfg` on an argument: a call has the same arguments in every configuration; \
                                   put it on the method, and write the method twice";
                    report.at(found, message);
                }
                Owned { place: Place::Argument, object, report }.visit_type(&argument.ty);
            }
        }
    }
    let arguments = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
    if let Some(first_too_many) = arguments.clone().nth(MOST_ARGUMENTS) {
        let message = format!(
            "this is argument {} of {}, and a call takes at most {MOST_ARGUMENTS}; group them in a struct that derives \
             `serde::Serialize` and `serde::Deserialize`",
            MOST_ARGUMENTS + 1,
            arguments.count()
        );
        report.at(first_too_many, message);
    }
    if role == Role::Method {
        result(function, object, report);
    }
}

fn result(function: &ImplItemFn, object: &str, report: &mut Report) {
    match &function.sig.output {
        ReturnType::Default => (),
        ReturnType::Type(_, result) => match &**result {
            Type::Never(found) => report.at(
                found,
                "found the result `!`: whoever calls waits for the answer; leave the result out, or remove `pub`",
            ),
            result => Owned { place: Place::Result, object, report }.visit_type(result),
        },
    }
}

#[derive(Clone, Copy)]
enum Place {
    Argument,
    Result,
}

/// Looks for what cannot be sent anywhere inside a type, whatever the types it names are.
struct Owned<'a> {
    place: Place,
    /// The name of the type.
    object: &'a str,
    report: &'a mut Report,
}

impl<'ast> Visit<'ast> for Owned<'_> {
    fn visit_type_reference(&mut self, found: &'ast TypeReference) {
        let (found_text, instead) = (text(found), owned(&found.elem));
        let message = match self.place {
            Place::Argument => format!(
                "found `{found_text}`: the arguments of a call are sent to the object, which owns them; write \
                 `{instead}`"
            ),
            Place::Result => format!(
                "found `{found_text}`: the result of a call is sent back, because the object stays where it is; write \
                 `{instead}`, and return a copy"
            ),
        };
        self.report.at(found, message);
        if instead.contains('&') {
            self.visit_type(&found.elem);
        }
    }

    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        let found_text = text(found);
        let message = match self.place {
            Place::Argument => format!(
                "found `{found_text}`: the arguments of a call are sent, so their types need names; write the type \
                 itself, or `Vec<T>` for an iterator"
            ),
            Place::Result => format!(
                "found `{found_text}`: the result of a call is sent back, so its type needs a name; write the type \
                 itself, or collect into a `Vec<T>`"
            ),
        };
        self.report.at(found, message);
    }

    fn visit_lifetime(&mut self, found: &'ast Lifetime) {
        // A named lifetime was reported where it is declared; `'static` asks for nothing.
        if found.ident == "_" {
            self.report.at(found, "found `'_`: a call borrows nothing, because all of it is sent; write `'static`");
        }
    }

    fn visit_path(&mut self, found: &'ast syn::Path) {
        if let Some(first) = found.segments.first().filter(|first| first.ident == "Self") {
            let message = format!("found `Self`: in the proxy that is another type; write `{}`", self.object);
            self.report.at(&first.ident, message);
        }
        visit::visit_path(self, found);
    }

    // References inside these borrow when they are called, not now; if such a type cannot be sent, its bound says so.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_type_trait_object(&mut self, _: &'ast TypeTraitObject) {}

    // The length of an array and other constants are expressions, where `&` means something else.
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}
