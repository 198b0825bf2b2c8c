//! Holds what `#[process]` expands to, as text, and that what cannot be a process still leaves an item.
//!
//! Does not know how the errors look to a reader: `tests/ui` of the library holds that.

use super::expand;
use proc_macro2::TokenStream;
use quote::quote;

/// The expansion as a formatted file.
fn pretty(options: TokenStream, item: TokenStream) -> String {
    let file = syn::parse2(expand(options, item)).expect("the expansion is a list of items");
    prettyplease::unparse(&file)
}

/// The lines of the expansion that are not indented: attributes and heads of the items, and errors.
fn heads(options: TokenStream, item: TokenStream) -> Vec<String> {
    let text = pretty(options, item);
    let heads = text.lines().filter(|line| !line.starts_with([' ', '}']));
    heads.map(str::to_owned).collect()
}

/// The texts of the errors in the expansion.
fn errors(options: TokenStream, item: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(expand(options, item)).expect("a list of items");
    let errors = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(item) => item.mac.parse_body::<syn::LitStr>().ok(),
        _ => None,
    });
    errors.map(|text| text.value()).collect()
}

#[test]
fn the_body_moves_inside_and_the_arguments_are_packed_up() {
    let expansion = pretty(
        quote!(),
        quote! {
            /// Copies.
            #[process_attribute]
            pub fn relay<T: Message, const N: usize>(mut input: Reader<T>, (a, b): (u8, u8)) -> Result<()>
            where
                T: Clone,
            {
                copy(input)
            }
        },
    );
    let expected = r#"/// Copies.
#[track_caller]
pub fn relay<T: Message, const N: usize>(
    input: Reader<T>,
    __argument_1: (u8, u8),
) -> ::csproc::Process<Result<()>>
where
    T: Clone,
{
    #[process_attribute]
    #[allow(
        clippy::missing_const_for_fn,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments,
        clippy::unnecessary_wraps,
        reason = "the form of a process is set by what it communicates"
    )]
    fn __body<T: Message, const N: usize>(
        mut input: Reader<T>,
        (a, b): (u8, u8),
    ) -> Result<()>
    where
        T: Clone,
    {
        copy(input)
    }
    {
        #[allow(
            unused_imports,
            reason = "needed only where a type is not the one that its name promises"
        )]
        use ::csproc::__private::remedy::Silent as _;
        {
            fn __carries<__P: ::csproc::Message>(
                _: ::csproc::__private::remedy::Carried<__P>,
            ) {}
            let carried = ::csproc::__private::remedy::Probe::<Reader<T>>::new()
                .carried();
            __carries(carried.here());
        }
    }
    #[track_caller]
    fn __process<
        __A0: ::csproc::Message,
        __A1: ::csproc::Message,
        __R: ::csproc::__private::remedy::Failing,
    >(
        options: ::csproc::__private::Options,
        arguments: (__A0, __A1),
        body: fn((__A0, __A1)) -> __R,
        ending: fn(&__R) -> ::csproc::__private::ending::Ending,
    ) -> ::csproc::Process<__R> {
        ::csproc::__private::process(options, arguments, body, ending)
    }
    __process::<
        Reader<T>,
        (u8, u8),
        Result<()>,
    >(
        ::csproc::__private::Options {
            name: "relay",
            placement: ::csproc::Placement::Process,
            on_crash: ::csproc::OnCrash::Poison,
        },
        (input, __argument_1),
        |(input, __argument_1)| __body::<T, N>(input, __argument_1),
        |__outcome| {
            use ::csproc::__private::ending::*;
            (&&&Probe(__outcome)).ending()
        },
    )
}
"#;
    assert_eq!(expansion, expected);
}

#[test]
fn options_reach_the_library() {
    let expansion = pretty(
        quote!(thread, name = "adder", on_crash = "retire", crate = some::path),
        quote!(
            fn sum() {}
        ),
    );
    for expected in [
        "fn sum() -> some::path::Process<()> {",
        "name: \"adder\",",
        "placement: some::path::Placement::Thread,",
        "on_crash: some::path::OnCrash::Retire,",
        "use some::path::__private::ending::*;",
        "(),\n        |()| __body(),",
    ] {
        assert!(expansion.contains(expected), "{expected}\n{expansion}");
    }
    assert!(!expansion.contains("::csproc"), "{expansion}");
}

#[test]
fn the_path_of_the_library_may_be_a_string() {
    let item = quote!(
        fn sum() {}
    );
    let inside = pretty(quote!(crate = crate), item.clone());
    assert!(inside.contains("-> crate::Process<()>"), "{inside}");
    let by_string = pretty(quote!(crate = "::renamed"), item.clone());
    assert_eq!(by_string, pretty(quote!(crate = ::renamed), item));
}

#[test]
fn lint_levels_and_documentation_stay_outside_and_code_generation_goes_inside() {
    let expansion = pretty(
        quote!(),
        quote! {
            #[cfg(unix)]
            #[deprecated]
            #[inline(never)]
            #[expect(unused_variables)]
            #[must_use = "it counts"]
            fn count(n: u8) {}
        },
    );
    let (outside, inside) = expansion.split_once("fn count").expect("the outer function");
    assert_eq!(
        outside,
        "#[cfg(unix)]\n#[deprecated]\n#[expect(unused_variables)]\n#[must_use = \"it counts\"]\n#[track_caller]\n"
    );
    assert!(inside.contains("#[inline(never)]"));
    assert!(!inside.contains("unused_variables"));
}

#[test]
fn the_name_of_a_raw_identifier_is_the_word() {
    let expansion = pretty(
        quote!(),
        quote!(
            fn r#loop(r#type: u8) {}
        ),
    );
    assert!(expansion.contains("name: \"loop\""), "{expansion}");
    assert!(expansion.contains("__body(r#type)"), "{expansion}");
}

