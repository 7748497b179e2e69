// The vendor's JavaScript connector, REST, streams and WebSocket API over TLS, against the real binary.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exchange, difference, sum, until } from '../common/exchange.mjs';
import { SYMBOL, connectorOf, data, funds, heard, limit } from './client.mjs';

const symbol = SYMBOL;
let exchange, rest, taker, nobody, api, streams;
const events = [];
const told = {};

before(async () => {
  exchange = await Exchange.start({ tls: true });
  const maker = connectorOf(exchange, await exchange.trader('maker', { BTC: '100', USDT: '1000000' }));
  rest = maker.restAPI;
  taker = connectorOf(exchange, await exchange.trader('taker', { BTC: '10', USDT: '1000000' })).restAPI;
  const stranger = connectorOf(exchange);
  nobody = stranger.restAPI;
  api = await maker.websocketAPI.connect();
  (await api.userDataStreamSubscribeSignature()).stream.on('message', (event) => events.push(event));
  streams = await stranger.websocketStreams.connect();
  // More than five messages in a second are too many.
  const subscribe = async (name, stream) => {
    told[name] = [];
    stream.on('message', (message) => told[name].push(message));
    await sleep(250);
  };
  const of = symbol.toLowerCase();
  await subscribe('trade', streams.trade({ symbol: of }));
  await subscribe('aggTrade', streams.aggTrade({ symbol: of }));
  await subscribe('kline', streams.kline({ symbol: of, interval: '1h' }));
  await subscribe('miniTicker', streams.miniTicker({ symbol: of }));
  await subscribe('ticker', streams.ticker({ symbol: of }));
  await subscribe('window', streams.rollingWindowTicker({ symbol: of, windowSize: '1h' }));
  await subscribe('bookTicker', streams.bookTicker({ symbol: of }));
  await subscribe('avgPrice', streams.avgPrice({ symbol: of }));
  await subscribe('top', streams.partialBookDepth({ symbol: of, levels: '5', updateSpeed: '100ms' }));
  await subscribe('changes', streams.diffBookDepth({ symbol: of, updateSpeed: '100ms' }));
  // What was there before a subscription is not told: trade until all is.
  await until(async () => {
    await trade(0.01, 40_000);
    return Object.values(told).every((messages) => messages.length);
  }, 'all streams').catch((error) => {
    throw new Error(`${error.message}: ${Object.keys(told).filter((name) => !told[name].length)}`);
  });
});

after(async () => {
  await api?.disconnect();
  await streams?.disconnect();
  await exchange?.stop();
});

beforeEach(async () => {
  for (const client of [rest, taker]) {
    if ((await data(client.getOpenOrders({ symbol }))).length) await client.deleteOpenOrders({ symbol });
  }
});

// The maker sells at a price and the taker buys: the maker's order and the taker's.
async function trade(quantity, price) {
  const sold = await data(rest.newOrder(limit('SELL', quantity, price)));
  return { sold, bought: await data(taker.newOrder(limit('BUY', quantity, price))) };
}

// Whether a REST call is refused with this code and text of the dialect.
async function refused(call, code, text) {
  await assert.rejects(call, (error) => {
    assert.deepEqual([error.code, error.message], [code, text]);
    return true;
  });
}

test('a connector that does not trust the authority is not connected', async () => {
  const wary = connectorOf({ ...exchange, authority: undefined, url: exchange.url, ws: exchange.ws }).restAPI;
  await assert.rejects(wary.time());
});

test('a market has its filters, the filter of prices first', async () => {
  const [market] = (await data(nobody.exchangeInfo({ symbol }))).symbols;
  assert.deepEqual([market.symbol, market.status, market.baseAsset, market.quoteAsset], [symbol, 'TRADING', 'BTC', 'USDT']);
  const [first] = market.filters;
  assert.deepEqual([first.filterType, first.tickSize], ['PRICE_FILTER', '0.01000000']);
  assert.equal(market.filters.find((each) => each.filterType === 'LOT_SIZE').stepSize, '0.00001000');
});

