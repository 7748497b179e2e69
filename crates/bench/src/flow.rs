//! What the clients of HTTP and WebSocket do: the mix of the flow `steady`, drawn as they go, since what they may cancel is
//! known from answers only.
//!
//! About 45 % new limits near the touch, 45 % cancels of a random order, 7 % marketable limits, half
//! of them immediate-or-cancel, and 3 % limits far through the book, which act as market orders. About a
//! thousand orders are live on some 650 prices.

use types::Side;

/// Half the width of the range of prices that orders are placed in.
const HALF_WIDTH: u64 = 325;

/// The price that orders are around.
const MIDDLE: u64 = 1_000_000;

/// What a trader does next.
pub enum Step {
    /// Cancels one of its orders.
    Cancel,
    /// Places a limit order.
    Place(Limit),
}

/// A limit order, in ticks and lots.
pub struct Limit {
    /// Buy or sell.
    pub side: Side,
    /// In ticks.
    pub price: u64,
    /// In lots.
    pub quantity: u64,
    /// Whether what does not match at once rests.
    pub rests: bool,
}

/// Random steps in fixed shares.
pub struct Mix {
    random: u64,
}

impl Mix {
    /// Seeded.
    pub fn new(seed: u64) -> Self {
        Self { random: seed | 1 }
    }

    /// The next step.
    pub fn next_step(&mut self, has_enough: bool) -> Step {
        match self.below(100) {
            // Market orders against an empty side would be rejected and take no id; a limit far
            // through the book is always accepted.
            0..3 => Step::Place(self.limit(-(MIDDLE as i64 / 2), false)),
            3..6 => Step::Place(self.limit(-5, false)),
            6..10 => Step::Place(self.limit(-5, true)),
            _ if has_enough => Step::Cancel,
            _ => {
                let away = 1 + self.below(HALF_WIDTH);
                Step::Place(self.limit(away as i64, true))
            }
        }
    }

    /// `away`: ticks from the middle, on the order's own side of it if positive.
    fn limit(&mut self, away: i64, rests: bool) -> Limit {
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let up = if side == Side::Buy { -away } else { away };
        let price = MIDDLE.checked_add_signed(up).expect("prices are far above zero");
        Limit { side, price, quantity: 1 + self.below(20), rests }
    }

    /// Below `end`, by xorshift.
    pub fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }
}
