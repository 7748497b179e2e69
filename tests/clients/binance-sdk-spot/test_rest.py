"""The official SDK's REST client, unmodified, against the real binary."""

import unittest
from decimal import Decimal

from sdk import SYMBOL, Exchange, fields, known, rest
from binance_common.errors import BadRequestError, UnauthorizedError


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.maker = rest(cls.exchange, cls.exchange.trader("maker", BTC=100, USDT=1_000_000))
        cls.taker = rest(cls.exchange, cls.exchange.trader("taker", BTC=10, USDT=1_000_000))
        cls.public = rest(cls.exchange)

    def setUp(self):
        for each in (self.maker, self.taker):
            if each.get_open_orders(symbol=SYMBOL).data():
                each.delete_open_orders(symbol=SYMBOL)

    def limit(self, who, side, quantity, price, **more):
        order = who.new_order(symbol=SYMBOL, side=side, type="LIMIT", time_in_force="GTC", quantity=quantity, price=price, **more)
        return known(order.data())

    def deal(self, quantity, price):
        self.limit(self.maker, "SELL", quantity, price)
        return self.limit(self.taker, "BUY", quantity, price)

    def refused(self, code, call, **parameters):
        with self.assertRaises(BadRequestError) as raised:
            call(**parameters)
        self.assertEqual(raised.exception.status_code, code)
        return raised.exception.error_message

    def test_it_is_there_and_tells_its_time(self):
        self.public.ping()
        self.assertGreater(known(self.public.time().data()).server_time, 1_600_000_000_000)

    def test_a_symbol_has_its_rules(self):
        [symbol] = known(self.public.exchange_info(symbol=SYMBOL).data()).symbols
        self.assertEqual((symbol.symbol, symbol.status, symbol.base_asset), (SYMBOL, "TRADING", "BTC"))
        filters = {found.actual_instance.filter_type: found.actual_instance for found in symbol.filters}
        self.assertEqual(filters["PRICE_FILTER"].tick_size, "0.01000000")
        self.assertEqual(filters["LOT_SIZE"].step_size, "0.00001000")
        self.assertIn("LIMIT_MAKER", symbol.order_types)

    def test_an_order_is_placed_found_and_cancelled(self):
        order = self.limit(self.maker, "SELL", 0.5, 60_000, new_client_order_id="sdk-1")
        self.assertEqual((order.status, order.client_order_id, order.price), ("NEW", "sdk-1", "60000.00000000"))
        found = known(self.maker.get_order(symbol=SYMBOL, order_id=order.order_id).data())
        self.assertEqual((found.orig_qty, found.is_working, found.time), ("0.50000000", True, order.transact_time))
        [listed] = known(self.maker.get_open_orders(symbol=SYMBOL).data())
        self.assertEqual(fields(listed), fields(found))
        gone = known(self.maker.delete_order(symbol=SYMBOL, orig_client_order_id="sdk-1").data())
        self.assertEqual((gone.status, gone.orig_client_order_id), ("CANCELED", "sdk-1"))
        ids = [o.order_id for o in known(self.maker.all_orders(symbol=SYMBOL).data())]
        self.assertIn(order.order_id, ids)

    def test_a_fill_moves_balances_by_trade_and_fee_to_the_last_digit(self):
        free = lambda: {b.asset: Decimal(b.free) for b in known(self.taker.get_account().data()).balances}
        before = free()
        order = self.deal(0.3, 42_000)
        self.assertEqual((order.status, order.cummulative_quote_qty), ("FILLED", "12600.00000000"))
        self.assertEqual([(f.commission, f.commission_asset) for f in order.fills], [("0.00030000", "BTC")])
        after = free()
        self.assertEqual(after["BTC"] - before["BTC"], Decimal("0.2997"))
        self.assertEqual(after["USDT"] - before["USDT"], Decimal("-12600"))

    def test_own_trades_tell_maker_and_taker(self):
        order = self.deal(0.1, 42_001)
        [bought] = known(self.taker.my_trades(symbol=SYMBOL, order_id=order.order_id).data())
        sold = known(self.maker.my_trades(symbol=SYMBOL).data())[-1]
        self.assertEqual((sold.id, sold.is_maker, bought.is_maker), (order.fills[0].trade_id, True, False))
        self.assertEqual((sold.commission, sold.commission_asset), ("2.10005000", "USDT"))

    def test_the_book_is_that_of_the_orders(self):
        self.limit(self.maker, "BUY", 0.5, 30_000)
        book = known(self.public.depth(symbol=SYMBOL, limit=5).data())
        self.assertEqual((book.bids, book.asks), ([["30000.00000000", "0.50000000"]], []))
        best = known(self.public.ticker_book_ticker(symbol=SYMBOL).data())
        self.assertEqual((best.bid_price, best.bid_qty, best.ask_price), ("30000.00000000", "0.50000000", "0.00000000"))

    def test_trades_in_all_their_forms_agree(self):
        self.deal(0.2, 43_000)
        trade = known(self.public.get_trades(symbol=SYMBOL).data())[-1]
        old = known(self.public.historical_trades(symbol=SYMBOL).data())[-1]
        aggregate = known(self.public.agg_trades(symbol=SYMBOL).data())[-1]
        self.assertEqual(fields(trade), fields(old))
        told = [fields(aggregate)[name] for name in "fpqTm"]
        self.assertEqual(told, [trade.id, trade.price, trade.qty, trade.time, trade.is_buyer_maker])

    def test_candles_say_what_traded(self):
        self.deal(0.1, 42_002)
        candle = known(self.public.klines(symbol=SYMBOL, interval="1m").data())[-1]
        self.assertEqual((len(candle), candle[4], candle[6] - candle[0]), (12, "42002.00000000", 59_999))
        self.assertEqual(known(self.public.ui_klines(symbol=SYMBOL, interval="1m").data())[-1][4], "42002.00000000")

    def test_tickers_agree(self):
        self.deal(0.1, 42_003)
        day = known(self.public.ticker24hr(symbol=SYMBOL).data())
        self.assertEqual((day.last_price, day.last_qty), ("42003.00000000", "0.10000000"))
        for other in (
            self.public.ticker(symbol=SYMBOL, window_size="1d"),
            self.public.ticker_trading_day(symbol=SYMBOL),
        ):
            self.assertEqual(known(other.data()).last_price, day.last_price)
        self.assertEqual(known(self.public.ticker_price(symbol=SYMBOL).data()).price, day.last_price)
        self.assertEqual([t.symbol for t in known(self.public.ticker24hr(symbols=[SYMBOL]).data())], [SYMBOL])
        self.assertGreater(Decimal(known(self.public.avg_price(symbol=SYMBOL).data()).price), 0)

    def test_errors_have_their_codes(self):
        order = {"symbol": SYMBOL, "side": "SELL", "type": "LIMIT", "time_in_force": "GTC", "quantity": 1, "price": 60_000}
        text = self.refused(-2010, self.taker.new_order, **{**order, "quantity": 5_000})
        self.assertEqual(text, "Account has insufficient balance for requested action.")
        self.refused(-2011, self.taker.delete_order, symbol=SYMBOL, order_id=999_999)
        self.refused(-2013, self.taker.get_order, symbol=SYMBOL, order_id=999_999)
        self.refused(-1121, self.public.depth, symbol="NOSUCH")
        self.assertIn("PRICE_FILTER", self.refused(-1013, self.taker.new_order, **{**order, "price": 1.001}))
        # So it writes small numbers.
        self.refused(-1100, self.taker.new_order, **{**order, "quantity": 0.00001})
        with self.assertRaises(UnauthorizedError) as raised:
            rest(self.exchange, ("x" * 64, "y")).get_account()
        self.assertEqual(raised.exception.status_code, -2015)

    def test_a_test_order_tells_what_it_would_cost(self):
        order = {"symbol": SYMBOL, "side": "SELL", "type": "LIMIT", "time_in_force": "GTC", "quantity": 1, "price": 60_000}
        told = known(self.maker.order_test(**order, compute_commission_rates=True).data())
        self.assertEqual(told.standard_commission_for_order.maker, "0.00050000")
        self.assertEqual(known(self.maker.get_open_orders(symbol=SYMBOL).data()), [])

    def test_rates_and_limits_are_told(self):
        rates = known(self.maker.account_commission(symbol=SYMBOL).data())
        self.assertEqual((rates.standard_commission.maker, rates.standard_commission.taker), ("0.00050000", "0.00100000"))
        counts = known(self.maker.rate_limit_order().data())
        self.assertEqual([row.rate_limit_type for row in counts], ["ORDERS", "ORDERS"])
        filters = known(self.maker.my_filters(symbol=SYMBOL).data())
        self.assertIsNotNone(filters.exchange_filters)

    def test_an_order_is_amended_where_it_stands(self):
        order = self.limit(self.maker, "SELL", 0.5, 61_000)
        amended = known(self.maker.order_amend_keep_priority(symbol=SYMBOL, new_qty=0.25, order_id=order.order_id).data())
        self.assertEqual((amended.amended_order.order_id, amended.amended_order.qty), (order.order_id, "0.25000000"))
        [change] = known(self.maker.order_amendments(symbol=SYMBOL, order_id=order.order_id).data())
        self.assertEqual((change.orig_qty, change.new_qty), ("0.50000000", "0.25000000"))

    def test_cancel_and_replace_is_one_step(self):
        order = self.limit(self.maker, "SELL", 0.5, 61_000)
        both = known(self.maker.order_cancel_replace(
            symbol=SYMBOL, side="SELL", type="LIMIT", cancel_replace_mode="STOP_ON_FAILURE", time_in_force="GTC",
            quantity=0.25, price=62_000, cancel_order_id=order.order_id).data())
        self.assertEqual((both.cancel_result, both.new_order_result), ("SUCCESS", "SUCCESS"))
        self.assertEqual(both.new_order_response.price, "62000.00000000")

    def test_lists_of_orders_are_placed_found_and_cancelled(self):
        self.deal(0.1, 42_000)
        placed = known(self.maker.order_list_oco(
            symbol=SYMBOL, side="SELL", quantity=0.5, above_type="LIMIT_MAKER", above_price=60_000,
            below_type="STOP_LOSS_LIMIT", below_stop_price=30_000, below_price=29_900, below_time_in_force="GTC").data())
        self.assertEqual((placed.contingency_type, len(placed.order_reports)), ("OCO", 2))
        [found] = known(self.maker.open_order_list().data())
        self.assertEqual(found.order_list_id, placed.order_list_id)
        gone = self.maker.delete_order_list(symbol=SYMBOL, order_list_id=placed.order_list_id).data()
        # Their model of a cancelled list is older than that of a placed one.
        known(gone, but=["selfTradePreventionMode"])
        self.assertEqual({report.status for report in gone.order_reports}, {"CANCELED"})

    def test_one_order_triggers_another(self):
        placed = known(self.maker.order_list_oto(
            symbol=SYMBOL, working_type="LIMIT", working_side="SELL", working_price=44_000, working_quantity=0.1,
            working_time_in_force="GTC", pending_type="LIMIT", pending_side="BUY", pending_price=30_000,
            pending_quantity=0.1, pending_time_in_force="GTC").data())
        self.assertEqual([report.status for report in placed.order_reports], ["NEW", "PENDING_NEW"])
        self.limit(self.taker, "BUY", 0.1, 44_000)
        [pending] = known(self.maker.get_open_orders(symbol=SYMBOL).data())
        self.assertEqual((pending.side, pending.price), ("BUY", "30000.00000000"))
        found = known(self.maker.get_order_list(order_list_id=placed.order_list_id).data())
        self.assertEqual(found.list_order_status, "ALL_DONE")


if __name__ == "__main__":
    unittest.main()
