//! Commands of people and operators, as a line of words.
//!
//! ```text
//! WHO buy|sell LOTS @ PRICE OPTION...     a limit order
//! WHO buy|sell LOTS market OPTION...      by quantity
//! WHO buy|sell quote ATOMS OPTION...      by quote
//! WHO cancel ID | WHO cancel id NAME | WHO cancel all
//! WHO amend ID [@ PRICE] [total LOTS] [version N]
//! WHO replace ID strictly|anyway ORDER    ORDER as above, from buy or sell on
//! WHO switch MILLISECONDS
//! WHO oco [as NAME] ORDER / ORDER
//! WHO oto [as NAME] ORDER / ORDER
//! WHO otoco [as NAME] ORDER / ORDER / ORDER
//! WHO cancel list ID
//! state STATE | plan SECONDS STATE|nothing | at SECONDS | day N (its midnight)
//! later SECONDS                           when the next entry comes
//! redefine SECONDS TICK LOT [MAX_PRICE MAX_LOTS] [bounds ORDERS LEVELS OF_ACCOUNT WAITING] | redefine SECONDS nothing | delist SECONDS|nothing
//! stop | crash                            and a start behind it
//! market                                  its definition, state and last price
//! fees MAKER TAKER | tier N MAKER TAKER | market fees N MAKER TAKER | market fees N nothing
//! schedule N:VOLUME... [counts NUMERATOR DENOMINATOR|nothing] | pin WHO N | unpin WHO
//! rules RULE... | freeze WHO | unfreeze WHO | book | funds WHO
//! house                                   what the exchange has earned
//! ```
//! Options: `ioc`, `fok`, `post`, `slide`, `visible N`, `least N`, `until SECONDS`, `rises P`, `falls P`,
//! `trails BASIS_POINTS`, `from P` (its activation), `cap ATOMS`, `id NAME`, `version N`,
//! `prevents taker|maker|both|decrement`.
//! Rules: `lots A..B`, `market A..B`, `worth A..B`, `band MINUTES BELOW ABOVE` (ppm, both sides alike),
//! `parts N`, `open N`, `waiting N`, `position N`, `age SECONDS`, `interrupt PPM SECONDS`,
//! `reopen SECONDS SECONDS` (cancel-only, then an auction). Versions are the present one unless stated.

use types::*;

use super::floor::{Floor, account, number};
use super::said::STATES;
use crate::exchange::{FIRST_MARKET, QUOTE, limit};

