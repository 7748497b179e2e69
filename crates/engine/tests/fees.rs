//! Rebates, tiers by volume and rates of markets: money is conserved whatever the rates are, and a tier is
//! what a naive count of the trades says.

use std::collections::BTreeMap;

use crate::exchange::{BASE, Exchange, QUOTE, limit};
use chance::Random;
use engine::Partition;
use types::*;

const ACCOUNTS: u32 = 9;
const EACH: u128 = 1_000_000_000;
const NANOS_PER_DAY: u64 = 86_400_000_000_000;

fn rates(random: &mut Random) -> FeeRates {
    let maker = random.pick(&[0, 1_000, 333_333, -1, -700, -5_000, -250_000, -1_000_000]);
    let taker = random.pick(&[0, 1, 1_000, 3_333, 500_000, 1_000_000]);
    FeeRates { maker: MakerRate(maker), taker: PartsPerMillion(taker) }
}

fn schedule(random: &mut Random) -> FeeSchedule {
    let count = random.below(4) as usize;
    let least = [0, 1_000 + random.below(5_000), 10_000 + random.below(50_000)];
    let tiers = random.pick(&[[0, 1, 2], [2, 0, 1], [1, 2, 0]]);
    let steps = tiers.into_iter().zip(least).take(count);
    let steps = steps.map(|(tier, least)| TierStep { tier, least: Amount::new(least.into()) });
    let (numerator, denominator) = random.pick(&[(1, 1), (2, 3), (1, 7)]);
    let factors = vec![VolumeFactor { quote: QUOTE, numerator, denominator }];
    FeeSchedule { steps: steps.collect(), factors }
}

/// What happens on a day of trading in two markets, an operator's decisions among it.
fn request(random: &mut Random) -> Request {
    let account = AccountId(1 + random.below(ACCOUNTS.into()) as u32);
    let market = MarketId(1 + random.below(2) as u32);
    let tier = random.below(3) as u8;
    match random.below(60) {
        0 => Request::SetFeeTier { tier, rates: rates(random) },
        1 => {
            let rates = (random.below(3) > 0).then(|| rates(random));
            Request::SetMarketFees { market, tier, rates }
        }
        2 => Request::SetFeeSchedule(schedule(random)),
        3 => {
            let fee_tier = (random.below(2) > 0).then_some(tier);
            Request::SetAccountFeeTier { account, fee_tier }
        }
        4 => {
            let state = random.pick(&[MarketState::Auction, MarketState::Halted]);
            Request::SetMarketState { market, state }
        }
        5..8 => Request::SetMarketState { market, state: MarketState::Continuous },
        8..12 => Request::CancelAll { account, market },
        _ => {
            let side = random.pick(&[Side::Buy, Side::Sell]);
            let (price, lots) = (90 + random.below(20), 1 + random.below(50));
            Request::PlaceOrder(PlaceOrder { market, ..limit(account.0, side, price, lots) })
        }
    }
}

/// Two markets, three tiers, and a schedule: what a session begins with.
fn exchange(partitions: u16, random: &mut Random) -> Exchange {
    let mut exchange = Exchange::funded(partitions, 2, ACCOUNTS, EACH);
    for tier in 0..3 {
        exchange.submit_quietly(Request::SetFeeTier { tier, rates: rates(random) });
    }
    exchange.submit_quietly(Request::SetFeeSchedule(schedule(random)));
    exchange
}

/// What each account and the exchange have by the trades alone.
fn by_trades(events: &[Event]) -> BTreeMap<(Option<AccountId>, AssetId), i128> {
    let mut sums = BTreeMap::new();
    let mut add = |whose, asset, amount: Amount, sign: i128| {
        *sums.entry((whose, asset)).or_default() += sign * amount.get() as i128;
    };
    for event in events {
        let Event::Trade(trade) = event else { continue };
        let (base, quote) = ((BASE, trade.base_amount), (QUOTE, trade.quote_amount));
        for (side, paid, got) in [(trade.buyer, quote, base), (trade.seller, base, quote)] {
            add(Some(side.account), paid.0, paid.1, -1);
            add(Some(side.account), got.0, got.1, 1);
            add(Some(side.account), got.0, side.fee.total(), -1);
            add(None, got.0, side.fee.total(), 1);
            add(Some(side.account), paid.0, side.fee.rebate(), 1);
            add(None, paid.0, side.fee.rebate(), -1);
        }
    }
    sums
}

