//! Addresses of functions that travel between processes of one image, and the functions again.
//!
//! Knows nothing of what the functions do.
#![expect(unsafe_code, reason = "makes a function of an address; listed in the architecture page")]

/// The function at an address; `None` for zero.
///
/// # Safety
/// The address is zero, or was taken by `as usize` from a function of the type `F`, a pointer to functions, in a
/// process of the same image at the same place.
pub(crate) unsafe fn function<F: Copy>(address: usize) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*const ()>()) };
    let pointer = std::ptr::with_exposed_provenance::<()>(address);
    // SAFETY: a pointer that is not null is that of a function of this type, as the caller promises; the sizes are
    // equal.
    (!pointer.is_null()).then(|| unsafe { std::mem::transmute_copy::<*const (), F>(&pointer) })
}
