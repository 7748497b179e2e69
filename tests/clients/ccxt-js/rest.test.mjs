// ccxt (JavaScript) over REST against the real binary.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Exchange, difference } from '../common/exchange.mjs';
import { SYMBOL, ccxt, connect, funds } from './client.mjs';

let exchange, maker, taker, nobody;

before(async () => {
  exchange = await Exchange.start();
  maker = await connect(exchange, await exchange.trader('maker', { BTC: '100', USDT: '1000000' }));
  taker = await connect(exchange, await exchange.trader('taker', { BTC: '10', USDT: '1000000' }));
  nobody = await connect(exchange);
  for (const client of [maker, taker, nobody]) await client.loadMarkets();
});

after(() => exchange.stop());

beforeEach(async () => {
  for (const client of [maker, taker]) {
    if ((await client.fetchOpenOrders(SYMBOL)).length) await client.cancelAllOrders(SYMBOL);
  }
});

// The maker sells at `price` and the taker buys it at the market: the taker's order.
async function trade(amount, price) {
  await maker.createOrder(SYMBOL, 'limit', 'sell', amount, price);
  return taker.createOrder(SYMBOL, 'market', 'buy', amount);
}

test('markets have their steps, limits and order types', () => {
  const market = nobody.market(SYMBOL);
  assert.deepEqual([market.id, market.base, market.quote, market.active, market.spot], ['BTCUSDT', 'BTC', 'USDT', true, true]);
  assert.deepEqual([market.precision.price, market.precision.amount], [0.01, 0.00001]);
  assert.deepEqual(market.limits.amount, { min: 0.00001, max: 9000 });
  assert.deepEqual(Object.keys(nobody.markets), [SYMBOL]);
  for (const type of ['LIMIT', 'MARKET', 'STOP_LOSS_LIMIT']) assert.ok(market.info.orderTypes.includes(type), type);
});

test('a book is that of the orders, and its nonce rises with them', async () => {
  await maker.createOrder(SYMBOL, 'limit', 'buy', 0.5, 40_000);
  await maker.createOrder(SYMBOL, 'limit', 'buy', 0.25, 40_000);
  await maker.createOrder(SYMBOL, 'limit', 'sell', 0.125, 41_000);
  const book = await maker.fetchOrderBook(SYMBOL);
  assert.deepEqual([book.bids, book.asks], [[[40_000, 0.75]], [[41_000, 0.125]]]);
  const best = (await maker.fetchBidsAsks([SYMBOL]))[SYMBOL];
  assert.deepEqual([best.bid, best.bidVolume, best.ask, best.askVolume], [40_000, 0.75, 41_000, 0.125]);
  await maker.createOrder(SYMBOL, 'limit', 'buy', 0.5, 39_000);
  assert.equal((await maker.fetchOrderBook(SYMBOL)).nonce, book.nonce + 1);
});

test('a fill moves balances by the trade and the fee, to the last digit', async () => {
  const had = { btc: await funds(taker, 'BTC'), usdt: await funds(taker, 'USDT'), paid: await funds(maker, 'USDT') };
  const order = await trade(0.12345, 42_123.45);
  assert.deepEqual([order.status, order.filled, order.average], ['closed', 0.12345, 42_123.45]);
  const [fill] = order.info.fills;
  // 0.12345 x 0.1 %, and 0.12345 x 42123.45 = 5200.1399025 less 0.05 %, whose fraction of an atom the payer bears.
  assert.deepEqual([fill.commission, fill.commissionAsset], ['0.00012345', 'BTC']);
  assert.equal(difference((await funds(taker, 'BTC')).free, had.btc.free), '0.12332655');
  assert.equal(difference((await funds(taker, 'USDT')).free, had.usdt.free), '-5200.13990250');
  assert.equal(difference((await funds(maker, 'USDT')).free, had.paid.free), '5197.53983254');
});

test('both sides have the trade, as maker and as taker', async () => {
  const order = await trade(0.2, 43_000);
  const [bought] = await taker.fetchOrderTrades(order.id, SYMBOL);
  const sold = (await maker.fetchMyTrades(SYMBOL)).at(-1);
  assert.deepEqual([sold.id, sold.side, sold.takerOrMaker], [bought.id, 'sell', 'maker']);
  assert.deepEqual([bought.side, bought.takerOrMaker, bought.cost], ['buy', 'taker', 8_600]);
  assert.deepEqual([sold.fee, bought.fee], [{ currency: 'USDT', cost: 4.3 }, { currency: 'BTC', cost: 0.0002 }]);
});

