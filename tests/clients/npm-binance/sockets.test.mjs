// The npm package `binance`, WebsocketClient and WebsocketAPIClient, against the real binary; what is heard is compared with REST.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { Exchange, difference, until } from '../common/exchange.mjs';
import { SYMBOL, apiOf, funds, heard, limit, listenTo, restOf } from './client.mjs';

let exchange, rest, taker, api, nobody, streams, told;
const events = [];

before(async () => {
  exchange = await Exchange.start();
  const maker = await exchange.trader('maker', { BTC: '100', USDT: '1000000' });
  rest = restOf(exchange, maker);
  api = apiOf(exchange, maker);
  taker = restOf(exchange, await exchange.trader('taker', { BTC: '10', USDT: '1000000' }));
  nobody = apiOf(exchange);
  api.getWSClient().on('message', (message) => events.push(message));
  await api.subscribeUserDataStream('mainWSAPI');
  const names = ['trade', 'aggTrade', 'kline_1h', 'miniTicker', 'ticker', 'bookTicker', 'depth@100ms', 'depth5@100ms'];
  ({ client: streams, told } = listenTo(exchange, names.map((name) => `${SYMBOL.toLowerCase()}@${name}`)));
  // What was there before a subscription is not told: trade until trades are.
  await until(async () => {
    await trade(0.01, 40_000);
    return ['trade', 'aggTrade', 'kline', 'depthUpdate'].every((name) => told.some((each) => each.e === name));
  }, 'all streams');
});

after(async () => {
  for (const client of [api, nobody]) await client.disconnectAll();
  streams.closeAll(true);
  await exchange.stop();
});

beforeEach(async () => {
  for (const client of [rest, taker]) {
    if ((await client.getOpenOrders({ symbol: SYMBOL })).length) await client.cancelAllSymbolOrders({ symbol: SYMBOL });
  }
});

// The maker sells at a price and the taker buys: the maker's order and the taker's.
async function trade(quantity, price) {
  const sold = await rest.submitNewOrder(limit('SELL', quantity, price));
  return { sold, bought: await taker.submitNewOrder(limit('BUY', quantity, price)) };
}

// The package signs, but leaves the time to its user.
const now = (params = {}) => ({ ...params, timestamp: Date.now() });

// Whether an event has this name.
const named = (name, wanted = () => true) => (each) => each.e === name && wanted(each);

test('trades are streamed as REST tells them, without a hole', async () => {
  const { bought } = await trade(0.12345, 41_000.01);
  const event = await heard(told, named('trade', (each) => each.t === bought.fills[0].tradeId), 'the trade');
  const [row] = (await nobody.getSpotRecentTrades({ symbol: SYMBOL, limit: 1 })).result;
  assert.deepEqual([event.t, event.p, event.q, event.T, event.m], [row.id, row.price, row.qty, row.time, row.isBuyerMaker]);
  const ids = told.filter((each) => each.e === 'trade').map((each) => each.t);
  assert.deepEqual(ids, ids.map((_, at) => ids[0] + at));
});

test('aggregated trades are streamed as REST tells them', async () => {
  const { bought } = await trade(0.2, 41_111.11);
  const event = await heard(told, named('aggTrade', (each) => each.l === bought.fills[0].tradeId), 'the aggregated trade');
  const row = (await rest.getAggregateTrades({ symbol: SYMBOL })).at(-1);
  assert.deepEqual([event.a, event.p, event.q, event.f, event.l, event.T, event.m], [row.a, row.p, row.q, row.f, row.l, row.T, row.m]);
});

