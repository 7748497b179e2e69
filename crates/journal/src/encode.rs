//! Borsh of commands and events. The bytes are those that their derived encoding gives; what nearly every entry is made
//! of is written in one piece, since the derived encoding asks for room field by field, which costs more than to write.
//!
//! Patterns name every field, so that a new one is a mistake of the compiler's to find and not a wrong log.

use borsh::BorshSerialize;
use types::{
    Amount, Command, Event, Fee, OrderSpec, PlaceOrder, ReplyTo, Request, Side, Trade, TradeSide,
};

/// Appends arrays of bytes, so many in all, with one look for room.
macro_rules! append {
    ($buffer:ident, $len:literal: $($bytes:expr),+ $(,)?) => {{
        let room: &mut [u8; $len] = room($buffer);
        let mut at = 0;
        $(
            let bytes = $bytes;
            room[at..at + bytes.len()].copy_from_slice(&bytes);
            at += bytes.len();
        )+
        assert_eq!(at, $len, "as many bytes as there is room for");
    }};
}

/// Zeros at the end of the buffer. All offsets into them are known to the compiler.
#[inline(always)]
fn room<const LEN: usize>(buffer: &mut Vec<u8>) -> &mut [u8; LEN] {
    buffer.extend_from_slice(&[0; LEN]);
    buffer.last_chunk_mut().expect("just added")
}

/// Appends a command.
#[inline]
pub(crate) fn command(command: &Command, buffer: &mut Vec<u8>) {
    match command {
        Command::Request { reply, valid_until, request } => {
            append!(buffer, 35: [1], reply_to(reply), valid_until.0.to_le_bytes());
            self::request(request, buffer);
        }
        other => derived(other, buffer),
    }
}

fn request(request: &Request, buffer: &mut Vec<u8>) {
    match request {
        Request::PlaceOrder(order) => place_order(order, buffer),
        Request::CancelOrder { account, market, order } => append!(buffer, 17:
            [3],
            account.0.to_le_bytes(),
            market.0.to_le_bytes(),
            order.0.to_le_bytes(),
        ),
        other => derived(other, buffer),
    }
}

fn place_order(order: &PlaceOrder, buffer: &mut Vec<u8>) {
    let PlaceOrder {
        account,
        market,
        version,
        client_order_id,
        side,
        spec,
        conditions,
        self_trade_prevention,
    } = order;
    append!(buffer, 13:
        [1],
        account.0.to_le_bytes(),
        market.0.to_le_bytes(),
        version.to_le_bytes(),
    );
    derived(client_order_id, buffer);
    kind(*side, spec, buffer);
    derived(conditions, buffer);
    buffer.push(*self_trade_prevention as u8);
}

/// Side and kind stand together wherever they are.
#[inline(always)]
fn kind(side: Side, spec: &OrderSpec, buffer: &mut Vec<u8>) {
    match *spec {
        OrderSpec::Limit { price, quantity, time_in_force, post_only } => append!(buffer, 20:
            [side as u8, 1],
            price.get().to_le_bytes(),
            quantity.get().to_le_bytes(),
            [time_in_force as u8, u8::from(post_only)],
        ),
        OrderSpec::MarketByQuantity { .. } | OrderSpec::MarketByQuote { .. } => {
            buffer.push(side as u8);
            derived(spec, buffer);
        }
    }
}

/// Appends an event.
#[inline]
pub(crate) fn event(event: &Event, buffer: &mut Vec<u8>) {
    match event {
        Event::OrderPlaced {
            reply,
            market,
            order,
            account,
            client_order_id,
            side,
            spec,
            conditions,
        } => {
            append!(buffer, 43:
                [3],
                reply_to(reply),
                market.0.to_le_bytes(),
                order.0.to_le_bytes(),
                account.0.to_le_bytes(),
            );
            derived(client_order_id, buffer);
            kind(*side, spec, buffer);
            derived(conditions, buffer);
        }
        Event::OrderRested { market, order, account, side, price, quantity, hidden } => {
            append!(buffer, 42:
                [4],
                market.0.to_le_bytes(),
                order.0.to_le_bytes(),
                account.0.to_le_bytes(),
                [*side as u8],
                price.get().to_le_bytes(),
                quantity.get().to_le_bytes(),
                hidden.get().to_le_bytes(),
            );
        }
        Event::Trade(trade) => self::trade(trade, buffer),
        Event::OrderCancelled { reply, market, order, account, remaining, cause } => {
            append!(buffer, 52:
                [6],
                reply_to(reply),
                market.0.to_le_bytes(),
                order.0.to_le_bytes(),
                account.0.to_le_bytes(),
                remaining.get().to_le_bytes(),
                [*cause as u8],
            );
        }
        Event::BalanceChanged { account, asset, available, held } => append!(buffer, 41:
            [10],
            account.0.to_le_bytes(),
            asset.0.to_le_bytes(),
            available.get().to_le_bytes(),
            held.get().to_le_bytes(),
        ),
        other => derived(other, buffer),
    }
}

