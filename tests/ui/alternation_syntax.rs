//! Arms that are put together wrong.

use csproc::prelude::*;

fn main() {
    let c = Channel::<u32>::new();
    let (w, r) = (c.writer(), c.reader());
    let _ = AltSelect! {
        v = r.read(), r.read(),
        v = r.read() -> v,
        v = r.read() if true -> v,
        v = r.read() v + 1,
        v = r.read() =>,
        v = r.read() if => v,
        v = r.read() if let Some(x) = Some(1) => v + x,
        r.read() => 0; r.read() => 1,
        let v = r.read() => v,
        v: u32 = r.read() => v,
        #[cfg(unix)] r.read() => 0,
        , w.write(1) => 0
        r.read() => 0,
        else => 0,
    };
    let _ = AltSelect!(v = r.read() => v, _ => 0);
}