test('a book that follows the stream is that of REST', async () => {
  const start = await rest.getOrderBook({ symbol: SYMBOL, limit: 5_000 });
  for (let step = 0; step < 10; step += 1) await rest.submitNewOrder(limit(step % 2 ? 'BUY' : 'SELL', 0.1, step % 2 ? 38_000 + step : 42_000 + step));
  await trade(0.05, 40_900);
  const end = await rest.getOrderBook({ symbol: SYMBOL, limit: 5_000 });
  await heard(told, named('depthUpdate', (each) => each.u >= end.lastUpdateId), 'the last change');
  const book = { b: new Map(start.bids), a: new Map(start.asks) };
  let reached = start.lastUpdateId;
  for (const change of told.filter((each) => each.e === 'depthUpdate' && each.u > start.lastUpdateId)) {
    assert.ok(change.U <= reached + 1, `a hole: ${reached} and ${change.U}`);
    reached = change.u;
    for (const side of ['b', 'a']) {
      for (const [price, quantity] of change[side]) {
        if (quantity === '0.00000000') book[side].delete(price);
        else book[side].set(price, quantity);
      }
    }
  }
  const falling = (one, other) => Number(other[0]) - Number(one[0]);
  assert.equal(reached, end.lastUpdateId);
  assert.deepEqual([...book.b].sort(falling), end.bids);
  assert.deepEqual([...book.a].sort(falling).reverse(), end.asks);
});

test('best prices and the top of the book are streamed', async () => {
  await rest.submitNewOrder(limit('BUY', 0.5, 39_000.5));
  await rest.submitNewOrder(limit('SELL', 0.25, 43_000.5));
  const book = await rest.getOrderBook({ symbol: SYMBOL, limit: 5 });
  // A message of best prices names no event; the package names it for its users.
  const best = await heard(told, (each) => each.u === book.lastUpdateId && each.B !== undefined, 'the best prices');
  assert.deepEqual([[best.b, best.B], [best.a, best.A]], [book.bids[0], book.asks[0]]);
  const top = await heard(told, (each) => each.lastUpdateId >= book.lastUpdateId, 'the top of the book');
  assert.deepEqual([top.bids, top.asks], [book.bids, book.asks]);
});

test('candles and tickers are streamed as REST tells them', async () => {
  await trade(0.3, 44_444.44);
  const mini = await heard(told, named('24hrMiniTicker', (each) => each.c === '44444.44000000'), 'the small ticker');
  const ticker = await heard(told, named('24hrTicker', (each) => each.c === '44444.44000000'), 'the ticker');
  const day = await rest.get24hrChangeStatistics({ symbol: SYMBOL });
  assert.deepEqual([mini.o, mini.h, mini.l, mini.v, mini.q], [day.openPrice, day.highPrice, day.lowPrice, day.volume, day.quoteVolume]);
  assert.deepEqual([ticker.p, ticker.w, ticker.v, ticker.F, ticker.L, ticker.n], [day.priceChange, day.weightedAvgPrice, day.volume, day.firstId, day.lastId, day.count]);
  const event = await heard(told, named('kline', (each) => each.k.c === '44444.44000000'), 'the candle');
  const row = (await rest.getKlines({ symbol: SYMBOL, interval: '1h' })).find((candle) => candle[0] === event.k.t);
  const { k } = event;
  assert.deepEqual([k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q], row.slice(0, 11));
});

test('an account hears of its order from NEW to CANCELED', async () => {
  const order = await rest.submitNewOrder(limit('SELL', 1, 45_000));
  await taker.submitNewOrder(limit('BUY', 0.4, 45_000));
  const cancelled = await rest.cancelOrder({ symbol: SYMBOL, orderId: order.orderId });
  const ofIt = (each) => each.e === 'executionReport' && each.i === order.orderId;
  await heard(events, (each) => ofIt(each) && each.x === 'CANCELED', 'the cancel');
  const reports = events.filter(ofIt);
  assert.deepEqual(reports.map((each) => [each.x, each.X]), [['NEW', 'NEW'], ['TRADE', 'PARTIALLY_FILLED'], ['CANCELED', 'CANCELED']]);
  const [entered, fill, ended] = reports;
  assert.deepEqual([entered.c, entered.n, entered.N, entered.t], [order.clientOrderId, '0', null, -1]);
  const row = (await rest.getAccountTradeList({ symbol: SYMBOL, orderId: order.orderId }))[0];
  assert.deepEqual([fill.t, fill.L, fill.l, fill.n, fill.N, fill.T, fill.m], [row.id, row.price, row.qty, row.commission, row.commissionAsset, row.time, row.isMaker]);
  assert.deepEqual([ended.C, ended.c, ended.z], [order.clientOrderId, cancelled.clientOrderId, '0.40000000']);
});

