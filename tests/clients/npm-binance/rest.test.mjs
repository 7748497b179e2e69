// The npm package `binance`, MainClient, against the real binary.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Exchange, difference, sum } from '../common/exchange.mjs';
import { SYMBOL, funds, limit, restOf } from './client.mjs';

let exchange, maker, taker, nobody;

before(async () => {
  exchange = await Exchange.start();
  maker = restOf(exchange, await exchange.trader('maker', { BTC: '100', USDT: '1000000' }));
  taker = restOf(exchange, await exchange.trader('taker', { BTC: '10', USDT: '1000000' }));
  nobody = restOf(exchange);
});

after(() => exchange.stop());

beforeEach(async () => {
  for (const client of [maker, taker]) {
    if ((await client.getOpenOrders({ symbol: SYMBOL })).length) await client.cancelAllSymbolOrders({ symbol: SYMBOL });
  }
});

// Whether a promise is refused with this code of the dialect (and this text).
async function refused(promise, code, text) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, JSON.stringify(error));
    if (text) assert.equal(error.message, text);
    return true;
  });
}

test('the exchange is alive and tells its markets', async () => {
  assert.deepEqual(await nobody.testConnectivity(), {});
  const info = await nobody.getExchangeInfo({ symbol: SYMBOL });
  const [market] = info.symbols;
  assert.deepEqual([market.symbol, market.status, market.baseAsset, market.quoteAsset], [SYMBOL, 'TRADING', 'BTC', 'USDT']);
  const filter = (type) => market.filters.find((each) => each.filterType === type);
  assert.deepEqual([filter('PRICE_FILTER').tickSize, filter('LOT_SIZE').stepSize], ['0.01000000', '0.00001000']);
  assert.equal(market.filters[0].filterType, 'PRICE_FILTER');
});

test('a fill moves balances by the trade and the fee, to the last digit', async () => {
  const had = { btc: await funds(taker, 'BTC'), usdt: await funds(taker, 'USDT'), paid: await funds(maker, 'USDT'), sold: await funds(maker, 'BTC') };
  await maker.submitNewOrder(limit('SELL', 0.54321, 40_123.45));
  const order = await taker.submitNewOrder({ symbol: SYMBOL, side: 'BUY', type: 'MARKET', quantity: 0.54321 });
  assert.deepEqual([order.status, order.executedQty, order.cummulativeQuoteQty], ['FILLED', '0.54321000', '21795.45927450']);
  const [fill] = order.fills;
  assert.deepEqual([fill.price, fill.qty, fill.commission, fill.commissionAsset], ['40123.45000000', '0.54321000', '0.00054321', 'BTC']);
  assert.equal(difference((await funds(taker, 'BTC')).free, had.btc.free), '0.54266679');
  assert.equal(difference((await funds(taker, 'USDT')).free, had.usdt.free), '-21795.45927450');
  assert.equal(difference((await funds(maker, 'BTC')).free, had.sold.free), '-0.54321000');
  // Less 0.05 %, 10.89772963725, rounded up for the payer.
  assert.equal(difference((await funds(maker, 'USDT')).free, had.paid.free), '21784.56154486');
});

test('a buyer who gets a better price has the difference back at once', async () => {
  const had = await funds(taker, 'USDT');
  await maker.submitNewOrder(limit('SELL', 0.1, 40_000));
  await taker.submitNewOrder(limit('BUY', 0.3, 41_000));
  const has = await funds(taker, 'USDT');
  assert.equal(difference(has.locked, had.locked), '8200.00000000');
  assert.equal(difference(has.free, had.free), '-12200.00000000');
});

