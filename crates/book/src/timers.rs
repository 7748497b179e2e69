//! What the log's time brings about: orders end when their date comes.

use types::{CancelCause, Effects, OrderId, ReplyTo, Timestamp};

use crate::market::{Market, Work};
use crate::snapshot::Pending;

impl Market {
    /// When [`Market::fire_timers`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.next_expiry().map(|(at, _)| at)
    }

    /// Does what was due at `now` or before, in the order of dates and ids, in every state of the
    /// market.
    pub fn fire_timers(&mut self, now: Timestamp, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        self.expire_orders(now, work, fx);
    }

    pub(crate) fn expire_orders(&mut self, now: Timestamp, work: &mut Work, fx: &mut Effects) {
        while let Some((at, order)) = self.next_expiry()
            && at <= now
        {
            if !work.take() {
                return self.interrupt(Pending::Timers { now }, fx);
            }
            self.cancel_open(order, ReplyTo::NOBODY, CancelCause::Expired, fx);
        }
    }

    fn next_expiry(&self) -> Option<(Timestamp, OrderId)> {
        self.book.next_expiry().into_iter().chain(self.waiting.next_expiry()).min()
    }
}
