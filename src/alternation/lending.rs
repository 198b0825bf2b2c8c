//! Guards over channels of `Flat`: one that takes what has been sent, and one that sends a loan.
//!
//! Knows nothing of the other guards of the alternation. A message is offered and taken as by any other guard; a loan
//! that was not sent can be had back.

use super::arm::{Arm, Content, Offered, Outcome, Stowed, Take, Verdict, no_value};
use super::arms::{WriteArm, message};
use super::dynamic::Alternation;
use super::entry::Kind;
use super::guard::{Guard, Input};
use super::token::Write;
use crate::channel::{ChannelError, Flat, Loan, Plain, Reader, View, Writer, check_lends};
use std::fmt;

/// Takes what has been sent, where it lies.
pub struct LentArm<'a, T: Plain> {
    reader: &'a Reader<Flat<T>>,
    value: Stowed,
}

#[diagnostic::do_not_recommend]
impl<T: Plain> Guard for Reader<Flat<T>> {
    type Output = View<T>;
    type Arm<'a> = LentArm<'a, T>;

    fn arm(&self) -> LentArm<'_, T> {
        LentArm { reader: self, value: Stowed::NOTHING }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Plain> Input for Reader<Flat<T>> {}

impl<T: Plain> Arm for LentArm<'_, T> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        let end = self.reader.end();
        end.check()?;
        check_lends(end)?;
        Ok(Offered(Some(end.taking(false))))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let (packet, _) = message(outcome)?;
        self.value = Stowed(Content::Message(packet));
        Ok(Verdict::Done)
    }

    fn stow(&mut self) -> Stowed {
        std::mem::replace(&mut self.value, Stowed::NOTHING)
    }
}

impl<T: Plain> Take for LentArm<'_, T> {
    type Output = View<T>;

    fn unpack(mut stowed: Stowed) -> Result<View<T>, ChannelError> {
        match stowed.open() {
            Content::Message(packet) => Ok(View::of(packet)?),
            _ => no_value(),
        }
    }
}

impl<T: Plain> fmt::Debug for LentArm<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LentArm")
    }
}

impl<'a> Alternation<'a> {
    /// Adds a guard that sends a loan. Once it has been sent, the guard is absent until
    /// [`set_loan`](Alternation::set_loan) gives it another one. A loan that cannot be offered shows at the next
    /// selection.
    ///
    /// What has come is taken by [`guard`](Alternation::guard), which is given the reader.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::Flat;
    ///
    /// let (c, d) = (Channel::<Flat<u32>>::new(), Channel::<Flat<u32>>::new());
    /// let (out, input) = (c.writer(), d.reader());
    /// let (r, w, _another) = (c.reader(), d.writer(), d.writer());
    /// let mut alt = Alternation::new();
    /// let sent = alt.send(&out, out.loan_from(&[1, 2])?);
    /// let came = alt.guard(&input);
    ///
    /// let other = std::thread::spawn(move || w.send(w.loan_from(&[3]).unwrap()).is_ok());
    /// assert_eq!(*alt.pri_select()?.take(came), [3]);
    /// assert!(other.join().unwrap());
    ///
    /// // It is still on offer; and what nobody takes can be had back.
    /// assert_eq!(*alt.take_loan(sent).unwrap(), [1, 2]);
    /// let other = std::thread::spawn(move || r.read_loan());
    /// alt.set_loan(sent, out.loan_from(&[4])?);
    /// assert!(alt.pri_select()?.is(sent));
    /// assert_eq!(*other.join().unwrap()?, [4]);
    /// assert!(alt.take_loan(sent).is_none());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn send<T: Plain>(&mut self, writer: &'a Writer<Flat<T>>, loan: Loan<T>) -> Write<Flat<T>> {
        let mut arm = WriteArm::of(writer);
        arm.lend(loan);
        let place = self.push(Kind::Write(arm));
        Write::new(place, |_| Ok(()), |_| ())
    }

    /// Gives a sending guard another loan, in place of the one that it has or has sent.
    ///
    /// # Panics
    /// `token` is of another alternation, or its guard has been removed.
    ///
    /// # Examples
    /// See [`send`](Alternation::send).
    #[track_caller]
    pub fn set_loan<T: Plain, G>(&mut self, token: Write<Flat<T>, G>, loan: Loan<T>) {
        if let Some(arm) = self.writing(token) {
            arm.lend(loan);
        }
    }

    /// Takes the loan of a sending guard back, which is absent then; `None` if it has been sent.
    ///
    /// # Panics
    /// `token` is of another alternation, or its guard has been removed.
    ///
    /// # Examples
    /// See [`send`](Alternation::send).
    #[track_caller]
    pub fn take_loan<T: Plain, G>(&mut self, token: Write<Flat<T>, G>) -> Option<Loan<T>> {
        self.writing(token)?.take_back().map(Loan::returned)
    }
}