test('a fill moves balances by the trade and the fee, to the last digit', async () => {
  const had = { btc: await funds(taker, 'BTC'), usdt: await funds(taker, 'USDT'), paid: await funds(rest, 'USDT') };
  const { bought } = await trade(0.54321, 40_123.45);
  assert.deepEqual([bought.status, bought.executedQty, bought.cummulativeQuoteQty], ['FILLED', '0.54321000', '21795.45927450']);
  assert.deepEqual([bought.fills[0].commission, bought.fills[0].commissionAsset], ['0.00054321', 'BTC']);
  assert.equal(difference((await funds(taker, 'BTC')).free, had.btc.free), '0.54266679');
  assert.equal(difference((await funds(taker, 'USDT')).free, had.usdt.free), '-21795.45927450');
  assert.equal(difference((await funds(rest, 'USDT')).free, had.paid.free), '21784.56154486');
});

test('an order goes through its states, and its funds are free again', async () => {
  const had = await funds(rest, 'BTC');
  const order = await data(rest.newOrder(limit('SELL', 1, 44_000)));
  assert.deepEqual([order.status, order.fills], ['NEW', []]);
  assert.equal(difference((await funds(rest, 'BTC')).locked, had.locked), '1.00000000');
  await taker.newOrder(limit('BUY', 0.4, 44_000));
  const partly = await data(rest.getOrder({ symbol, orderId: order.orderId }));
  assert.deepEqual([partly.status, partly.executedQty, partly.isWorking], ['PARTIALLY_FILLED', '0.40000000', true]);
  const amended = await data(rest.orderAmendKeepPriority({ symbol, orderId: order.orderId, newQty: 0.5 }));
  assert.deepEqual([amended.amendedOrder.qty, amended.amendedOrder.status], ['0.50000000', 'PARTIALLY_FILLED']);
  assert.equal(difference((await funds(rest, 'BTC')).locked, had.locked), '0.10000000');
  const [change] = await data(rest.orderAmendments({ symbol, orderId: order.orderId }));
  assert.deepEqual([change.origQty, change.newQty], ['1.00000000', '0.50000000']);
  const canceled = await data(rest.deleteOrder({ symbol, orderId: order.orderId }));
  assert.deepEqual([canceled.status, canceled.origClientOrderId], ['CANCELED', order.clientOrderId]);
  assert.equal(difference((await funds(rest, 'BTC')).free, had.free), '-0.40000000');
});

test('both sides have the trade, as maker and as taker', async () => {
  const { bought } = await trade(0.2, 43_000);
  const [mine] = await data(taker.myTrades({ symbol, orderId: bought.orderId }));
  const other = (await data(rest.myTrades({ symbol }))).at(-1);
  assert.deepEqual([mine.id, mine.isBuyer, mine.isMaker, mine.commission, mine.commissionAsset], [other.id, true, false, '0.00020000', 'BTC']);
  assert.deepEqual([other.isBuyer, other.isMaker, other.commission, other.commissionAsset], [false, true, '4.30000000', 'USDT']);
  const [last] = await data(nobody.historicalTrades({ symbol, fromId: mine.id }));
  assert.deepEqual([last.price, last.qty, last.time, last.isBuyerMaker], [mine.price, mine.qty, mine.time, false]);
});

test('of an OCO one order ends the other', async () => {
  await trade(0.1, 46_000);
  const list = await data(taker.orderListOco({
    symbol, side: 'SELL', quantity: 0.1, aboveType: 'LIMIT_MAKER', abovePrice: 47_000,
    belowType: 'STOP_LOSS_LIMIT', belowStopPrice: 45_000, belowPrice: 44_900, belowTimeInForce: 'GTC',
  }));
  assert.deepEqual([list.contingencyType, list.listStatusType, list.orders.length], ['OCO', 'EXEC_STARTED', 2]);
  await rest.newOrder(limit('BUY', 0.1, 47_000));
  const ended = await data(taker.getOrderList({ orderListId: list.orderListId }));
  assert.deepEqual([ended.listOrderStatus, await data(taker.openOrderList())], ['ALL_DONE', []]);
  const states = {};
  for (const { orderId } of list.orders) {
    const order = await data(taker.getOrder({ symbol, orderId }));
    states[order.type] = order.status;
  }
  assert.deepEqual(states, { LIMIT_MAKER: 'FILLED', STOP_LOSS_LIMIT: 'EXPIRED' });
});

