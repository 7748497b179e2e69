// ccxt (JavaScript) by `watch*` and by the WebSocket API against the real binary; what is heard is compared with REST.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exchange, difference, until } from '../common/exchange.mjs';
import { SYMBOL, ccxt, connect, funds } from './client.mjs';

let exchange, maker, taker, nobody;

before(async () => {
  exchange = await Exchange.start();
  maker = await connect(exchange, await exchange.trader('maker', { BTC: '100', USDT: '1000000' }));
  taker = await connect(exchange, await exchange.trader('taker', { BTC: '10', USDT: '1000000' }));
  nobody = await connect(exchange);
  for (const client of [maker, taker, nobody]) await client.loadMarkets();
});

after(async () => {
  for (const client of [maker, taker, nobody]) await client.close();
  await exchange.stop();
});

beforeEach(async () => {
  for (const client of [maker, taker]) {
    if ((await client.fetchOpenOrders(SYMBOL)).length) await client.cancelAllOrders(SYMBOL);
  }
});

async function trade(amount, price) {
  await maker.createOrder(SYMBOL, 'limit', 'sell', amount, price);
  return taker.createOrder(SYMBOL, 'market', 'buy', amount);
}

// All that `watch` tells from now on. As in a trader's own loop nothing is lost between two calls. What is done before a
// subscription is not heard, so that `act` is done until something is.
async function follow(watch, act) {
  const told = [];
  const listen = async () => {
    for (;;) told.push(...[].concat(await watch()));
  };
  // It ends when the connection is closed.
  listen().catch(() => {});
  await until(async () => {
    await act();
    await sleep(200);
    return told.length;
  }, 'the first of a stream');
  return told;
}

// The first of `told` that is `wanted`.
function heard(told, wanted) {
  return until(() => told.find(wanted), 'what is watched').catch((error) => {
    throw new Error(`${error.message}; heard ${JSON.stringify(told.slice(-3))}`);
  });
}

test('a watched book is that of REST, level by level', async () => {
  const order = (side, price, amount = 0.1) => maker.createOrder(SYMBOL, 'limit', side, amount, price);
  // The book goes on changing: it is copied.
  const watch = async () => {
    const { bids, asks, nonce } = await nobody.watchOrderBook(SYMBOL);
    return { bids: [...bids], asks: [...asks], nonce };
  };
  const told = await follow(watch, () => order('buy', 30_000));
  for (let step = 0; step < 20; step += 1) await order(step % 2 ? 'buy' : 'sell', step % 2 ? 39_000 - step : 41_000 + step, 0.1 + step / 100);
  await trade(0.05, 40_500);
  const { nonce } = await nobody.fetchOrderBook(SYMBOL);
  const last = await order('buy', 39_500.01);
  const watched = await heard(told, (book) => book.bids[0]?.[0] === 39_500.01);
  const asked = await maker.fetchOrderBook(SYMBOL);
  assert.deepEqual([watched.bids, watched.asks], [asked.bids, asked.asks]);
  assert.deepEqual([watched.nonce, asked.nonce], [nonce + 1, nonce + 1]);
  await maker.cancelOrder(last.id, SYMBOL);
  await heard(told, (book) => book.nonce > asked.nonce && book.bids[0]?.[0] < 39_500);
});

test('watched trades are those of REST, without a hole', async () => {
  const told = await follow(() => nobody.watchTrades(SYMBOL), () => trade(0.01, 40_000));
  await maker.createOrder(SYMBOL, 'limit', 'sell', 0.1, 41_000);
  await maker.createOrder(SYMBOL, 'limit', 'sell', 0.1, 41_001);
  await taker.createOrder(SYMBOL, 'limit', 'buy', 0.2, 41_001);
  await heard(told, (each) => each.price === 41_001);
  const watched = told.map((each) => [each.id, each.price, each.amount, each.side, each.timestamp]);
  const raw = await exchange.plain('/api/v3/trades?symbol=BTCUSDT&limit=1000');
  const asked = new Map(raw.map((each) => [String(each.id), each]));
  for (const [id, price, amount, side, time] of watched) {
    const same = asked.get(id);
    assert.deepEqual([price, amount, side, time], [Number(same.price), Number(same.qty), same.isBuyerMaker ? 'sell' : 'buy', same.time]);
  }
  const ids = watched.map(([id]) => Number(id));
  assert.deepEqual(ids, ids.map((_, at) => ids[0] + at));
});