#[test]
fn money_is_conserved_whatever_the_rates_and_however_messages_travel() {
    let mut rebates_seen = 0;
    for seed in 1..=12 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let partitions = 1 + (seed % 3) as u16;
        let mut exchange = exchange(partitions, &mut random);
        let mut events = Vec::new();
        for _ in 0..400 {
            exchange.now = exchange.now.saturating_add_nanos(random.below(NANOS_PER_DAY / 4));
            events.extend(exchange.submit(request(&mut random)));
            for _ in 0..random.below(4) {
                let from = PartitionId(random.below(partitions.into()) as u16);
                let to = PartitionId(random.below(partitions.into()) as u16);
                if from != to {
                    events.extend(exchange.carry(from, to, 1 + random.below(5) as usize));
                    exchange.acknowledge(from, to);
                }
            }
            exchange.assert_sound();
        }
        exchange.settle(&mut events);
        let audit = exchange.assert_sound();
        assert!(audit.quiet);
        let rebates = events.iter().filter(|event| {
            let Event::Trade(trade) = event else { return false };
            !(trade.buyer.fee.rebate() + trade.seller.fee.rebate()).is_zero()
        });
        rebates_seen += rebates.count();
        let sums = by_trades(&events);
        let of = |whose, asset| sums.get(&(whose, asset)).copied().unwrap_or_default();
        for ((account, asset), (available, held)) in exchange.balances() {
            let change = (available + held).get() as i128 - EACH as i128;
            assert_eq!(change, of(Some(account), asset), "account {account}, asset {asset}");
        }
        for asset in [BASE, QUOTE] {
            let house = audit.totals[&asset].house;
            assert_eq!(house.fees + house.rounding, of(None, asset), "asset {asset}");
        }
        exchange.assert_replays();
    }
    assert!(rebates_seen > 100, "{rebates_seen} rebates show too little");
}

#[test]
fn any_number_of_partitions_comes_to_the_same_money_and_volumes() {
    for seed in 100..104 {
        println!("seed {seed}");
        let outcome = |partitions| {
            let mut random = Random::new(seed);
            let mut exchange = exchange(partitions, &mut random);
            let mut told = BTreeMap::new();
            let mut tiers = Vec::new();
            for step in 0..300_u64 {
                exchange.now = Timestamp((step / 3 + 1) * NANOS_PER_DAY + step % 3 * 1_000_000);
                for event in exchange.submit_quietly(request(&mut random)) {
                    match event {
                        Event::VolumeChanged { account, day, volume } => {
                            told.insert((account, day), volume);
                        }
                        Event::FeeTierChanged { .. } => tiers.push(event),
                        _ => {}
                    }
                }
            }
            let audit = exchange.assert_sound();
            let house = [BASE, QUOTE].map(|asset| audit.totals[&asset].house);
            let house = house.map(|house| (house.fees, house.rounding));
            (exchange.balances(), house, told, tiers)
        };
        let one = outcome(1);
        assert!(!one.2.is_empty() && !one.3.is_empty());
        assert!(outcome(2) == one && outcome(3) == one);
    }
}

/// Tiers by a list of all trades, added up anew for each order.
struct Counted {
    schedule: FeeSchedule,
    trades: Vec<(u32, AccountId, u128)>,
    tiers: BTreeMap<AccountId, (u8, bool)>,
}

impl Counted {
    fn volume(&self, account: AccountId, today: u32) -> u128 {
        let recent = |&&(day, of, _): &&(u32, AccountId, u128)| of == account && today - day < 30;
        self.trades.iter().filter(recent).map(|&(_, _, units)| units).sum()
    }

    /// Takes in what a request did; `own` is the account that placed an order with it.
    fn hear(&mut self, events: &[Event], today: u32, own: Option<AccountId>) {
        let before: Vec<_> =
            own.iter().map(|&account| (account, self.volume(account, today))).collect();
        for event in events {
            match *event {
                Event::Trade(trade) if trade.buyer.account != trade.seller.account => {
                    for account in [trade.buyer.account, trade.seller.account] {
                        self.count(account, today, trade.quote_amount.get());
                    }
                }
                Event::AccountFeeTierSet { account, fee_tier, pinned, .. } => {
                    self.tiers.insert(account, (fee_tier, pinned));
                }
                Event::FeeScheduleSet { ref schedule, .. } => self.schedule = schedule.clone(),
                Event::VolumeChanged { account, day, volume } => {
                    assert_eq!(day, today);
                    let of = |&&(day, whose, _): &&_| (day, whose) == (today, account);
                    let sum: u128 = self.trades.iter().filter(of).map(|trade| trade.2).sum();
                    assert_eq!(volume.get(), sum, "account {account} on day {day}");
                }
                _ => {}
            }
        }
        let changes = events.iter().filter_map(|event| match *event {
            Event::FeeTierChanged { account, fee_tier, volume } => {
                Some((account, fee_tier, volume.get()))
            }
            _ => None,
        });
        let expected = before.into_iter().filter_map(|(account, volume)| {
            let tier = self.tiers.get_mut(&account).expect("each has one");
            let led_to = reached(&self.schedule, volume)?;
            let changes = !tier.1 && tier.0 != led_to;
            changes.then(|| {
                tier.0 = led_to;
                (account, led_to, volume)
            })
        });
        assert_eq!(changes.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "day {today}");
    }

