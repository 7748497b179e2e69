"""ccxt (Python), unmodified, against the real binary: only the URLs of its configuration are ours."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

import ccxt
from exchange import Exchange
from ccxt_settings import config

SYMBOL = "BTC/USDT"


def client(exchange, key=None, **more):
    return ccxt.binance(config(exchange, key, **more))


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.maker = client(cls.exchange, cls.exchange.trader("maker", BTC=100, USDT=1_000_000))
        cls.taker = client(cls.exchange, cls.exchange.trader("taker", BTC=10, USDT=1_000_000))
        cls.public = client(cls.exchange)
        for each in (cls.maker, cls.taker, cls.public):
            each.load_markets()

    def setUp(self):
        for each in (self.maker, self.taker):
            if each.fetch_open_orders(SYMBOL):
                each.cancel_all_orders(SYMBOL)

    def test_markets_have_their_steps_and_limits(self):
        market = self.public.market(SYMBOL)
        self.assertEqual((market["base"], market["quote"], market["id"]), ("BTC", "USDT", "BTCUSDT"))
        self.assertTrue(market["active"] and market["spot"])
        self.assertEqual(market["precision"]["price"], 0.01)
        self.assertEqual(market["precision"]["amount"], 0.00001)
        self.assertEqual(market["limits"]["amount"], {"min": 0.00001, "max": 9000.0})
        self.assertEqual(list(self.public.markets), [SYMBOL])

    def test_currencies_come_with_a_key(self):
        # ccxt adds one of its own.
        self.assertLessEqual({"BTC", "USDT"}, set(self.maker.currencies))

    def test_the_clock_and_the_status_are_told(self):
        self.assertLess(abs(self.public.fetch_time() - self.public.milliseconds()), 10_000)
        self.assertEqual(self.public.fetch_status()["status"], "ok")

    def test_a_book_is_that_of_the_orders(self):
        self.maker.create_order(SYMBOL, "limit", "buy", 0.5, 40_000)
        self.maker.create_order(SYMBOL, "limit", "buy", 0.25, 40_000)
        self.maker.create_order(SYMBOL, "limit", "sell", 0.125, 41_000)
        book = self.public.fetch_order_book(SYMBOL)
        self.assertEqual((book["bids"], book["asks"]), ([[40_000.0, 0.75]], [[41_000.0, 0.125]]))
        self.assertGreater(book["nonce"], 0)
        best = self.public.fetch_bids_asks([SYMBOL])[SYMBOL]
        self.assertEqual((best["bid"], best["bidVolume"], best["ask"]), (40_000.0, 0.75, 41_000.0))

    def test_a_fill_moves_balances_by_trade_and_fee_to_the_last_digit(self):
        before = {"maker": self.maker.fetch_balance(), "taker": self.taker.fetch_balance()}
        self.maker.create_order(SYMBOL, "limit", "sell", 0.3, 42_000)
        order = self.taker.create_order(SYMBOL, "market", "buy", 0.3)
        self.assertEqual((order["status"], order["filled"], order["average"]), ("closed", 0.3, 42_000.0))
        self.assertEqual((order["cost"], order["remaining"]), (12_600.0, 0.0))
        fee = order["trades"][0]["fee"]
        self.assertEqual((fee["currency"], fee["cost"]), ("BTC", 0.0003))
        after = {"maker": self.maker.fetch_balance(), "taker": self.taker.fetch_balance()}
        change = lambda who, asset: round(after[who][asset]["total"] - before[who][asset]["total"], 8)
        self.assertEqual(change("taker", "BTC"), 0.2997)
        self.assertEqual(change("taker", "USDT"), -12_600.0)
        self.assertEqual(change("maker", "BTC"), -0.3)
        self.assertEqual(change("maker", "USDT"), 12_593.7)

    def test_both_sides_have_the_trade_as_maker_and_taker(self):
        resting = self.maker.create_order(SYMBOL, "limit", "sell", 0.2, 43_000)
        order = self.taker.create_order(SYMBOL, "limit", "buy", 0.2, 43_000)
        [sold] = [t for t in self.maker.fetch_my_trades(SYMBOL) if t["order"] == resting["id"]]
        [bought] = [t for t in self.taker.fetch_my_trades(SYMBOL) if t["order"] == order["id"]]
        self.assertEqual((sold["id"], sold["side"], sold["takerOrMaker"]), (bought["id"], "sell", "maker"))
        self.assertEqual((bought["side"], bought["takerOrMaker"], bought["cost"]), ("buy", "taker", 8_600.0))
        self.assertEqual((sold["fee"]["currency"], sold["fee"]["cost"]), ("USDT", 4.3))
        self.assertEqual(self.taker.fetch_order_trades(order["id"], SYMBOL)[0]["id"], bought["id"])
        self.assertEqual(self.public.fetch_trades(SYMBOL)[-1]["price"], 43_000.0)

    def test_a_limit_order_lives_through_its_states(self):
        order = self.maker.create_order(SYMBOL, "limit", "sell", 1, 44_000)
        self.assertEqual((order["status"], order["timeInForce"]), ("open", "GTC"))
        self.taker.create_order(SYMBOL, "limit", "buy", 0.4, 44_000)
        found = self.maker.fetch_order(order["id"], SYMBOL)
        self.assertEqual((found["status"], found["filled"], found["remaining"]), ("open", 0.4, 0.6))
        self.assertEqual([o["id"] for o in self.maker.fetch_open_orders(SYMBOL)], [order["id"]])
        cancelled = self.maker.cancel_order(order["id"], SYMBOL)
        self.assertEqual((cancelled["status"], cancelled["filled"]), ("canceled", 0.4))
        self.assertEqual(self.maker.fetch_order(order["id"], SYMBOL)["status"], "canceled")
        self.assertIn(order["id"], [o["id"] for o in self.maker.fetch_canceled_orders(SYMBOL)])

    def test_locked_funds_are_told(self):
        before = self.maker.fetch_balance()["USDT"]["used"]
        self.maker.create_order(SYMBOL, "limit", "buy", 0.1, 30_000)
        self.assertEqual(round(self.maker.fetch_balance()["USDT"]["used"] - before, 8), 3_000.0)

    def test_an_edited_order_is_another_one(self):
        order = self.maker.create_order(SYMBOL, "limit", "sell", 1, 50_000)
        edited = self.maker.edit_order(order["id"], SYMBOL, "limit", "sell", 0.5, 51_000)
        self.assertNotEqual(edited["id"], order["id"])
        self.assertEqual((edited["price"], edited["amount"]), (51_000.0, 0.5))
        self.assertEqual(self.maker.fetch_order(order["id"], SYMBOL)["status"], "canceled")

    def test_errors_have_their_classes(self):
        with self.assertRaises(ccxt.InsufficientFunds):
            self.taker.create_order(SYMBOL, "limit", "sell", 5_000, 100_000)
        with self.assertRaises(ccxt.OrderNotFound):
            self.taker.cancel_order("999999", SYMBOL)
        with self.assertRaises(ccxt.OrderNotFound):
            self.taker.fetch_order("999999", SYMBOL)
        self.maker.create_order(SYMBOL, "limit", "sell", 0.1, 45_000)
        with self.assertRaises(ccxt.OrderImmediatelyFillable):
            self.taker.create_order(SYMBOL, "limit", "buy", 0.1, 45_000, {"postOnly": True})
        with self.assertRaises(ccxt.BadSymbol):
            self.public.public_get_ticker_price({"symbol": "NOSUCH"})
        stranger = client(self.exchange, ("x" * 64, "y"), options={"fetchCurrencies": False, "fetchMargins": False})
        with self.assertRaises(ccxt.AuthenticationError):
            stranger.fetch_balance()
        forger = client(self.exchange, (self.maker.apiKey, "y" * 64), options={"fetchCurrencies": False, "fetchMargins": False})
        with self.assertRaises(ccxt.AuthenticationError):
            forger.fetch_balance()

    def test_a_late_request_is_told_so(self):
        late = client(self.exchange, (self.maker.apiKey, self.maker.secret))
        late.load_markets()
        late.options["timeDifference"] = 120_000
        with self.assertRaises(ccxt.InvalidNonce):
            late.fetch_balance()

    def test_a_stop_waits_and_fires(self):
        self.maker.create_order(SYMBOL, "limit", "sell", 0.1, 46_000)
        self.taker.create_order(SYMBOL, "market", "buy", 0.1)
        stop = self.taker.create_order(SYMBOL, "limit", "sell", 0.1, 44_000, {"stopLossPrice": 45_000})
        self.assertEqual((stop["status"], stop["triggerPrice"]), ("open", 45_000.0))
        self.assertEqual(self.taker.fetch_order(stop["id"], SYMBOL)["info"]["type"], "STOP_LOSS_LIMIT")
        self.maker.create_order(SYMBOL, "limit", "buy", 0.2, 45_000)
        self.taker.create_order(SYMBOL, "limit", "sell", 0.1, 45_000)
        self.assertEqual(self.taker.fetch_order(stop["id"], SYMBOL)["status"], "closed")

    def test_candles_add_up(self):
        self.maker.create_order(SYMBOL, "limit", "sell", 0.1, 47_000)
        self.taker.create_order(SYMBOL, "market", "buy", 0.1)
        candles = self.public.fetch_ohlcv(SYMBOL, "1m")
        self.assertEqual(candles[-1][4], 47_000.0)
        day = self.public.fetch_ohlcv(SYMBOL, "1d")
        self.assertAlmostEqual(sum(c[5] for c in candles), sum(c[5] for c in day), places=8)
        for earlier, later in zip(candles, candles[1:]):
            self.assertEqual(later[0] - earlier[0], 60_000)

    def test_tickers_agree_with_trades(self):
        self.maker.create_order(SYMBOL, "limit", "sell", 0.1, 48_000)
        self.taker.create_order(SYMBOL, "market", "buy", 0.1)
        ticker = self.public.fetch_ticker(SYMBOL)
        self.assertEqual((ticker["last"], ticker["close"]), (48_000.0, 48_000.0))
        self.assertGreaterEqual(ticker["high"], 48_000.0)
        self.assertEqual(self.public.fetch_tickers()[SYMBOL]["last"], 48_000.0)
        self.assertEqual(self.public.fetch_last_prices([SYMBOL])[SYMBOL]["price"], 48_000.0)

    def test_trades_are_paged_by_time(self):
        self.maker.create_order(SYMBOL, "limit", "sell", 0.1, 49_000)
        self.taker.create_order(SYMBOL, "market", "buy", 0.1)
        trades = self.public.fetch_trades(SYMBOL, since=self.public.milliseconds() - 3_600_000)
        ids = [int(trade["id"]) for trade in trades]
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))

    def test_fees_are_those_of_the_account(self):
        fee = self.maker.fetch_trading_fee(SYMBOL)
        self.assertEqual((fee["maker"], fee["taker"]), (0.0005, 0.001))
        self.assertEqual(self.maker.fetch_trading_fees()[SYMBOL]["taker"], 0.001)

    def test_a_market_buy_by_cost_spends_it(self):
        self.maker.create_order(SYMBOL, "limit", "sell", 1, 50_000)
        order = self.taker.create_market_buy_order_with_cost(SYMBOL, 5_000)
        self.assertEqual((order["cost"], order["filled"], order["status"]), (5_000.0, 0.1, "closed"))

    def test_orders_of_a_day_are_listed(self):
        order = self.maker.create_order(SYMBOL, "limit", "buy", 0.1, 10_000, {"clientOrderId": "listed-1"})
        listed = {found["id"]: found for found in self.maker.fetch_orders(SYMBOL)}
        self.assertEqual(listed[order["id"]]["clientOrderId"], "listed-1")
        self.assertEqual(list(listed), sorted(listed, key=int))

    def test_all_orders_are_cancelled_at_once(self):
        for price in (10_000, 11_000):
            self.maker.create_order(SYMBOL, "limit", "buy", 0.1, price)
        cancelled = self.maker.cancel_all_orders(SYMBOL)
        self.assertEqual({order["status"] for order in cancelled}, {"canceled"})
        self.assertEqual(self.maker.fetch_open_orders(SYMBOL), [])

    def test_deposits_are_the_credits(self):
        deposits = self.maker.fetch_deposits("BTC")
        self.assertEqual((deposits[0]["amount"], deposits[0]["status"]), (100.0, "ok"))
        self.assertEqual(self.maker.fetch_withdrawals("BTC"), [])


if __name__ == "__main__":
    unittest.main()