test('an OTOCO places a pair after its first order is filled', async () => {
  await trade(0.1, 46_000);
  await taker.orderListOtoco({
    symbol, workingType: 'LIMIT', workingSide: 'BUY', workingPrice: 43_000, workingQuantity: 0.1, workingTimeInForce: 'GTC',
    pendingSide: 'SELL', pendingQuantity: 0.05, pendingAboveType: 'LIMIT_MAKER', pendingAbovePrice: 50_000,
    pendingBelowType: 'STOP_LOSS', pendingBelowStopPrice: 41_000,
  });
  await rest.newOrder(limit('SELL', 0.1, 43_000));
  const open = await data(taker.getOpenOrders({ symbol }));
  assert.deepEqual(open.map((each) => each.type).sort(), ['LIMIT_MAKER', 'STOP_LOSS']);
});

test('cancel-replace puts another order in the place of one', async () => {
  const order = await data(rest.newOrder(limit('SELL', 0.5, 60_000)));
  const replaced = await data(rest.orderCancelReplace({ ...limit('SELL', 0.25, 61_000), cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: order.orderId }));
  assert.deepEqual([replaced.cancelResult, replaced.newOrderResult, replaced.cancelResponse.status], ['SUCCESS', 'SUCCESS', 'CANCELED']);
  assert.deepEqual((await data(rest.getOpenOrders({ symbol }))).map((each) => each.orderId), [replaced.newOrderResponse.orderId]);
});

test('tickers, candles and books agree with the trades', async () => {
  await rest.newOrder(limit('BUY', 0.5, 40_000));
  await trade(0.1, 49_000);
  const day = await data(rest.ticker24hr({ symbol }));
  const candles = await data(rest.klines({ symbol, interval: '1d' }));
  const [traded, paid] = [5, 7].map((at) => sum(candles.map((candle) => candle[at])));
  assert.deepEqual([candles.at(-1)[4], traded, paid], [day.lastPrice, day.volume, day.quoteVolume]);
  assert.equal((await data(rest.tickerPrice({ symbol }))).price, '49000.00000000');
  const window = await data(rest.ticker({ symbol, windowSize: '1h' }));
  assert.deepEqual([window.volume, window.count], [day.volume, day.count]);
  const book = await data(rest.depth({ symbol, limit: 5 }));
  const best = await data(rest.tickerBookTicker({ symbol }));
  assert.deepEqual([[best.bidPrice, best.bidQty], book.asks], [book.bids[0], []]);
});

test('commission rates are those of the account', async () => {
  const rates = await data(rest.accountCommission({ symbol }));
  assert.deepEqual([rates.standardCommission.maker, rates.standardCommission.taker], ['0.00050000', '0.00100000']);
});

test('refusals carry the codes and texts that bots look for', async () => {
  await refused(taker.newOrder(limit('SELL', 5_000, 100_000)), -2010, 'Account has insufficient balance for requested action.');
  await refused(taker.deleteOrder({ symbol, orderId: 999_999 }), -2011, 'Unknown order sent.');
  await refused(taker.getOrder({ symbol, orderId: 999_999 }), -2013, 'Order does not exist.');
  await refused(taker.newOrder(limit('BUY', 0.1, 10_000.001)), -1013, 'Filter failure: PRICE_FILTER');
  await refused(nobody.depth({ symbol: 'NOSUCH' }), -1121, 'Invalid symbol.');
});

test('times come in microseconds if they are asked for so', async () => {
  const { serverTime } = await data(nobody.sendRequest('/api/v3/time', 'GET', {}, {}, 'MICROSECOND'));
  assert.ok(Math.abs(Number(serverTime) / 1000 - Date.now()) < 60_000, String(serverTime));
});

