"""The official SDK's WebSocket API and streams, unmodified, against the real binary."""

import logging
import unittest
from decimal import Decimal

from Crypto.PublicKey import ECC
from sdk import SYMBOL, Exchange, fields, known, listen, rest, socket_api, streams, told

# It logs every message.
logging.disable(logging.ERROR)


class Sockets(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.keys = {
            "maker": cls.exchange.trader("maker", BTC=1_000, USDT=10_000_000),
            "taker": cls.exchange.trader("taker", BTC=1_000, USDT=10_000_000),
        }
        cls.rest = rest(cls.exchange, cls.keys["maker"])
        cls.price = 40_000

    async def asyncSetUp(self):
        named = lambda name: dict(zip(("api_key", "api_secret"), self.keys[name]))
        self.maker = await socket_api(self, self.exchange, **named("maker"))
        self.taker = await socket_api(self, self.exchange, **named("taker"))
        self.streams = await streams(self, self.exchange)
        if self.rest.get_open_orders(symbol=SYMBOL).data():
            self.rest.delete_open_orders(symbol=SYMBOL)

    async def limit(self, who, side, quantity, price, **more):
        answer = (await who.order_place(
            symbol=SYMBOL, side=side, type="LIMIT", time_in_force="GTC", quantity=quantity, price=price, **more)).data()
        return known(answer).result

    async def deal(self, quantity=0.1):
        type(self).price += 1
        await self.limit(self.maker, "SELL", quantity, self.price)
        return await self.limit(self.taker, "BUY", quantity, self.price)

    async def stream(self, handle):
        """A queue of a stream's events. It stands once what is asked after it has been answered."""
        queue = listen(handle)
        await self.streams.list_subscribe()
        return queue

    async def test_trades_are_those_of_rest(self):
        queue = await self.stream(await self.streams.trade(symbol=SYMBOL))
        await self.deal()
        event = fields(await told(queue))
        trade = self.rest.get_trades(symbol=SYMBOL).data()[-1]
        self.assertEqual([event[name] for name in "tpqTm"], [trade.id, trade.price, trade.qty, trade.time, trade.is_buyer_maker])

    async def test_aggregate_trades_are_those_of_rest(self):
        queue = await self.stream(await self.streams.agg_trade(symbol=SYMBOL))
        await self.deal()
        event, trade = fields(await told(queue)), fields(self.rest.agg_trades(symbol=SYMBOL).data()[-1])
        self.assertEqual([event[name] for name in "apqflTm"], [trade[name] for name in "apqflTm"])

    async def test_a_candle_is_that_of_rest(self):
        queue = await self.stream(await self.streams.kline(symbol=SYMBOL, interval="1h"))
        order = await self.deal(0.3)
        candle = fields(await told(queue, lambda event: fields(event)["k"]["c"] == order.price))["k"]
        [rest] = [row for row in self.rest.klines(symbol=SYMBOL, interval="1h").data() if row[0] == candle["t"]]
        self.assertEqual([candle[name] for name in "tohlcvTqnVQB"], rest)

    async def test_tickers_are_those_of_rest(self):
        full = await self.stream(await self.streams.ticker(symbol=SYMBOL))
        small = await self.stream(await self.streams.mini_ticker(symbol=SYMBOL))
        order = await self.deal(0.3)
        event = fields(await told(full, lambda event: fields(event)["c"] == order.price))
        rest = self.rest.ticker24hr(symbol=SYMBOL).data().actual_instance
        self.assertEqual(
            [event[name] for name in "pwcQohlvqFLn"],
            [rest.price_change, rest.weighted_avg_price, rest.last_price, rest.last_qty, rest.open_price, rest.high_price,
             rest.low_price, rest.volume, rest.quote_volume, rest.first_id, rest.last_id, rest.count])
        event = fields(await told(small, lambda event: fields(event)["c"] == order.price))
        self.assertEqual([event[name] for name in "ohlvq"],
                         [rest.open_price, rest.high_price, rest.low_price, rest.volume, rest.quote_volume])

    async def test_the_best_prices_are_those_of_rest(self):
        queue = await self.stream(await self.streams.book_ticker(symbol=SYMBOL))
        await self.limit(self.maker, "BUY", 0.25, 30_000)
        event = fields(await told(queue, lambda event: fields(event)["b"] == "30000.00000000"))
        rest = self.rest.ticker_book_ticker(symbol=SYMBOL).data().actual_instance
        self.assertEqual([event[name] for name in "bBaA"], [rest.bid_price, rest.bid_qty, rest.ask_price, rest.ask_qty])

    async def test_a_book_of_differences_becomes_that_of_rest(self):
        queue = await self.stream(await self.streams.diff_book_depth(symbol=SYMBOL, update_speed="100ms"))
        snapshot = self.rest.depth(symbol=SYMBOL, limit=5000).data()
        last, sides = snapshot.last_update_id, {"b": dict(snapshot.bids), "a": dict(snapshot.asks)}
        for price in (30_000, 31_000, 32_000):
            await self.limit(self.maker, "BUY", 0.5, price)
        await self.limit(self.taker, "SELL", 0.75, 31_000)
        rest = self.rest.depth(symbol=SYMBOL, limit=5000).data()
        while last < rest.last_update_id:
            event = fields(await told(queue, lambda event: fields(event)["u"] > last))
            self.assertLessEqual(event["U"], last + 1)
            last = event["u"]
            for side in sides:
                sides[side].update(event[side])
                sides[side] = {price: quantity for price, quantity in sides[side].items() if quantity != "0.00000000"}
        self.assertEqual((last, sides), (rest.last_update_id, {"b": dict(rest.bids), "a": dict(rest.asks)}))
        self.assertEqual(sides["b"]["31000.00000000"], "0.25000000")

    async def test_a_partial_book_is_that_of_rest(self):
        queue = await self.stream(await self.streams.partial_book_depth(symbol=SYMBOL, levels="5", update_speed="100ms"))
        for price in range(20_000, 20_007):
            await self.limit(self.maker, "BUY", 0.1, price)
        rest = self.rest.depth(symbol=SYMBOL, limit=5).data()
        event = await told(queue, lambda event: event.last_update_id == rest.last_update_id)
        self.assertEqual((event.bids, event.asks), (rest.bids, rest.asks))

    async def test_other_streams_are_read_by_their_models(self):
        average = await self.stream(await self.streams.avg_price(symbol=SYMBOL))
        window = await self.stream(await self.streams.rolling_window_ticker(symbol=SYMBOL, window_size="1h"))
        order = await self.deal()
        self.assertEqual(fields(await told(window, lambda event: fields(event)["c"] == order.price))["e"], "1hTicker")
        self.assertEqual(fields(await told(average))["i"], "5m")

    async def test_an_order_lives_through_its_states_over_the_socket(self):
        order = await self.limit(self.maker, "SELL", 1, 80_000, new_client_order_id="sdk-ws-1")
        self.assertEqual((order.status, order.client_order_id), ("NEW", "sdk-ws-1"))
        await self.limit(self.taker, "BUY", 0.4, 80_000)
        found = known((await self.maker.order_status(symbol=SYMBOL, order_id=order.order_id)).data()).result
        self.assertEqual((found.status, found.executed_qty), ("PARTIALLY_FILLED", "0.40000000"))
        self.assertEqual(fields(found), fields(self.rest.get_order(symbol=SYMBOL, order_id=order.order_id).data()))
        gone = known((await self.maker.order_cancel(symbol=SYMBOL, order_id=order.order_id)).data()).result
        self.assertEqual((gone.status, gone.orig_client_order_id), ("CANCELED", "sdk-ws-1"))
        orders = known((await self.maker.all_orders(symbol=SYMBOL)).data()).result
        self.assertIn((order.order_id, "CANCELED"), [(o.order_id, o.status) for o in orders])

    async def test_a_fill_over_the_socket_is_exact(self):
        async def free():
            answer = known((await self.taker.account_status()).data()).result
            return {balance.asset: Decimal(balance.free) for balance in answer.balances}

        before = await free()
        order = await self.deal(0.3)
        self.assertEqual([(f.commission, f.commission_asset) for f in order.fills], [("0.00030000", "BTC")])
        after = await free()
        self.assertEqual(after["BTC"] - before["BTC"], Decimal("0.2997"))
        self.assertEqual(before["USDT"] - after["USDT"], Decimal(order.cummulative_quote_qty))
        trades = known((await self.taker.my_trades(symbol=SYMBOL)).data()).result
        self.assertEqual(trades[-1].id, order.fills[0].trade_id)

    async def test_market_data_over_the_socket_is_that_of_rest(self):
        await self.deal()
        await self.limit(self.maker, "BUY", 0.5, 20_000)
        book, rest = known((await self.maker.depth(symbol=SYMBOL)).data()).result, self.rest.depth(symbol=SYMBOL).data()
        self.assertEqual((book.last_update_id, book.bids, book.asks), (rest.last_update_id, rest.bids, rest.asks))
        for name, call in {"trades_recent": "get_trades", "trades_aggregate": "agg_trades"}.items():
            rows = known((await getattr(self.maker, name)(symbol=SYMBOL)).data()).result
            self.assertEqual([fields(row) for row in rows], [fields(row) for row in getattr(self.rest, call)(symbol=SYMBOL).data()])
        candles = known((await self.maker.klines(symbol=SYMBOL, interval="1d")).data()).result
        self.assertEqual(candles, self.rest.klines(symbol=SYMBOL, interval="1d").data())
        ticker = (await self.maker.ticker_price(symbol=SYMBOL)).data().actual_instance
        self.assertEqual(known(ticker).result.price, f"{self.price}.00000000")

    async def test_limits_are_in_the_answers(self):
        answer = await self.maker.ping()
        [weight] = [limit for limit in answer.rate_limits if limit.rateLimitType == "REQUEST_WEIGHT"]
        self.assertEqual((weight.interval, weight.intervalNum), ("MINUTE", 1))
        self.assertGreater(weight.count, 0)

    async def test_an_account_hears_of_its_orders_trades_and_balances(self):
        handle = (await self.taker.user_data_stream_subscribe_signature()).stream
        queue = listen(handle)
        order = await self.deal(0.2)
        new, trade, position = [await told(queue) for _ in range(3)]
        new, trade = fields(new), fields(trade)
        self.assertEqual((new["x"], new["X"], new["i"]), ("NEW", "NEW", order.order_id))
        self.assertEqual((trade["x"], trade["X"], trade["l"]), ("TRADE", "FILLED", "0.20000000"))
        self.assertEqual((trade["n"], trade["N"], trade["t"]), ("0.00020000", "BTC", order.fills[0].trade_id))
        rest = known((await self.taker.account_status()).data()).result
        balances = {b.asset: (b.free, b.locked) for b in rest.balances}
        for balance in fields(position)["B"]:
            self.assertEqual((balance["f"], balance["l"]), balances[balance["a"]])

    async def test_a_session_needs_no_signature_after_its_logon(self):
        secret = ECC.generate(curve="Ed25519")
        account = known((await self.maker.account_status()).data()).result.uid
        made = self.exchange.admin("POST", "/v1/admin/keys", {
            "account": account, "permissions": ["read", "trade"],
            "public_key": secret.public_key().export_key(format="PEM"),
        })
        session = await socket_api(
            self, self.exchange, api_key=made["key"]["key"], private_key=secret.export_key(format="PEM"))
        logged = known((await session.session_logon()).data()).result
        self.assertEqual(logged.api_key, made["key"]["key"])
        queue = listen((await session.user_data_stream_subscribe()).stream)
        order = await self.limit(session, "SELL", 0.5, 90_000)
        self.assertEqual(fields(await told(queue))["i"], order.order_id)
        self.assertIsNone(known((await session.session_logout()).data(), but=["rateLimits"]).result.api_key)

    async def test_errors_are_told_with_their_codes(self):
        # Its answers are the errors.
        for code, call in {
            -2010: self.taker.order_place(
                symbol=SYMBOL, side="SELL", type="LIMIT", time_in_force="GTC", quantity=5_000, price=90_000),
            -2011: self.taker.order_cancel(symbol=SYMBOL, order_id=999_999),
            -2013: self.taker.order_status(symbol=SYMBOL, order_id=999_999),
            -1121: self.taker.depth(symbol="NOSUCH"),
        }.items():
            self.assertEqual((await call).data()["error"]["code"], code)


if __name__ == "__main__":
    unittest.main()
