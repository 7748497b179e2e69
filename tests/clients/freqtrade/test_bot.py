"""freqtrade, unmodified, against the real binary: the bot of its `trade` command, dry and live, a step at a time."""

import json
import logging
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

import ccxt
from ccxt_settings import config as ccxt_config
from ccxt_settings import urls
from exchange import Exchange, until
from freqtrade.enums import State
from freqtrade.persistence import Trade
from freqtrade.rpc.rpc import RPC
from freqtrade.worker import Worker

PAIR = "BTC/USDT"
STRATEGIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "strategies")

logging.disable(logging.CRITICAL)


def settings(exchange, folder, key, dry):
    """A config.json as an owner of the bot has it; only the URLs are ours."""
    side = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    written = {
        "dry_run": dry, "dry_run_wallet": 10_000, "stake_currency": "USDT", "stake_amount": 4_000,
        "tradable_balance_ratio": 1.0, "max_open_trades": 1, "trading_mode": "spot", "timeframe": "1m",
        "db_url": f"sqlite:///{folder}/trades.sqlite", "initial_state": "running", "force_entry_enable": True,
        "entry_pricing": side, "exit_pricing": side, "unfilledtimeout": {"entry": 10, "exit": 10, "unit": "minutes"},
        "exchange": {
            "name": "binance", "key": key[0], "secret": key[1], "pair_whitelist": [PAIR],
            "ccxt_config": {"urls": urls(exchange), "enableRateLimit": False},
        },
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 1},
    }
    path = os.path.join(folder, "config.json")
    with open(path, "w") as file:
        json.dump(written, file)
    return path


class Bot(unittest.TestCase):
    """What both kinds share: an exchange with a book around 40,000, and the bot."""

    DRY = True

    @classmethod
    def setUpClass(cls):
        if cls is Bot:
            raise unittest.SkipTest("what the others share")
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.maker = ccxt.binance(ccxt_config(
            cls.exchange, cls.exchange.trader("maker", BTC=100, USDT=10_000_000), enableRateLimit=False))
        cls.maker.load_markets()
        cls.key = cls.exchange.trader("owner", USDT=10_000, BTC=1)
        cls.own = ccxt.binance(ccxt_config(cls.exchange, cls.key, enableRateLimit=False))
        cls.own.load_markets()
        # A price that traded, so that there are candles and tickers.
        cls.maker.create_order(PAIR, "limit", "sell", 0.01, 39_999)
        cls.own.create_order(PAIR, "limit", "buy", 0.01, 39_999)
        cls.quote(40_000)
        folder = tempfile.TemporaryDirectory(prefix="outcry-freqtrade-")
        cls.addClassCleanup(folder.cleanup)
        path = settings(cls.exchange, folder.name, cls.key, cls.DRY)
        cls.bot = Worker({
            "config": [path], "strategy": "Patient", "strategy_path": STRATEGIES, "user_data_dir": folder.name,
        }).freqtrade
        cls.addClassCleanup(cls.bot.cleanup)
        cls.bot.startup()
        cls.bot.state = State.RUNNING
        cls.rpc = RPC(cls.bot)

    @classmethod
    def quote(cls, price):
        """The maker's only orders: bids just below `price`, asks just above."""
        if cls.maker.fetch_open_orders(PAIR):
            cls.maker.cancel_all_orders(PAIR)
        for level in range(1, 4):
            cls.maker.create_order(PAIR, "limit", "buy", 1, price - level)
            cls.maker.create_order(PAIR, "limit", "sell", 1, price + level)

    def until_step(self, wanted, what):
        """Steps of the bot until `wanted()` gives something."""
        def step():
            self.bot.process()
            return wanted()

        return until(step, what)

    def trade(self):
        [trade] = Trade.get_open_trades()
        return trade

    def close(self):
        """Leaves what is open, at the price of the book."""
        for trade in Trade.get_open_trades():
            self.rpc._rpc_force_exit(str(trade.id))
        self.until_step(lambda: not Trade.get_open_trades(), "an exit")

    def enter(self, **more):
        self.rpc._rpc_force_entry(PAIR, None, **more)
        return self.until_step(lambda: [t for t in Trade.get_open_trades() if t.amount and not t.has_open_orders
                                        or t.has_open_sl_orders], "an entry")[0]