test('a watched candle is that of REST', async () => {
  const watch = async () => [[...(await nobody.watchOHLCV(SYMBOL, '1h')).at(-1)]];
  const told = await follow(watch, () => trade(0.01, 42_000));
  await trade(0.03, 43_210.5);
  const watched = await heard(told, (candle) => candle[4] === 43_210.5);
  const asked = (await maker.fetchOHLCV(SYMBOL, '1h')).find((candle) => candle[0] === watched[0]);
  assert.deepEqual(watched, asked);
});

test('a watched ticker is that of REST', async () => {
  const told = await follow(() => nobody.watchTicker(SYMBOL), () => trade(0.01, 42_500));
  await trade(0.02, 43_999.99);
  const watched = await heard(told, (ticker) => ticker.last === 43_999.99);
  const asked = await taker.fetchTicker(SYMBOL);
  const figures = ({ last, high, low, open, baseVolume, quoteVolume }) => [last, high, low, open, baseVolume, quoteVolume];
  assert.deepEqual(figures(watched), figures(asked));
});

test('watched best prices are those of the book', async () => {
  const watch = async () => (await nobody.watchBidsAsks([SYMBOL]))[SYMBOL];
  const told = await follow(watch, () => maker.createOrder(SYMBOL, 'limit', 'buy', 0.1, 35_000));
  await maker.createOrder(SYMBOL, 'limit', 'buy', 0.25, 36_000.5);
  await maker.createOrder(SYMBOL, 'limit', 'sell', 0.75, 50_000.5);
  const best = await heard(told, (each) => each.ask === 50_000.5 && each.bid === 36_000.5);
  assert.deepEqual([best.bidVolume, best.askVolume], [0.25, 0.75]);
});

test('watched orders go through their states', async () => {
  const told = await follow(() => maker.watchOrders(SYMBOL), () => maker.createOrder(SYMBOL, 'limit', 'sell', 0.1, 60_000));
  const order = await maker.createOrder(SYMBOL, 'limit', 'sell', 1, 44_000, { clientOrderId: 'watched-1' });
  const opened = await heard(told, (each) => each.id === order.id);
  assert.deepEqual([opened.status, opened.clientOrderId, opened.filled, opened.price], ['open', 'watched-1', 0, 44_000]);
  await taker.createOrder(SYMBOL, 'limit', 'buy', 0.4, 44_000);
  const filled = await heard(told, (each) => each.id === order.id && each.filled > 0);
  assert.deepEqual([filled.status, filled.filled, filled.remaining, filled.cost, filled.average], ['open', 0.4, 0.6, 17_600, 44_000]);
  await maker.cancelOrder(order.id, SYMBOL);
  const ended = await heard(told, (each) => each.id === order.id && each.status !== 'open');
  assert.deepEqual([ended.status, ended.filled, ended.clientOrderId], ['canceled', 0.4, 'watched-1']);
  const asked = await maker.fetchOrder(order.id, SYMBOL);
  const figures = ({ id, clientOrderId, status, filled: done, cost, side, type, timeInForce }) => [id, clientOrderId, status, done, cost, side, type, timeInForce];
  assert.deepEqual(figures(ended), figures(asked));
});

