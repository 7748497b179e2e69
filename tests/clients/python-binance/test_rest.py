"""python-binance, unmodified, against the real binary: a subclass with our URLs, as its users do for mirrors."""

import os
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from binance.client import Client
from binance.exceptions import BinanceAPIException
from exchange import PATIENCE, Exchange

SYMBOL = "BTCUSDT"


def client(exchange, key=(None, None)):
    class Ours(Client):
        API_URL = f"{exchange.url}/api"
        MARGIN_API_URL = f"{exchange.url}/sapi"
        REQUEST_TIMEOUT = PATIENCE

    return Ours(*key)


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()
        cls.addClassCleanup(cls.exchange.stop)
        cls.maker = client(cls.exchange, cls.exchange.trader("maker", BTC=100, USDT=1_000_000))
        cls.taker = client(cls.exchange, cls.exchange.trader("taker", BTC=10, USDT=1_000_000))

    def setUp(self):
        for each in (self.maker, self.taker):
            if each.get_open_orders(symbol=SYMBOL):
                each._delete("openOrders", True, data={"symbol": SYMBOL})

    def deal(self, quantity, price):
        self.maker.order_limit_sell(symbol=SYMBOL, quantity=quantity, price=price)
        return self.taker.order_limit_buy(symbol=SYMBOL, quantity=quantity, price=price)

    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(BinanceAPIException) as raised:
            call(*args, **kwargs)
        self.assertEqual(raised.exception.code, code)
        return raised.exception.message

    def test_it_is_there_and_tells_its_time(self):
        self.assertEqual(self.maker.ping(), {})
        self.assertGreater(self.maker.get_server_time()["serverTime"], 1_600_000_000_000)
        self.assertEqual(self.maker.get_system_status()["status"], 0)

    def test_a_symbol_has_its_rules(self):
        info = self.maker.get_symbol_info(SYMBOL)
        self.assertEqual((info["status"], info["baseAsset"]), ("TRADING", "BTC"))
        filters = {found["filterType"]: found for found in info["filters"]}
        self.assertEqual(filters["PRICE_FILTER"]["tickSize"], "0.01000000")
        self.assertEqual(filters["LOT_SIZE"]["stepSize"], "0.00001000")

    def test_an_order_is_placed_found_and_cancelled(self):
        order = self.maker.order_limit_sell(symbol=SYMBOL, quantity="0.5", price="60000")
        self.assertTrue(order["clientOrderId"].startswith("x-HNA2TXFJ"))
        self.assertEqual((order["status"], order["price"]), ("NEW", "60000.00000000"))
        found = self.maker.get_order(symbol=SYMBOL, orderId=order["orderId"])
        self.assertEqual((found["origQty"], found["isWorking"]), ("0.50000000", True))
        [open_order] = self.maker.get_open_orders(symbol=SYMBOL)
        self.assertEqual(open_order, found)
        cancelled = self.maker.cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        self.assertEqual((cancelled["status"], cancelled["origClientOrderId"]), ("CANCELED", order["clientOrderId"]))

    def test_a_fill_is_exact(self):
        before = Decimal(self.taker.get_asset_balance("BTC")["free"])
        order = self.deal("0.3", "42000")
        self.assertEqual((order["status"], order["cummulativeQuoteQty"]), ("FILLED", "12600.00000000"))
        [fill] = order["fills"]
        self.assertEqual((fill["commission"], fill["commissionAsset"]), ("0.00030000", "BTC"))
        after = Decimal(self.taker.get_asset_balance("BTC")["free"])
        self.assertEqual(after - before, Decimal("0.29970000"))

    def test_own_trades_tell_maker_and_taker(self):
        order = self.deal("0.1", "42001")
        bought = self.taker.get_my_trades(symbol=SYMBOL, orderId=order["orderId"])
        self.assertEqual([trade["id"] for trade in bought], [fill["tradeId"] for fill in order["fills"]])
        sold = self.maker.get_my_trades(symbol=SYMBOL)[-1]
        self.assertEqual((sold["id"], sold["isMaker"], sold["isBuyer"]), (bought[0]["id"], True, False))
        self.assertEqual((sold["commission"], sold["commissionAsset"]), ("2.10005000", "USDT"))

    def test_the_book_has_texts_of_8_decimals(self):
        self.maker.order_limit_buy(symbol=SYMBOL, quantity="0.5", price="30000")
        book = self.maker.get_order_book(symbol=SYMBOL, limit=5)
        self.assertEqual(book["bids"], [["30000.00000000", "0.50000000"]])
        best = self.maker.get_orderbook_ticker(symbol=SYMBOL)
        self.assertEqual((best["bidPrice"], best["bidQty"]), ("30000.00000000", "0.50000000"))

    def test_trades_and_aggregates_count_without_holes(self):
        self.maker.order_limit_sell(symbol=SYMBOL, quantity="0.1", price="43000")
        self.maker.order_limit_sell(symbol=SYMBOL, quantity="0.1", price="43000")
        self.taker.order_market_buy(symbol=SYMBOL, quantity="0.2")
        trades = self.maker.get_recent_trades(symbol=SYMBOL)
        ids = [trade["id"] for trade in trades]
        self.assertEqual(ids, list(range(1, len(ids) + 1)))
        last = self.maker.get_aggregate_trades(symbol=SYMBOL)[-1]
        self.assertEqual((last["q"], last["l"] - last["f"]), ("0.20000000", 1))
        self.assertEqual(self.maker.get_historical_trades(symbol=SYMBOL, fromId=1)[0], trades[0])
        later = list(self.maker.aggregate_trade_iter(SYMBOL, last_id=1))
        self.assertEqual([found["a"] for found in later], list(range(2, last["a"] + 1)))

    def test_candles_are_whole(self):
        self.deal("0.1", "42002")
        [*_, candle] = self.maker.get_klines(symbol=SYMBOL, interval=Client.KLINE_INTERVAL_1MINUTE)
        self.assertEqual((len(candle), candle[4], candle[6] - candle[0]), (12, "42002.00000000", 59_999))
        week = list(self.maker.get_historical_klines_generator(SYMBOL, Client.KLINE_INTERVAL_1WEEK, "8 days ago UTC"))
        self.assertEqual(week[-1][4], "42002.00000000")

    def test_tickers_say_what_traded(self):
        self.deal("0.1", "42003")
        ticker = self.maker.get_ticker(symbol=SYMBOL)
        self.assertEqual((ticker["lastPrice"], ticker["lastQty"]), ("42003.00000000", "0.10000000"))
        self.assertEqual(self.maker.get_symbol_ticker(symbol=SYMBOL)["price"], "42003.00000000")
        self.assertIn({"symbol": SYMBOL, "price": "42003.00000000"}, self.maker.get_all_tickers())
        self.assertGreater(Decimal(self.maker.get_avg_price(symbol=SYMBOL)["price"]), 0)

    def test_errors_have_their_codes(self):
        text = self.refused(-2010, self.taker.order_limit_sell, symbol=SYMBOL, quantity="5000", price="60000")
        self.assertEqual(text, "Account has insufficient balance for requested action.")
        self.assertEqual(self.refused(-2011, self.taker.cancel_order, symbol=SYMBOL, orderId=999_999), "Unknown order sent.")
        self.assertEqual(self.refused(-2013, self.taker.get_order, symbol=SYMBOL, orderId=999_999), "Order does not exist.")
        self.refused(-1121, self.taker.get_order_book, symbol="NOSUCH")
        self.refused(-1013, self.taker.order_limit_buy, symbol=SYMBOL, quantity="0.1", price="1.001")
        self.refused(-1102, self.taker.create_order, symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="1")
        self.refused(-2015, client(self.exchange, ("x" * 64, "y")).get_account)
        self.refused(-1022, client(self.exchange, (self.maker.API_KEY, "y")).get_account)

    def test_a_test_order_changes_nothing(self):
        answer = self.maker.create_test_order(symbol=SYMBOL, side="SELL", type="LIMIT", timeInForce="GTC", quantity="1", price="60000")
        self.assertEqual(answer, {})
        self.assertEqual(self.maker.get_open_orders(symbol=SYMBOL), [])

    def test_a_pair_of_orders_is_one_list(self):
        self.deal("0.1", "42000")
        placed = self.maker.create_oco_order(
            symbol=SYMBOL, side="SELL", quantity="0.5", aboveType="LIMIT_MAKER", abovePrice="60000",
            belowType="STOP_LOSS_LIMIT", belowStopPrice="30000", belowPrice="29900", belowTimeInForce="GTC",
        )
        self.assertEqual((placed["contingencyType"], len(placed["orders"])), ("OCO", 2))
        [listed] = self.maker.get_open_oco_orders()
        self.assertEqual(listed["orderListId"], placed["orderListId"])
        cancelled = self.maker.cancel_order(symbol=SYMBOL, orderId=placed["orders"][0]["orderId"])
        self.assertEqual(cancelled["status"], "CANCELED")
        self.assertEqual(self.maker.get_open_orders(symbol=SYMBOL), [])

    def test_cancel_and_replace_is_one_step(self):
        order = self.maker.order_limit_sell(symbol=SYMBOL, quantity="0.5", price="60000")
        both = self.maker.cancel_replace_order(
            symbol=SYMBOL, side="SELL", type="LIMIT", timeInForce="GTC", quantity="0.5", price="61000",
            cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"],
        )
        self.assertEqual((both["cancelResult"], both["newOrderResult"]), ("SUCCESS", "SUCCESS"))
        [left] = self.maker.get_open_orders(symbol=SYMBOL)
        self.assertEqual(left["price"], "61000.00000000")

    def test_fees_and_assets_are_told(self):
        [fee] = self.maker.get_trade_fee(symbol=SYMBOL)
        self.assertEqual((fee["makerCommission"], fee["takerCommission"]), ("0.00050000", "0.00100000"))
        coins = {coin["coin"] for coin in self.maker.get_all_coins_info()}
        self.assertEqual(coins, {"BTC", "USDT"})
        account = self.maker.get_account()
        self.assertEqual((account["makerCommission"], account["canTrade"]), (5, True))

    def test_all_orders_are_listed_oldest_first(self):
        first = self.maker.order_limit_buy(symbol=SYMBOL, quantity="0.1", price="10000")
        second = self.maker.order_limit_buy(symbol=SYMBOL, quantity="0.1", price="10001")
        listed = [order["orderId"] for order in self.maker.get_all_orders(symbol=SYMBOL, orderId=first["orderId"])]
        self.assertEqual(listed[:2], [first["orderId"], second["orderId"]])

    def test_the_weight_used_is_on_every_answer(self):
        self.maker.ping()
        headers = self.maker.response.headers
        self.assertEqual(headers["x-mbx-used-weight"], headers["x-mbx-used-weight-1m"])
        self.assertIn("date", headers)

    def test_a_listen_key_is_made_and_ended(self):
        name = self.maker._post("userDataStream", False, data={})["listenKey"]
        self.assertEqual(len(name), 64)
        self.assertEqual(self.maker._put("userDataStream", False, data={"listenKey": name}), {})


if __name__ == "__main__":
    unittest.main()
