"""hummingbot's connector, unmodified, against the real binary, driven by hummingbot's own clock.

It has no option for addresses: its constants are set before it is used.
"""

import asyncio
import logging
import os
import sys
import time
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from exchange import PATIENCE, Exchange
from hummingbot.connector.exchange.binance import binance_constants
from hummingbot.connector.exchange.binance.binance_exchange import BinanceExchange
from hummingbot.core.clock import Clock, ClockMode
from hummingbot.core.data_type.common import OrderType
from hummingbot.core.data_type.in_flight_order import OrderState
from hummingbot.core.event.event_logger import EventLogger
from hummingbot.core.event.events import MarketEvent

PAIR = "BTC-USDT"
KINDS = {
    MarketEvent.BuyOrderCreated, MarketEvent.SellOrderCreated, MarketEvent.OrderFilled, MarketEvent.OrderCancelled,
    MarketEvent.BuyOrderCompleted, MarketEvent.SellOrderCompleted, MarketEvent.OrderFailure,
}

logging.disable(logging.CRITICAL)


async def until(wanted, what):
    """Lets the connectors run until `wanted()` gives something."""
    async with asyncio.timeout(PATIENCE):
        while not (found := wanted()):
            await asyncio.sleep(0.05)
        return found


class Trader:
    """A connector and what it told."""

    def __init__(self, key):
        self.connector = BinanceExchange(*key, trading_pairs=[PAIR])
        self.logs = {kind: EventLogger() for kind in KINDS}
        for kind, log in self.logs.items():
            self.connector.add_listener(kind, log)

    async def told(self, kind, order_id):
        """The event of this kind about this order."""
        mine = lambda: [event for event in self.logs[kind].event_log if event.order_id == order_id]
        return (await until(mine, f"{kind} of {order_id}"))[-1]

    async def buy(self, amount, price=None, kind=OrderType.LIMIT):
        order = self.connector.buy(PAIR, Decimal(amount), kind, Decimal(price or "NaN"))
        await self.told(MarketEvent.BuyOrderCreated, order)
        return order

    async def sell(self, amount, price=None, kind=OrderType.LIMIT):
        order = self.connector.sell(PAIR, Decimal(amount), kind, Decimal(price or "NaN"))
        await self.told(MarketEvent.SellOrderCreated, order)
        return order

    def order(self, order_id):
        return self.connector._order_tracker.fetch_order(order_id)

    async def rest_order(self, order_id, status):
        """The order as REST tells it, once it has this status: what a stream told may be ahead of it by a moment."""
        async with asyncio.timeout(PATIENCE):
            while (found := await self.rest("/order", symbol="BTCUSDT", origClientOrderId=order_id))["status"] != status:
                await asyncio.sleep(0.05)
        return found

    async def rest(self, path, **parameters):
        """What the dialect's REST says of its account."""
        return await self.connector._api_get(path_url=path, params=parameters, is_auth_required=True)