class Dry(Bot):
    """Nothing of it reaches the exchange, all of it comes from there."""

    def test_1_the_market_is_known(self):
        market = self.bot.exchange.markets[PAIR]
        self.assertTrue(market["active"] and market["spot"])
        self.assertEqual((market["base"], market["quote"]), ("BTC", "USDT"))

    def test_1_amounts_and_prices_keep_to_the_steps(self):
        self.assertEqual(self.bot.exchange.amount_to_precision(PAIR, 0.123456789), 0.12345)
        self.assertEqual(self.bot.exchange.price_to_precision(PAIR, 40_000.019), 40_000.02)

    def test_1_the_fee_is_that_of_the_market(self):
        self.assertEqual(self.bot.exchange.get_fee(PAIR, taker_or_maker="taker"), 0.001)

    def test_1_the_book_is_that_of_rest(self):
        book = self.bot.exchange.fetch_l2_order_book(PAIR, 5)
        self.assertEqual((book["bids"][0], book["asks"][0]), ([39_999.0, 1.0], [40_001.0, 1.0]))
        self.assertEqual(self.bot.exchange.get_rate(PAIR, refresh=True, side="entry", is_short=False), 40_001.0)

    def test_1_the_ticker_is_that_of_rest(self):
        ticker = self.bot.exchange.fetch_ticker(PAIR)
        self.assertEqual((ticker["last"], ticker["bid"], ticker["ask"]), (39_999.0, 39_999.0, 40_001.0))
        self.assertEqual(self.bot.exchange.get_tickers()[PAIR]["last"], 39_999.0)

    def test_2_a_signal_of_a_whole_candle_enters_at_the_price_of_the_book(self):
        # The first candle is whole when its minute is over.
        trade = self.until_step(lambda: [t for t in Trade.get_open_trades() if not t.has_open_orders], "an entry")[0]
        self.assertEqual((trade.open_rate, trade.amount), (40_001.0, 0.09999))
        self.assertEqual(trade.fee_open, 0.001)
        frame, _ = self.bot.dataprovider.get_analyzed_dataframe(PAIR, "1m")
        rest = {row[0]: row[1:] for row in self.own.fetch_ohlcv(PAIR, "1m")}
        last = frame.iloc[-1]
        told = [float(last[name]) for name in ("open", "high", "low", "close", "volume")]
        self.assertEqual(told, rest[int(last["date"].timestamp() * 1000)])

    def test_3_a_dry_trade_leaves_the_exchange_alone(self):
        self.assertEqual(self.own.fetch_open_orders(PAIR), [])
        balance = self.own.fetch_balance()
        self.assertEqual((balance["USDT"]["total"], balance["BTC"]["total"]), (9_600.01, 1.00999))

    def test_4_a_dry_trade_earns_what_the_book_says(self):
        # The strategy would enter again at once.
        self.bot.config["max_open_trades"] = 0
        trade_id = self.trade().id
        self.quote(42_000)
        self.close()
        [trade] = Trade.get_trades([Trade.id == trade_id]).all()
        self.assertEqual(trade.close_rate, 41_999.0)
        cost, got = 0.09999 * 40_001 * 1.001, 0.09999 * 41_999 * 0.999
        self.assertAlmostEqual(trade.close_profit_abs, got - cost, places=6)


