// One WebSocket to the exchange: requests with answers, channels with snapshots, login, and a
// reconnect that resumes every channel where it was.

const PATH = "/v1/ws";
const ANSWER_TIMEOUT = 10_000;
const LONGEST_PAUSE = 10_000;

export class Socket {
  // `onState` hears "connecting", "live" or "offline".
  constructor(onState) {
    this.onState = onState;
    this.channels = new Map(); // name → { handler, seqs: partition → seq }
    this.waiting = new Map(); // request id → { resolve, reject, timer }
    this.nextId = 1;
    this.attempts = 0;
    this.key = null; // { key, secret }
    this.account = null;
    this.onKeyRefused = () => {}; // after a reconnect
  }

  open() {
    this.onState("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}${PATH}`);
    this.socket.onopen = () => this.begin();
    this.socket.onmessage = (event) => this.take(JSON.parse(event.data));
    this.socket.onclose = () => this.lost();
  }

  async begin() {
    this.attempts = 0;
    this.onState("live");
    if (this.key) await this.login().catch((error) => this.onKeyRefused(error));
    for (const name of this.channels.keys()) this.start(name);
  }

  lost() {
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new Error("The connection was lost: the outcome is unknown."));
    }
    this.waiting.clear();
    this.account = null;
    this.onState("offline");
    const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** this.attempts++);
    setTimeout(() => this.open(), pause * (0.5 + Math.random() / 2));
  }

  // Sends a request; resolves with the answer's result, rejects with its error.
  request(op, fields = {}) {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Error("There is no connection."));
    }
    const id = this.nextId++;
    this.socket.send(JSON.stringify({ id, op, ...fields }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error("No answer came in time: the outcome is unknown."));
      }, ANSWER_TIMEOUT);
      this.waiting.set(id, { resolve, reject, timer });
    });
  }

  take(message) {
    if (message.channel) {
      const channel = this.channels.get(message.channel);
      if (!channel) return;
      channel.seqs[message.partition] = message.seq;
      channel.handler(message);
    } else if (message.id !== undefined) {
      const waiting = this.waiting.get(message.id);
      if (!waiting) return;
      this.waiting.delete(message.id);
      clearTimeout(waiting.timer);
      if (message.error) waiting.reject(new Error(message.error.message));
      else waiting.resolve(message.result);
    }
  }

  subscribe(name, handler) {
    this.channels.set(name, { handler, seqs: {} });
    if (this.socket?.readyState === WebSocket.OPEN) this.start(name);
  }

  unsubscribe(name) {
    if (this.channels.delete(name)) this.request("unsubscribe", { channels: [name] }).catch(() => {});
  }

  // A snapshot again, after something did not fit.
  async restart(name) {
    const channel = this.channels.get(name);
    if (!channel) return;
    channel.seqs = {};
    await this.request("unsubscribe", { channels: [name] }).catch(() => {});
    this.start(name);
  }

  start(name) {
    const isPrivate = !name.includes(":");
    if (isPrivate && this.account === null) return;
    const { seqs } = this.channels.get(name);
    const fields = { channels: [name] };
    const known = Object.values(seqs);
    if (known.length > 0) fields.resume_from = isPrivate ? seqs : known[0];
    this.request("subscribe", fields).catch(() => {});
  }

  // Uses a key from now on; private channels begin with it.
  async useKey(key) {
    this.key = key;
    await this.login();
    for (const name of this.channels.keys()) if (!name.includes(":")) this.start(name);
  }

  async login() {
    const timestamp = String(await this.serverTime());
    const window = "5000";
    const text = `${timestamp}\n${window}\nGET\n${PATH}\n`;
    const signature = await hmac(this.key.secret, text);
    const { account } = await this.request("login", { key: this.key.key, timestamp, window, signature });
    this.account = account;
  }

  // The exchange's clock counts, not that of this device.
  async serverTime() {
    const { time } = await this.request("ping");
    return time;
  }
}

async function hmac(secret, text) {
  if (!crypto.subtle) {
    throw new Error("Browsers sign only on https:// or localhost. Open the page there to trade.");
  }
  const bytes = (value) => new TextEncoder().encode(value);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(text)));
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