class Connector(unittest.TestCase):
    """Everything runs in one loop, which hummingbot keeps in many places."""

    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        binance_constants.REST_URL = f"{cls.exchange.url}/api/"
        binance_constants.WSS_URL = f"{cls.exchange.ws}/ws"
        binance_constants.WSS_API_URL = f"{cls.exchange.ws}/ws-api/v3"
        cls.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(cls.loop)
        cls.addClassCleanup(cls.loop.close)
        cls.loop.run_until_complete(cls.start())
        cls.addClassCleanup(lambda: cls.loop.run_until_complete(cls.end()))
        cls.price = 40_000

    @classmethod
    async def start(cls):
        cls.maker = Trader(cls.exchange.trader("maker", BTC=1_000, USDT=10_000_000))
        cls.taker = Trader(cls.exchange.trader("taker", BTC=1_000, USDT=10_000_000))
        cls.clock = Clock(ClockMode.REALTIME, tick_size=0.2)
        for trader in (cls.maker, cls.taker):
            cls.clock.add_iterator(trader.connector)
        cls.clock.__enter__()
        cls.ticking = asyncio.ensure_future(cls.clock.run())
        for trader in (cls.maker, cls.taker):
            await until(lambda: trader.connector.ready, f"a connector that is ready, {trader.connector.status_dict}")

    @classmethod
    async def end(cls):
        for trader in (cls.maker, cls.taker):
            await trader.connector.stop_network()
        cls.ticking.cancel()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def run_async(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 3 * PATIENCE))

    def setUp(self):
        async def clear():
            for trader in (self.maker, self.taker):
                await trader.connector.cancel_all(PATIENCE)

        self.run_async(clear())

    async def deal(self, amount="0.1"):
        """A trade at a price of its own: the orders of both."""
        type(self).price += 1
        sold = await self.maker.sell(amount, self.price)
        return sold, await self.taker.buy(amount, self.price)

    async def balances(self, trader):
        account = await trader.rest("/account")
        return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in account["balances"]}

    def test_rules_are_those_of_the_market(self):
        rule = self.maker.connector.trading_rules[PAIR]
        self.assertEqual((rule.min_price_increment, rule.min_base_amount_increment), (Decimal("0.01"), Decimal("0.00001")))
        self.assertEqual(rule.min_order_size, Decimal("0.00001"))

    def test_prices_and_amounts_keep_to_the_steps(self):
        connector = self.maker.connector
        self.assertEqual(connector.quantize_order_price(PAIR, Decimal("40000.019")), Decimal("40000.01"))
        self.assertEqual(connector.quantize_order_amount(PAIR, Decimal("0.123456789")), Decimal("0.12345"))

    def test_the_clocks_agree(self):
        self.assertLess(abs(self.maker.connector._time_synchronizer.time() - time.time()), 10)

    def test_a_book_is_that_of_rest_after_every_change(self):
        async def same_book():
            rest = await self.maker.rest("/depth", symbol="BTCUSDT", limit=1000)
            sides = [[(float(price), float(quantity)) for price, quantity in rest[side]] for side in ("bids", "asks")]

            def same():
                book = self.maker.connector.get_order_book(PAIR)
                return [[(row.price, row.amount) for row in rows] for rows in (book.bid_entries(), book.ask_entries())] == sides

            await until(same, f"the book of REST, {sides}")

        async def check():
            order = await self.maker.buy("0.5", "20000")
            await same_book()
            await self.maker.sell("0.75", "90000")
            await same_book()
            await self.taker.sell("0.125", "20000")
            await same_book()
            self.maker.connector.cancel(PAIR, order)
            await self.maker.told(MarketEvent.OrderCancelled, order)
            await same_book()

        self.run_async(check())

    def test_the_last_price_is_that_of_the_last_trade(self):
        async def check():
            await self.deal()
            # Answers are kept for a moment, and a stream may have told of the trade before its order was answered.
            async with asyncio.timeout(PATIENCE):
                while (await self.maker.connector.get_last_traded_prices([PAIR]))[PAIR] != float(self.price):
                    await asyncio.sleep(0.1)
            book = self.maker.connector.get_order_book(PAIR)
            await until(lambda: book.last_trade_price == float(self.price), "the trade on the stream")

        self.run_async(check())

    def test_an_order_is_open_on_both_sides(self):
        async def check():
            order = await self.maker.sell("0.5", "60000")
            tracked = self.maker.order(order)
            await until(lambda: tracked.is_open, "an open order")
            rest = await self.maker.rest_order(order, "NEW")
            self.assertEqual((str(rest["orderId"]), rest["status"]), (tracked.exchange_order_id, "NEW"))
            self.assertTrue(order.startswith("x-MG43PCSN"))
            self.assertEqual((Decimal(rest["price"]), Decimal(rest["origQty"])), (tracked.price, tracked.amount))

        self.run_async(check())

    def test_a_cancelled_order_is_told_as_cancelled(self):
        async def check():
            order = await self.maker.sell("0.5", "61000")
            self.maker.connector.cancel(PAIR, order)
            await self.maker.told(MarketEvent.OrderCancelled, order)
            await until(lambda: self.maker.order(order).current_state == OrderState.CANCELED, "the state")
            rest = await self.maker.rest_order(order, "CANCELED")
            self.assertEqual(rest["status"], "CANCELED")

        self.run_async(check())

    def test_a_fill_is_told_with_its_fee(self):
        async def check():
            sold, bought = await self.deal("0.2")
            buyer = await self.taker.told(MarketEvent.OrderFilled, bought)
            seller = await self.maker.told(MarketEvent.OrderFilled, sold)
            self.assertEqual((buyer.price, buyer.amount), (Decimal(self.price), Decimal("0.2")))
            [fee] = buyer.trade_fee.flat_fees
            self.assertEqual((fee.token, fee.amount), ("BTC", Decimal("0.0002")))
            [fee] = seller.trade_fee.flat_fees
            self.assertEqual((fee.token, fee.amount), ("USDT", self.price * Decimal("0.2") * Decimal("0.0005")))
            self.assertEqual(buyer.exchange_trade_id, seller.exchange_trade_id)
            [trade] = await self.taker.rest("/myTrades", symbol="BTCUSDT", orderId=int(self.taker.order(bought).exchange_order_id))
            self.assertEqual(str(trade["id"]), buyer.exchange_trade_id)

        self.run_async(check())

    def test_a_filled_order_is_completed(self):
        async def check():
            sold, bought = await self.deal("0.3")
            done = await self.taker.told(MarketEvent.BuyOrderCompleted, bought)
            self.assertEqual((done.base_asset_amount, done.quote_asset_amount), (Decimal("0.3"), self.price * Decimal("0.3")))
            await self.maker.told(MarketEvent.SellOrderCompleted, sold)
            self.assertEqual(self.taker.order(bought).current_state, OrderState.FILLED)

        self.run_async(check())

    def test_a_part_that_was_filled_is_counted(self):
        async def check():
            order = await self.maker.sell("1", "39000")
            await self.taker.buy("0.4", "39000")
            tracked = self.maker.order(order)
            await until(lambda: tracked.executed_amount_base == Decimal("0.4"), "a part")
            await until(lambda: tracked.current_state == OrderState.PARTIALLY_FILLED, "the state")
            self.assertEqual(tracked.average_executed_price, Decimal("39000"))
            rest = await self.maker.rest_order(order, "PARTIALLY_FILLED")
            self.assertEqual((rest["status"], Decimal(rest["executedQty"])), ("PARTIALLY_FILLED", Decimal("0.4")))

        self.run_async(check())

    def test_an_order_at_the_market_takes_the_book(self):
        async def check():
            await self.maker.sell("0.25", "38000")
            order = await self.taker.buy("0.25", kind=OrderType.MARKET, price="38000")
            filled = await self.taker.told(MarketEvent.OrderFilled, order)
            self.assertEqual((filled.price, filled.amount), (Decimal("38000"), Decimal("0.25")))

        self.run_async(check())

    def test_a_maker_that_would_take_fails(self):
        async def check():
            await self.maker.sell("0.25", "37000")
            order = self.taker.connector.buy(PAIR, Decimal("0.1"), OrderType.LIMIT_MAKER, Decimal("37000"))
            await self.taker.told(MarketEvent.OrderFailure, order)
            resting = await self.taker.buy("0.1", "36000", OrderType.LIMIT_MAKER)
            await until(lambda: self.taker.order(resting).is_open, "an open order")

        self.run_async(check())

    def test_an_order_without_funds_fails(self):
        async def check():
            order = self.taker.connector.sell(PAIR, Decimal("5000"), OrderType.LIMIT, Decimal("60000"))
            await self.taker.told(MarketEvent.OrderFailure, order)
            self.assertEqual([locked for _, locked in (await self.balances(self.taker)).values() if locked], [])

        self.run_async(check())

    def test_balances_are_those_of_rest_to_the_last_digit(self):
        async def check():
            await self.deal("0.123")
            resting = await self.taker.buy("0.5", "10000")
            rest = await self.balances(self.taker)
            connector = self.taker.connector
            same = lambda: all(
                connector._account_available_balances[asset] == rest[asset][0]
                and connector.get_balance(asset) == sum(rest[asset]) for asset in ("BTC", "USDT"))
            await until(same, f"balances, {rest}")
            self.assertEqual(rest["USDT"][1], Decimal("5000"))
            connector.cancel(PAIR, resting)
            await until(lambda: connector._account_available_balances["USDT"] == sum(rest["USDT"]), "what was locked")

        self.run_async(check())

    def test_a_poll_says_what_the_stream_said(self):
        async def check():
            order = await self.maker.sell("1", "35000")
            await self.taker.buy("0.4", "35000")
            tracked = self.maker.order(order)
            await until(lambda: tracked.executed_amount_base == Decimal("0.4"), "a part")
            update = await self.maker.connector._request_order_status(tracked)
            self.assertEqual((update.new_state, update.exchange_order_id), (OrderState.PARTIALLY_FILLED, tracked.exchange_order_id))
            [trade] = await self.maker.connector._all_trade_updates_for_order(tracked)
            self.assertEqual({trade.trade_id}, set(tracked.order_fills))
            [streamed] = tracked.order_fills.values()
            self.assertEqual((trade.fill_price, trade.fill_base_amount, trade.fee.flat_fees),
                             (streamed.fill_price, streamed.fill_base_amount, streamed.fee.flat_fees))

        self.run_async(check())

    def test_an_order_that_is_gone_is_not_found(self):
        async def check():
            connector = self.maker.connector
            for path, call, known in (
                ("cancel", connector._api_delete, connector._is_order_not_found_during_cancelation_error),
                ("query", connector._api_get, connector._is_order_not_found_during_status_update_error),
            ):
                with self.assertRaises(IOError) as raised:
                    await call(path_url="/order", params={"symbol": "BTCUSDT", "origClientOrderId": "x-unknown"}, is_auth_required=True)
                self.assertTrue(known(raised.exception), path)

        self.run_async(check())

    def test_all_orders_are_cancelled_at_once(self):
        async def check():
            orders = [await self.maker.sell("0.1", price) for price in ("71000", "72000")]
            cancelled = await self.maker.connector.cancel_all(PATIENCE)
            self.assertEqual({result.order_id for result in cancelled if result.success}, set(orders))
            for order in orders:
                rest = await self.maker.rest_order(order, "CANCELED")
                self.assertEqual(rest["status"], "CANCELED")

        self.run_async(check())


if __name__ == "__main__":
    unittest.main()
