//! Requests that [`crate::workload`] does not ask: order lists, fees by market and volume, what guards the
//! treasury, the life of markets, releases from quarantine.

use chance::Random;
use types::{
    AccountId, Amount, AssetId, ClientOrderId, Component, Conditions, CreditPolicy, FeeSchedule,
    ListLeg, MarketId, MarketRules, OperatorName, OrderId, OrderSpec, PlaceOrderList, Price,
    Quantity, Redefinition, Reopening, Request, SelfTradePrevention, Side, SourceKind, TierStep,
    TimeInForce, Timestamp, Trigger, VolumeFactor,
};

use crate::workload::{ACCOUNTS, BASE, MARKETS, QUOTE, Workload, rates};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

/// One of them, at `now`.
pub fn request(random: &mut Random, now: Timestamp) -> Request {
    match random.below(18) {
        0..7 => Request::PlaceOrderList(Box::new(order_list(random, now))),
        7..9 => {
            let (account, market) = (account(random), market(random));
            let list = OrderId(random.below(1 << 12));
            Request::CancelOrderList { account, market, list }
        }
        9 => Request::SetFeeSchedule(schedule(random)),
        10 => {
            let (market, tier) = (market(random), random.below(3) as u8);
            let rates = random.one_in(2).then(|| rates(random.below(1_000), 2_000));
            Request::SetMarketFees { market, tier, rates }
        }
        11 => {
            let component = match random.below(3) {
                0 => Component::Ledger(account(random).slot()),
                1 => Component::Market(market(random)),
                _ => Component::Treasury,
            };
            Request::ReleaseQuarantine { component }
        }
        12 => Request::AttestReserves {
            operator: operator(random),
            asset: asset(random),
            // Around what the founding let in.
            ceiling: Amount::new(u128::from(random.between(1 << 50, 1 << 55))),
            evidence: [7; 32],
        },
        13 => Request::SetCreditPolicy {
            operator: operator(random),
            asset: asset(random),
            policy: Box::new(policy(random)),
        },
        14 => Request::SetSourceKind {
            operator: operator(random),
            source: random.between(1, 2) as u32,
            kind: random.pick(&[SourceKind::Manual, SourceKind::Machine]),
        },
        15 => {
            let (market, at) = (market(random), far(random, now));
            let redefinition = random.one_in(2).then(|| Box::new(redefinition(random)));
            Request::PlanRedefinition { market, at, redefinition }
        }
        16 => {
            let (market, at) = (market(random), far(random, now));
            Request::PlanDelisting { market, at: random.one_in(2).then_some(at) }
        }
        _ => {
            let (operator, proposal) = (operator(random), random.below(40));
            if random.one_in(3) {
                Request::RejectProposal { operator, proposal }
            } else {
                Request::ApproveProposal { operator, proposal }
            }
        }
    }
}

/// One of them for a run of seconds under faults, in which the clock may jump by minutes: it names lists,
/// proposals and versions that there are, and what it plans comes soon; the end of a market only if `may_delist`.
pub fn request_soon(workload: &mut Workload, now: Timestamp, may_delist: bool) -> Request {
    let mut request = request(workload.random(), now);
    match &mut request {
        Request::PlaceOrderList(list) => list.version = workload.version(list.market),
        Request::CancelOrderList { account, market, list } => {
            let known = workload.known_list().unwrap_or((*account, *market, *list));
            (*account, *market, *list) = known;
        }
        Request::ApproveProposal { proposal, .. } | Request::RejectProposal { proposal, .. } => {
            *proposal = workload.known_proposal().unwrap_or(*proposal);
        }
        Request::PlanRedefinition { at, .. } => *at = soon(workload.random(), now, SECOND),
        Request::PlanDelisting { at: Some(at), .. } if may_delist => {
            *at = soon(workload.random(), now, HOUR / 6);
        }
        _ => {}
    }
    request
}

fn soon(random: &mut Random, now: Timestamp, within: u64) -> Timestamp {
    Timestamp(now.0 + random.between(1, within))
}