pub fn request(floor: &Floor, words: &[&str]) -> Option<Request> {
    let market = FIRST_MARKET;
    Some(match *words {
        ["state", name] => Request::SetMarketState { market, state: state(name)? },
        ["plan", at, name] => {
            let at = floor.time(number(at));
            Request::PlanMarketState { market, at, state: state(name) }
        }
        ["redefine", at, ref units @ ..] => Request::PlanRedefinition {
            market,
            at: floor.time(number(at)),
            redefinition: redefinition(units)?.map(Box::new),
        },
        ["delist", at] => {
            let at = (at != "nothing").then(|| floor.time(number(at)));
            Request::PlanDelisting { market, at }
        }
        ["rules", ref rules @ ..] => {
            Request::SetMarketRules { market, rules: Box::new(market_rules(rules)?) }
        }
        ["fees", maker, taker] => Request::SetFeeTier { tier: 0, rates: rates(maker, taker) },
        ["tier", tier, maker, taker] => {
            Request::SetFeeTier { tier: number(tier) as u8, rates: rates(maker, taker) }
        }
        ["market", "fees", tier, ref own @ ..] => {
            let rates = match *own {
                [maker, taker] => Some(rates(maker, taker)),
                ["nothing"] => None,
                _ => return None,
            };
            Request::SetMarketFees { market, tier: number(tier) as u8, rates }
        }
        ["schedule", ref words @ ..] => Request::SetFeeSchedule(schedule(words)?),
        ["pin", who, tier] => {
            let (account, fee_tier) = (account(who), Some(number(tier) as u8));
            Request::SetAccountFeeTier { account, fee_tier }
        }
        ["unpin", who] => Request::SetAccountFeeTier { account: account(who), fee_tier: None },
        ["freeze", who] => Request::FreezeAccount { account: account(who), frozen: true },
        ["unfreeze", who] => Request::FreezeAccount { account: account(who), frozen: false },
        [who, "cancel", "all"] => Request::CancelAll { account: account(who), market },
        [who, "cancel", "id", name] => {
            Request::CancelByClientId { account: account(who), client_order_id: name.parse().ok()? }
        }
        [who, "cancel", "list", id] => {
            let (account, list) = (account(who), OrderId(number(id)));
            Request::CancelOrderList { account, market, list }
        }
        [who, "cancel", id] => {
            let (account, order) = (account(who), OrderId(number(id)));
            Request::CancelOrder { account, market, order }
        }
        [who, "amend", id, ref changes @ ..] => {
            let (changes, keep_priority) = match *changes {
                [ref changes @ .., "keeping", "priority"] => (changes, true),
                _ => (changes, false),
            };
            let (changes, version) = match *changes {
                [ref changes @ .., "version", version] => (changes, number(version) as u32),
                _ => (changes, floor.version()),
            };
            let (price, quantity) = changes_of(changes)?;
            let (account, order) = (account(who), OrderId(number(id)));
            Request::AmendOrder { account, market, version, order, price, quantity, keep_priority }
        }
        [who, "replace", id, how, ref placed @ ..] => {
            Request::ReplaceOrder(Box::new(ReplaceOrder {
                cancel: OrderId(number(id)),
                stop_on_failure: how == "strictly",
                order: order(floor, who, placed)?,
            }))
        }
        [who, "switch", ms] => {
            let after_ms = number(ms) as u32;
            Request::SetCountdown { account: account(who), market, after_ms }
        }
        [who, kind @ ("oco" | "oto" | "otoco"), ref legs @ ..] => {
            Request::PlaceOrderList(Box::new(list(floor, who, kind, legs)?))
        }
        [who, ref placed @ ..] => Request::PlaceOrder(order(floor, who, placed)?),
        [] => return None,
    })
}

fn order(floor: &Floor, who: &str, words: &[&str]) -> Option<PlaceOrder> {
    let (side, words) = words.split_first()?;
    let side = match *side {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => return None,
    };
    let version = floor.version();
    let mut order = PlaceOrder { side, version, ..limit(account(who).0, side, 0, 0) };
    let options = match *words {
        [lots, "@", price, ref options @ ..] => {
            let (price, quantity) = (Price::new(number(price)), Quantity::new(number(lots)));
            let (time_in_force, post_only) = (TimeInForce::Gtc, false);
            order.spec = OrderSpec::Limit { price, quantity, time_in_force, post_only };
            options
        }
        [lots, "market", ref options @ ..] => {
            let quantity = Quantity::new(number(lots));
            order.spec = OrderSpec::MarketByQuantity { quantity, max_spend: None };
            options
        }
        ["quote", atoms, ref options @ ..] => {
            let quote = Amount::new(number(atoms).into());
            order.spec = OrderSpec::MarketByQuote { quote, max_spend: None };
            options
        }
        _ => return None,
    };
    let mut options = options.iter();
    let mut conditions = Conditions::NONE;
    while let Some(&option) = options.next() {
        apply(floor, &mut order, &mut conditions, option, &mut options)?;
    }
    order.conditions = conditions.into();
    Some(order)
}