test('an order goes from open through partly filled to canceled, and its funds are free again', async () => {
  const had = await funds(maker, 'BTC');
  const order = await maker.createOrder(SYMBOL, 'limit', 'sell', 1, 44_000);
  assert.deepEqual([order.status, order.timeInForce, order.filled], ['open', 'GTC', 0]);
  assert.equal(difference((await funds(maker, 'BTC')).locked, had.locked), '1.00000000');
  await taker.createOrder(SYMBOL, 'limit', 'buy', 0.4, 44_000);
  const found = await maker.fetchOrder(order.id, SYMBOL);
  assert.deepEqual([found.status, found.filled, found.remaining, found.info.status], ['open', 0.4, 0.6, 'PARTIALLY_FILLED']);
  assert.deepEqual((await maker.fetchOpenOrders(SYMBOL)).map((each) => each.id), [order.id]);
  assert.deepEqual([(await maker.cancelOrder(order.id, SYMBOL)).status], ['canceled']);
  assert.equal(difference((await funds(maker, 'BTC')).free, had.free), '-0.40000000');
  assert.ok((await maker.fetchCanceledOrders(SYMBOL)).some((each) => each.id === order.id));
});

test('an immediate-or-cancel order takes what there is and expires', async () => {
  await maker.createOrder(SYMBOL, 'limit', 'sell', 0.3, 44_500);
  const order = await taker.createOrder(SYMBOL, 'limit', 'buy', 1, 44_500, { timeInForce: 'IOC' });
  assert.deepEqual([order.status, order.filled, order.remaining], ['expired', 0.3, 0.7]);
  assert.equal((await funds(taker, 'USDT')).locked, '0.00000000');
});

test('an edited order is another one, the old one is canceled', async () => {
  const order = await maker.createOrder(SYMBOL, 'limit', 'sell', 1, 50_000);
  const edited = await maker.editOrder(order.id, SYMBOL, 'limit', 'sell', 0.5, 51_000);
  assert.notEqual(edited.id, order.id);
  assert.deepEqual([edited.price, edited.amount, edited.status], [51_000, 0.5, 'open']);
  assert.equal((await maker.fetchOrder(order.id, SYMBOL)).status, 'canceled');
});

test('a stop waits outside the book until the price is met', async () => {
  await trade(0.1, 46_000);
  const stop = await taker.createOrder(SYMBOL, 'limit', 'sell', 0.1, 44_000, { stopLossPrice: 45_000 });
  assert.deepEqual([stop.status, stop.triggerPrice, stop.type], ['open', 45_000, 'limit']);
  assert.equal((await taker.fetchOrder(stop.id, SYMBOL)).info.isWorking, false);
  assert.deepEqual((await nobody.fetchOrderBook(SYMBOL)).asks, []);
  await maker.createOrder(SYMBOL, 'limit', 'buy', 0.2, 45_000);
  await taker.createOrder(SYMBOL, 'limit', 'sell', 0.1, 45_000);
  const fired = await taker.fetchOrder(stop.id, SYMBOL);
  assert.deepEqual([fired.status, fired.average], ['closed', 45_000]);
});

test('a stop of the trailing kind is placed and canceled', async () => {
  await trade(0.1, 46_000);
  const order = await taker.createOrder(SYMBOL, 'STOP_LOSS_LIMIT', 'sell', 0.1, 40_000, { trailingDelta: 100, timeInForce: 'GTC' });
  const found = await taker.fetchOrder(order.id, SYMBOL);
  assert.deepEqual([found.status, Number(found.info.trailingDelta)], ['open', 100]);
  assert.equal((await taker.cancelOrder(order.id, SYMBOL)).status, 'canceled');
});