test('an account hears of its balances as REST tells them', async () => {
  await trade(0.1, 46_000);
  await rest.submitNewOrder(limit('BUY', 0.1, 12_345.67));
  const locked = (each) => each.e === 'outboundAccountPosition' && each.B.find((balance) => balance.a === 'USDT' && balance.l === '1234.56700000');
  const position = await heard(events, locked, 'the balances');
  const [btc, usdt] = [await funds(rest, 'BTC'), await funds(rest, 'USDT')];
  assert.deepEqual(position.B, [{ a: 'USDT', f: usdt.free, l: usdt.locked }]);
  const sale = events.findLast((each) => each.e === 'outboundAccountPosition' && each.B.some((balance) => balance.a === 'BTC'));
  assert.deepEqual(sale.B.find((balance) => balance.a === 'BTC'), { a: 'BTC', f: btc.free, l: btc.locked });
});

test('an order lives over the WebSocket API as over REST', async () => {
  const had = await funds(rest, 'USDT');
  const { status, result: order } = await api.submitNewSpotOrder(now(limit('BUY', '0.50000', '20000.00', { newOrderRespType: 'FULL' })));
  assert.deepEqual([status, order.status, order.price, order.fills], [200, 'NEW', '20000.00000000', []]);
  assert.equal(difference((await funds(rest, 'USDT')).locked, had.locked), '10000.00000000');
  const asked = (await api.getSpotOrderStatus(now({ symbol: SYMBOL, orderId: order.orderId }))).result;
  assert.deepEqual(asked, await rest.getOrder({ symbol: SYMBOL, orderId: order.orderId }));
  const amended = (await api.amendSpotOrderKeepPriority(now({ symbol: SYMBOL, orderId: order.orderId, newQty: '0.25' }))).result;
  assert.deepEqual([amended.amendedOrder.orderId, amended.amendedOrder.qty], [order.orderId, '0.25000000']);
  assert.equal(difference((await funds(rest, 'USDT')).locked, had.locked), '5000.00000000');
  const replaced = await api.cancelReplaceSpotOrder(now(limit('BUY', '0.1', '21000', { cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: order.orderId })));
  assert.deepEqual([replaced.result.cancelResult, replaced.result.newOrderResult], ['SUCCESS', 'SUCCESS']);
  const open = (await api.getSpotOpenOrders(now({ symbol: SYMBOL }))).result;
  assert.deepEqual(open, await rest.getOpenOrders({ symbol: SYMBOL }));
  const gone = (await api.cancelAllSpotOpenOrders(now({ symbol: SYMBOL }))).result;
  assert.deepEqual(gone.map((each) => [each.orderId, each.status]), [[open[0].orderId, 'CANCELED']]);
  assert.equal((await funds(rest, 'USDT')).free, had.free);
});

test('accounts, orders and trades of the WebSocket API are those of REST', async () => {
  await trade(0.1, 47_000);
  assert.deepEqual((await api.getSpotAccountInformation(now())).result.balances, (await rest.getAccountInformation()).balances);
  assert.deepEqual((await api.getSpotAllOrders(now({ symbol: SYMBOL }))).result, await rest.getAllOrders({ symbol: SYMBOL }));
  assert.deepEqual((await api.getSpotMyTrades(now({ symbol: SYMBOL }))).result, await rest.getAccountTradeList({ symbol: SYMBOL }));
  assert.deepEqual((await api.getSpotAccountCommission(now({ symbol: SYMBOL }))).result, await rest.getCommissionRates({ symbol: SYMBOL }));
});