fn trade(trade: &Trade, buffer: &mut Vec<u8>) {
    let Trade {
        market,
        trade: number,
        price,
        quantity,
        base_amount,
        quote_amount,
        aggressor,
        buyer,
        seller,
    } = trade;
    let Some(aggressor) = aggressor else {
        return derived(&Event::Trade(*trade), buffer);
    };
    append!(buffer, 63:
        [5],
        market.0.to_le_bytes(),
        number.0.to_le_bytes(),
        price.get().to_le_bytes(),
        quantity.get().to_le_bytes(),
        base_amount.get().to_le_bytes(),
        quote_amount.get().to_le_bytes(),
        [1, *aggressor as u8],
    );
    trade_side(buyer, buffer);
    trade_side(seller, buffer);
}

fn trade_side(side: &TradeSide, buffer: &mut Vec<u8>) {
    let TradeSide { account, order, remaining, fee } = side;
    append!(buffer, 20:
        account.0.to_le_bytes(),
        order.0.to_le_bytes(),
        remaining.get().to_le_bytes(),
    );
    match fee {
        Fee::Paid { rounded_up, income } => {
            append!(buffer, 18: [1, u8::from(*rounded_up)], amount(*income));
        }
        Fee::Rebate { amount: rebate } => append!(buffer, 17: [2], amount(*rebate)),
    }
}

#[inline(always)]
fn amount(amount: Amount) -> [u8; 16] {
    amount.get().to_le_bytes()
}

#[inline(always)]
fn reply_to(reply: &ReplyTo) -> [u8; 26] {
    let ReplyTo { session, token, passed, passed_seq } = reply;
    let mut bytes = [0; 26];
    bytes[..8].copy_from_slice(&session.to_le_bytes());
    bytes[8..16].copy_from_slice(&token.to_le_bytes());
    bytes[16..18].copy_from_slice(&passed.0.to_le_bytes());
    bytes[18..].copy_from_slice(&passed_seq.0.to_le_bytes());
    bytes
}

