// The vendor's JavaScript connector, `@binance/spot`, as a trader configures it: `basePath` and `wsURL`, and an agent
// that trusts the private authority. It speaks https and wss only.

import { Agent } from 'node:https';
import { createRequire } from 'node:module';
import { PATIENCE_MS, until } from '../common/exchange.mjs';

const { Spot } = createRequire(import.meta.url)('@binance/spot');
export const SYMBOL = 'BTCUSDT';

export function connectorOf(exchange, trader) {
  const agent = new Agent({ ca: exchange.authority, keepAlive: true });
  const keys = trader ? { apiKey: trader.key, ...(trader.secret ? { apiSecret: trader.secret } : { privateKey: trader.privateKey }) } : { apiKey: '' };
  return new Spot({
    configurationRestAPI: { ...keys, basePath: exchange.url, httpsAgent: agent, timeout: PATIENCE_MS, retries: 0 },
    configurationWebsocketAPI: { ...keys, wsURL: `${exchange.ws}/ws-api/v3`, agent, timeout: PATIENCE_MS },
    configurationWebsocketStreams: { wsURL: exchange.ws, agent },
  });
}

// What a REST call answers.
export async function data(call) {
  return (await call).data();
}

// A limit order's parameters.
export function limit(side, quantity, price, more = {}) {
  return { symbol: SYMBOL, side, type: 'LIMIT', timeInForce: 'GTC', quantity, price, ...more };
}

// An asset's balance, as it was on the wire.
export async function funds(rest, asset) {
  const { balances } = await data(rest.getAccount());
  return balances.find((balance) => balance.asset === asset);
}

// The first of `told` that is `wanted`.
export function heard(told, wanted, what) {
  return until(() => told.find(wanted), what).catch((error) => {
    throw new Error(`${error.message}; heard ${JSON.stringify(told.slice(-5))}`);
  });
}