test('an order goes through NEW, PARTIALLY_FILLED and CANCELED', async () => {
  const order = await maker.submitNewOrder(limit('SELL', 1, 44_000, { newOrderRespType: 'RESULT' }));
  const states = [order.status];
  await taker.submitNewOrder(limit('BUY', 0.4, 44_000));
  const found = await maker.getOrder({ symbol: SYMBOL, orderId: order.orderId });
  states.push(found.status);
  assert.deepEqual([found.executedQty, found.cummulativeQuoteQty, found.isWorking], ['0.40000000', '17600.00000000', true]);
  const cancelled = await maker.cancelOrder({ symbol: SYMBOL, orderId: order.orderId });
  states.push(cancelled.status);
  assert.deepEqual(states, ['NEW', 'PARTIALLY_FILLED', 'CANCELED']);
  assert.equal(cancelled.origClientOrderId, order.clientOrderId);
  const listed = (await maker.getAllOrders({ symbol: SYMBOL })).at(-1);
  assert.deepEqual([listed.orderId, listed.status, listed.executedQty], [order.orderId, 'CANCELED', '0.40000000']);
});

test('the answer has as much as was asked for', async () => {
  const ack = await maker.submitNewOrder(limit('BUY', 0.1, 10_000, { newOrderRespType: 'ACK' }));
  assert.deepEqual(Object.keys(ack).sort(), ['clientOrderId', 'orderId', 'orderListId', 'symbol', 'transactTime']);
  const result = await maker.submitNewOrder(limit('BUY', 0.1, 10_001, { newOrderRespType: 'RESULT' }));
  assert.deepEqual([result.fills, result.origQty, result.timeInForce], [undefined, '0.10000000', 'GTC']);
  const full = await maker.submitNewOrder(limit('BUY', 0.1, 10_002, { newOrderRespType: 'FULL' }));
  assert.deepEqual(full.fills, []);
});

test('an immediate-or-cancel order expires with its rest', async () => {
  await maker.submitNewOrder(limit('SELL', 0.2, 44_100));
  const order = await taker.submitNewOrder(limit('BUY', 1, 44_100, { timeInForce: 'IOC' }));
  assert.deepEqual([order.status, order.executedQty], ['EXPIRED', '0.20000000']);
});

test('a purchase by quote spends what lots allow', async () => {
  await maker.submitNewOrder(limit('SELL', 1, 50_000));
  const order = await taker.submitNewOrder({ symbol: SYMBOL, side: 'BUY', type: 'MARKET', quoteOrderQty: 1_234.56 });
  assert.deepEqual([order.status, order.executedQty, order.cummulativeQuoteQty], ['FILLED', '0.02469000', '1234.50000000']);
});

test('a stop-loss waits, and sells once the price is met', async () => {
  await maker.submitNewOrder(limit('SELL', 0.1, 46_000));
  await taker.submitNewOrder(limit('BUY', 0.1, 46_000));
  const stop = await taker.submitNewOrder({
    symbol: SYMBOL, side: 'SELL', type: 'STOP_LOSS_LIMIT', timeInForce: 'GTC', quantity: 0.1, price: 44_000, stopPrice: 45_000, newOrderRespType: 'RESULT',
  });
  const waiting = await taker.getOrder({ symbol: SYMBOL, orderId: stop.orderId });
  assert.deepEqual([waiting.status, waiting.isWorking, waiting.workingTime, waiting.stopPrice], ['NEW', false, -1, '45000.00000000']);
  await maker.submitNewOrder(limit('BUY', 0.2, 45_000));
  await taker.submitNewOrder(limit('SELL', 0.1, 45_000));
  assert.equal((await taker.getOrder({ symbol: SYMBOL, orderId: stop.orderId })).status, 'FILLED');
});

