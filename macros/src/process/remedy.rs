//! Chooses the words for a type that turns out to be no message, by how it is spelt: a channel is no cure for an
//! `Instant`, and a derive is none for an `Rc`.
//!
//! Refuses nothing: a type of the user's own that has one of these names is a message like any other. The bound that
//! is chosen here holds for every message, and only its words differ.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::visit::{self, Visit};
use syn::{PathSegment, Type, TypeFnPtr, TypePath, TypeTraitObject};

/// The bound of an argument of the type `ty`.
pub(super) fn of_argument(ty: &Type, krate: &TokenStream) -> TokenStream {
    bound(kind(ty), krate)
}

/// The bound of the result. What looks like a `Result` or an error is told of the library's own.
pub(super) fn of_result(ty: &Type, krate: &TokenStream) -> TokenStream {
    bound(kind(ty).or_else(|| fails(ty).then_some("Failing")), krate)
}

/// The parts of `ty` that are spelt as something shared by threads, each with the place of its name.
pub(super) fn shared(ty: &Type) -> Vec<(TypePath, Span)> {
    let mut found = Shared::default();
    found.visit_type(ty);
    found.0
}

fn bound(kind: Option<&str>, krate: &TokenStream) -> TokenStream {
    match kind {
        Some(kind) => {
            let kind = Ident::new(kind, Span::mixed_site());
            quote!(#krate::__private::remedy::#kind)
        }
        None => quote!(#krate::Message),
    }
}

fn kind(ty: &Type) -> Option<&'static str> {
    let mut found = Kind(None);
    found.visit_type(ty);
    found.0
}

/// The first name in a type, from the outside in, that has a remedy of its own.
struct Kind(Option<&'static str>);

impl<'ast> Visit<'ast> for Kind {
    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        if self.0.is_none() {
            self.0 = match segment.ident.to_string().as_str() {
                "Rc" | "Arc" | "Weak" | "Mutex" | "RwLock" | "Cell" | "RefCell" | "OnceCell" | "OnceLock"
                | "LazyCell" | "LazyLock" | "Condvar" | "Once" | "AtomicPtr" | "MutexGuard" => Some("Shared"),
                "Sender" | "SyncSender" | "Receiver" | "UnboundedSender" | "UnboundedReceiver" => Some("Foreign"),
                "Instant" => Some("Clock"),
                "File" | "TcpStream" | "TcpListener" | "UdpSocket" | "UnixStream" | "UnixListener" | "UnixDatagram"
                | "OwnedFd" | "Stdin" | "Stdout" | "Stderr" | "ChildStdin" | "ChildStdout" | "ChildStderr"
                | "BufReader" | "BufWriter" => Some("Open"),
                "JoinHandle" | "Thread" => Some("Running"),
                _ => None,
            };
        }
        visit::visit_path_segment(self, segment);
    }

    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {
        self.0.get_or_insert("Code");
    }

    fn visit_type_trait_object(&mut self, object: &'ast TypeTraitObject) {
        self.0 = self.0.or_else(|| {
            let name = crate::report::text(&object.bounds);
            if name.contains("Error") {
                None
            } else if name.contains("Fn") {
                Some("Code")
            } else {
                Some("Object")
            }
        });
    }

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

/// Whether the outermost name is that of a result or an error, and not written as the library's own.
fn fails(ty: &Type) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let path = &path.path;
    let ours = path.segments.len() > 1 && path.segments[0].ident == "csproc";
    let Some(last) = path.segments.last() else {
        return false;
    };
    let boxed = last.ident == "Box" && crate::report::text(&last.arguments).contains("Error");
    !ours && (boxed || last.ident == "Result" || last.ident == "Error")
}

/// Collects the names that serde can write although what they are for is sharing.
#[derive(Default)]
struct Shared(Vec<(TypePath, Span)>);

impl<'ast> Visit<'ast> for Shared {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last() {
            let name = last.ident.to_string();
            if name == "Mutex" || name == "RwLock" || name.starts_with("Atomic") {
                self.0.push((path.clone(), last.ident.span()));
            }
        }
        visit::visit_type_path(self, path);
    }

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}
