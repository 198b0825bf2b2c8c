//! Writes the proxy of a type: a struct around the library's `Managed`, with a method for each that is `pub`.
//!
//! Does not judge: it is told which methods `check` has found faulty, and writes stubs of those.

use super::parse::{Methods, Options, Role};
use crate::process::bound;
use crate::report::text;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, Generics, ImplItemFn, Pat, PatType, Receiver, ReceiverKind, ReturnType, Type, parse_quote,
};

pub(super) fn proxy(methods: &Methods, options: &Options, proxy: &Ident, faulty: &[usize]) -> TokenStream {
    let krate = options.path.as_ref().map_or_else(|| quote!(::csproc), ToTokens::to_token_stream);
    let object = &methods.0.self_ty;
    let conditions = conditions(&methods.0.attrs);
    let generics = generics(methods);
    let (of_impl, of_type, wheres) = generics.split_for_impl();
    let name = methods.name().map(|name| name.unraw().to_string()).unwrap_or_default();
    let about = format!(
        "A proxy of a [`{name}`]({}) in the process of a manager: has its methods, for any number of processes.",
        text(object).split('<').next().unwrap_or_default()
    );
    let functions = methods.public().enumerate().map(|(place, (function, role))| match role {
        _ if faulty.contains(&place) => stub(function, role, &krate),
        Role::Maker => maker(function, object, &krate),
        Role::Method => method(function, object, options, &krate),
    });
    let served = methods.public().enumerate().filter_map(|(place, (function, role))| {
        let is_served = role == Role::Method && !faulty.contains(&place);
        is_served.then(|| {
            let (made, conditions) = (made(&function.sig.ident), self::conditions(&function.attrs));
            quote!(#(#conditions)* let methods = methods.and(Self::#made());)
        })
    });
    let serde = quote!(#krate::__private::serde);
    let mut of_reading = generics.clone();
    of_reading.params.insert(0, parse_quote!('de));
    let (of_reading, ..) = of_reading.split_for_impl();
    quote! {
        #(#conditions)*
        #[doc = #about]
        #[allow(unreachable_pub, reason = "the type may be seen by fewer")]
        pub struct #proxy #generics (#krate::shared::Managed<#object>) #wheres;

        #(#conditions)*
        const _: () = {
            impl #of_impl #krate::shared::ManagedType for #object #wheres {
                type Proxy = #proxy #of_type;
                const NAME: &'static str = #name;
            }

            impl #of_impl ::core::convert::From<#krate::shared::Managed<#object>> for #proxy #of_type #wheres {
                fn from(object: #krate::shared::Managed<#object>) -> Self {
                    #proxy(object)
                }
            }

            impl #of_impl ::core::convert::AsRef<#krate::shared::Managed<#object>> for #proxy #of_type #wheres {
                fn as_ref(&self) -> &#krate::shared::Managed<#object> {
                    &self.0
                }
            }

            impl #of_impl #krate::shared::Proxy for #proxy #of_type #wheres {
                fn methods() -> #krate::shared::Methods<Self> {
                    let methods = #krate::shared::Methods::<Self>::of::<#object>();
                    #(#served)*
                    methods
                }

                fn distant(object: #krate::shared::Distant) -> Self {
                    #proxy(#krate::shared::Managed::distant(object))
                }
            }

            impl #of_impl ::core::clone::Clone for #proxy #of_type #wheres {
                fn clone(&self) -> Self {
                    #proxy(::core::clone::Clone::clone(&self.0))
                }
            }

            impl #of_impl ::core::fmt::Debug for #proxy #of_type #wheres {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Debug::fmt(&self.0, f)
                }
            }

            impl #of_impl #serde::Serialize for #proxy #of_type #wheres {
                fn serialize<__S: #serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #serde::Serialize::serialize(&self.0, serializer)
                }
            }

            impl #of_reading #serde::Deserialize<'de> for #proxy #of_type #wheres {
                fn deserialize<__D: #serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    #serde::Deserialize::deserialize(deserializer).map(#proxy)
                }
            }
        };

        #[allow(
            dead_code,
            missing_docs,
            unreachable_pub,
            clippy::len_without_is_empty,
            clippy::missing_errors_doc,
            clippy::must_use_candidate,
            clippy::needless_pass_by_value,
            clippy::too_many_arguments,
            reason = "the form of a proxy is set by its object"
        )]
        #(#conditions)*
        impl #of_impl #proxy #of_type #wheres {
            #(#functions)*
        }
    }
}