test('of an OCO one order ends the other', async () => {
  await maker.submitNewOrder(limit('SELL', 0.1, 46_000));
  await taker.submitNewOrder(limit('BUY', 0.1, 46_000));
  const list = await taker.submitNewOrderList({
    symbol: SYMBOL, side: 'SELL', quantity: 0.1, aboveType: 'LIMIT_MAKER', abovePrice: 47_000,
    belowType: 'STOP_LOSS_LIMIT', belowStopPrice: 45_000, belowPrice: 44_900, belowTimeInForce: 'GTC',
  });
  assert.deepEqual([list.contingencyType, list.listOrderStatus, list.orders.length], ['OCO', 'EXECUTING', 2]);
  assert.deepEqual((await taker.getAllOpenOCO()).map((each) => each.orderListId), [list.orderListId]);
  await maker.submitNewOrder(limit('BUY', 0.1, 47_000));
  const states = {};
  for (const { orderId } of list.orders) {
    const order = await taker.getOrder({ symbol: SYMBOL, orderId });
    states[order.type] = order.status;
  }
  assert.deepEqual(states, { LIMIT_MAKER: 'FILLED', STOP_LOSS_LIMIT: 'EXPIRED' });
  assert.deepEqual(await taker.getAllOpenOCO(), []);
});

test('an OTO places its second order after the first is filled', async () => {
  const list = await taker.submitNewOrderListOTO({
    symbol: SYMBOL, workingType: 'LIMIT', workingSide: 'BUY', workingPrice: 43_000, workingQuantity: 0.1, workingTimeInForce: 'GTC',
    pendingType: 'LIMIT', pendingSide: 'SELL', pendingPrice: 48_000, pendingQuantity: 0.05, pendingTimeInForce: 'GTC',
  });
  assert.equal(list.contingencyType, 'OTO');
  assert.deepEqual((await taker.getOpenOrders({ symbol: SYMBOL })).map((each) => each.side), ['BUY']);
  await maker.submitNewOrder(limit('SELL', 0.1, 43_000));
  const [pending] = await taker.getOpenOrders({ symbol: SYMBOL });
  assert.deepEqual([pending.side, pending.price, pending.origQty, pending.status], ['SELL', '48000.00000000', '0.05000000', 'NEW']);
});

test('cancel-replace puts another order in the place of one', async () => {
  const order = await maker.submitNewOrder(limit('SELL', 0.5, 60_000));
  const replaced = await maker.replaceOrder(limit('SELL', 0.25, 61_000, { cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: order.orderId }));
  assert.deepEqual([replaced.cancelResult, replaced.newOrderResult], ['SUCCESS', 'SUCCESS']);
  assert.equal(replaced.cancelResponse.status, 'CANCELED');
  assert.deepEqual((await maker.getOpenOrders({ symbol: SYMBOL })).map((each) => each.orderId), [replaced.newOrderResponse.orderId]);
  const failed = limit('SELL', 0.25, 61_000, { cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: 999_999 });
  await refused(maker.replaceOrder(failed), -2022);
});

test('both sides have the trade, as maker and as taker', async () => {
  await maker.submitNewOrder(limit('SELL', 0.2, 43_000));
  const order = await taker.submitNewOrder(limit('BUY', 0.2, 43_000));
  const [bought] = await taker.getAccountTradeList({ symbol: SYMBOL, orderId: order.orderId });
  const sold = (await maker.getAccountTradeList({ symbol: SYMBOL })).at(-1);
  assert.deepEqual([bought.id, bought.isBuyer, bought.isMaker, bought.commission, bought.commissionAsset], [sold.id, true, false, '0.00020000', 'BTC']);
  assert.deepEqual([sold.isBuyer, sold.isMaker, sold.commission, sold.commissionAsset, sold.quoteQty], [false, true, '4.30000000', 'USDT', '8600.00000000']);
  assert.deepEqual([order.fills[0].tradeId], [bought.id]);
  const [last] = await nobody.getRecentTrades({ symbol: SYMBOL, limit: 1 });
  assert.deepEqual([last.id, last.price, last.qty, last.isBuyerMaker], [bought.id, '43000.00000000', '0.20000000', false]);
});