test('errors have the classes that ccxt has for them', async () => {
  await assert.rejects(taker.createOrder(SYMBOL, 'limit', 'sell', 5_000, 100_000), ccxt.InsufficientFunds);
  await assert.rejects(taker.cancelOrder('999999', SYMBOL), ccxt.OrderNotFound);
  await assert.rejects(taker.fetchOrder('999999', SYMBOL), ccxt.OrderNotFound);
  await maker.createOrder(SYMBOL, 'limit', 'sell', 0.1, 45_000);
  await assert.rejects(taker.createOrder(SYMBOL, 'limit', 'buy', 0.1, 45_000, { postOnly: true }), ccxt.OrderImmediatelyFillable);
  await assert.rejects(nobody.publicGetTickerPrice({ symbol: 'NOSUCH' }), ccxt.BadSymbol);
  const forger = await connect(exchange, { key: maker.apiKey, secret: 'y'.repeat(64) });
  await assert.rejects(forger.fetchBalance(), ccxt.AuthenticationError);
  const late = await connect(exchange, { key: maker.apiKey, secret: maker.secret });
  await late.loadMarkets();
  late.options.timeDifference = 120_000;
  await assert.rejects(late.fetchBalance(), ccxt.InvalidNonce);
});

test('candles of a minute add up to that of the day', async () => {
  await trade(0.1, 47_000);
  const minutes = await nobody.fetchOHLCV(SYMBOL, '1m');
  const day = await nobody.fetchOHLCV(SYMBOL, '1d');
  assert.equal(minutes.at(-1)[4], 47_000);
  const sum = (candles) => candles.reduce((total, candle) => total + candle[5], 0).toFixed(8);
  assert.equal(sum(minutes), sum(day));
  assert.equal(Math.max(...minutes.map((candle) => candle[2])), Math.max(...day.map((candle) => candle[2])));
});

test('tickers and prices agree with the last trade', async () => {
  await trade(0.1, 48_000);
  const ticker = await taker.fetchTicker(SYMBOL);
  assert.deepEqual([ticker.last, ticker.close], [48_000, 48_000]);
  assert.equal((await taker.fetchTickers())[SYMBOL].last, 48_000);
  assert.equal((await taker.fetchLastPrices([SYMBOL]))[SYMBOL].price, 48_000);
});

test('public trades are numbered without a hole', async () => {
  await trade(0.1, 49_000);
  const trades = await taker.fetchTrades(SYMBOL, taker.milliseconds() - 3_600_000);
  const ids = trades.map((each) => Number(each.id));
  assert.deepEqual(ids, ids.map((_, at) => ids[0] + at));
  assert.deepEqual([trades.at(-1).price, trades.at(-1).amount, trades.at(-1).side], [49_000, 0.1, 'buy']);
});

test('fees are those of the account', async () => {
  const fee = await maker.fetchTradingFee(SYMBOL);
  assert.deepEqual([fee.maker, fee.taker], [0.0005, 0.001]);
  assert.equal((await maker.fetchTradingFees())[SYMBOL].taker, 0.001);
});

test('a purchase by cost spends it', async () => {
  await maker.createOrder(SYMBOL, 'limit', 'sell', 1, 50_000);
  const order = await taker.createMarketBuyOrderWithCost(SYMBOL, 5_000);
  assert.deepEqual([order.cost, order.filled, order.status], [5_000, 0.1, 'closed']);
});

test('orders are found by the name that the client gave', async () => {
  const order = await maker.createOrder(SYMBOL, 'limit', 'buy', 0.1, 10_000, { clientOrderId: 'named-1' });
  assert.equal(order.clientOrderId, 'named-1');
  const found = await maker.fetchOrder(undefined, SYMBOL, { clientOrderId: 'named-1' });
  assert.equal(found.id, order.id);
  const listed = (await maker.fetchOrders(SYMBOL)).map((each) => Number(each.id));
  assert.deepEqual(listed, [...listed].sort((one, other) => one - other));
  await assert.rejects(maker.createOrder(SYMBOL, 'limit', 'buy', 0.1, 10_000, { clientOrderId: 'named-1' }), ccxt.InvalidOrder);
});

test('deposits are the credits', async () => {
  const [deposit] = await maker.fetchDeposits('BTC');
  assert.deepEqual([deposit.amount, deposit.currency, deposit.status], [100, 'BTC', 'ok']);
  assert.deepEqual(await maker.fetchWithdrawals('BTC'), []);
});