test('trades are streamed as REST tells them, without a hole', async () => {
  const { bought } = await trade(0.12345, 41_000.01);
  const event = await heard(told.trade, (each) => each.t === bought.fills[0].tradeId, 'the trade');
  const [row] = await data(nobody.historicalTrades({ symbol, fromId: event.t }));
  assert.deepEqual([event.t, event.p, event.q, event.T, event.m], [row.id, row.price, row.qty, row.time, row.isBuyerMaker]);
  const ids = told.trade.map((each) => each.t);
  assert.deepEqual(ids, ids.map((_, at) => ids[0] + at));
  const taken = await heard(told.aggTrade, (each) => each.l === event.t, 'the aggregated trade');
  const aggregate = (await data(rest.aggTrades({ symbol }))).at(-1);
  assert.deepEqual([taken.a, taken.p, taken.q, taken.T], [aggregate.a, aggregate.p, aggregate.q, aggregate.T]);
});

test('a book that follows the stream is that of REST', async () => {
  const start = await data(rest.depth({ symbol, limit: 5_000 }));
  for (let step = 0; step < 10; step += 1) await rest.newOrder(limit(step % 2 ? 'BUY' : 'SELL', 0.1, step % 2 ? 38_000 + step : 42_000 + step));
  await trade(0.05, 40_900);
  const end = await data(rest.depth({ symbol, limit: 5_000 }));
  await heard(told.changes, (each) => each.u >= end.lastUpdateId, 'the last change');
  const book = { b: new Map(start.bids), a: new Map(start.asks) };
  let reached = start.lastUpdateId;
  for (const change of told.changes.filter((each) => each.u > start.lastUpdateId)) {
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
  const top = await heard(told.top, (each) => each.lastUpdateId >= end.lastUpdateId, 'the top of the book');
  assert.deepEqual([top.bids, top.asks], [end.bids.slice(0, 5), end.asks.slice(0, 5)]);
  const [bid, ask] = [end.bids[0], end.asks[0]].map(String);
  await heard(told.bookTicker, (each) => `${each.b},${each.B}` === bid && `${each.a},${each.A}` === ask, 'the best prices');
});

test('candles and tickers are streamed as REST tells them', async () => {
  await trade(0.3, 44_444.44);
  const ofIt = (each) => each.c === '44444.44000000';
  const mini = await heard(told.miniTicker, ofIt, 'the small ticker');
  const ticker = await heard(told.ticker, ofIt, 'the ticker');
  const window = await heard(told.window, ofIt, 'the ticker of an hour');
  const day = await data(rest.ticker24hr({ symbol }));
  assert.deepEqual([mini.h, mini.l, mini.v, mini.q], [day.highPrice, day.lowPrice, day.volume, day.quoteVolume]);
  assert.deepEqual([ticker.p, ticker.w, ticker.v, ticker.n], [day.priceChange, day.weightedAvgPrice, day.volume, day.count]);
  assert.deepEqual([window.v, window.n], [day.volume, day.count]);
  const { k } = await heard(told.kline, (each) => ofIt(each.k), 'the candle');
  const row = (await data(rest.klines({ symbol, interval: '1h' }))).find((candle) => candle[0] === k.t);
  assert.deepEqual([k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q], row.slice(0, 11));
  const average = told.avgPrice.at(-1);
  assert.deepEqual([average.e, average.i], ['avgPrice', '5m']);
});

test('an account hears of its order from NEW to CANCELED, and of its balances', async () => {
  const order = await data(rest.newOrder(limit('SELL', 1, 45_000)));
  await taker.newOrder(limit('BUY', 0.4, 45_000));
  const canceled = await data(rest.deleteOrder({ symbol, orderId: order.orderId }));
  const ofIt = (each) => each.e === 'executionReport' && each.i === order.orderId;
  await heard(events, (each) => ofIt(each) && each.x === 'CANCELED', 'the cancel');
  const reports = events.filter(ofIt);
  assert.deepEqual(reports.map((each) => [each.x, each.X]), [['NEW', 'NEW'], ['TRADE', 'PARTIALLY_FILLED'], ['CANCELED', 'CANCELED']]);
  const [row] = await data(rest.myTrades({ symbol, orderId: order.orderId }));
  const [, fill, ended] = reports;
  assert.deepEqual([fill.t, fill.L, fill.l, fill.n, fill.N, fill.T, fill.m], [row.id, row.price, row.qty, row.commission, row.commissionAsset, row.time, row.isMaker]);
  assert.deepEqual([ended.C, ended.c], [order.clientOrderId, canceled.clientOrderId]);
  const btc = await funds(rest, 'BTC');
  const freed = (each) => each.e === 'outboundAccountPosition' && each.B.some((balance) => balance.a === 'BTC' && balance.f === btc.free);
  const position = await heard(events, freed, 'the balance');
  assert.deepEqual(position.B.find((balance) => balance.a === 'BTC'), { a: 'BTC', f: btc.free, l: btc.locked });
});

test('an order lives over the WebSocket API as over REST', async () => {
  const { data: order } = await api.orderPlace(limit('BUY', 0.5, 20_000));
  assert.deepEqual((await api.orderStatus({ symbol, orderId: order.orderId })).data, await data(rest.getOrder({ symbol, orderId: order.orderId })));
  const replaced = (await api.orderCancelReplace({ ...limit('BUY', 0.1, 21_000), cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: order.orderId })).data;
  assert.deepEqual((await api.openOrdersStatus({ symbol })).data.map((each) => each.orderId), [replaced.newOrderResponse.orderId]);
  const canceled = (await api.orderCancel({ symbol, orderId: replaced.newOrderResponse.orderId })).data;
  assert.equal(canceled.status, 'CANCELED');
  await assert.rejects(api.orderCancel({ symbol, orderId: 999_999 }), (error) => {
    assert.deepEqual([error.code, error.msg], [-2011, 'Unknown order sent.']);
    return true;
  });
});

test('what the WebSocket API tells is what REST tells', async () => {
  await trade(0.1, 47_000);
  assert.deepEqual((await api.accountStatus()).data.balances, (await data(rest.getAccount())).balances);
  assert.deepEqual((await api.allOrders({ symbol })).data, await data(rest.allOrders({ symbol })));
  assert.deepEqual((await api.myTrades({ symbol })).data, await data(rest.myTrades({ symbol })));
  assert.deepEqual((await api.depth({ symbol, limit: 10 })).data, await data(rest.depth({ symbol, limit: 10 })));
  assert.deepEqual((await api.klines({ symbol, interval: '1h' })).data, await data(rest.klines({ symbol, interval: '1h' })));
  assert.deepEqual((await api.exchangeInfo({ symbol })).data.symbols, (await data(rest.exchangeInfo({ symbol }))).symbols);
  const { rateLimits } = await api.time();
  assert.ok(rateLimits.some((each) => each.rateLimitType === 'REQUEST_WEIGHT' && each.limit === 6_000));
});

test('Ed25519 and RSA keys sign REST requests, and the first logs on to the WebSocket API', async () => {
  for (const [type, options] of [['ed25519', {}], ['rsa', { modulusLength: 2048 }]]) {
    const { publicKey, privateKey } = generateKeyPairSync(type, options);
    const trader = await exchange.trader(type, { USDT: '1000' }, publicKey.export({ type: 'spki', format: 'pem' }));
    const connector = connectorOf(exchange, { key: trader.key, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
    const order = await data(connector.restAPI.newOrder(limit('BUY', 0.01, 20_000, { newClientOrderId: `by-${type}` })));
    assert.deepEqual([order.status, (await funds(connector.restAPI, 'USDT')).locked], ['NEW', '200.00000000']);
    const mine = await connector.websocketAPI.connect();
    try {
      if (type === 'ed25519') {
        const [{ data: session }] = await mine.sessionLogon();
        assert.equal(session.apiKey, trader.key);
      }
      assert.equal((await mine.orderStatus({ symbol, origClientOrderId: `by-${type}` })).data.orderId, order.orderId);
    } finally {
      await mine.disconnect();
    }
  }
});