    fn count(&mut self, account: AccountId, today: u32, quote: u128) {
        if self.schedule.steps.is_empty() {
            return;
        }
        let VolumeFactor { numerator, denominator, .. } = self.schedule.factors[0];
        let units = quote * u128::from(numerator) / u128::from(denominator);
        self.trades.push((today, account, units));
    }
}

fn reached(schedule: &FeeSchedule, volume: u128) -> Option<u8> {
    let mut tier = None;
    for step in &schedule.steps {
        if volume >= step.least.get() {
            tier = Some(step.tier);
        }
    }
    tier
}

#[test]
fn tiers_are_those_that_a_naive_count_of_the_trades_gives() {
    let mut changes = 0;
    for seed in 200..206 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut exchange = exchange(1, &mut random);
        let schedule = exchange.partitions[0].definitions().fee_schedule().cloned();
        let mut counted = Counted {
            schedule: schedule.unwrap_or_default(),
            trades: Vec::new(),
            tiers: (1..=ACCOUNTS).map(|id| (AccountId(id), (0, false))).collect(),
        };
        for _ in 0..800 {
            let passes = random.pick(&[0, 0, 0, NANOS_PER_DAY / 3, NANOS_PER_DAY, NANOS_PER_DAY]);
            let sleeps = random.below(100) == 0;
            let passes = passes + u64::from(sleeps) * 25 * NANOS_PER_DAY;
            exchange.now = exchange.now.saturating_add_nanos(passes);
            let request = request(&mut random);
            let own = match &request {
                Request::PlaceOrder(order) => Some(order.account),
                _ => None,
            };
            let events = exchange.submit_quietly(request);
            counted.hear(&events, exchange.now.as_days(), own);
            changes += events.iter().filter(|e| matches!(e, Event::FeeTierChanged { .. })).count();
        }
    }
    assert!(changes > 50, "{changes} changes of tiers");
}

#[test]
fn a_snapshot_amid_volumes_goes_on_as_the_log_does() {
    for seed in 300..303 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut exchange = exchange(1, &mut random);
        let mut restored: Option<Partition> = None;
        for step in 0..300 {
            exchange.now = exchange.now.saturating_add_nanos(random.below(NANOS_PER_DAY));
            let events = exchange.submit(request(&mut random));
            if let Some(restored) = &mut restored {
                let (time, command) = exchange.logs[0].last().unwrap();
                let mut again = Vec::new();
                restored.apply(restored.seq().next(), *time, command, &mut again);
                assert_eq!(again, events, "step {step}");
                assert_eq!(restored.state_hash(), exchange.partitions[0].state_hash());
            }
            if step % 50 == 0 {
                let bytes = exchange.partitions[0].snapshot();
                restored = Some(Partition::restore(PartitionId(0), 99, &bytes).unwrap());
            }
        }
        exchange.assert_replays();
    }
}

#[test]
fn a_tier_given_at_creation_lasts_until_the_first_order_under_a_schedule() {
    let mut exchange = Exchange::funded(1, 1, 0, 0);
    let account = AccountId(1);
    exchange.submit_quietly(Request::SetFeeTier { tier: 1, rates: FeeRates::default() });
    exchange.submit_quietly(Request::CreateAccount { account, fee_tier: 1 });
    exchange.credit(account, QUOTE, 1_000);
    let place = Request::PlaceOrder(limit(1, Side::Buy, 10, 1));
    let steps = vec![TierStep { tier: 0, least: Amount::ZERO }];
    let changed = |events: &[Event]| {
        events.iter().any(|event| matches!(event, Event::FeeTierChanged { fee_tier: 0, .. }))
    };
    assert!(!changed(&exchange.submit_quietly(place.clone())), "there is no schedule");
    let schedule = FeeSchedule { steps, factors: Vec::new() };
    assert!(!changed(&exchange.submit_quietly(Request::SetFeeSchedule(schedule))));
    assert!(changed(&exchange.submit_quietly(place.clone())));
    assert!(!changed(&exchange.submit_quietly(place)));
}

#[test]
fn a_schedule_may_name_only_tiers_and_assets_that_are_defined() {
    let mut exchange = Exchange::funded(1, 1, 1, 1);
    let mut refused = |steps: &[u8], asset| {
        let steps = (0..).zip(steps);
        let steps = steps.map(|(least, &tier)| TierStep { tier, least: Amount::new(least) });
        let factors = vec![VolumeFactor { quote: asset, numerator: 1, denominator: 1 }];
        let schedule = FeeSchedule { steps: steps.collect(), factors };
        match exchange.submit_quietly(Request::SetFeeSchedule(schedule))[..] {
            [Event::Rejected { code, .. }] => Some(code),
            [Event::FeeScheduleSet { .. }] => None,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&[0, 1], QUOTE), Some(RejectCode::UnknownFeeTier));
    assert_eq!(refused(&[0], AssetId(3)), Some(RejectCode::UnknownAsset));
    assert_eq!(refused(&[0, 0], QUOTE), Some(RejectCode::InvalidDefinition));
    assert_eq!(refused(&[0], QUOTE), None);
}
