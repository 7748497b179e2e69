//! Reject codes: stable numbers by area, in order of precedence. Retired numbers are never reused.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectArea {
    /// The request itself: its form, its age, the load of the exchange.
    Request,
    /// The account.
    Account,
    /// The market and its state.
    Market,
    /// The order.
    Order,
    /// Funds.
    Funds,
    /// Operators' commands.
    Operation,
}

macro_rules! reject_codes {
    ($($area:ident { $($name:ident = $number:literal, retryable: $retryable:literal, $text:literal;)* })*) => {
        /// Why a command was rejected. The number and the name are stable: they stand alike in the
        /// log, in HTTP and WebSocket answers, in SQL and in metrics.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
        )]
        pub enum RejectCode {
            $($(#[doc = $text] $name,)*)*
        }

        impl RejectCode {
            /// Every code, by rising number.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// The stable number.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $($(Self::$name => $number,)*)* }
            }

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)*)* }
            }

            /// One sentence for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $($(Self::$name => $text,)*)* }
            }

            /// What it is about.
            #[must_use]
            pub const fn area(self) -> RejectArea {
                match self { $($(Self::$name => RejectArea::$area,)*)* }
            }

            /// Whether the same command may succeed later without a change of its own. Outcomes of
            /// this kind are not remembered for a client order id.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $($(Self::$name => $retryable,)*)* }
            }
        }
    };
}

