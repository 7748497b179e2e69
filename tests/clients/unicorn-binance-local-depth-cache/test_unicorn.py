"""unicorn's depth cache, WebSocket and REST managers, unmodified, against the real binary."""

import logging
import os
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from exchange import Exchange, until
from unicorn_binance_local_depth_cache import BinanceLocalDepthCacheManager
from unicorn_binance_rest_api import BinanceRestApiManager
from unicorn_binance_rest_api.exceptions import BinanceAPIException
from unicorn_binance_websocket_api import BinanceWebSocketApiManager

SYMBOL = "BTCUSDT"
OTHER = "ETHUSDT"

logging.disable(logging.CRITICAL)


def rest(exchange, key=(None, None)):
    """With `tld`, since with `exchange` it has addresses of its own."""
    class Ours(BinanceRestApiManager):
        API_URL = f"{exchange.url}/api"
        MARGIN_API_URL = f"{exchange.url}/sapi"

    return Ours(api_key=key[0], api_secret=key[1], tld="com", warn_on_update=False)


class Unicorn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.exchange.list_market("ETH", "USDT")
        cls.keys = {
            "maker": cls.exchange.trader("maker", BTC=1_000, ETH=1_000, USDT=10_000_000),
            "taker": cls.exchange.trader("taker", BTC=1_000, ETH=1_000, USDT=10_000_000),
        }
        cls.maker = rest(cls.exchange, cls.keys["maker"])
        cls.taker = rest(cls.exchange, cls.keys["taker"])
        cls.sockets = BinanceWebSocketApiManager(
            websocket_base_uri=f"{cls.exchange.ws}/", websocket_api_base_uri=f"{cls.exchange.ws}/ws-api/v3",
            restful_base_uri=cls.exchange.url, output_default="dict", warn_on_update=False)
        # Streams stop with it: one at a time it would take five seconds for each.
        cls.addClassCleanup(cls.sockets.stop_manager)
        cls.books = BinanceLocalDepthCacheManager(
            ubra_manager=rest(cls.exchange), depth_cache_update_interval=100, init_interval=0.1, warn_on_update=False)
        cls.addClassCleanup(cls.books.stop_manager)
        cls.books.ubwa.websocket_base_uri = f"{cls.exchange.ws}/"
        cls.books.create_depthcache(markets=[SYMBOL, OTHER])
        cls.price = 40_000

    def setUp(self):
        for symbol in (SYMBOL, OTHER):
            for each in (self.maker, self.taker):
                for order in each.get_open_orders(symbol=symbol):
                    each.cancel_order(symbol=symbol, orderId=order["orderId"])

    def buy(self, quantity, price, symbol=SYMBOL):
        return self.maker.order_limit_buy(symbol=symbol, quantity=quantity, price=price)

    def deal(self, quantity="0.1"):
        type(self).price += 1
        self.maker.order_limit_sell(symbol=SYMBOL, quantity=quantity, price=str(self.price))
        return self.taker.order_limit_buy(symbol=SYMBOL, quantity=quantity, price=str(self.price))

    def follow(self, channel, market=SYMBOL, **more):
        """A stream and the function that gives what it told next, if anything."""
        stream = self.sockets.create_stream(channel, market, stream_buffer_name=True, **more)
        return lambda: self.sockets.pop_stream_data_from_stream_buffer(stream) or None

    def told(self, following, wanted, stir=None):
        """What is told and `wanted`; `stir` is done until then, since nothing tells that a stream stands."""
        def look():
            while event := following():
                if "stream" in event and wanted(event["data"]):
                    return event["data"]
            if stir:
                stir()
            return None

        return until(look, "a wanted event")

    # The depth cache.

    def sides(self, symbol):
        floats = lambda levels: [[float(price), float(quantity)] for price, quantity in levels]
        book = self.maker.get_order_book(symbol=symbol, limit=1000)
        return floats(book["bids"]), floats(book["asks"])

    def same_book(self, symbol=SYMBOL):
        def same():
            if not self.books.is_depth_cache_synchronized(symbol):
                return False
            return (self.books.get_bids(symbol), self.books.get_asks(symbol)) == sides

        sides = self.sides(symbol)
        until(same, f"the book of {symbol} is that of REST, {sides}")

    def synchronized(self, symbol=SYMBOL):
        """It needs an event to begin."""
        def look():
            if self.books.is_depth_cache_synchronized(symbol):
                return True
            self.buy("0.1", "1000", symbol)
            return False

        until(look, f"a depth cache of {symbol}")

    def test_a_depth_cache_is_the_book_of_rest_after_every_change(self):
        self.synchronized()
        self.buy("0.5", "20000")
        self.same_book()
        self.maker.order_limit_sell(symbol=SYMBOL, quantity="2", price="99000")
        self.same_book()
        self.taker.order_market_sell(symbol=SYMBOL, quantity="0.25")
        self.same_book()
        self.assertEqual(self.books.get_bids(SYMBOL)[0], [20_000.0, 0.25])

    def test_a_depth_cache_forgets_what_was_cancelled(self):
        self.synchronized()
        order = self.buy("0.5", "21000")
        self.same_book()
        self.maker.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        self.same_book()
        self.assertNotIn(21_000.0, [price for price, _ in self.books.get_bids(SYMBOL)])

    def test_two_depth_caches_do_not_mix(self):
        for symbol in (SYMBOL, OTHER):
            self.synchronized(symbol)
        self.buy("0.5", "2000", OTHER)
        self.same_book(OTHER)
        self.same_book(SYMBOL)
        self.assertEqual(self.books.get_bids(OTHER)[0], [2_000.0, 0.5])

    def test_a_depth_cache_that_is_made_anew_is_the_same(self):
        self.synchronized()
        self.buy("0.5", "22000")
        self.same_book()
        self.books.set_refresh_request(SYMBOL)
        self.buy("0.5", "22001")
        self.synchronized()
        self.same_book()

    # Streams.

    def test_trades_are_those_of_rest(self):
        event = self.told(self.follow("trade"), lambda _: True, self.deal)
        rest = {trade["id"]: trade for trade in self.maker.get_recent_trades(symbol=SYMBOL)}[event["t"]]
        self.assertEqual([event[name] for name in "pqTm"], [rest["price"], rest["qty"], rest["time"], rest["isBuyerMaker"]])

    def test_aggregate_trades_are_those_of_rest(self):
        event = self.told(self.follow("aggTrade"), lambda _: True, self.deal)
        [rest] = [trade for trade in self.maker.get_aggregate_trades(symbol=SYMBOL) if trade["a"] == event["a"]]
        self.assertEqual({name: event[name] for name in rest}, rest)

    def test_a_candle_is_that_of_rest(self):
        following = self.follow("kline_1h")
        self.told(following, lambda _: True, self.deal)
        order = self.deal("0.3")
        candle = self.told(following, lambda event: event["k"]["c"] == order["price"])["k"]
        [rest] = [row for row in self.maker.get_klines(symbol=SYMBOL, interval="1h") if row[0] == candle["t"]]
        self.assertEqual([candle[name] for name in "tohlcvTqnVQB"], rest)

    def test_the_best_prices_are_those_of_rest(self):
        following = self.follow("bookTicker")
        self.buy("0.25", "30000")
        event = self.told(following, lambda event: event["b"] == "30000.00000000")
        rest = self.maker.get_orderbook_ticker(symbol=SYMBOL)
        self.assertEqual([event[name] for name in "bBaA"], [rest[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")])

    def test_a_stream_takes_further_markets(self):
        stream = self.sockets.create_stream("bookTicker", SYMBOL, stream_buffer_name=True)
        following = lambda: self.sockets.pop_stream_data_from_stream_buffer(stream) or None
        self.told(following, lambda event: event["s"] == SYMBOL)
        self.sockets.subscribe_to_stream(stream, markets=[OTHER])
        self.told(following, lambda event: event["s"] == OTHER)

    def test_an_account_hears_of_its_orders(self):
        key, secret = self.keys["maker"]
        stream = self.sockets.create_stream("arr", "!userData", api_key=key, api_secret=secret, stream_buffer_name=True)

        def next_event(wanted):
            def look():
                while event := self.sockets.pop_stream_data_from_stream_buffer(stream):
                    event = event.get("event", event)
                    if wanted(event):
                        return event
                return None

            return until(look, "an event of the account")

        until(lambda: self.sockets.get_stream_info(stream)["status"] == "running")
        placed = []

        def first():
            placed.append(self.buy("0.5", "23000"))
            while event := self.sockets.pop_stream_data_from_stream_buffer(stream):
                if event.get("event", event).get("e") == "executionReport":
                    return event.get("event", event)
            return None

        new = until(first, "a report")
        self.assertIn((new["i"], new["c"]), [(order["orderId"], order["clientOrderId"]) for order in placed])
        self.assertEqual((new["x"], new["X"], new["q"], new["n"], new["N"]), ("NEW", "NEW", "0.50000000", "0", None))
        self.taker.order_market_sell(symbol=SYMBOL, quantity="0.2")
        trade = next_event(lambda event: event.get("x") == "TRADE")
        mine = self.maker.get_my_trades(symbol=SYMBOL)[-1]
        self.assertEqual([trade[name] for name in "tLlnNTm"], [
            mine[name] for name in ("id", "price", "qty", "commission", "commissionAsset", "time", "isMaker")])
        position = next_event(lambda event: event.get("e") == "outboundAccountPosition")
        rest = {b["asset"]: (b["free"], b["locked"]) for b in self.maker.get_account()["balances"]}
        self.assertEqual({b["a"]: (b["f"], b["l"]) for b in position["B"]}, {a: rest[a] for a in ("BTC", "USDT")})

    # The WebSocket API.

    def api(self):
        """A function that calls and gives the answer.

        Not by their `return_response`: it begins to wait after it has sent, and waits for ever when the answer is faster.
        """
        key, secret = self.keys["maker"]
        stream = self.sockets.create_stream(api=True, api_key=key, api_secret=secret, stream_buffer_name=True)
        until(lambda: self.sockets.get_stream_info(stream)["status"] == "running")

        def call(method, **parameters):
            getattr(self.sockets.api.spot, method)(stream_id=stream, request_id=method, **parameters)
            answer = until(lambda: self.sockets.pop_stream_data_from_stream_buffer(stream) or None, f"an answer to {method}")
            self.assertEqual(answer["id"], method)
            return answer

        return call

    def test_an_order_is_placed_found_and_cancelled_over_the_socket(self):
        call = self.api()
        answer = call(
            "create_order", symbol=SYMBOL, order_type="LIMIT", side="SELL", time_in_force="GTC", price=60_000.0, quantity=0.5,
            new_order_resp_type="RESULT", new_client_order_id="unicorn-1")
        self.assertEqual(answer["status"], 200, answer)
        order = answer["result"]
        self.assertEqual((order["status"], order["origQty"], order["clientOrderId"]), ("NEW", "0.50000000", "unicorn-1"))
        found = call("get_order", symbol=SYMBOL, order_id=order["orderId"])["result"]
        self.assertEqual(found, self.maker.get_order(symbol=SYMBOL, orderId=order["orderId"]))
        self.assertEqual(call("get_open_orders", symbol=SYMBOL)["result"], [found])
        gone = call("cancel_order", symbol=SYMBOL, order_id=order["orderId"])["result"]
        self.assertEqual((gone["status"], gone["origClientOrderId"]), ("CANCELED", "unicorn-1"))

    def test_market_data_over_the_socket_is_that_of_rest(self):
        self.deal()
        self.buy("0.5", "24000")
        call, maker = self.api(), self.maker
        self.assertEqual(call("get_order_book", symbol=SYMBOL, limit=100)["result"], maker.get_order_book(symbol=SYMBOL, limit=100))
        self.assertEqual(call("get_aggregate_trades", symbol=SYMBOL)["result"], maker.get_aggregate_trades(symbol=SYMBOL))
        candles = call("get_klines", symbol=SYMBOL, interval="1d")["result"]
        self.assertEqual(candles, maker.get_klines(symbol=SYMBOL, interval="1d"))
        self.assertEqual(call("get_account_status")["result"]["balances"], maker.get_account()["balances"])

    def test_errors_over_the_socket_have_their_codes(self):
        call = self.api()
        self.assertEqual(call("get_order", symbol=SYMBOL, order_id=999_999)["error"]["code"], -2013)
        self.assertEqual(call("cancel_order", symbol=SYMBOL, order_id=999_999)["error"]["code"], -2011)

    # REST.

    def test_a_fill_is_exact(self):
        before = Decimal(self.taker.get_asset_balance("BTC")["free"])
        order = self.deal("0.3")
        self.assertEqual((order["status"], order["fills"][0]["commission"]), ("FILLED", "0.00030000"))
        after = Decimal(self.taker.get_asset_balance("BTC")["free"])
        self.assertEqual(after - before, Decimal("0.2997"))
        [trade] = self.taker.get_my_trades(symbol=SYMBOL, orderId=order["orderId"])
        self.assertEqual((trade["id"], trade["isMaker"]), (order["fills"][0]["tradeId"], False))

    def test_the_weight_used_is_told(self):
        self.assertGreater(self.maker.get_used_weight()["weight"], 0)

    def test_tickers_say_what_traded(self):
        order = self.deal()
        self.assertEqual(self.maker.get_ticker(symbol=SYMBOL)["lastPrice"], order["price"])
        self.assertEqual(self.maker.get_symbol_ticker(symbol=SYMBOL)["price"], order["price"])

    def test_errors_have_their_codes(self):
        for code, call in {
            -2010: lambda: self.taker.order_limit_sell(symbol=SYMBOL, quantity="5000", price="60000"),
            -2011: lambda: self.taker.cancel_order(symbol=SYMBOL, orderId=999_999),
            -2013: lambda: self.taker.get_order(symbol=SYMBOL, orderId=999_999),
            -2015: lambda: rest(self.exchange, ("x" * 64, "y")).get_account(),
        }.items():
            with self.assertRaises(BinanceAPIException) as raised:
                call()
            self.assertEqual(raised.exception.code, code)


if __name__ == "__main__":
    unittest.main()