#[test]
fn attributes_of_an_argument_stay_with_its_pattern() {
    let expansion = pretty(
        quote!(),
        quote!(
            fn one(#[expect(unused)] n: u8) {}
        ),
    );
    assert!(expansion.contains("fn one(n: u8)"), "{expansion}");
    assert!(expansion.contains("fn __body(#[expect(unused)] n: u8)"), "{expansion}");
}

#[test]
fn a_wrong_option_leaves_a_whole_process() {
    let item = quote!(
        fn sum(n: u8) -> u8 {
            n
        }
    );
    let right = heads(quote!(), item.clone());
    let wrong = heads(quote!(thraed), item);
    assert!(wrong[0].starts_with("::core::compile_error!"), "{wrong:?}");
    assert_eq!(&wrong[wrong.len() - right.len()..], right);
}

#[test]
fn what_cannot_be_a_process_leaves_a_function_its_callers_can_call() {
    let cases = [
        (
            quote!(
                async fn f(n: u8) -> u8 {
                    n
                }
            ),
            "fn f(n: u8) -> ::csproc::Process<u8> {",
        ),
        (
            quote!(
                pub const unsafe extern "C" fn f<'a>(name: &'a str) -> &'a str {
                    name
                }
            ),
            "pub fn f<'a>(name: &'a str) -> ::csproc::Process<()> {",
        ),
        (
            quote!(
                fn f(mut self, out: Writer<u8>) {}
            ),
            "fn f(self, out: Writer<u8>) -> ::csproc::Process<()> {",
        ),
        (
            quote!(
                fn f(&mut self) -> impl Clone {}
            ),
            "fn f(&mut self) -> ::csproc::Process<()> {",
        ),
        (
            quote!(
                fn f(values: impl Iterator) -> !;
            ),
            "fn f(values: impl Iterator) -> ::csproc::Process<()> {",
        ),
    ];
    for (item, head) in cases {
        let heads = heads(quote!(), item);
        assert_eq!(heads.last().map(String::as_str), Some(head));
    }
}

#[test]
fn what_is_no_function_is_left_as_it_is() {
    let item = quote!(
        struct Worker {
            out: Writer<u8>,
        }
    );
    let file: syn::File = syn::parse2(expand(quote!(), item.clone())).expect("items");
    let [_, syn::Item::Struct(left)] = &file.items[..] else {
        panic!("an error and the struct");
    };
    assert_eq!(quote!(#left).to_string(), item.to_string());
}

#[test]
fn every_mistake_of_a_function_is_reported_at_once() {
    let item = quote! {
        const async unsafe extern "C" fn all<'a>(
            &self,
            name: &str,
            bytes: &'a [u8],
            many: &[(&str, u8)],
            path: Vec<&Path>,
            any: Option<impl Clone>,
            text: Cow<'_, str>,
            this: Box<Self>,
            #[cfg(unix)] n: u8,
        ) -> !;
    };
    let errors = errors(quote!(detached, name), item);
    let found = [
        "unknown option `detached`",
        "`name` takes a value",
        "found `const fn`",
        "found `async fn`",
        "found `unsafe fn`",
        "found `extern \"C\" fn`",
        "found the lifetime parameter `'a`",
        "found a `self` receiver",
        "found `&str`",
        "found `&'a [u8]`",
        "found `&[(&str, u8)]`",
        "found `&str`",
        "found `&Path`",
        "found `impl Clone`",
        "found `'_`",
        "found `Self`",
        "found `cfg` on an argument",
        "found the result `!`",
        "found a function without a body",
    ];
    assert_eq!(errors.len(), found.len(), "{errors:#?}");
    for (error, found) in errors.iter().zip(found) {
        assert!(error.starts_with(found), "{error}\nis not: {found}");
    }
}

#[test]
fn a_runtime_comes_before_the_process() {
    let item = quote! {
        #[tokio::main(flavor = "current_thread")]
        async fn relay(input: Reader<u64>) {}
    };
    let errors = errors(quote!(), item);
    let [error] = &errors[..] else { panic!("{errors:#?}") };
    let wanted = "found `#[tokio::main(flavor = \"current_thread\")]` below `#[process]`: write it above";
    assert!(error.starts_with(wanted), "{error}");
}

#[test]
fn the_owned_type_to_write_is_named() {
    let cases = [
        (quote!(&str), "String"),
        (quote!(&'a mut [u8]), "Vec<u8>"),
        (quote!(&[&str]), "Vec<String>"),
        (quote!(&&Job<T>), "Job<T>"),
        (quote!(Option<&Path>), "PathBuf"),
    ];
    for (ty, owned) in cases {
        let errors = errors(quote!(), quote!(fn f(argument: #ty) {}));
        let [error] = &errors[..] else {
            panic!("{errors:#?}");
        };
        assert!(error.ends_with(&format!("write `{owned}`")), "{error}");
    }
}

#[test]
fn references_that_borrow_later_are_not_the_macros_to_judge() {
    let item = quote!(
        fn f(a: fn(&str) -> &str, b: [u8; A & B], c: Box<dyn Fn(&u8)>, d: Cow<'static, str>) {}
    );
    assert_eq!(errors(quote!(), item), Vec::<String>::new());
}

#[test]
fn sixteen_arguments_are_the_most() {
    let arguments = |count| (0..count).map(|n| quote::format_ident!("a{n}"));
    let (sixteen, seventeen) = (arguments(16), arguments(17));
    assert!(errors(quote!(), quote!(fn f(#(#sixteen: u8),*) {})).is_empty());
    let errors = errors(quote!(), quote!(fn f(#(#seventeen: u8),*) {}));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("this is argument 17 of 17"), "{errors:?}");
}
