//! Holds what `#[managed]` expands to, and that what cannot be called still leaves a proxy.
//!
//! Does not know how the errors look to a reader: `tests/ui` of the library holds that.

use super::expand;
use proc_macro2::TokenStream;
use quote::quote;

fn parsed(options: TokenStream, item: TokenStream) -> syn::File {
    syn::parse2(expand(options, item)).expect("the expansion is a list of items")
}

/// The functions of the proxy, as text.
fn functions(options: TokenStream, item: TokenStream) -> Vec<String> {
    let file = parsed(options, item);
    let Some(syn::Item::Impl(proxy)) = file.items.last() else { panic!("the methods of the proxy are last") };
    let functions = proxy.items.iter().map(|item| {
        let item = syn::parse_quote!(impl Proxy { #item });
        prettyplease::unparse(&syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: vec![item] })
    });
    functions.collect()
}

#[test]
fn a_method_calls_that_of_the_object() {
    let item = quote! {
        impl Counter {
            /// Adds.
            #[inline]
            pub fn add(&mut self, mut number: i64, (a, b): (u8, u8)) -> i64 {
                number
            }
        }
    };
    let called = r#"impl Proxy {
    /// Adds.
    #[track_caller]
    pub fn add(
        &self,
        number: i64,
        __argument_1: (u8, u8),
    ) -> ::core::result::Result<i64, ::csproc::shared::CallError> {
        Self::__method_add().call(&self.0, (number, __argument_1))
    }
}
"#;
    let made = r#"impl Proxy {
    fn __method_add() -> ::csproc::shared::Method<Counter, (i64, (u8, u8)), i64> {
        fn __method<
            __T: 'static,
            __A0: ::csproc::Message,
            __A1: ::csproc::Message,
            __R: ::csproc::Message,
        >(
            work: fn(&mut __T, (__A0, __A1)) -> __R,
        ) -> ::csproc::shared::Method<__T, (__A0, __A1), __R> {
            ::csproc::shared::Method::changes("add", work)
        }
        __method::<
            Counter,
            i64,
            (u8, u8),
            i64,
        >(|__object, (number, __argument_1)| <Counter>::add(
            __object,
            number,
            __argument_1,
        ))
    }
}
"#;
    assert_eq!(functions(quote!(), item), [called, made]);
}

#[test]
fn what_looks_does_so_beside_others_unless_that_is_excluded() {
    let item = quote!(
        impl Counter {
            pub fn get(&self) -> i64 {
                0
            }
        }
    );
    let [_, looks] = &functions(quote!(), item.clone())[..] else { panic!("a method, and what it is") };
    assert!(looks.contains("Method::looks(\"get\", work)") && looks.contains("::csproc::shared::Visible"), "{looks}");
    let [_, changes] = &functions(quote!(exclusive), item)[..] else { panic!("a method, and what it is") };
    assert!(changes.contains("Method::changes(\"get\", work)") && !changes.contains("Visible"), "{changes}");
}

#[test]
fn a_proxy_has_what_is_public_and_makes_or_is_called() {
    let item = quote! {
        impl Counter {
            pub fn new() -> Self {}
            pub(crate) fn again(n: u8) -> Counter {}
            pub fn kind() -> String {}
            pub const LIMIT: u8 = 3;
            fn helper(&self, name: &str) {}
            pub(super) fn get(&self) {}
        }
    };
    let functions = functions(quote!(crate = some::path), item);
    let heads: Vec<&str> =
        functions.iter().filter_map(|text| text.lines().find(|line| line.contains(" fn "))).collect();
    let [new, again, get, _] = &heads[..] else { panic!("{heads:?}") };
    assert!(new.contains("pub fn new(") && again.contains("pub(crate) fn again("), "{heads:?}");
    assert!(get.contains("pub(super) fn get("), "{heads:?}");
    assert!(functions.iter().all(|text| text.contains("some::path::shared") && !text.contains("::csproc")));
}

#[test]
fn the_item_stays_as_it_is_and_comes_first() {
    let item = quote! {
        #[cfg(unix)]
        impl<T: Clone> Store<T> where T: Default {
            pub fn get(&self) -> u8 { 1 }
        }
    };
    let file = parsed(quote!(), item.clone());
    let first = &file.items[0];
    assert_eq!(quote!(#first).to_string(), item.to_string());
    let text = prettyplease::unparse(&file);
    for expected in [
        "pub struct StoreProxy<T: Clone>(",
        "impl<T: Clone> ::csproc::shared::ManagedType for Store<T>",
        "const NAME: &'static str = \"Store\";",
        "impl<'de, T: Clone> ::csproc::__private::serde::Deserialize<'de> for StoreProxy<T>",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert_eq!(text.matches("#[cfg(unix)]").count(), 4, "{text}");
}

#[test]
fn every_mistake_is_reported_at_once_and_leaves_a_method() {
    let item = quote! {
        impl Counter {
            pub fn new(start: &i64) -> Self {}
            pub async unsafe fn all<T>(self, name: &str, any: impl Copy, twin: Self) -> ! {}
            pub fn right(&self) {}
        }
    };
    let file = parsed(quote!(nothing), item.clone());
    let errors: Vec<String> = file
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Macro(item) => item.mac.parse_body::<syn::LitStr>().ok().map(|text| text.value()),
            _ => None,
        })
        .collect();
    let found = [
        "unknown option `nothing`",
        "found `&i64`",
        "found `async fn`",
        "found `unsafe fn`",
        "found a generic method",
        "found an object by value",
        "found `&str`",
        "found `impl Copy`",
        "found `Self`",
        "found the result `!`",
    ];
    assert_eq!(errors.len(), found.len(), "{errors:#?}");
    for (error, found) in errors.iter().zip(found) {
        assert!(error.starts_with(found), "{error}\nis not: {found}");
    }
    let functions = functions(quote!(), item);
    let [new, all, right, is] = &functions[..] else { panic!("{functions:?}") };
    assert!(new.contains("Result<Self, ::csproc::shared::CallError>") && new.contains("unreachable"), "{new}");
    assert!(all.contains("pub fn all<T>(") && all.contains("unreachable"), "{all}");
    assert!(right.contains("pub fn right(") && is.contains("Method::looks"), "{right}{is}");
}

#[test]
fn what_can_have_no_proxy_is_left_alone() {
    for item in [
        quote!(
            impl Clone for Counter {}
        ),
        quote!(
            impl<'a> Counter<'a> {
                pub fn get(&self) {}
            }
        ),
        quote!(
            struct Counter;
        ),
    ] {
        let file = parsed(quote!(), item.clone());
        let left = file.items.last().map(|item| quote!(#item).to_string());
        assert_eq!(left, Some(item.to_string()));
    }
    // What is wrong inside is the compiler's to say.
    let broken = quote!(
        impl Counter {
            pub fn get(&self) -> {}
        }
    );
    assert_eq!(expand(quote!(), broken.clone()).to_string(), broken.to_string());
}
