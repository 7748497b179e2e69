// The real binary with a market of its own, for tests of JavaScript clients (exchange.py is its twin in Python).
//
// OUTCRY_BIN names the binary. Everything it makes lives in a temporary directory; ports are free ones.

import { spawn, execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const PATIENCE_MS = 60_000;
const SETTINGS = fileURLToPath(new URL('../../small.toml', import.meta.url));

// A running exchange: assets BTC and USDT, market BTC-USDT, fees of 0.05 % for makers and 0.1 % for takers, funded traders.
export class Exchange {
  // `tls`: speaks https and wss only, with a certificate by an authority made here (`authority`, PEM).
  static async start({ tls = false } = {}) {
    const exchange = new Exchange();
    exchange.folder = mkdtempSync(join(tmpdir(), 'outcry-client-'));
    try {
      const more = tls ? exchange.#certify() : [];
      await exchange.#run(more);
      await exchange.#furnish();
    } catch (error) {
      await exchange.stop();
      throw error;
    }
    return exchange;
  }

  #certify() {
    const at = (name) => join(this.folder, name);
    const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=clients-ca', '-days', '2');
    openssl('req', ...newKey, '-keyout', at('tls.key'), '-out', at('tls.csr'), '-subj', '/CN=outcry');
    writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
    openssl('x509', '-req', '-in', at('tls.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial',
      '-out', at('tls.pem'), '-extfile', at('names'), '-days', '2');
    this.authority = readFileSync(at('ca.pem'), 'utf8');
    return ['--tls-cert', at('tls.pem'), '--tls-key', at('tls.key')];
  }

  async #run(more) {
    const args = ['run', '--no-demo', '--data', join(this.folder, 'data'), '--config', SETTINGS, '--listen', '127.0.0.1:0',
      '--limits', 'unlimited', '--shed-above', '0ms'];
    this.process = spawn(process.env.OUTCRY_BIN, [...args, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const hear = (chunk) => { said += chunk; };
    this.process.stdout.on('data', hear);
    this.process.stderr.on('data', hear);
    const address = await until(() => {
      if (this.process.exitCode !== null) throw new Error(`the exchange did not start:\n${said}`);
      return said.match(/listening on (https?):\/\/[^:\s]+:(\d+)/);
    }, 'the address');
    this.operator = [said.match(/admin key:\s+(\S+)/)[1], said.match(/admin secret:\s+(\S+)/)[1]];
    this.url = `${address[1]}://127.0.0.1:${address[2]}`;
    this.ws = this.url.replace(/^http/, 'ws');
  }

  async #furnish() {
    for (const symbol of ['BTC', 'USDT']) {
      await this.admin('POST', '/v1/admin/assets', { symbol, scale: 8 });
      await until(async () => (await this.native('GET', '/v1/assets')).assets.some((asset) => asset.symbol === symbol), symbol);
    }
    await this.admin('POST', '/v1/admin/markets', {
      symbol: 'BTC-USDT', base: 'BTC', quote: 'USDT', tick: '0.01', lot: '0.00001', max_price: '1000000', max_quantity: '9000',
    });
    await this.admin('PUT', '/v1/admin/fee-tiers/0', { maker_ppm: 500, taker_ppm: 1000 });
  }

  // A new account with these funds: its key and secret, or the key for the public key `pem`.
  async trader(name, funds, pem) {
    const made = await this.admin('POST', '/v1/admin/accounts', { name });
    const account = made.account.id;
    for (const [asset, amount] of Object.entries(funds)) {
      await this.admin('POST', '/v1/admin/credits', { account, asset, amount, reference: `${name}-${asset}` });
    }
    const wanted = { account, permissions: ['read', 'trade'], ...(pem && { public_key: pem }) };
    const { key, secret } = await this.admin('POST', '/v1/admin/keys', wanted);
    return { account, key: key.key, secret };
  }

  admin(method, path, body) {
    return this.native(method, path, body, this.operator);
  }

  // A request of the native API.
  async native(method, path, body, key) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {};
    if (key) {
      const stamp = String(Date.now());
      headers['x-outcry-key'] = key[0];
      headers['x-outcry-timestamp'] = stamp;
      headers['x-outcry-signature'] = createHmac('sha256', key[1]).update(`${stamp}\n5000\n${method}\n${path}\n${text}`).digest('hex');
    }
    const { status, answer } = await this.#request(method, path, headers, text);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${answer}`);
    return JSON.parse(answer);
  }

  // A public request of the dialect, as the wire has it: what clients make of it is compared with this.
  async plain(path) {
    return JSON.parse((await this.#request('GET', path, {}, '')).answer);
  }

  // Not by `fetch`, which cannot be told whom to trust.
  async #request(method, path, headers, text) {
    const { request } = await import(this.authority ? 'node:https' : 'node:http');
    const sent = request(this.url + path, { method, headers, ca: this.authority });
    sent.end(text);
    const [response] = await once(sent, 'response');
    let answer = '';
    for await (const chunk of response.setEncoding('utf8')) answer += chunk;
    return { status: response.statusCode, answer };
  }

  async stop() {
    if (this.process && this.process.exitCode === null) {
      const exited = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      const killer = setTimeout(() => this.process.kill('SIGKILL'), PATIENCE_MS);
      await exited;
      clearTimeout(killer);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// Waits until `condition()` gives something, and gives it.
export async function until(condition, what) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come`);
    await sleep(20);
  }
}

// `after` less `before`, both texts of 8 decimals, as such a text: no float may round what is compared.
export function difference(after, before) {
  return textOf(atomsOf(after) - atomsOf(before));
}

// The sum of texts of 8 decimals, as such a text.
export function sum(texts) {
  return textOf(texts.reduce((total, text) => total + atomsOf(text), 0n));
}

function textOf(atoms) {
  const digits = String(atoms < 0n ? -atoms : atoms).padStart(9, '0');
  return `${atoms < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

function atomsOf(text) {
  if (!/^-?\d+\.\d{8}$/.test(text)) throw new Error(`${text} has not 8 decimals`);
  return BigInt(text.replace('.', ''));
}
