"""cryptofeed, unmodified, against the real binary behind TLS: it speaks to nobody without.

The certificate is of an authority that is made here and that only this process trusts.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

# First: what comes next reads whom to trust.
from authority import CERTIFICATE, SECRET

import asyncio
import logging
import unittest
from decimal import Decimal

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import (
    ASK, BALANCES, BID, BUY, CANDLES, GOOD_TIL_CANCELED, L2_BOOK, LIMIT, MARKET, ORDER_INFO, SELL, TICKER, TRADES)
from cryptofeed.exchanges import Binance
from exchange import PATIENCE, Exchange

SYMBOL = "BTC-USDT"

logging.disable(logging.CRITICAL)


def ours(exchange):
    """The class with our addresses, as its users do for other hosts."""
    class Ours(Binance):
        websocket_endpoints = [WebsocketEndpoint(exchange.ws)]
        rest_endpoints = [RestEndpoint(exchange.url, routes=Routes(
            "/api/v3/exchangeInfo", l2book="/api/v3/depth?symbol={}&limit={}", authentication="/api/v3/userDataStream"))]
        api = f"{exchange.url}/api/v3/"

    return Ours


class Feed(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange("--tls-cert", CERTIFICATE, "--tls-key", SECRET)
        cls.addClassCleanup(cls.exchange.stop)
        cls.Ours = ours(cls.exchange)
        cls.keys = {
            "maker": cls.exchange.trader("maker", BTC=1_000, USDT=10_000_000),
            "taker": cls.exchange.trader("taker", BTC=1_000, USDT=10_000_000),
        }
        cls.price = 40_000

    async def asyncSetUp(self):
        self.maker, self.taker = await self.client("maker"), await self.client("taker")
        for order in await self.maker.orders(SYMBOL):
            await self.maker.cancel_order(order["orderId"], SYMBOL)

    def config(self, name):
        key, secret = self.keys[name]
        return {"log": {"disabled": True}, "binance": {"key_id": key, "key_secret": secret}}

    async def client(self, name):
        made = self.Ours(config=self.config(name))
        self.addAsyncCleanup(made.http_conn.close)
        return made

    async def feed(self, *channels, name="maker", **options):
        """A queue of what the feed calls back with."""
        queue = asyncio.Queue()

        async def back(told, _):
            queue.put_nowait(told)

        handler = FeedHandler(config={"uvloop": False, "log": {"disabled": True}})
        handler.add_feed(self.Ours(
            config=self.config(name), symbols=[SYMBOL], channels=list(channels),
            callbacks={channel: back for channel in channels}, candle_closed_only=False, **options))
        handler.run(start_loop=False, install_signal_handlers=False)
        self.addAsyncCleanup(handler.stop_async, asyncio.get_running_loop())
        return queue

    async def told(self, queue, wanted=lambda told: True, stir=None):
        """The next that is told and `wanted`; `stir` is done until the first comes, since nothing tells that a feed stands."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while stir and queue.empty():
                    await stir()
                    await asyncio.sleep(0.2)
                if wanted(told := await queue.get()):
                    return told

    async def limit(self, who, side, amount, price):
        return await who.place_order(SYMBOL, side, LIMIT, Decimal(amount), price=Decimal(price), time_in_force=GOOD_TIL_CANCELED)

    async def deal(self, amount="0.1"):
        type(self).price += 1
        await self.limit(self.maker, SELL, amount, self.price)
        return await self.limit(self.taker, BUY, amount, self.price)

    def buy(self, price="20000", amount="0.1"):
        return self.limit(self.maker, BUY, amount, price)

    async def test_symbols_have_their_ticks(self):
        info = self.Ours.info()
        self.assertEqual((info["symbols"], info["tick_size"][SYMBOL]), ([SYMBOL], "0.01000000"))

    async def test_an_order_is_placed_found_and_cancelled(self):
        order = await self.limit(self.maker, SELL, "0.5", "60000")
        self.assertEqual((order["status"], order["price"], order["origQty"]), ("NEW", "60000.00000000", "0.50000000"))
        [found] = await self.maker.orders(SYMBOL)
        self.assertEqual((found["orderId"], found["status"]), (order["orderId"], "NEW"))
        gone = await self.maker.cancel_order(order["orderId"], SYMBOL)
        self.assertEqual((gone["status"], gone["origClientOrderId"]), ("CANCELED", order["clientOrderId"]))
        self.assertEqual(await self.maker.orders(SYMBOL), [])

    async def test_a_fill_moves_balances_by_trade_and_fee_to_the_last_digit(self):
        async def free():
            return {balance["asset"]: Decimal(balance["free"]) for balance in await self.taker.balances()}

        before = await free()
        order = await self.deal("0.3")
        self.assertEqual([(f["commission"], f["commissionAsset"]) for f in order["fills"]], [("0.00030000", "BTC")])
        after = await free()
        self.assertEqual(after["BTC"] - before["BTC"], Decimal("0.2997"))
        self.assertEqual(before["USDT"] - after["USDT"], Decimal(order["cummulativeQuoteQty"]))

    async def test_an_order_at_the_market_takes_the_book(self):
        await self.limit(self.maker, SELL, "0.2", "41999")
        order = await self.taker.place_order(SYMBOL, BUY, MARKET, Decimal("0.2"))
        self.assertEqual((order["status"], order["fills"][0]["price"]), ("FILLED", "41999.00000000"))

    async def test_old_trades_are_listed(self):
        order = await self.deal()
        async for trades in self.maker.trades(SYMBOL):
            self.assertEqual((trades[-1]["price"], trades[-1]["amount"]), (Decimal(order["price"]), Decimal("0.1")))
            ids = [trade["id"] for trade in trades]
            self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))

    async def test_old_candles_are_listed(self):
        order = await self.deal()
        async for candles in self.maker.candles(SYMBOL, interval="1h"):
            self.assertEqual(candles[-1].close, Decimal(order["price"]))
            self.assertEqual(round(candles[-1].stop - candles[-1].start, 3), 3_599.999)

    async def test_trades_are_those_of_rest(self):
        trade = await self.told(await self.feed(TRADES), stir=self.deal)
        [rest] = [t async for trades in self.maker.trades(SYMBOL) for t in trades if str(t["id"]) == trade.id]
        self.assertEqual((trade.symbol, trade.price, trade.amount, trade.timestamp),
                         (SYMBOL, rest["price"], rest["amount"], rest["timestamp"]))

    async def test_a_buyer_who_takes_is_told_as_a_buy(self):
        self.assertEqual((await self.told(await self.feed(TRADES), stir=self.deal)).side, BUY)

    async def test_a_seller_who_takes_is_told_as_a_sell(self):
        async def sell():
            await self.buy("19000")
            await self.taker.place_order(SYMBOL, SELL, MARKET, Decimal("0.1"))

        trade = await self.told(await self.feed(TRADES), stir=sell)
        self.assertEqual((trade.side, trade.price), (SELL, Decimal("19000")))

    async def test_no_trade_is_missed_or_told_twice(self):
        queue = await self.feed(TRADES)
        first = await self.told(queue, stir=self.deal)
        for _ in range(10):
            order = await self.deal()
        ids = [int(first.id)]
        while True:
            trade = await self.told(queue)
            ids.append(int(trade.id))
            if trade.price == Decimal(order["price"]):
                break
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))

    async def test_the_best_prices_are_told(self):
        queue = await self.feed(TICKER)
        await self.buy("30000")
        await self.limit(self.maker, SELL, "0.1", "90000")
        best = await self.told(queue, lambda best: best.bid == Decimal("30000") and best.ask)
        self.assertEqual((best.symbol, best.bid, best.ask), (SYMBOL, Decimal("30000"), Decimal("90000")))

    async def test_a_candle_is_that_of_rest(self):
        queue = await self.feed(CANDLES, candle_interval="1h")
        await self.told(queue, stir=self.deal)
        order = await self.deal("0.3")
        candle = await self.told(queue, lambda candle: candle.close == Decimal(order["price"]))
        [rest] = [c async for candles in self.maker.candles(SYMBOL, interval="1h") for c in candles if c.start == candle.start]
        told = lambda c: (c.open, c.high, c.low, c.close, c.volume, c.trades, c.stop)
        self.assertEqual(told(candle), told(rest))

    async def same_book(self, queue):
        rest = await self.maker._request("GET", "depth", payload={"symbol": "BTCUSDT", "limit": 1000})
        book = await self.told(queue, lambda book: book.sequence_number >= rest["lastUpdateId"])
        levels = lambda side: [(Decimal(price), Decimal(quantity)) for price, quantity in side]
        kept = lambda side: [(price, book.book[side][price]) for price in book.book[side].keys()]
        self.assertEqual((kept(BID), kept(ASK)), (levels(rest["bids"]), levels(rest["asks"])))

    async def test_a_book_is_that_of_rest_after_every_change(self):
        queue = await self.feed(L2_BOOK)
        await self.told(queue, stir=self.buy)
        order = await self.buy("25000", "0.5")
        await self.same_book(queue)
        await self.limit(self.maker, SELL, "0.75", "95000")
        await self.same_book(queue)
        await self.taker.place_order(SYMBOL, SELL, MARKET, Decimal("0.125"))
        await self.same_book(queue)
        await self.maker.cancel_order(order["orderId"], SYMBOL)
        await self.same_book(queue)

    async def test_an_account_hears_of_its_orders_by_a_listen_key(self):
        queue = await self.feed(ORDER_INFO, BALANCES)
        order = lambda told: hasattr(told, "remaining")
        first = await self.told(queue, order, stir=self.buy)
        self.assertEqual((first.status, first.side, first.amount, first.remaining), ("NEW", BUY, Decimal("0.1"), Decimal("0.1")))
        placed = await self.limit(self.maker, SELL, "1", "80000")
        new = await self.told(queue, lambda told: order(told) and told.id == str(placed["orderId"]))
        self.assertEqual((new.status, new.type, new.symbol), ("NEW", LIMIT, SYMBOL))
        await self.limit(self.taker, BUY, "0.4", "80000")
        trade = await self.told(queue, lambda told: order(told) and told.status == "TRADE")
        self.assertEqual((trade.id, trade.price, trade.remaining), (new.id, Decimal("80000"), Decimal("0.6")))

    async def test_an_account_hears_of_its_balances(self):
        queue = await self.feed(ORDER_INFO, BALANCES, name="taker")
        balance = lambda told: hasattr(told, "reserved")
        await self.told(queue, balance, stir=self.deal)
        resting = await self.limit(self.taker, BUY, "0.5", "10000")
        locked = await self.told(queue, lambda told: balance(told) and told.reserved == Decimal("5000"))
        rest = {b["asset"]: b for b in await self.taker.balances()}["USDT"]
        self.assertEqual((locked.currency, locked.balance), ("USDT", Decimal(rest["free"])))
        await self.taker.cancel_order(resting["orderId"], SYMBOL)
        await self.told(queue, lambda told: balance(told) and told.currency == "USDT" and not told.reserved)

    async def test_a_stranger_has_no_listen_key(self):
        type(self).keys["stranger"] = ("x" * 64, "y")
        with self.assertRaises(Exception) as raised:
            await self.feed(ORDER_INFO, BALANCES, name="stranger")
        self.assertIn("401", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
