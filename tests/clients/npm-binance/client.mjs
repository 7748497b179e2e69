// The npm package `binance` as a trader configures it: its own options `baseUrl` and `wsUrl`, nothing else.

import { createRequire } from 'node:module';
import { until } from '../common/exchange.mjs';

const { MainClient, WebsocketAPIClient, WebsocketClient } = createRequire(import.meta.url)('binance');
export const SYMBOL = 'BTCUSDT';

// What the package logs is not asked for.
const SILENT = { trace() {}, info() {}, error() {} };

const keysOf = (trader) => (trader ? { api_key: trader.key, api_secret: trader.secret } : {});

export function restOf(exchange, trader) {
  return new MainClient({ ...keysOf(trader), baseUrl: exchange.url, recvWindow: 10_000 });
}

export function apiOf(exchange, trader) {
  return new WebsocketAPIClient({ ...keysOf(trader), wsUrl: exchange.ws, attachEventListeners: false }, SILENT);
}

// A client of streams that keeps what it hears.
export function listenTo(exchange, topics) {
  const client = new WebsocketClient({ wsUrl: exchange.ws }, SILENT);
  const told = [];
  client.on('message', (message) => told.push(message));
  client.on('exception', () => {});
  client.subscribe(topics, 'main');
  return { client, told };
}

// A limit order's parameters.
export function limit(side, quantity, price, more = {}) {
  return { symbol: SYMBOL, side, type: 'LIMIT', timeInForce: 'GTC', quantity, price, ...more };
}

// An asset's balance, as it was on the wire.
export async function funds(rest, asset) {
  const { balances } = await rest.getAccountInformation();
  return balances.find((balance) => balance.asset === asset);
}

// The first of `told` that is `wanted`.
export function heard(told, wanted, what) {
  return until(() => told.find(wanted), what).catch((error) => {
    throw new Error(`${error.message}; heard ${JSON.stringify(told.slice(-5))}`);
  });
}
