//! What `#[managed]` takes: any type with a name, parameters, makers and methods of all forms that can be sent.

use csproc::shared::{Manager, managed};

struct Pair<T, const N: usize>
where
    T: Clone,
{
    values: [Option<T>; N],
}

#[managed(proxy = PairOf)]
impl<T, const N: usize> Pair<T, N>
where
    T: csproc::Message + Clone + Send + Sync,
{
    /// Nothing in it.
    pub fn new() -> Self {
        Pair { values: [const { None }; N] }
    }

    pub const fn size(&self) -> usize {
        N
    }

    pub fn set(&mut self, r#type: usize, mut value: Option<T>, (_one, _other): (u8, u8)) -> Result<Option<T>, String> {
        let place = self.values.get_mut(r#type).ok_or_else(|| String::from("no such place"))?;
        std::mem::swap(place, &mut value);
        Ok(value)
    }

    #[cfg(any())]
    pub fn never_compiled(&self, missing: Missing) {}

    fn borrowed<'a>(&'a self, all: impl Iterator<Item = &'a T>) -> Option<&'a T> {
        all.chain(self.values[0].as_ref()).last()
    }
}

impl<T: Clone, const N: usize> Pair<T, N> {
    pub fn outside(&self) -> &T
    where
        T: Default,
    {
        self.values[0].as_ref().unwrap()
    }
}

macro_rules! object {
    ($name:ident, $proxy:ident, $value:ty, $body:block) => {
        struct $name($value);

        #[managed(proxy = $proxy)]
        impl $name {
            pub fn new(value: $value) -> $name {
                $name(value)
            }

            pub fn value(&self) -> $value $body
        }
    };
}

object!(Seven, SevenProxy, u8, { 7 });

fn main() {
    let manager = Manager::new().unwrap();
    let pair = PairOf::<String, 2>::new(&manager).unwrap();
    assert_eq!(pair.size(), Ok(2));
    assert_eq!(pair.set(1, Some("x".into()), (1, 2)), Ok(Ok(None)));
    assert_eq!(pair.set(2, None, (1, 2)), Ok(Err("no such place".into())));
    assert_eq!(SevenProxy::new(&manager, 1).unwrap().value(), Ok(7));
    let own = Pair::<u8, 1> { values: [Some(1)] };
    assert_eq!((own.borrowed(std::iter::empty()), own.outside()), (Some(&1), &1));
}
