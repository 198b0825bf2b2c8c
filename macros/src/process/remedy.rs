//! Chooses the words for a type that turns out to be no message, by how it is spelt: a channel is no cure for an
//! `Instant`, and a derive is none for an `Rc`. Asks the same of what the ends of channels carry.
//!
//! Refuses nothing: a type of the user's own that has one of these names is a message like any other. The bound that
//! is chosen here holds for every message, and only its words differ.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit::{self, Visit};
use syn::{GenericArgument, Generics, PathArguments, PathSegment, Type, TypeFnPtr, TypePath, TypeTraitObject};

/// The bound of an argument or a result of the type `ty`, or of what an end carries.
pub(crate) fn bound(ty: &Type, krate: &TokenStream) -> TokenStream {
    kind_of(ty).map_or_else(|| quote!(#krate::Message), |kind| remedy(kind, krate))
}

/// The kind of a type that is probably no message.
fn kind_of(ty: &Type) -> Option<&'static str> {
    let mut found = Kind(None);
    found.visit_type(ty);
    found.0.or_else(|| fails(ty).then_some("Failing"))
}

/// The bound with the words for this kind.
fn remedy(kind: &str, krate: &TokenStream) -> TokenStream {
    let kind = Ident::new(kind, Span::mixed_site());
    quote!(#krate::__private::remedy::#kind)
}

/// The same of what an end carries, which may be lent: it is spelt `Flat`, or has a name of the user's. A parameter
/// without a bound is to be told that of a message.
fn carried_bound(ty: &Type, parameters: &[&Ident], krate: &TokenStream) -> TokenStream {
    let is_flat = matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Flat"));
    let mut mentions = Mentions { parameters, any: false };
    mentions.visit_type(ty);
    match kind_of(ty) {
        Some(kind) => remedy(kind, krate),
        None if is_flat || !mentions.any => remedy("Carry", krate),
        None => quote!(#krate::Message),
    }
}

/// Whether one of these is in a type.
struct Mentions<'p> {
    parameters: &'p [&'p Ident],
    any: bool,
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.any |= self.parameters.contains(&ident);
    }
}

/// Questions about the parts of `types`, whose names alone do not tell: does what is spelt as an end of the library's
/// carry messages, does what is spelt as a shared value hold plain data, and is what is spelt as a lock one that will
/// be copied?
pub(super) fn questions<'a>(
    types: impl Iterator<Item = &'a Type>,
    generics: &Generics,
    krate: &TokenStream,
) -> Option<TokenStream> {
    let parameters: Vec<&Ident> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let mut parts = Parts::default();
    types.for_each(|ty| parts.visit_type(ty));
    let remedy = quote!(#krate::__private::remedy);
    let carried = parts.carried.iter().map(|(end, way, payload)| {
        let bound = match *way {
            "kept" => quote!(#krate::shared::Plain),
            "counted" => quote!(#krate::shared::Word),
            _ => carried_bound(payload, &parameters, krate),
        };
        let (carried, here) = (Ident::new("carried", Span::mixed_site()), here(payload));
        let way = Ident::new(way, Span::mixed_site());
        quote! {{
            fn __carries<__P: #bound>(_: #remedy::Carried<__P>) {}
            let #carried = #remedy::Probe::<#end>::new().#way();
            __carries(#here);
        }}
    });
    let copied = parts.shared.iter().map(|(ty, place)| {
        let warn = Ident::new("is_copied", *place);
        quote!(#remedy::Probe::<#ty>::new().#warn();)
    });
    let questions: Vec<_> = carried.chain(copied).collect();
    (!questions.is_empty()).then(|| {
        quote! {{
            #[allow(unused_imports, reason = "needed only where a type is not the one that its name promises")]
            use #remedy::Silent as _;
            #(#questions)*
        }}
    })
}

/// `carried.here()`, which stands for the compiler where the user's type stands: from its first token to its last.
fn here(ty: &Type) -> TokenStream {
    let tokens: Vec<_> = ty.to_token_stream().into_iter().collect();
    let at = |token: Option<&TokenTree>| {
        Span::mixed_site().located_at(token.map_or_else(Span::mixed_site, |token| match token {
            TokenTree::Group(group) => group.span_close(),
            token => token.span(),
        }))
    };
    let carried = Ident::new("carried", at(tokens.first()));
    let mut call = Group::new(Delimiter::Parenthesis, TokenStream::new());
    call.set_span(at(tokens.last()));
    quote!(#carried.here #call)
}

/// The first name in a type, from the outside in, that has a remedy of its own.
struct Kind(Option<&'static str>);

impl<'ast> Visit<'ast> for Kind {
    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        if payloads(segment).next().is_some() {
            // An end or a value is a message whatever it has, which is asked for by itself.
            return;
        }
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
                "Channel" => Some("Joint"),
                "Loan" | "View" => Some("Lent"),
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

/// What an end carries or a shared value holds, if that is what the name is, each with the question that asks for it.
fn payloads(segment: &PathSegment) -> impl Iterator<Item = (&'static str, &Type)> {
    let ways: &[&str] = match segment.ident.to_string().as_str() {
        "Writer" | "Reader" | "Queue" => &["carried"],
        "PipeEnd" => &["carried", "received"],
        "Value" | "Array" | "Region" | "Frozen" => &["kept"],
        "Atomic" => &["counted"],
        _ => &[],
    };
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    let types = arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(payload) => Some(payload),
        _ => None,
    });
    ways.iter().copied().zip(types)
}

/// The parts of types that are spelt as ends or shared values, each with what it has, and those that serde can write
/// although what they are for is sharing, each with the place of its name.
#[derive(Default)]
struct Parts {
    carried: Vec<(TypePath, &'static str, Type)>,
    shared: Vec<(TypePath, Span)>,
}

impl<'ast> Visit<'ast> for Parts {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last() {
            let name = last.ident.to_string();
            self.carried.extend(payloads(last).map(|(way, payload)| (path.clone(), way, payload.clone())));
            if matches!(name.as_str(), "Mutex" | "RwLock" | "Cell" | "RefCell") || name.starts_with("Atomic") {
                self.shared.push((path.clone(), last.ident.span()));
            }
        }
        visit::visit_type_path(self, path);
    }

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}
