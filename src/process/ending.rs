//! How a process ended, read off the value its function returned.
//!
//! Knows nothing of the values beyond their type: a `Result` whose error stems from poison spreads the poison,
//! everything else is a normal end. The choice is made by method resolution on the concrete type (dtolnay's autoref
//! specialization), most special first, in the code that `#[process]` generates.

use super::error::{Error, channel_error};
use crate::channel::{ChannelError, WriteError};

/// How a process that returned has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The ends it was given retire.
    Normal,
    /// The ends it was given are poisoned.
    Poison,
}

impl Ending {
    fn of(error: Option<&ChannelError>) -> Ending {
        match error {
            Some(error) if error.spreads_poison() => Ending::Poison,
            _ => Ending::Normal,
        }
    }
}

/// Asks a returned value how its process ended.
#[derive(Debug)]
pub struct Probe<'a, R>(pub &'a R);

/// For the errors of this crate.
pub trait OwnError {
    /// How the process ended.
    fn ending(&self) -> Ending;
}

impl<T> OwnError for &&Probe<'_, Result<T, Error>> {
    fn ending(&self) -> Ending {
        Ending::of(self.0.as_ref().err().and_then(Error::channel_error))
    }
}

impl<T> OwnError for &&Probe<'_, Result<T, ChannelError>> {
    fn ending(&self) -> Ending {
        Ending::of(self.0.as_ref().err())
    }
}

impl<T, V> OwnError for &&Probe<'_, Result<T, WriteError<V>>> {
    fn ending(&self) -> Ending {
        Ending::of(self.0.as_ref().err().map(|error| &error.fate))
    }
}

/// For other errors: they may have a channel's error among their sources.
pub trait OtherError {
    /// How the process ended.
    fn ending(&self) -> Ending;
}

impl<T, E: std::error::Error> OtherError for &Probe<'_, Result<T, E>> {
    fn ending(&self) -> Ending {
        Ending::of(self.0.as_ref().err().and_then(channel_error))
    }
}

/// For all other values.
pub trait AnyValue {
    /// How the process ended.
    fn ending(&self) -> Ending;
}

impl<R> AnyValue for Probe<'_, R> {
    fn ending(&self) -> Ending {
        Ending::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! ending {
        ($value:expr) => {
            (&&&Probe(&$value)).ending()
        };
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the pump stopped")]
    struct Pump(#[source] ChannelError);

    #[test]
    fn only_poison_spreads_whatever_carries_it() {
        assert_eq!(ending!(7), Ending::Normal);
        assert_eq!(ending!(Err::<(), _>(Error::from(ChannelError::Poisoned))), Ending::Poison);
        assert_eq!(ending!(Err::<(), _>(Error::from(ChannelError::Retired))), Ending::Normal);
        assert_eq!(ending!(Err::<(), _>(ChannelError::Poisoned)), Ending::Poison);
        assert_eq!(ending!(Err::<(), _>(WriteError { value: 1, fate: ChannelError::Poisoned })), Ending::Poison);
        assert_eq!(ending!(Err::<(), _>(Pump(ChannelError::Poisoned))), Ending::Poison);
        assert_eq!(ending!(Err::<(), _>(Pump(ChannelError::TimedOut))), Ending::Normal);
        assert_eq!(ending!(Err::<(), _>("text".parse::<u8>().unwrap_err())), Ending::Normal);
        assert_eq!(ending!(Ok::<_, Error>(1)), Ending::Normal);
    }
}