/// Self-trade prevention and the version are those that the first leg states.
fn list(floor: &Floor, who: &str, kind: &str, words: &[&str]) -> Option<PlaceOrderList> {
    let (name, words) = match *words {
        ["as", name, ref legs @ ..] => (name.parse().ok()?, legs),
        ref legs => (ClientOrderId::NONE, legs),
    };
    let orders = words.split(|word| *word == "/").map(|words| order(floor, who, words));
    let orders = orders.collect::<Option<Vec<PlaceOrder>>>()?;
    let mut legs: Vec<ListLeg> = orders
        .iter()
        .map(|order| ListLeg {
            client_order_id: order.client_order_id,
            side: order.side,
            spec: order.spec,
            conditions: *order.conditions,
        })
        .collect();
    let pending = legs.split_off(if kind == "oco" { legs.len() } else { 1 });
    let &PlaceOrder { account, market, version, self_trade_prevention, .. } = orders.first()?;
    let client_order_id = name;
    Some(PlaceOrderList {
        account,
        market,
        version,
        client_order_id,
        self_trade_prevention,
        legs,
        pending,
    })
}

fn apply<'a>(
    floor: &Floor,
    order: &mut PlaceOrder,
    conditions: &mut Conditions,
    option: &str,
    rest: &mut impl Iterator<Item = &'a &'a str>,
) -> Option<()> {
    let mut next = || rest.next().map(|word| number(word));
    match option {
        "ioc" => set_time_in_force(&mut order.spec, TimeInForce::Ioc)?,
        "fok" => set_time_in_force(&mut order.spec, TimeInForce::Fok)?,
        "post" => match &mut order.spec {
            OrderSpec::Limit { post_only, .. } => *post_only = true,
            _ => return None,
        },
        "slide" => conditions.slide = true,
        "visible" => conditions.visible = Some(Quantity::new(next()?)),
        "least" => conditions.minimum = Some(Quantity::new(next()?)),
        "until" => conditions.expires_at = Some(floor.time(next()?)),
        "rises" => conditions.trigger = Some(Trigger::Rises { to: Price::new(next()?) }),
        "falls" => conditions.trigger = Some(Trigger::Falls { to: Price::new(next()?) }),
        "trails" => {
            let basis_points = next()? as u16;
            conditions.trigger = Some(Trigger::Trails { basis_points, activation: None });
        }
        "from" => match &mut conditions.trigger {
            Some(Trigger::Trails { activation, .. }) => *activation = Some(Price::new(next()?)),
            _ => return None,
        },
        "cap" => match &mut order.spec {
            OrderSpec::MarketByQuantity { max_spend, .. }
            | OrderSpec::MarketByQuote { max_spend, .. } => {
                *max_spend = Some(Amount::new(next()?.into()));
            }
            OrderSpec::Limit { .. } => return None,
        },
        "id" => order.client_order_id = rest.next()?.parse().ok()?,
        "version" => order.version = next()? as u32,
        "prevents" => {
            order.self_trade_prevention = match *rest.next()? {
                "taker" => SelfTradePrevention::ExpireTaker,
                "maker" => SelfTradePrevention::ExpireMaker,
                "both" => SelfTradePrevention::ExpireBoth,
                "decrement" => SelfTradePrevention::Decrement,
                _ => return None,
            };
        }
        _ => return None,
    }
    Some(())
}

fn set_time_in_force(spec: &mut OrderSpec, to: TimeInForce) -> Option<()> {
    match spec {
        OrderSpec::Limit { time_in_force, .. } => *time_in_force = to,
        _ => return None,
    }
    Some(())
}

fn changes_of(words: &[&str]) -> Option<(Option<Price>, Option<Quantity>)> {
    match *words {
        [] => Some((None, None)),
        ["@", price, ref rest @ ..] => {
            let (_, quantity) = changes_of(rest)?;
            Some((Some(Price::new(number(price))), quantity))
        }
        ["total", lots] => Some((None, Some(Quantity::new(number(lots))))),
        _ => None,
    }
}