reject_codes! {
    Request {
        Malformed = 100, retryable: false, "The request is not well formed.";
        Expired = 101, retryable: true, "The command reached the sequencer after its valid_until.";
        Overloaded = 102, retryable: true, "The exchange has more waiting commands than it admits; nothing was done.";
        ClientIdInFlight = 103, retryable: true, "A command with this client id is still being decided.";
        ClientIdReused = 104, retryable: false, "This client id was used for a different command.";
        TooManyClientIds = 105, retryable: true, "The account has used too many client ids in the time they are remembered.";
        ComponentQuarantined = 106, retryable: true, "The market, or the account's part of the ledger, is stopped after a failure; nothing was done.";
    }
    Account {
        UnknownAccount = 200, retryable: true, "There is no such account.";
        AccountFrozen = 201, retryable: true, "The account is frozen: it may cancel, but not place or pay.";
        AccountExists = 202, retryable: false, "There is an account with this id already.";
        TooManyAccounts = 203, retryable: false, "The account id is beyond the exchange's bound.";
        TooManyOpenOrders = 204, retryable: true, "The account has as many open orders in this market as it may.";
    }
    Market {
        UnknownMarket = 300, retryable: true, "There is no such market.";
        StaleDefinition = 301, retryable: false, "The market's tick or lot has changed since the command was made.";
        MarketHalted = 302, retryable: true, "The market is halted.";
        MarketCancelOnly = 303, retryable: true, "The market accepts cancels only.";
        NotDuringAuction = 304, retryable: true, "Only resting limit orders are accepted during an auction.";
        BookFull = 305, retryable: true, "The book holds as many orders as it may.";
        TooManyLevels = 306, retryable: true, "The book holds as many price levels as it may.";
        NoReferencePrice = 307, retryable: true, "The market has no last price that a trigger could be compared with.";
        MarketClosed = 308, retryable: true, "The market is closed; cancels pass.";
        TooManyWaitingOrders = 309, retryable: true, "As many orders wait for a trigger as may.";
        MarketDelisted = 310, retryable: false, "The market is delisted: nothing is accepted there any more.";
    }
    Order {
        UnknownOrder = 400, retryable: true, "There is no such open order of this account.";
        InvalidPrice = 401, retryable: false, "The price is zero or above the market's largest.";
        InvalidQuantity = 402, retryable: false, "The quantity is zero or above the market's largest.";
        InvalidCombination = 403, retryable: false, "These order options do not go together.";
        WouldMatch = 404, retryable: false, "A post-only order would have matched on arrival.";
        NotFillable = 405, retryable: false, "A fill-or-kill order could not be filled whole.";
        NoLiquidity = 406, retryable: false, "There is nothing to match a market order with.";
        NothingToAmend = 407, retryable: false, "The amendment changes nothing.";
        QuantityBelowFilled = 408, retryable: false, "The new quantity is not above what is filled already.";
        AmendmentInFlight = 409, retryable: true, "Another amendment of this order is still being decided.";
        WouldTrigger = 410, retryable: false, "The last price has met the trigger already.";
        InvalidTrigger = 411, retryable: false, "A price or distance of the trigger is out of its range.";
        InvalidExpiry = 412, retryable: false, "The order would expire before it could enter.";
        InvalidVisibleQuantity = 413, retryable: false, "The visible quantity is zero or not below the quantity.";
        MinimumNotMet = 414, retryable: false, "Less than the minimum quantity could be matched on arrival.";
        NotAmendable = 415, retryable: false, "An order that waits for its trigger or is of a list cannot be amended; cancel it and place another.";
        QuantityBelowMinimum = 416, retryable: false, "The quantity is below the market's least for this kind of order.";
        QuantityAboveMaximum = 417, retryable: false, "The quantity is above the market's most for this kind of order.";
        NotionalBelowMinimum = 418, retryable: false, "The order is worth less than the market's least.";
        NotionalAboveMaximum = 419, retryable: false, "The order is worth more than the market's most.";
        PriceOutOfBand = 420, retryable: true, "The price is too far from the average of the last trades.";
        TooManyIcebergParts = 421, retryable: false, "The iceberg would come in more parts than the market allows.";
        LosesPriority = 422, retryable: false, "The order would lose its place in the queue, which the amendment was to keep.";
    }
    Funds {
        UnknownAsset = 500, retryable: true, "There is no such asset.";
        InvalidAmount = 501, retryable: false, "The amount is zero or larger than an asset's largest supply.";
        InsufficientBalance = 502, retryable: false, "The available balance does not cover it.";
        UnknownPendingDebit = 503, retryable: false, "There is no such pending debit.";
        SameAccount = 504, retryable: false, "Both accounts are the same.";
        PositionLimit = 505, retryable: true, "The account would have, or want to buy, more of the asset than the market allows.";
    }
    Operation {
        ReferenceUsed = 600, retryable: false, "This reference was used already.";
        ReferenceGap = 601, retryable: true, "The reference is not the next one of its source.";
        SupplyExceeded = 602, retryable: false, "More of the asset would exist than the exchange can count.";
        AlreadyDefined = 603, retryable: false, "There is a definition with this id or symbol already.";
        InvalidDefinition = 604, retryable: false, "The definition breaks a rule: name, scale, tick, lot, range, bound or rate.";
        WrongState = 605, retryable: false, "The market is in that state already or cannot go there.";
        WrongPartition = 606, retryable: true, "The command reached a partition that does not host its subject.";
        UnknownFeeTier = 607, retryable: false, "There is no such fee tier; only tier 0 needs no definition.";
        PlanRefused = 608, retryable: false, "The time has come already, nothing is planned then, or as much is planned as may be.";
        NotQuarantined = 609, retryable: false, "The component is not quarantined.";
        OperatorRequired = 610, retryable: false, "An operator must ask for it: it needs approval, or changes what does.";
        UnknownProposal = 611, retryable: false, "There is no such open proposal.";
        SameOperator = 612, retryable: false, "The operator who proposed it cannot approve it: another must.";
        CeilingExceeded = 613, retryable: true, "It would lift the supply above the ceiling, which is not what was proposed.";
        TooManyProposals = 614, retryable: true, "As many proposals wait as may; decide some first.";
        NotApproved = 615, retryable: false, "An operator rejected the proposal.";
        ApprovalExpired = 616, retryable: false, "The proposal was not approved in time.";
    }
}

/// Written as its stable number, two bytes.
impl BorshSerialize for RejectCode {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.number().serialize(writer)
    }
}

impl BorshDeserialize for RejectCode {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let number = u16::deserialize_reader(reader)?;
        let position = Self::ALL.binary_search_by_key(&number, |code| code.number());
        position.map(|at| Self::ALL[at]).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_are_written_by_number() {
        assert!(RejectCode::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        for &code in RejectCode::ALL {
            let bytes = borsh::to_vec(&code).unwrap();
            assert_eq!(bytes, code.number().to_le_bytes());
            assert_eq!(borsh::from_slice::<RejectCode>(&bytes).unwrap(), code);
        }
        assert!(borsh::from_slice::<RejectCode>(&[0, 0]).is_err());
    }
}
