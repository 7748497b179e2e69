"""ccxt.pro (Python), unmodified, against the real binary: what it watches is what REST says."""

import asyncio
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

import ccxt
import ccxt.pro
from exchange import PATIENCE, Exchange
from ccxt_settings import config

SYMBOL = "BTC/USDT"
OTHER = "ETH/USDT"


class Follow:
    """Calls a watch method for ever; `latest` is what it gave last."""

    def __init__(self, watch):
        self.latest = None
        self.task = asyncio.ensure_future(self.follow(watch))

    async def follow(self, watch):
        while True:
            self.latest = await watch()

    async def until(self, wanted, stir=None):
        """What was given last, once it is `wanted`. Nothing tells when ccxt has subscribed: `stir` is done until then."""
        async with asyncio.timeout(PATIENCE):
            while self.latest is None or not wanted(self.latest):
                if stir and self.latest is None:
                    await stir()
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.05)
        return self.latest


def there(_):
    return True


class Watching(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.exchange.list_market("ETH", "USDT")
        cls.keys = {
            "maker": cls.exchange.trader("maker", BTC=1_000, ETH=1_000, USDT=10_000_000),
            "taker": cls.exchange.trader("taker", BTC=1_000, ETH=1_000, USDT=10_000_000),
        }
        cls.price = 40_000

    async def asyncSetUp(self):
        # Or it tells of everything that took long.
        asyncio.get_running_loop().set_debug(False)
        self.maker = await self.client(self.keys["maker"])
        self.taker = await self.client(self.keys["taker"])
        self.public = await self.client()
        for symbol in (SYMBOL, OTHER):
            if await self.maker.fetch_open_orders(symbol):
                await self.maker.cancel_all_orders(symbol)

    async def client(self, key=None):
        # Without newUpdates a watch method gives all that it has kept; the rate limit is its own idea of ours.
        made = ccxt.pro.binance(config(self.exchange, key, newUpdates=False, enableRateLimit=False))
        self.addAsyncCleanup(made.close)
        await made.load_markets()
        return made

    def follow(self, watch):
        made = Follow(watch)
        self.addCleanup(made.task.cancel)
        return made

    async def follow_own(self, trader, watch):
        """Follows what is told to an account, from now on."""
        await trader.authenticate({"type": "spot"})
        made = self.follow(watch)
        # Until it waits for the first event: nothing on the way there needs the network any more.
        await asyncio.sleep(0.1)
        return made

    async def deal(self, amount=0.1, symbol=SYMBOL):
        """A trade at a price of its own; the taker's order."""
        type(self).price += 1
        await self.maker.create_order(symbol, "limit", "sell", amount, self.price)
        return await self.taker.create_order(symbol, "limit", "buy", amount, self.price)

    async def quote(self, price, symbol=SYMBOL):
        return await self.maker.create_order(symbol, "limit", "buy", 0.1, price)

    async def same_book(self, follow):
        """The watched book becomes that of REST."""
        rest = await self.public.fetch_order_book(SYMBOL, 100)
        book = await follow.until(lambda book: book["nonce"] >= rest["nonce"])
        self.assertEqual((book["bids"], book["asks"]), (rest["bids"], rest["asks"]))

    async def test_a_watched_book_is_that_of_rest_after_every_change(self):
        follow = self.follow(lambda: self.public.watch_order_book(SYMBOL))
        await follow.until(there, lambda: self.quote(20_000))
        await self.maker.create_order(SYMBOL, "limit", "sell", 0.75, 90_000)
        await self.same_book(follow)
        order = await self.maker.create_order(SYMBOL, "limit", "buy", 0.25, 30_000)
        await self.same_book(follow)
        await self.taker.create_order(SYMBOL, "limit", "sell", 0.125, 30_000)
        await self.same_book(follow)
        await self.maker.cancel_order(order["id"], SYMBOL)
        await self.same_book(follow)

    async def test_books_of_several_markets_are_watched_together(self):
        follow = self.follow(lambda: self.public.watch_order_book_for_symbols([SYMBOL, OTHER]))
        books = self.public.orderbooks
        whole = lambda _: len(books) == 2 and all(book["bids"] for book in books.values())

        async def quote():
            await self.quote(20_001)
            await self.quote(2_001, OTHER)

        await follow.until(there, quote)
        await quote()
        await follow.until(whole)
        self.assertEqual({symbol: books[symbol]["bids"][0][0] for symbol in books}, {SYMBOL: 20_001.0, OTHER: 2_001.0})

    async def recent_trades(self, symbol=SYMBOL):
        """ccxt prefers aggregate trades, which have ids of their own."""
        return await self.public.fetch_trades(symbol, params={"fetchTradesMethod": "publicGetTrades"})

    async def test_watched_trades_are_those_of_rest(self):
        follow = self.follow(lambda: self.public.watch_trades(SYMBOL))
        trades = list(await follow.until(there, self.deal))
        rest = {trade["id"]: trade for trade in await self.recent_trades()}
        for trade in trades:
            for field in ("price", "amount", "cost", "side", "timestamp"):
                self.assertEqual(trade[field], rest[trade["id"]][field], field)

    async def test_no_trade_is_missed_or_told_twice(self):
        follow = self.follow(lambda: self.public.watch_trades(SYMBOL))
        await follow.until(there, self.deal)
        for _ in range(10):
            await self.deal()
        last = (await self.recent_trades())[-1]["id"]
        trades = await follow.until(lambda trades: trades[-1]["id"] == last)
        ids = [int(trade["id"]) for trade in trades]
        self.assertEqual(ids, list(range(ids[0], int(last) + 1)))
        self.assertGreater(len(ids), 10)

    async def test_a_trade_whose_seller_takes_is_a_sell(self):
        async def sell():
            await self.quote(19_000)
            await self.taker.create_order(SYMBOL, "market", "sell", 0.1)

        trades = await self.follow(lambda: self.public.watch_trades(SYMBOL)).until(there, sell)
        self.assertEqual((trades[-1]["side"], trades[-1]["price"]), ("sell", 19_000.0))

    async def test_a_watched_ticker_is_that_of_rest(self):
        follow = self.follow(lambda: self.public.watch_ticker(SYMBOL))
        await follow.until(there, self.deal)
        order = await self.deal(0.3)
        ticker = await follow.until(lambda ticker: ticker["last"] == order["price"])
        rest = await self.public.fetch_ticker(SYMBOL)
        for field in ("last", "close", "high", "low", "baseVolume", "quoteVolume", "open", "change"):
            self.assertEqual(ticker[field], rest[field], field)

    async def test_watched_tickers_name_their_markets(self):
        follow = self.follow(lambda: self.public.watch_tickers([SYMBOL, OTHER]))
        await self.deal(symbol=OTHER)
        await follow.until(lambda found: {SYMBOL, OTHER} <= set(found), self.deal)
        sold = await self.deal(symbol=OTHER)
        found = await follow.until(lambda found: found[OTHER]["last"] == sold["price"])
        rest = await self.public.fetch_ticker(OTHER)
        self.assertEqual((found[OTHER]["high"], found[OTHER]["quoteVolume"]), (rest["high"], rest["quoteVolume"]))

    async def test_the_best_prices_are_watched(self):
        await self.maker.create_order(SYMBOL, "limit", "buy", 0.5, 25_000)
        await self.maker.create_order(SYMBOL, "limit", "sell", 0.25, 95_000)
        follow = self.follow(lambda: self.public.watch_bids_asks([SYMBOL]))
        best = (await follow.until(lambda found: found[SYMBOL]["ask"]))[SYMBOL]
        self.assertEqual((best["bid"], best["bidVolume"], best["ask"], best["askVolume"]), (25_000.0, 0.5, 95_000.0, 0.25))
        await self.quote(26_000)
        best = (await follow.until(lambda found: found[SYMBOL]["bid"] == 26_000.0))[SYMBOL]
        self.assertEqual(best["bidVolume"], 0.1)

    async def test_a_watched_candle_is_that_of_rest(self):
        follow = self.follow(lambda: self.public.watch_ohlcv(SYMBOL, "1h"))
        await follow.until(there, self.deal)
        order = await self.deal(0.4)
        candles = await follow.until(lambda candles: candles[-1][4] == order["price"])
        rest = {candle[0]: candle for candle in await self.public.fetch_ohlcv(SYMBOL, "1h")}
        self.assertEqual(candles[-1], rest[candles[-1][0]])

    async def test_a_watched_order_lives_through_its_states(self):
        follow = await self.follow_own(self.maker, lambda: self.maker.watch_orders(SYMBOL))
        placed = await self.maker.create_order(SYMBOL, "limit", "sell", 1, 80_000, {"clientOrderId": "watched-1"})
        state = lambda order: (order["status"], order["filled"], order["remaining"])

        async def told(wanted):
            mine = lambda orders: [order for order in orders if order["id"] == placed["id"] and wanted(order)]
            [order] = mine(await follow.until(mine))
            return order

        order = await told(there)
        self.assertEqual(state(order), ("open", 0.0, 1.0))
        self.assertEqual((order["clientOrderId"], order["type"], order["side"], order["price"]), ("watched-1", "limit", "sell", 80_000.0))
        await self.taker.create_order(SYMBOL, "limit", "buy", 0.4, 80_000)
        order = await told(lambda order: order["filled"] > 0)
        self.assertEqual((*state(order), order["average"], order["cost"]), ("open", 0.4, 0.6, 80_000.0, 32_000.0))
        await self.maker.cancel_order(placed["id"], SYMBOL)
        order = await told(lambda order: order["status"] != "open")
        self.assertEqual(state(order), state(await self.maker.fetch_order(placed["id"], SYMBOL)))
        self.assertEqual((order["status"], order["clientOrderId"]), ("canceled", "watched-1"))

    async def test_a_watched_trade_of_ones_own_has_its_fee(self):
        buyer = await self.follow_own(self.taker, lambda: self.taker.watch_my_trades(SYMBOL))
        seller = await self.follow_own(self.maker, lambda: self.maker.watch_my_trades(SYMBOL))
        bought = await self.deal(0.2)
        trade = (await buyer.until(lambda trades: trades[-1]["order"] == bought["id"]))[-1]
        [rest] = await self.taker.fetch_order_trades(bought["id"], SYMBOL)
        for field in ("id", "order", "timestamp", "price", "amount", "cost", "side", "takerOrMaker", "fee"):
            self.assertEqual(trade[field], rest[field], field)
        self.assertEqual((trade["fee"]["currency"], trade["fee"]["cost"]), ("BTC", 0.0002))
        sold = (await seller.until(lambda trades: trades[-1]["id"] == trade["id"]))[-1]
        self.assertEqual((sold["takerOrMaker"], sold["fee"]["currency"]), ("maker", "USDT"))
        self.assertEqual(sold["fee"]["cost"], round(self.price * 0.2 * 0.0005, 8))

    async def test_a_watched_balance_is_that_of_rest_to_the_last_digit(self):
        follow = await self.follow_own(self.taker, self.taker.watch_balance)
        await self.deal(0.123)
        rest = await self.taker.fetch_balance()
        same = lambda told: all(told.get(asset) == rest[asset] for asset in ("BTC", "USDT"))
        await follow.until(same)
        resting = await self.taker.create_order(SYMBOL, "limit", "buy", 0.5, 10_000)
        locked = await follow.until(lambda told: told["USDT"]["used"] == 5_000.0)
        self.assertEqual(locked["USDT"]["free"], round(rest["USDT"]["free"] - 5_000, 8))
        await self.taker.cancel_order(resting["id"], SYMBOL)
        await follow.until(same)

    async def test_a_credit_is_watched(self):
        trader = await self.client(self.exchange.trader("credited", USDT=1))
        follow = await self.follow_own(trader, trader.watch_balance)
        account = int((await trader.fetch_balance())["info"]["uid"])
        self.exchange.admin("POST", "/v1/admin/credits", {
            "account": account, "asset": "BTC", "amount": "1.5", "reference": "a credit that is watched",
        })
        await follow.until(lambda told: told.get("BTC", {}).get("total") == 1.5)

    async def test_orders_are_placed_edited_and_cancelled_over_the_socket(self):
        order = await self.maker.create_order_ws(SYMBOL, "limit", "sell", 0.5, 81_000)
        self.assertEqual((order["status"], order["amount"], order["price"]), ("open", 0.5, 81_000.0))
        self.assertEqual((await self.maker.fetch_order_ws(order["id"], SYMBOL))["clientOrderId"], order["clientOrderId"])
        edited = await self.maker.edit_order_ws(order["id"], SYMBOL, "limit", "sell", 0.25, 82_000)
        self.assertEqual((edited["status"], edited["amount"], edited["price"]), ("open", 0.25, 82_000.0))
        self.assertEqual([o["id"] for o in await self.maker.fetch_open_orders_ws(SYMBOL)], [edited["id"]])
        self.assertEqual((await self.maker.fetch_order(order["id"], SYMBOL))["status"], "canceled")
        cancelled = await self.maker.cancel_order_ws(edited["id"], SYMBOL)
        self.assertEqual((cancelled["id"], cancelled["status"]), (edited["id"], "canceled"))
        listed = {o["id"]: o["status"] for o in await self.maker.fetch_orders_ws(SYMBOL)}
        self.assertEqual((listed[order["id"]], listed[edited["id"]]), ("canceled", "canceled"))

    async def test_all_orders_are_cancelled_over_the_socket(self):
        for price in (70_000, 71_000):
            await self.maker.create_order_ws(SYMBOL, "limit", "sell", 0.1, price)
        self.assertEqual({o["status"] for o in await self.maker.cancel_all_orders_ws(SYMBOL)}, {"canceled"})
        self.assertEqual(await self.maker.fetch_open_orders(SYMBOL), [])

    async def test_a_fill_over_the_socket_tells_price_and_fee(self):
        await self.maker.create_order_ws(SYMBOL, "limit", "sell", 0.3, 60_000)
        order = await self.taker.create_order_ws(SYMBOL, "market", "buy", 0.3)
        self.assertEqual((order["status"], order["filled"], order["average"], order["cost"]), ("closed", 0.3, 60_000.0, 18_000.0))
        self.assertEqual((order["trades"][0]["fee"]["currency"], order["trades"][0]["fee"]["cost"]), ("BTC", 0.0003))
        [*_, trade] = await self.taker.fetch_my_trades_ws(SYMBOL)
        self.assertEqual((trade["order"], trade["id"]), (order["id"], order["trades"][0]["id"]))
        closed = await self.taker.fetch_closed_orders_ws(SYMBOL)
        self.assertIn(order["id"], [o["id"] for o in closed])

    async def test_market_data_over_the_socket_is_that_of_rest(self):
        await self.deal()
        candles, rest = await self.public.fetch_ohlcv_ws(SYMBOL, "1h"), await self.public.fetch_ohlcv(SYMBOL, "1h")
        self.assertEqual(candles, rest)
        trades = await self.public.fetch_trades_ws(SYMBOL)
        rest = await self.recent_trades()
        self.assertEqual([(t["id"], t["price"]) for t in trades], [(t["id"], t["price"]) for t in rest])

    async def test_errors_over_the_socket_have_their_classes(self):
        with self.assertRaises(ccxt.InsufficientFunds):
            await self.taker.create_order_ws(SYMBOL, "limit", "sell", 5_000, 100_000)
        with self.assertRaises(ccxt.OrderNotFound):
            await self.taker.cancel_order_ws("999999", SYMBOL)
        with self.assertRaises(ccxt.OrderNotFound):
            await self.taker.fetch_order_ws("999999", SYMBOL)
        forger = await self.client()
        forger.apiKey, forger.secret = self.maker.apiKey, "y" * 64
        with self.assertRaises(ccxt.AuthenticationError):
            await forger.fetch_open_orders_ws(SYMBOL)

    async def test_what_is_no_longer_watched_is_no_longer_sent(self):
        follow = self.follow(lambda: self.public.watch_trades(SYMBOL))
        await follow.until(there, self.deal)
        follow.task.cancel()
        await asyncio.wait_for(self.public.un_watch_trades(SYMBOL), PATIENCE)
        self.assertNotIn(SYMBOL, self.public.trades)
        # What comes on the same connection afterwards would be behind it.
        await self.deal()
        await self.follow(lambda: self.public.watch_trades(OTHER)).until(there, lambda: self.deal(symbol=OTHER))
        self.assertNotIn(SYMBOL, self.public.trades)


if __name__ == "__main__":
    unittest.main()