class Live(Bot):
    """Its orders are ours, and its money is what it says."""

    DRY = False

    def setUp(self):
        self.quote(40_000)

    def tearDown(self):
        for trade in Trade.get_open_trades():
            if trade.has_open_orders:
                self.rpc._rpc_cancel_open_order(trade.id)
        self.close()
        Trade.commit()

    def order(self, kind):
        [order] = [o for o in self.own.fetch_open_orders(PAIR) if o["info"]["type"] == kind]
        return order

    def test_its_wallet_is_the_account(self):
        self.bot.wallets.update()
        balance = self.own.fetch_balance()
        for asset in ("BTC", "USDT"):
            self.assertEqual(self.bot.wallets.get_total(asset), balance[asset]["total"])
            self.assertEqual(self.bot.wallets.get_free(asset), balance[asset]["free"])

    def test_an_entry_is_an_order_that_is_filled(self):
        trade = self.enter()
        [first, *_] = trade.orders
        rest = self.own.fetch_order(first.order_id, PAIR)
        self.assertEqual((rest["status"], rest["side"], rest["average"]), ("closed", "buy", 40_001.0))
        self.assertEqual((first.ft_order_side, first.safe_filled, first.safe_price), ("buy", rest["filled"], 40_001.0))
        self.assertTrue(rest["clientOrderId"].startswith("x-"))

    def test_its_fee_is_that_of_the_fill(self):
        trade = self.enter()
        self.assertEqual((trade.fee_open, trade.fee_open_currency), (0.001, "BTC"))
        [fill] = self.own.fetch_order_trades(trade.orders[0].order_id, PAIR)
        self.assertAlmostEqual(trade.fee_open_cost, fill["fee"]["cost"] * 40_001, places=8)

    def test_its_amount_is_what_was_received(self):
        before = self.own.fetch_balance()["BTC"]["total"]
        trade = self.enter()
        received = round(self.own.fetch_balance()["BTC"]["total"] - before, 8)
        self.assertEqual(received, round(0.09999 * 0.999, 8))
        # It sells from what it has, or what it bought if there is more of the asset.
        self.assertIn(round(trade.amount, 8), (received, 0.09999))

    def test_a_stop_waits_on_the_exchange(self):
        trade = self.enter()
        self.until_step(lambda: self.trade().has_open_sl_orders, "a stop")
        stop = self.order("STOP_LOSS_LIMIT")
        self.assertEqual((stop["side"], stop["triggerPrice"], stop["status"]), ("sell", 36_000.9, "open"))
        self.assertEqual(stop["amount"], self.bot.exchange.amount_to_precision(PAIR, trade.amount))
        self.assertEqual(stop["id"], self.trade().open_sl_orders[-1].order_id)

    def test_a_stop_that_fires_ends_the_trade(self):
        trade_id = self.enter().id
        self.until_step(lambda: self.trade().has_open_sl_orders, "a stop")
        if self.maker.fetch_open_orders(PAIR):
            self.maker.cancel_all_orders(PAIR)
        # A trade below the stop, and somebody who buys what it sells.
        self.maker.create_order(PAIR, "limit", "buy", 1.01, 35_990)
        self.own.create_order(PAIR, "limit", "sell", 0.01, 35_990)
        self.until_step(lambda: not Trade.get_open_trades(), "the end of the trade")
        [trade] = Trade.get_trades([Trade.id == trade_id]).all()
        self.assertEqual((trade.exit_reason, trade.close_rate), ("stoploss_on_exchange", 35_990.0))

    def test_an_exit_takes_the_stop_away_and_sells(self):
        trade_id = self.enter().id
        self.until_step(lambda: self.trade().has_open_sl_orders, "a stop")
        stop = self.order("STOP_LOSS_LIMIT")["id"]
        self.quote(41_000)
        self.close()
        self.assertEqual(self.own.fetch_order(stop, PAIR)["status"], "canceled")
        [trade] = Trade.get_trades([Trade.id == trade_id]).all()
        self.assertEqual((trade.close_rate, trade.is_open), (40_999.0, False))
        self.assertEqual(self.own.fetch_open_orders(PAIR), [])

    def test_its_profit_is_the_change_of_the_balance(self):
        before = self.own.fetch_balance()["USDT"]["total"]
        trade_id = self.enter().id
        self.quote(41_000)
        self.close()
        after = self.own.fetch_balance()["USDT"]["total"]
        [trade] = Trade.get_trades([Trade.id == trade_id]).all()
        sold = sum(o.safe_filled for o in trade.orders if o.ft_order_side == "sell")
        self.assertAlmostEqual(after - before, sold * 40_999 * 0.999 - 0.09999 * 40_001, places=6)
        self.assertAlmostEqual(trade.fee_close, 0.001, places=8)

    def test_an_order_that_rests_is_cancelled(self):
        self.rpc._rpc_force_entry(PAIR, 30_000)
        trade = self.trade()
        resting = self.order("LIMIT")
        self.assertEqual((resting["price"], resting["id"]), (30_000.0, trade.orders[0].order_id))
        self.assertEqual(self.own.fetch_balance()["USDT"]["used"], round(resting["amount"] * 30_000, 8))
        self.rpc._rpc_cancel_open_order(trade.id)
        self.assertEqual(self.own.fetch_order(resting["id"], PAIR)["status"], "canceled")
        self.assertEqual(self.own.fetch_balance()["USDT"]["used"], 0.0)
        self.assertEqual(Trade.get_open_trades(), [])

    def test_a_part_that_was_filled_is_its_trade(self):
        self.rpc._rpc_force_entry(PAIR, 39_999.5)
        resting = self.order("LIMIT")
        self.maker.create_order(PAIR, "limit", "sell", 0.05, 39_999.5)
        self.until_step(lambda: self.trade().orders[0].safe_filled, "a part")
        order = self.trade().orders[0]
        self.assertEqual((order.safe_filled, order.safe_remaining), (0.05, round(resting["amount"] - 0.05, 8)))
        self.assertEqual(order.status, "open")

    def test_its_history_is_that_of_the_exchange(self):
        self.enter()
        self.close()
        mine = {t["order"] for t in self.own.fetch_my_trades(PAIR)}
        for trade in Trade.get_trades().all():
            for order in trade.orders:
                if order.safe_filled:
                    self.assertIn(order.order_id, mine)


if __name__ == "__main__":
    unittest.main()