/// Rules by which a market that was trading when the log broke off reopens in steps.
pub fn reopening(random: &mut Random) -> Request {
    let seconds = |random: &mut Random| random.between(1, 60) as u32;
    let (cancel_only_seconds, auction_seconds) = (seconds(random), seconds(random));
    let reopening = Some(Reopening { cancel_only_seconds, auction_seconds });
    let rules = Box::new(MarketRules { reopening, ..MarketRules::default() });
    Request::SetMarketRules { market: market(random), rules }
}

fn account(random: &mut Random) -> AccountId {
    AccountId(1 + random.below(u64::from(ACCOUNTS)) as u32)
}

fn market(random: &mut Random) -> MarketId {
    MarketId(1 + random.below(u64::from(MARKETS)) as u32)
}

fn asset(random: &mut Random) -> AssetId {
    random.pick(&[BASE, QUOTE])
}

fn operator(random: &mut Random) -> OperatorName {
    random.pick(&["ann", "bob"]).parse().expect("short and printable")
}

/// Far enough away for most to be replaced or taken back before: a market without orders shows nothing.
fn far(random: &mut Random, now: Timestamp) -> Timestamp {
    Timestamp(now.0 + random.between(1, 24) * HOUR * if random.one_in(50) { 1 } else { 30 })
}

fn redefinition(random: &mut Random) -> Redefinition {
    Redefinition {
        tick: random.pick(&["0.01", "0.02", "0.005"]).parse().expect("a decimal"),
        lot: random.pick(&["0.0001", "0.0002", "0.00001"]).parse().expect("a decimal"),
        max_price: Price::new(100_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: None,
    }
}

fn policy(random: &mut Random) -> CreditPolicy {
    let limit = |random: &mut Random| random.one_in(3).then(|| Amount::new(1 << random.below(40)));
    CreditPolicy {
        large_credit: limit(random),
        hourly_credit: limit(random),
        manual_needs_approval: random.one_in(4),
        expiry_hours: random.between(1, 30) as u16,
    }
}

fn schedule(random: &mut Random) -> FeeSchedule {
    let factor = VolumeFactor { quote: QUOTE, numerator: 1, denominator: 1_000_000 };
    let step = |tier, least| TierStep { tier, least: Amount::new(least) };
    let second = 1 << random.below(30);
    FeeSchedule { steps: vec![step(0, 0), step(1, second)], factors: vec![factor] }
}

/// Two that cancel each other, or one with one or two behind it; often with a mistake.
fn order_list(random: &mut Random, now: Timestamp) -> PlaceOrderList {
    let side = random.pick(&[Side::Buy, Side::Sell]);
    let quantity = Quantity::new(random.between(1, 20));
    let pair = |random: &mut Random, side| {
        let (near, far) = (random.between(9_990, 10_010), random.between(9_980, 10_020));
        vec![leg(side, near, quantity, None), leg(side, near, quantity, Some(trigger(side, far)))]
    };
    let (legs, pending) = match random.below(3) {
        0 => (pair(random, side), Vec::new()),
        kind => {
            let first = leg(side, random.between(9_990, 10_010), quantity, None);
            let mut behind = pair(random, side.opposite());
            behind.truncate(kind as usize);
            (vec![first], behind)
        }
    };
    let name = format!("l{}", now.0 % 1_000_000_007);
    let client_order_id = if random.one_in(2) { ClientOrderId::NONE } else { named(&name) };
    PlaceOrderList {
        account: account(random),
        market: market(random),
        version: 1,
        client_order_id,
        self_trade_prevention: random
            .pick(&[SelfTradePrevention::None, SelfTradePrevention::ExpireMaker]),
        legs,
        pending,
    }
}

fn named(name: &str) -> ClientOrderId {
    name.parse().expect("short and printable")
}

/// On the other side of the market than a limit order of the side.
fn trigger(side: Side, to: u64) -> Trigger {
    let to = Price::new(to);
    match side {
        Side::Buy => Trigger::Rises { to },
        Side::Sell => Trigger::Falls { to },
    }
}

fn leg(side: Side, price: u64, quantity: Quantity, trigger: Option<Trigger>) -> ListLeg {
    ListLeg {
        client_order_id: ClientOrderId::NONE,
        side,
        spec: OrderSpec::Limit {
            price: Price::new(price),
            quantity,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
        },
        conditions: Conditions { trigger, ..Conditions::NONE },
    }
}
