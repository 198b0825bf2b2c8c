//! Sums, differences and products of integers that do not fit their type are errors, in every build.
//!
//! Knows nothing of components but their names. Other types calculate as their operators do: floating-point numbers
//! become infinite, and types of the user's are asked.

use std::any::{Any, type_name};
use std::ops::{Add, Mul, Sub};

/// What comes of two integers, if `I` is the type of all three: the result, or why there is none.
fn of_integers<I, A, B, C>(a: &A, sign: &str, b: &B, checked: fn(I, I) -> Option<I>) -> Option<Result<C, String>>
where
    I: Any + Copy + std::fmt::Display,
    A: Any,
    B: Any,
    C: Any,
{
    let (a, b): (&dyn Any, &dyn Any) = (a, b);
    let (a, b) = (*a.downcast_ref::<I>()?, *b.downcast_ref::<I>()?);
    match checked(a, b) {
        Some(result) => {
            let result: &mut dyn Any = &mut Some(result);
            result.downcast_mut::<Option<C>>()?.take().map(Ok)
        }
        None => Some(Err(format!("{a} {sign} {b} does not fit {}", type_name::<I>()))),
    }
}

macro_rules! operations {
    ($($name:ident: $operator:ident, $function:ident, $sign:literal, $checked:ident;)*) => {$(
        /// As the operator, if it fits.
        ///
        /// # Errors
        /// It is an integer that does not; the component and the two values are named.
        pub(super) fn $name<A, B, C>(component: &str, a: A, b: B) -> crate::Result<C>
        where
            A: $operator<B, Output = C> + 'static,
            B: 'static,
            C: 'static,
        {
            let result = integers!($checked, $sign, &a, &b, u8 i8 u16 i16 u32 i32 u64 i64 u128 i128 usize isize);
            match result {
                Some(Ok(result)) => Ok(result),
                Some(Err(reason)) => Err(crate::Error::msg(format!("`{component}`: {reason}; use a wider type"))),
                None => Ok(a.$function(b)),
            }
        }
    )*};
}

macro_rules! integers {
    ($checked:ident, $sign:literal, $a:expr, $b:expr, $($integer:ident)*) => {
        None$(.or_else(|| of_integers::<$integer, A, B, C>($a, $sign, $b, $integer::$checked)))*
    };
}

operations! {
    add: Add, add, "+", checked_add;
    subtract: Sub, sub, "-", checked_sub;
    multiply: Mul, mul, "*", checked_mul;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T>(result: crate::Result<T>) -> String {
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn integers_fit_or_are_named_with_their_type() {
        assert_eq!((add("plus", 254_u8, 1_u8).unwrap(), subtract("minus", i64::MIN + 1, 1).unwrap()), (255, i64::MIN));
        assert_eq!(multiply("times", -1_i128, i128::MAX).unwrap(), -i128::MAX);
        assert!(told(add("plus", 255_u8, 1_u8)).starts_with("`plus`: 255 + 1 does not fit u8"));
        assert!(told(subtract("minus", 1_usize, 2_usize)).starts_with("`minus`: 1 - 2 does not fit usize"));
        assert!(told(multiply("times", i32::MIN, -1)).starts_with("`times`: -2147483648 * -1 does not fit i32"));
    }

    #[test]
    fn other_types_calculate_as_their_operators_do() {
        assert_eq!(add("plus", String::from("a"), "b").unwrap(), "ab");
        assert!(multiply("times", f64::MAX, 2.0).unwrap().is_infinite());
        let time = std::time::Duration::from_secs(2);
        assert_eq!(multiply("times", time, 3_u32).unwrap(), 3 * time);
    }
}