test('market data of the WebSocket API is that of REST', async () => {
  await trade(0.1, 48_000);
  await rest.submitNewOrder(limit('BUY', 0.125, 39_000));
  const symbol = { symbol: SYMBOL };
  assert.deepEqual((await nobody.getSpotOrderBook({ ...symbol, limit: 100 })).result, await rest.getOrderBook({ ...symbol, limit: 100 }));
  assert.deepEqual((await nobody.getSpotKlines({ ...symbol, interval: '1d' })).result, await rest.getKlines({ ...symbol, interval: '1d' }));
  assert.deepEqual((await nobody.getSpotHistoricalTrades({ ...symbol, fromId: 1, limit: 3 })).result, await rest.getHistoricalTrades({ ...symbol, fromId: 1, limit: 3 }));
  assert.deepEqual((await nobody.getSpotSymbolPriceTicker(symbol)).result, { symbol: SYMBOL, price: '48000.00000000' });
  const [info, asked] = [(await nobody.getSpotExchangeInfo(symbol)).result, await rest.getExchangeInfo(symbol)];
  assert.deepEqual(info.symbols, asked.symbols);
});

test('answers tell how much of the limits is used', async () => {
  const { rateLimits } = await nobody.getSpotServerTime();
  const weight = rateLimits.find((each) => each.rateLimitType === 'REQUEST_WEIGHT');
  assert.deepEqual([weight.interval, weight.intervalNum, typeof weight.count], ['MINUTE', 1, 'number']);
});

test('refusals carry the codes and texts that bots look for', async () => {
  const refused = async (promise, status, code, text) => assert.rejects(promise, (answer) => {
    assert.deepEqual([answer.status, answer.error.code, answer.error.msg], [status, code, text]);
    return true;
  });
  await refused(api.submitNewSpotOrder(now(limit('SELL', '5000', '100000'))), 400, -2010, 'Account has insufficient balance for requested action.');
  await refused(api.cancelSpotOrder(now({ symbol: SYMBOL, orderId: 999_999 })), 400, -2011, 'Unknown order sent.');
  await refused(api.getSpotOrderStatus(now({ symbol: SYMBOL, orderId: 999_999 })), 400, -2013, 'Order does not exist.');
  await refused(nobody.getSpotOrderBook({ symbol: 'NOSUCH' }), 400, -1121, 'Invalid symbol.');
});

test('an account that unsubscribes hears nothing more', async () => {
  await api.unsubscribeUserDataStream('mainWSAPI');
  const known = events.filter((each) => each.e === 'executionReport').length;
  await trade(0.01, 46_000);
  await api.getSpotServerTime();
  assert.equal(events.filter((each) => each.e === 'executionReport').length, known);
  await api.subscribeUserDataStream('mainWSAPI');
});

test('an Ed25519 key logs on and hears of its account without a signature', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const trader = await exchange.trader('logged-on', { USDT: '1000' }, pem);
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const client = apiOf(exchange, { key: trader.key, secret });
  const mine = [];
  client.getWSClient().on('message', (message) => mine.push(message));
  try {
    await client.subscribeUserDataStream('mainWSAPI');
    const session = (await client.getSpotSessionStatus()).result;
    assert.deepEqual([session.apiKey, session.userDataStream], [trader.key, true]);
    const { result: order } = await client.submitNewSpotOrder(now(limit('BUY', '0.01', '20000')));
    const report = await heard(mine, named('executionReport'), 'the report');
    assert.deepEqual([report.i, report.X], [order.orderId, 'NEW']);
    assert.deepEqual(await restOf(exchange, { key: trader.key, secret }).getOpenOrders({ symbol: SYMBOL }), (await client.getSpotOpenOrders(now({ symbol: SYMBOL }))).result);
  } finally {
    await client.disconnectAll();
  }
});