test('books, prices, candles and averages agree', async () => {
  await maker.submitNewOrder(limit('BUY', 0.5, 40_000));
  await maker.submitNewOrder(limit('SELL', 0.25, 49_000));
  await maker.submitNewOrder(limit('SELL', 0.125, 49_001));
  await taker.submitNewOrder(limit('BUY', 0.05, 49_000));
  const symbol = { symbol: SYMBOL };
  const book = await maker.getOrderBook({ ...symbol, limit: 100 });
  assert.deepEqual([book.bids, book.asks[0]], [[['40000.00000000', '0.50000000']], ['49000.00000000', '0.20000000']]);
  const best = await maker.getSymbolOrderBookTicker(symbol);
  assert.deepEqual([[best.bidPrice, best.bidQty], [best.askPrice, best.askQty]], [book.bids[0], book.asks[0]]);
  const day = await maker.get24hrChangeStatistics(symbol);
  assert.deepEqual([day.lastPrice, (await maker.getSymbolPriceTicker(symbol)).price], ['49000.00000000', '49000.00000000']);
  const candles = await maker.getKlines({ ...symbol, interval: '1d' });
  const counted = candles.reduce((total, candle) => total + candle[8], 0);
  assert.deepEqual([candles.at(-1)[4], sum(candles.map((candle) => candle[5])), counted], ['49000.00000000', day.volume, day.count]);
  const window = await maker.getRollingWindowTicker({ ...symbol, windowSize: '1h' });
  assert.deepEqual([window.volume, window.count], [day.volume, day.count]);
  assert.equal((await maker.getAvgPrice(symbol)).mins, 5);
});

test('aggregated trades put the fills of one taker at one price together', async () => {
  await maker.submitNewOrder(limit('SELL', 0.1, 45_500));
  await maker.submitNewOrder(limit('SELL', 0.1, 45_500));
  await maker.submitNewOrder(limit('SELL', 0.1, 45_501));
  const order = await taker.submitNewOrder(limit('BUY', 0.3, 45_501));
  const [first, second] = (await nobody.getAggregateTrades({ symbol: SYMBOL })).slice(-2);
  const ids = order.fills.map((fill) => fill.tradeId);
  assert.deepEqual([first.f, first.l, first.q, second.f, second.l, second.q], [ids[0], ids[1], '0.20000000', ids[2], ids[2], '0.10000000']);
  assert.equal(second.a, first.a + 1);
});

test('commission rates are those of the account', async () => {
  const rates = await maker.getCommissionRates({ symbol: SYMBOL });
  assert.deepEqual([rates.standardCommission.maker, rates.standardCommission.taker], ['0.00050000', '0.00100000']);
  const [fee] = await maker.getTradeFee({ symbol: SYMBOL });
  assert.deepEqual([Number(fee.makerCommission), Number(fee.takerCommission)], [0.0005, 0.001]);
});

test('a test order is checked and leaves nothing', async () => {
  assert.deepEqual(await maker.testNewOrder(limit('BUY', 0.1, 10_000)), {});
  assert.deepEqual(await maker.getOpenOrders({ symbol: SYMBOL }), []);
  await refused(maker.testNewOrder(limit('BUY', 0.1, 10_000.001)), -1013, 'Filter failure: PRICE_FILTER');
});

test('refusals carry the codes and texts that bots look for', async () => {
  await refused(taker.submitNewOrder(limit('SELL', 5_000, 100_000)), -2010, 'Account has insufficient balance for requested action.');
  await refused(taker.cancelOrder({ symbol: SYMBOL, orderId: 999_999 }), -2011, 'Unknown order sent.');
  await refused(taker.getOrder({ symbol: SYMBOL, orderId: 999_999 }), -2013, 'Order does not exist.');
  await refused(taker.submitNewOrder(limit('SELL', 0.000001, 40_000)), -1013, 'Filter failure: LOT_SIZE');
  await refused(nobody.getOrderBook({ symbol: 'NOSUCH' }), -1121, 'Invalid symbol.');
  await refused(restOf(exchange, { key: 'x'.repeat(64), secret: 'y' }).getAccountInformation(), -2015);
  const first = await maker.submitNewOrder(limit('BUY', 0.1, 10_000));
  await refused(maker.submitNewOrder(limit('BUY', 0.1, 10_000, { newClientOrderId: first.clientOrderId })), -2010, 'Duplicate order sent.');
});