/// As its type says.
#[inline]
fn derived(value: &impl BorshSerialize, buffer: &mut Vec<u8>) {
    value.serialize(buffer).expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use types::{
        AccountId, AssetId, BoxedConditions, CancelCause, ClientOrderId, Conditions, MarketId,
        OrderId, PartitionId, Price, Quantity, SelfTradePrevention, Seq, TimeInForce, Timestamp,
        TradeId,
    };

    use super::*;

    const REPLY: ReplyTo = ReplyTo {
        session: 0x0102_0304_0506_0708,
        token: u64::MAX - 1,
        passed: PartitionId(0x0A0B),
        passed_seq: Seq(0x1112_1314_1516_1718),
    };
    const MARKET: MarketId = MarketId(0x2122_2324);
    const ORDER: OrderId = OrderId(0x3132_3334_3536_3738);
    const ACCOUNT: AccountId = AccountId(0x4142_4344);

    fn quantity(n: u64) -> Quantity {
        Quantity::new(n << 32 | 0x5152_5354)
    }

    fn amount(n: u128) -> Amount {
        Amount::new(n << 64 | 0x6162_6364)
    }

    fn specs() -> Vec<OrderSpec> {
        let limit = |time_in_force, post_only| OrderSpec::Limit {
            price: Price::new(0x7172_7374_7576_7778),
            quantity: quantity(7),
            time_in_force,
            post_only,
        };
        vec![
            limit(TimeInForce::Gtc, true),
            limit(TimeInForce::Gtc, false),
            limit(TimeInForce::Ioc, false),
            limit(TimeInForce::Fok, false),
            OrderSpec::MarketByQuantity { quantity: quantity(8), max_spend: None },
            OrderSpec::MarketByQuote { quote: amount(9), max_spend: Some(amount(10)) },
        ]
    }

    /// What goes with the kinds of orders.
    fn variations() -> Vec<(Side, OrderSpec, ClientOrderId, BoxedConditions)> {
        let conditions = Conditions { expires_at: Some(Timestamp(11)), ..Conditions::NONE };
        let mut all = Vec::new();
        for spec in specs() {
            for side in [Side::Buy, Side::Sell] {
                for id in [ClientOrderId::NONE, "x-7".parse().unwrap()] {
                    all.push((side, spec, id, BoxedConditions::NONE));
                    all.push((side, spec, id, conditions.into()));
                }
            }
        }
        all
    }

    fn placements() -> Vec<Request> {
        let place = |(side, spec, client_order_id, conditions)| PlaceOrder {
            account: ACCOUNT,
            market: MARKET,
            version: 0x8182_8384,
            client_order_id,
            side,
            spec,
            conditions,
            self_trade_prevention: SelfTradePrevention::Decrement,
        };
        variations().into_iter().map(|with| Request::PlaceOrder(place(with))).collect()
    }

    fn trades() -> Vec<Event> {
        let fees = [
            Fee::NONE,
            Fee::Paid { rounded_up: true, income: amount(1) },
            Fee::Rebate { amount: amount(2) },
        ];
        let side = |fee| TradeSide { account: ACCOUNT, order: ORDER, remaining: quantity(3), fee };
        let mut all = Vec::new();
        for aggressor in [None, Some(Side::Buy), Some(Side::Sell)] {
            for (buyer, seller) in [(0, 1), (1, 2), (2, 0)] {
                all.push(Event::Trade(Trade {
                    market: MARKET,
                    trade: TradeId(0x9192_9394_9596_9798),
                    price: Price::new(4),
                    quantity: quantity(5),
                    base_amount: amount(6),
                    quote_amount: amount(7),
                    aggressor,
                    buyer: side(fees[buyer]),
                    seller: side(fees[seller]),
                }));
            }
        }
        all
    }

    fn events() -> Vec<Event> {
        let placed = |(side, spec, client_order_id, conditions)| Event::OrderPlaced {
            reply: REPLY,
            market: MARKET,
            order: ORDER,
            account: ACCOUNT,
            client_order_id,
            side,
            spec,
            conditions,
        };
        let mut all: Vec<Event> = variations().into_iter().map(placed).collect();
        all.extend(trades());
        for side in [Side::Buy, Side::Sell] {
            let price = Price::new(0xA1A2_A3A4_A5A6_A7A8);
            let (quantity, hidden) = (quantity(1), quantity(2));
            all.push(Event::OrderRested {
                market: MARKET,
                order: ORDER,
                account: ACCOUNT,
                side,
                price,
                quantity,
                hidden,
            });
        }
        for cause in [CancelCause::Client, CancelCause::BookFull] {
            let (reply, remaining) = (REPLY, quantity(3));
            let (market, order, account) = (MARKET, ORDER, ACCOUNT);
            all.push(Event::OrderCancelled { reply, market, order, account, remaining, cause });
        }
        let (available, held) = (amount(12), amount(13));
        let (account, asset) = (ACCOUNT, AssetId(0xB1B2_B3B4));
        all.push(Event::BalanceChanged { account, asset, available, held });
        all.push(Event::CancelAllAccepted { reply: REPLY, account, market: MARKET, count: 3 });
        all
    }

    #[test]
    fn events_are_written_as_their_derived_encoding_writes_them() {
        for one in events() {
            let mut bytes = vec![0xEE];
            event(&one, &mut bytes);
            assert_eq!(bytes[1..], borsh::to_vec(&one).unwrap(), "{one:?}");
        }
    }

    #[test]
    fn commands_are_written_as_their_derived_encoding_writes_them() {
        let mut requests = placements();
        requests.push(Request::CancelOrder { account: ACCOUNT, market: MARKET, order: ORDER });
        requests.push(Request::CreateAccount { account: ACCOUNT, fee_tier: 3 });
        let sent = |request| Command::Request { reply: REPLY, valid_until: Timestamp(5), request };
        let commands = requests.into_iter().map(sent);
        for one in commands.chain([Command::Continue, Command::NewTerm { term: 7 }]) {
            let mut bytes = vec![0xEE];
            command(&one, &mut bytes);
            assert_eq!(bytes[1..], borsh::to_vec(&one).unwrap(), "{one:?}");
        }
    }
}
