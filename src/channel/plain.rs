//! `Plain`: data whose bytes mean the same in every process.
//!
//! Knows nothing of where such data lie, nor of who has them.

/// Plain data: any bytes are a value of it, and it has no padding. Numbers, arrays of them, `#[repr(C)]` structs of
/// them.
///
/// Implemented for every type that is [`bytemuck::Pod`], which a type of one's own derives.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::bytemuck;
///
/// #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
/// #[bytemuck(crate = "csproc::shared::bytemuck")]
/// #[repr(C)]
/// struct Point {
///     x: f64,
///     y: f64,
/// }
///
/// let point = Value::new(Point { x: 1.0, y: 2.0 });
/// point.with_lock(|point| point.x += 1.0)?;
/// assert_eq!(point.get(), Point { x: 2.0, y: 2.0 });
/// # Ok::<(), csproc::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not plain data",
    label = "not plain data",
    note = "a `Value`, an `Array`, a `Region` and a `Flat` hold plain data, whose bytes mean the same in every \
            process: numbers, and arrays of them; a `#[repr(C)]` struct of numbers derives \
            `csproc::shared::bytemuck::{{Pod, Zeroable}}`",
    note = "for `bool` use `u8` or an `Event`; what owns memory (`String`, `Vec`) and enums are objects of a `Manager` \
            (`manager.value(…)`), or are sent through a channel to the process that keeps them"
)]
pub trait Plain: bytemuck::Pod {}

#[diagnostic::do_not_recommend]
impl<T: bytemuck::Pod> Plain for T {}