/// Those of the `impl`; what stays in another process borrows nothing.
fn generics(methods: &Methods) -> Generics {
    let mut generics = methods.0.generics.clone();
    let types: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for parameter in types {
        generics.make_where_clause().predicates.push(parse_quote!(#parameter: 'static));
    }
    generics
}

/// A function of the proxy that makes an object.
fn maker(function: &ImplItemFn, object: &Type, krate: &TokenStream) -> TokenStream {
    let Parts { attributes, visibility, ident, arguments, names, types, bounds, messages } = Parts::of(function, krate);
    let manager = Ident::new("manager", Span::mixed_site());
    quote! {
        #(#attributes)*
        #[track_caller]
        #visibility fn #ident(
            #manager: &#krate::shared::ManagerHandle,
            #(#arguments),*
        ) -> ::core::result::Result<Self, #krate::shared::CallError> {
            #[track_caller]
            fn __make<__T: #krate::shared::ManagedType, #(#messages: #bounds),*>(
                manager: &#krate::shared::ManagerHandle,
                arguments: (#(#messages,)*),
                make: fn((#(#messages,)*)) -> __T,
            ) -> ::core::result::Result<__T::Proxy, #krate::shared::CallError> {
                manager.create_with(arguments, make)
            }
            __make::<#object, #(#types),*>(#manager, (#(#names,)*), |(#(#names,)*)| <#object>::#ident(#(#names),*))
        }
    }
}

/// A method of the proxy. One type parameter for each argument, because a bound that fails is reported at the type in
/// the turbofish, which is the user's.
fn method(function: &ImplItemFn, object: &Type, options: &Options, krate: &TokenStream) -> TokenStream {
    let Parts { attributes, visibility, ident, arguments, names, types, bounds, messages } = Parts::of(function, krate);
    let (result, result_bound) = match &function.sig.output {
        ReturnType::Default => (quote!(()), quote!(#krate::Message)),
        ReturnType::Type(_, result) => (result.to_token_stream(), bound(result, krate)),
    };
    let receiver = function.sig.receiver();
    let is_shared = |receiver: &&Receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
    let looks = receiver.as_ref().is_some_and(is_shared) && !options.exclusive;
    let (kind, needs, work) = match looks {
        true => (quote!(looks), Some(quote!(+ #krate::shared::Visible)), quote!(&__T)),
        false => (quote!(changes), None, quote!(&mut __T)),
    };
    // An object that cannot be looked at is wrong at the user's `&self`.
    let of_object = match receiver {
        Some(receiver) if looks => placed(object.to_token_stream(), receiver.span()),
        _ => object.to_token_stream(),
    };
    let (made, conditions) = (made(ident), conditions(&function.attrs));
    let called = ident.unraw().to_string();
    quote! {
        #(#attributes)*
        #[track_caller]
        #visibility fn #ident(
            &self,
            #(#arguments),*
        ) -> ::core::result::Result<#result, #krate::shared::CallError> {
            Self::#made().call(&self.0, (#(#names,)*))
        }

        #(#conditions)*
        fn #made() -> #krate::shared::Method<#object, (#(#types,)*), #result> {
            fn __method<__T: 'static #needs, #(#messages: #bounds,)* __R: #result_bound>(
                work: fn(#work, (#(#messages,)*)) -> __R,
            ) -> #krate::shared::Method<__T, (#(#messages,)*), __R> {
                #krate::shared::Method::#kind(#called, work)
            }
            __method::<#of_object, #(#types,)* #result>(
                |__object, (#(#names,)*)| <#object>::#ident(__object, #(#names),*),
            )
        }
    }
}

/// The name of the function that makes what a method is, for those who call it here and those who serve it.
fn made(ident: &Ident) -> Ident {
    format_ident!("__method_{}", ident.unraw(), span = Span::mixed_site().located_at(ident.span()))
}

fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| is_one(attribute, &["cfg"])).collect()
}

/// A function for the callers of one that cannot be called: the same name and arguments as if it could.
fn stub(function: &ImplItemFn, role: Role, krate: &TokenStream) -> TokenStream {
    let Parts { attributes, visibility, ident, arguments, names, .. } = Parts::of(function, krate);
    let Generics { lt_token, params, gt_token, where_clause } = &function.sig.generics;
    let (first, result) = match role {
        Role::Maker => (quote!(_: &#krate::shared::ManagerHandle), quote!(Self)),
        Role::Method => (quote!(&self), quote!(())),
    };
    quote! {
        #(#attributes)*
        #visibility fn #ident #lt_token #params #gt_token (
            #first,
            #(#arguments),*
        ) -> ::core::result::Result<#result, #krate::shared::CallError> #where_clause {
            let _ = (#(#names,)*);
            ::core::unreachable!()
        }
    }
}

/// What a function of the proxy has of the user's.
struct Parts<'a> {
    attributes: Vec<&'a Attribute>,
    visibility: &'a syn::Visibility,
    ident: &'a Ident,
    arguments: Vec<TokenStream>,
    names: Vec<Ident>,
    types: Vec<&'a Type>,
    bounds: Vec<TokenStream>,
    messages: Vec<Ident>,
}

impl<'a> Parts<'a> {
    fn of(function: &'a ImplItemFn, krate: &TokenStream) -> Parts<'a> {
        let typed = function.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        });
        let (names, types): (Vec<Ident>, Vec<&Type>) =
            typed.enumerate().map(|(place, argument)| (name(argument, place), &*argument.ty)).unzip();
        Parts {
            attributes: function.attrs.iter().filter(|one| is_one(one, &["doc", "cfg", "deprecated"])).collect(),
            visibility: &function.vis,
            ident: &function.sig.ident,
            arguments: names.iter().zip(&types).map(|(name, ty)| quote!(#name: #ty)).collect(),
            bounds: types.iter().map(|ty| bound(ty, krate)).collect(),
            messages: (0..names.len()).map(|place| format_ident!("__A{place}")).collect(),
            names,
            types,
        }
    }
}

/// The name of an argument: its own where it has one. Its pattern is matched where the object is, not by the caller.
fn name(argument: &PatType, place: usize) -> Ident {
    match &*argument.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            let mut name = pattern.ident.clone();
            name.set_span(Span::mixed_site().located_at(name.span()));
            name
        }
        _ => Ident::new(&format!("__argument_{place}"), Span::mixed_site()),
    }
}

/// The same tokens, which stand for the compiler where something else stands.
fn placed(tokens: TokenStream, place: Span) -> TokenStream {
    let placed = |mut token: TokenTree| {
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.into_iter().map(placed).collect()
}

fn is_one(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attribute.path().is_ident(name))
}
