//! Simulated participants: they quote around a price that walks at random, and take from each other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chance::Random;
use types::{
    AccountId, BoxedConditions, ClientOrderId, Event, MarketId, OrderId, OrderSpec, PlaceOrder,
    Price, Quantity, Request, SelfTradePrevention, Side, TimeInForce,
};
use views::Views;

use super::session::Session;
use crate::config;

/// Open orders of the participants in each market, at most.
const MAX_OPEN: usize = 60;
/// Sleeps are no longer than this, so that a stop is soon.
const MAX_SLEEP: Duration = Duration::from_millis(200);

/// A market as the participants see it.
struct Scene {
    market: MarketId,
    /// Where the price walks, in ticks.
    mid: u64,
    /// Where it is drawn back to.
    home: u64,
    /// Largest usual order, in lots.
    lots: u64,
    open: VecDeque<(AccountId, OrderId)>,
}

/// All participants.
pub struct Traders {
    session: Session,
    participants: Vec<AccountId>,
    random: Random,
    scenes: Vec<Scene>,
    pause: Duration,
}

impl Traders {
    /// The price of each market goes on where it was.
    pub fn new(
        session: Session,
        views: Arc<Views>,
        participants: Vec<AccountId>,
        settings: &config::Demo,
    ) -> Self {
        let scene = |market, home: u64, lots| {
            let market = MarketId(market);
            let last = views.depth(market, 1).last_price;
            let mid = last.map_or(home, Price::get);
            Scene { market, mid, home, lots, open: VecDeque::new() }
        };
        Self {
            session,
            participants,
            random: Random::new(settings.seed),
            scenes: vec![
                scene(1, 6_000_000, 20_000),
                scene(2, 300_000, 30_000),
                scene(3, 5_000, 3_000),
            ],
            pause: Duration::from_secs(1) / settings.orders_per_second,
        }
    }

    /// Trades until told to stop.
    pub fn run(mut self, stop: &AtomicBool) {
        self.clear();
        while !stop.load(Ordering::Acquire) {
            self.step();
            let mut left = self.pause;
            while left > Duration::ZERO && !stop.load(Ordering::Acquire) {
                let nap = left.min(MAX_SLEEP);
                std::thread::sleep(nap);
                left -= nap;
            }
        }
    }

    /// What an earlier life left in the books is not known any more.
    fn clear(&mut self) {
        for &account in &self.participants {
            for scene in &self.scenes {
                let all = Request::CancelAll { account, market: scene.market };
                log_failure(self.session.ask(&all).map(drop));
            }
        }
    }

    /// One order of somebody, somewhere.
    fn step(&mut self) {
        let at = self.random.below(self.scenes.len() as u64) as usize;
        let owner = self.random.below(self.participants.len() as u64) as usize;
        let account = self.participants[owner];
        self.walk(at);
        let takes = self.random.below(4) == 0;
        let side = if self.random.below(2) == 0 { Side::Buy } else { Side::Sell };
        let scene = &mut self.scenes[at];
        // Quotes within half a percent of the middle, more of them near it; takers reach over it.
        let width = (scene.mid / 200).max(4);
        let offset = 1 + self.random.below(width).min(self.random.below(width));
        let lots = self.random.between(1, scene.lots);
        let away = matches!((side, takes), (Side::Buy, false) | (Side::Sell, true));
        let price = if away { scene.mid - offset } else { scene.mid + offset };
        let order = PlaceOrder {
            account,
            market: scene.market,
            version: 1,
            client_order_id: ClientOrderId::NONE,
            side,
            spec: OrderSpec::Limit {
                price: Price::new(price),
                quantity: Quantity::new(if takes { lots } else { lots * 2 }),
                time_in_force: if takes { TimeInForce::Ioc } else { TimeInForce::Gtc },
                post_only: false,
            },
            conditions: BoxedConditions::NONE,
            self_trade_prevention: SelfTradePrevention::ExpireMaker,
        };
        match self.session.ask(&Request::PlaceOrder(order)) {
            Ok(events) => note(scene, account, &events),
            Err(failure) => return log_failure(Err(failure)),
        }
        if scene.open.len() > MAX_OPEN
            && let Some((account, order)) = scene.open.pop_front()
        {
            // It may be filled by now; then there is nothing to cancel.
            let cancel = Request::CancelOrder { account, market: scene.market, order };
            log_failure(self.session.ask(&cancel).map(drop));
        }
    }

    /// The price moves by up to a twenty-thousandth, a little more often towards home.
    fn walk(&mut self, at: usize) {
        let scene = &mut self.scenes[at];
        let step = self.random.below((scene.mid / 20_000).max(2) + 1);
        let pull = self.random.below(100) < 4;
        let up = if pull { scene.mid < scene.home } else { self.random.below(2) == 0 };
        scene.mid = if up { scene.mid + step } else { scene.mid.saturating_sub(step).max(10) };
    }
}

fn note(scene: &mut Scene, account: AccountId, events: &[Event]) {
    for event in events {
        if let Event::OrderRested { order, .. } = *event {
            scene.open.push_back((account, order));
        }
    }
}

fn log_failure(result: Result<(), crate::exit::Failure>) {
    if let Err(failure) = result {
        tracing::warn!("{failure}");
    }
}
