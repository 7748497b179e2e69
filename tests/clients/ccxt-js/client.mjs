// ccxt as a JavaScript trader configures it: hosts replaced, its own limiter off, and time for a busy machine.

import { createRequire } from 'node:module';
import { PATIENCE_MS } from '../common/exchange.mjs';

export const ccxt = createRequire(import.meta.url)('ccxt');
export const SYMBOL = 'BTC/USDT';

// The client of `trader` (or of nobody), REST and `watch*`.
export async function connect(exchange, trader, more = {}) {
  const { url, ws } = exchange;
  const api = {
    public: `${url}/api/v3`, private: `${url}/api/v3`, v1: `${url}/api/v1`,
    sapi: `${url}/sapi/v1`, sapiV2: `${url}/sapi/v2`, sapiV3: `${url}/sapi/v3`, sapiV4: `${url}/sapi/v4`,
    fapiPublic: `${url}/fapi/v1`, dapiPublic: `${url}/dapi/v1`, eapiPublic: `${url}/eapi/v1`,
    ws: { spot: `${ws}/ws`, margin: `${ws}/ws`, 'ws-api': { spot: `${ws}/ws-api/v3` } },
  };
  const keys = trader ? { apiKey: trader.key, secret: trader.secret } : {};
  const client = new ccxt.pro.binance({ urls: { api }, enableRateLimit: false, timeout: PATIENCE_MS, ...keys, ...more });
  // ccxt asks for this where sockets are not encrypted.
  await client.loadHttpProxyAgent();
  return client;
}

// Free and locked funds of an asset, as they were on the wire.
export async function funds(client, asset) {
  const { info } = await client.fetchBalance();
  return info.balances.find((balance) => balance.asset === asset);
}