fn market_rules(words: &[&str]) -> Option<MarketRules> {
    let mut rules = MarketRules::default();
    let mut words = words.iter();
    while let Some(&rule) = words.next() {
        let mut next = || words.next().copied();
        match rule {
            "lots" => rules.limit_quantity = range(next()?, Quantity::new)?,
            "market" => rules.market_quantity = range(next()?, Quantity::new)?,
            "worth" => rules.notional = range(next()?, |n| Amount::new(n.into()))?,
            "band" => {
                let window_minutes = number(next()?) as u16;
                let distance = Distance { below: ppm(next()?), above: ppm(next()?) };
                let (buy, sell) = (distance, distance);
                rules.price_band = Some(PriceBand { window_minutes, buy, sell });
            }
            "parts" => rules.max_iceberg_parts = Some(number(next()?) as u32),
            "open" => rules.max_open_orders = Some(number(next()?) as u32),
            "waiting" => rules.max_waiting_orders = Some(number(next()?) as u32),
            "position" => rules.max_position = Some(Amount::new(number(next()?).into())),
            "age" => rules.max_order_age_seconds = Some(number(next()?) as u32),
            "interrupt" => {
                let far = ppm(next()?);
                let distance = Distance { below: far, above: far };
                let auction_seconds = number(next()?) as u32;
                rules.interruption = Some(Interruption { distance, auction_seconds });
            }
            "reopen" => {
                let cancel_only_seconds = number(next()?) as u32;
                let auction_seconds = number(next()?) as u32;
                rules.reopening = Some(Reopening { cancel_only_seconds, auction_seconds });
            }
            _ => return None,
        }
    }
    Some(rules)
}

/// `nothing`, or tick, lot, the largest price and quantity, and bounds of the book.
fn redefinition(words: &[&str]) -> Option<Option<Redefinition>> {
    let (words, bounds) = match words {
        [words @ .., "bounds", orders, levels, of_account, waiting] => {
            let [max_orders, max_levels, max_orders_per_account, max_waiting] =
                [orders, levels, of_account, waiting].map(|bound| number(bound) as u32);
            let bounds =
                MarketBounds { max_orders, max_levels, max_orders_per_account, max_waiting };
            (words, Some(bounds))
        }
        _ => (words, None),
    };
    let (tick, lot, largest) = match *words {
        ["nothing"] => return Some(None),
        [tick, lot] => (tick, lot, None),
        [tick, lot, price, lots] => (tick, lot, Some((number(price), number(lots)))),
        _ => return None,
    };
    let (max_price, max_quantity) = largest.unwrap_or((1_000_000, 1_000_000));
    Some(Some(Redefinition {
        tick: tick.parse().ok()?,
        lot: lot.parse().ok()?,
        max_price: Price::new(max_price),
        max_quantity: Quantity::new(max_quantity),
        bounds,
    }))
}

/// `A..B`, either of which may be missing.
fn range<T>(text: &str, of: impl Fn(u64) -> T) -> Option<Range<T>> {
    let (least, most) = text.split_once("..")?;
    let bound = |text: &str| (!text.is_empty()).then(|| of(number(text)));
    Some(Range { least: bound(least), most: bound(most) })
}

fn rates(maker: &str, taker: &str) -> FeeRates {
    let maker = maker.parse().unwrap_or_else(|_| panic!("not a rate: {maker}"));
    FeeRates { maker: MakerRate(maker), taker: ppm(taker) }
}

/// `TIER:VOLUME...`, and how many units an atom of quote counts: one, unless `counts` says otherwise.
fn schedule(words: &[&str]) -> Option<FeeSchedule> {
    let factor = |numerator, denominator| VolumeFactor { quote: QUOTE, numerator, denominator };
    let (steps, factors) = match words {
        [steps @ .., "counts", "nothing"] => (steps, Vec::new()),
        [steps @ .., "counts", numerator, denominator] => {
            (steps, vec![factor(number(numerator) as u32, number(denominator))])
        }
        steps => (steps, vec![factor(1, 1)]),
    };
    let step = |word: &&str| {
        let (tier, least) = word.split_once(':')?;
        Some(TierStep { tier: number(tier) as u8, least: Amount::new(number(least).into()) })
    };
    let steps = steps.iter().map(step).collect::<Option<_>>()?;
    Some(FeeSchedule { steps, factors })
}

fn ppm(text: &str) -> PartsPerMillion {
    PartsPerMillion(number(text) as u32)
}

fn state(name: &str) -> Option<MarketState> {
    STATES.iter().find(|(word, _)| *word == name).map(|(_, state)| *state)
}