test('watched fills of one\'s own have the ids and fees of REST', async () => {
  const told = await follow(() => taker.watchMyTrades(SYMBOL), () => trade(0.01, 44_000));
  const order = await trade(0.3, 45_000.01);
  const fill = await heard(told, (each) => each.order === order.id);
  const [asked] = await taker.fetchOrderTrades(order.id, SYMBOL);
  const figures = ({ id, price, amount, cost, side, takerOrMaker, fee, timestamp }) => ({ id, price, amount, cost, side, takerOrMaker, fee, timestamp });
  assert.deepEqual(figures(fill), figures(asked));
  assert.deepEqual(fill.fee, { currency: 'BTC', cost: 0.0003 });
});

test('a watched balance is that of REST', async () => {
  const watch = async () => structuredClone(await maker.watchBalance());
  const told = await follow(watch, () => trade(0.01, 45_000));
  await maker.createOrder(SYMBOL, 'limit', 'buy', 0.1, 12_345.67);
  const watched = await heard(told, (balance) => balance.USDT.used === 1_234.567);
  const asked = await maker.fetchBalance();
  assert.deepEqual([watched.BTC, watched.USDT], [asked.BTC, asked.USDT]);
});

test('an order lives over the WebSocket API as over REST', async () => {
  const had = await funds(maker, 'USDT');
  const order = await maker.createOrderWs(SYMBOL, 'limit', 'buy', 0.5, 20_000);
  assert.deepEqual([order.status, order.price, order.amount], ['open', 20_000, 0.5]);
  assert.equal(difference((await funds(maker, 'USDT')).locked, had.locked), '10000.00000000');
  assert.equal((await maker.fetchOrder(order.id, SYMBOL)).status, 'open');
  const edited = await maker.editOrderWs(order.id, SYMBOL, 'limit', 'buy', 0.25, 21_000);
  assert.notEqual(edited.id, order.id);
  assert.equal((await maker.fetchOrderWs(order.id, SYMBOL)).status, 'canceled');
  assert.deepEqual((await maker.fetchOpenOrdersWs(SYMBOL)).map((each) => each.id), [edited.id]);
  assert.equal((await maker.cancelOrderWs(edited.id, SYMBOL)).status, 'canceled');
  assert.equal((await funds(maker, 'USDT')).free, had.free);
});

test('orders and fills that the WebSocket API lists are those of REST', async () => {
  const order = await trade(0.1, 47_000);
  const info = (rows) => rows.map((row) => row.info);
  assert.deepEqual(info(await taker.fetchOrdersWs(SYMBOL)), info(await taker.fetchOrders(SYMBOL)));
  const [fill] = (await taker.fetchMyTradesWs(SYMBOL)).filter((each) => each.order === order.id);
  assert.deepEqual(fill.info, (await taker.fetchOrderTrades(order.id, SYMBOL))[0].info);
});

test('all orders are canceled at once over the WebSocket API', async () => {
  for (const price of [10_000, 11_000]) await maker.createOrder(SYMBOL, 'limit', 'buy', 0.1, price);
  const canceled = await maker.cancelAllOrdersWs(SYMBOL);
  assert.deepEqual(canceled.map((each) => each.status), ['canceled', 'canceled']);
  assert.deepEqual(await maker.fetchOpenOrders(SYMBOL), []);
});

test('market data of the WebSocket API is that of REST', async () => {
  await trade(0.1, 48_000);
  assert.equal((await nobody.fetchTradesWs(SYMBOL)).at(-1).price, 48_000);
  assert.equal((await nobody.fetchOHLCVWs(SYMBOL, '1m')).at(-1)[4], 48_000);
});

test('refusals over the WebSocket API have the classes that ccxt has for them', async () => {
  await assert.rejects(taker.createOrderWs(SYMBOL, 'limit', 'sell', 5_000, 100_000), ccxt.InsufficientFunds);
  await assert.rejects(taker.cancelOrderWs('999999', SYMBOL), ccxt.OrderNotFound);
  await assert.rejects(taker.fetchOrderWs('999999', SYMBOL), ccxt.OrderNotFound);
});
