"""python-binance's sockets, depth cache and WebSocket API, unmodified, against the real binary."""

import asyncio
import os
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from binance import AsyncClient, BinanceSocketManager, DepthCacheManager
from binance.exceptions import BinanceAPIException
from binance.ws.constants import WSListenerState
from binance.ws.reconnecting_websocket import ReconnectingWebsocket
from binance.ws.websocket_api import WebsocketAPI
from exchange import PATIENCE, Exchange

SYMBOL = "BTCUSDT"

# Seconds until a socket of theirs sees that it was closed: ten, and we close many.
ReconnectingWebsocket.TIMEOUT = 0.2
# The same, and how long it waits for an answer.
WebsocketAPI.TIMEOUT = PATIENCE


class Streams(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.keys = {
            "maker": cls.exchange.trader("maker", BTC=1_000, USDT=10_000_000),
            "taker": cls.exchange.trader("taker", BTC=1_000, USDT=10_000_000),
        }
        cls.price = 40_000

    async def asyncSetUp(self):
        self.maker = await self.client(self.keys["maker"])
        self.taker = await self.client(self.keys["taker"])
        if await self.maker.get_open_orders(symbol=SYMBOL):
            await self.maker.cancel_all_open_orders(symbol=SYMBOL)

    async def client(self, key):
        """As its users do for mirrors: a subclass with other URLs."""
        exchange = self.exchange

        class Ours(AsyncClient):
            API_URL = f"{exchange.url}/api"
            MARGIN_API_URL = f"{exchange.url}/sapi"
            WS_API_URL = f"{exchange.ws}/ws-api/v3"
            REQUEST_TIMEOUT = PATIENCE

        made = await Ours.create(*key)
        self.addAsyncCleanup(self.close, made)
        return made

    async def close(self, client):
        """A socket for requests hears at once that it is closed, and does not look after TIMEOUT only."""
        if client.ws_api and client.ws_api.ws:
            client.ws_api.ws_state = WSListenerState.EXITING
            await client.ws_api.ws.close()
        await client.close_connection()

    def manager(self, client=None):
        class Ours(BinanceSocketManager):
            STREAM_URL = f"{self.exchange.ws}/"

        return Ours(client or self.maker)

    async def open(self, socket):
        """Streams named in the path are subscribed to once the connection stands."""
        await socket.__aenter__()
        self.addAsyncCleanup(socket.__aexit__, None, None, None)
        return socket

    async def next(self, socket, wanted=lambda event: True):
        async with asyncio.timeout(PATIENCE):
            while not wanted(event := await socket.recv()):
                pass
        return event

    async def deal(self, quantity="0.1"):
        type(self).price += 1
        await self.maker.order_limit_sell(symbol=SYMBOL, quantity=quantity, price=str(self.price))
        return await self.taker.order_limit_buy(symbol=SYMBOL, quantity=quantity, price=str(self.price))

    def quote(self, quantity, price):
        return self.maker.order_limit_buy(symbol=SYMBOL, quantity=quantity, price=price)

    async def test_trades_are_those_of_rest(self):
        socket = await self.open(self.manager().trade_socket(SYMBOL))
        await self.deal()
        event = await self.next(socket)
        trade = (await self.maker.get_recent_trades(symbol=SYMBOL))[-1]
        told = (event["t"], event["p"], event["q"], event["T"], event["m"])
        self.assertEqual(told, (trade["id"], trade["price"], trade["qty"], trade["time"], trade["isBuyerMaker"]))

    async def test_aggregate_trades_are_those_of_rest(self):
        socket = await self.open(self.manager().aggtrade_socket(SYMBOL))
        for _ in range(2):
            await self.maker.order_limit_sell(symbol=SYMBOL, quantity="0.1", price="90000")
        await self.taker.order_limit_buy(symbol=SYMBOL, quantity="0.2", price="90000")
        event = await self.next(socket)
        trade = (await self.maker.get_aggregate_trades(symbol=SYMBOL))[-1]
        self.assertEqual({key: event[key] for key in trade}, trade)
        self.assertEqual((event["q"], event["l"] - event["f"]), ("0.20000000", 1))

    async def test_a_candle_is_that_of_rest(self):
        socket = await self.open(self.manager().kline_socket(SYMBOL, interval="1h"))
        order = await self.deal("0.3")
        candle = (await self.next(socket, lambda event: event["k"]["c"] == order["price"]))["k"]
        rest = {row[0]: row for row in await self.maker.get_klines(symbol=SYMBOL, interval="1h")}[candle["t"]]
        told = [candle[key] for key in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")]
        self.assertEqual(told, rest)

    async def test_a_ticker_is_that_of_rest(self):
        socket = await self.open(self.manager().symbol_ticker_socket(SYMBOL))
        order = await self.deal("0.4")
        event = await self.next(socket, lambda event: event["c"] == order["price"])
        rest = await self.maker.get_ticker(symbol=SYMBOL)
        told = [event[key] for key in "pwcQohlvqFLn"]
        names = ("priceChange", "weightedAvgPrice", "lastPrice", "lastQty", "openPrice", "highPrice", "lowPrice", "volume",
                 "quoteVolume", "firstId", "lastId", "count")
        self.assertEqual(told, [rest[name] for name in names])

    async def test_small_tickers_of_all_markets_come_in_a_list(self):
        socket = await self.open(self.manager().miniticker_socket())
        order = await self.deal()
        [event] = await self.next(socket, lambda events: events[0]["c"] == order["price"])
        self.assertEqual((event["e"], event["s"]), ("24hrMiniTicker", SYMBOL))
        self.assertEqual(event["q"], (await self.maker.get_ticker(symbol=SYMBOL))["quoteVolume"])

    async def test_the_best_prices_are_those_of_rest(self):
        socket = await self.open(self.manager().symbol_book_ticker_socket(SYMBOL))
        await self.quote("0.25", "30000")
        event = await self.next(socket, lambda event: event["b"] == "30000.00000000")
        rest = await self.maker.get_orderbook_ticker(symbol=SYMBOL)
        self.assertEqual([event[key] for key in "bBaA"], [rest[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")])

    async def test_a_partial_book_is_that_of_rest(self):
        socket = await self.open(self.manager().depth_socket(SYMBOL, depth=BinanceSocketManager.WEBSOCKET_DEPTH_5))
        for price in range(20_000, 20_007):
            await self.quote("0.1", str(price))
        rest = await self.maker.get_order_book(symbol=SYMBOL, limit=5)
        self.assertEqual(await self.next(socket, lambda event: event["lastUpdateId"] == rest["lastUpdateId"]), rest)
        self.assertEqual(len(rest["bids"]), 5)

    async def test_several_streams_share_a_connection(self):
        socket = await self.open(self.manager().multiplex_socket([f"{SYMBOL.lower()}@trade", f"{SYMBOL.lower()}@aggTrade"]))
        order = await self.deal()
        told = {}
        while len(told) < 2:
            event = await self.next(socket)
            told[event["stream"]] = event["data"]["p"]
        self.assertEqual(told, {"btcusdt@trade": order["price"], "btcusdt@aggTrade": order["price"]})

    async def test_a_depth_cache_is_the_book_of_rest_after_every_change(self):
        await self.quote("0.5", "20000")
        cache = await self.open(DepthCacheManager(
            self.maker, SYMBOL, bm=self.manager(), limit=1000, ws_interval=100, conv_type=Decimal))
        buy = lambda price: lambda: self.quote("0.1", price)
        hit = lambda: self.taker.order_market_sell(symbol=SYMBOL, quantity="0.25")
        clear = lambda: self.maker.cancel_all_open_orders(symbol=SYMBOL)
        ask = lambda: self.maker.order_limit_sell(symbol=SYMBOL, quantity="2", price="99000")
        # Its first message makes it fetch a snapshot.
        for change in (buy("21000"), ask, hit, buy("22000"), buy("22000"), buy("23000"), clear, buy("24000")):
            await change()
            rest = await self.maker.get_order_book(symbol=SYMBOL, limit=1000)
            sides = tuple([[Decimal(text) for text in level] for level in rest[side]] for side in ("bids", "asks"))
            await self.next(cache, lambda book: (book.get_bids(), book.get_asks()) == sides)

    async def test_an_order_is_told_as_it_goes(self):
        socket = await self.open(self.manager().user_socket())
        order = await self.maker.order_limit_sell(symbol=SYMBOL, quantity="1", price="80000")
        reports = lambda execution: lambda event: event["e"] == "executionReport" and event["x"] == execution
        new = await self.next(socket, reports("NEW"))
        self.assertEqual((new["i"], new["c"], new["X"]), (order["orderId"], order["clientOrderId"], "NEW"))
        self.assertEqual((new["p"], new["q"], new["w"], new["n"], new["N"]), ("80000.00000000", "1.00000000", True, "0", None))
        await self.taker.order_limit_buy(symbol=SYMBOL, quantity="0.4", price="80000")
        filled = await self.next(socket, reports("TRADE"))
        trade = (await self.maker.get_my_trades(symbol=SYMBOL))[-1]
        self.assertEqual((filled["X"], filled["z"], filled["Z"]), ("PARTIALLY_FILLED", "0.40000000", "32000.00000000"))
        told = [filled[key] for key in ("t", "L", "l", "n", "N", "T", "m")]
        names = ("id", "price", "qty", "commission", "commissionAsset", "time", "isMaker")
        self.assertEqual(told, [trade[name] for name in names])
        cancelled = await self.maker.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        gone = await self.next(socket, reports("CANCELED"))
        self.assertEqual((gone["X"], gone["C"], gone["c"]), ("CANCELED", order["clientOrderId"], cancelled["clientOrderId"]))
        self.assertEqual((gone["z"], gone["w"]), ("0.40000000", False))
        self.assertLess(new["I"], filled["I"])
        self.assertLess(filled["I"], gone["I"])

    async def test_a_taker_hears_of_its_order_before_its_trades(self):
        socket = await self.open(self.manager(self.taker).user_socket())
        await self.deal("0.2")
        told = [await self.next(socket) for _ in range(3)]
        self.assertEqual([(e["e"], e.get("x"), e.get("X")) for e in told], [
            ("executionReport", "NEW", "NEW"),
            ("executionReport", "TRADE", "FILLED"),
            ("outboundAccountPosition", None, None),
        ])
        rest = {b["asset"]: (b["free"], b["locked"]) for b in (await self.taker.get_account())["balances"]}
        self.assertEqual({b["a"]: (b["f"], b["l"]) for b in told[2]["B"]}, {asset: rest[asset] for asset in ("BTC", "USDT")})

    async def test_an_order_is_placed_found_and_cancelled_over_the_socket(self):
        order = await self.maker.ws_order_limit_sell(symbol=SYMBOL, quantity="0.5", price="70000")
        found = await self.maker.ws_get_order(symbol=SYMBOL, orderId=order["orderId"])
        self.assertEqual(found, await self.maker.get_order(symbol=SYMBOL, orderId=order["orderId"]))
        self.assertEqual(await self.maker.ws_get_open_orders(symbol=SYMBOL), [found])
        gone = await self.maker.ws_cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        self.assertEqual((gone["status"], gone["origClientOrderId"]), ("CANCELED", order["clientOrderId"]))
        self.assertIn(order["orderId"], [o["orderId"] for o in await self.maker.ws_get_all_orders(symbol=SYMBOL)])

    async def test_an_order_is_replaced_over_the_socket(self):
        order = await self.maker.ws_order_limit_sell(symbol=SYMBOL, quantity="0.5", price="70000")
        both = await self.maker.ws_cancel_and_replace_order(
            symbol=SYMBOL, side="SELL", type="LIMIT", timeInForce="GTC", quantity="0.25", price="71000",
            cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"])
        self.assertEqual((both["cancelResult"], both["newOrderResult"]), ("SUCCESS", "SUCCESS"))
        [left] = await self.maker.ws_get_open_orders(symbol=SYMBOL)
        self.assertEqual((left["price"], left["origQty"]), ("71000.00000000", "0.25000000"))
        [gone] = await self.maker.ws_cancel_all_open_orders(symbol=SYMBOL)
        self.assertEqual((gone["orderId"], gone["status"]), (left["orderId"], "CANCELED"))

    async def test_a_fill_over_the_socket_is_exact(self):
        before = Decimal((await self.taker.get_asset_balance("BTC"))["free"])
        await self.maker.ws_order_limit_sell(symbol=SYMBOL, quantity="0.3", price="42000")
        order = await self.taker.ws_order_market_buy(symbol=SYMBOL, quantity="0.3")
        self.assertEqual((order["status"], order["cummulativeQuoteQty"]), ("FILLED", "12600.00000000"))
        self.assertEqual([(f["commission"], f["commissionAsset"]) for f in order["fills"]], [("0.00030000", "BTC")])
        balances = (await self.taker.ws_get_account())["balances"]
        [after] = [Decimal(b["free"]) for b in balances if b["asset"] == "BTC"]
        self.assertEqual(after - before, Decimal("0.2997"))
        [*_, trade] = await self.taker.ws_get_my_trades(symbol=SYMBOL)
        self.assertEqual(trade["id"], order["fills"][0]["tradeId"])

    async def test_a_list_of_orders_is_placed_and_cancelled_over_the_socket(self):
        await self.deal()
        placed = await self.maker.ws_create_oco_order(
            symbol=SYMBOL, side="SELL", quantity="0.5", aboveType="LIMIT_MAKER", abovePrice="90000",
            belowType="STOP_LOSS_LIMIT", belowStopPrice="20000", belowPrice="19900", belowTimeInForce="GTC")
        self.assertEqual((placed["contingencyType"], len(placed["orderReports"])), ("OCO", 2))
        found = await self.maker.ws_get_oco_order(orderListId=placed["orderListId"])
        self.assertEqual(found["orders"], placed["orders"])
        gone = await self.maker.ws_cancel_oco_order(symbol=SYMBOL, orderListId=placed["orderListId"])
        self.assertEqual((gone["listOrderStatus"], len(gone["orderReports"])), ("ALL_DONE", 2))
        self.assertEqual(await self.maker.get_open_orders(symbol=SYMBOL), [])

    async def test_market_data_over_the_socket_is_that_of_rest(self):
        await self.deal()
        await self.quote("0.5", "20000")
        self.assertEqual(await self.maker.ws_ping(), {})
        for name, more in {
            "get_order_book": {}, "get_recent_trades": {}, "get_historical_trades": {"fromId": 1}, "get_aggregate_trades": {},
            "get_klines": {"interval": "1d"}, "get_avg_price": {}, "get_symbol_ticker": {}, "get_orderbook_ticker": {},
        }.items():
            rest, told = getattr(self.maker, name), getattr(self.maker, f"ws_{name}")
            self.assertEqual(await told(symbol=SYMBOL, **more), await rest(symbol=SYMBOL, **more), name)
        [symbol] = (await self.maker.ws_get_exchange_info(symbol=SYMBOL))["symbols"]
        self.assertEqual(symbol, await self.maker.get_symbol_info(SYMBOL))

    async def test_errors_over_the_socket_have_their_codes(self):
        for code, call in {
            -2010: self.taker.ws_order_limit_sell(symbol=SYMBOL, quantity="5000", price="60000"),
            -2011: self.taker.ws_cancel_order(symbol=SYMBOL, orderId=999_999),
            -2013: self.taker.ws_get_order(symbol=SYMBOL, orderId=999_999),
            -1121: self.taker.ws_get_order_book(symbol="NOSUCH"),
            -1013: self.taker.ws_order_limit_buy(symbol=SYMBOL, quantity="0.1", price="1.001"),
        }.items():
            with self.assertRaises(BinanceAPIException) as raised:
                await call
            self.assertEqual(raised.exception.code, code)


if __name__ == "__main__":
    unittest.main()
