// The live page: wires market data and trading to the document.

import { Book } from "./book.js";
import { Chart } from "./chart.js";
import { Socket } from "./socket.js";
import { Trading } from "./trading.js";

const INTERVALS = ["1s", "1m", "5m", "15m", "1h", "1d"];
const TRADES_SHOWN = 60;
const $ = (id) => document.getElementById(id);

const socket = new Socket((state) => {
  $("connection").dataset.state = state;
  $("connection").textContent = state;
  if (state === "live" && !markets.length) begin();
});
const chart = new Chart($("chart"), $("candle"));
const trading = new Trading(socket, (orders) => {
  const mine = orders.filter((order) => order.market === market?.symbol);
  book.setMine(new Set(mine.map((order) => order.price)));
});
const book = new Book(
  { bids: $("bids"), asks: $("asks"), spread: $("spread") },
  (price) => trading.setPrice(price),
  () => socket.restart(`depth:${market.symbol}`),
);

let markets = [];
let market = null;
let interval = "1m";
let subscribed = [];

async function begin() {
  try {
    const answer = await fetch("/v1/markets", { cache: "no-cache" });
    markets = (await answer.json()).markets;
  } catch {
    setTimeout(begin, 1_000);
    return;
  }
  if (markets.length === 0) {
    setTimeout(begin, 2_000);
    return;
  }
  const options = markets.map(({ symbol }) => new Option(symbol, symbol));
  $("market").replaceChildren(...options);
  const wanted = decodeURIComponent(location.hash.slice(1));
  choose(markets.find(({ symbol }) => symbol === wanted) ?? markets[0]);
  await trading.useDemoKey();
}

function choose(chosen) {
  market = chosen;
  $("market").value = market.symbol;
  history.replaceState(null, "", `#${encodeURIComponent(market.symbol)}`);
  document.title = `${market.symbol} · Outcry`;
  $("book-price").textContent = `Price (${market.quote})`;
  $("book-quantity").textContent = `Quantity (${market.base})`;
  trading.setMarket(market);
  book.clear();
  $("trades").replaceChildren();
  last = null;
  listen();
}

// Subscribes to the chosen market and interval, and to nothing else.
function listen() {
  const { symbol } = market;
  const wanted = {
    [`ticker:${symbol}`]: onTicker,
    [`depth:${symbol}`]: (message) => book.take(message),
    [`trades:${symbol}`]: onTrades,
    [`candles:${symbol}:${interval}`]: onCandles,
  };
  for (const name of subscribed) if (!(name in wanted)) socket.unsubscribe(name);
  for (const [name, handler] of Object.entries(wanted)) {
    if (!subscribed.includes(name)) socket.subscribe(name, handler);
  }
  subscribed = Object.keys(wanted);
}

function onTicker({ data }) {
  const price = data.last;
  showLast(price);
  const change = data.open && price ? (Number(price) / Number(data.open) - 1) * 100 : null;
  $("change").textContent = change === null ? "–" : `${change >= 0 ? "+" : ""}${change.toFixed(2)} %`;
  $("change").className = change === null ? "" : change >= 0 ? "up" : "down";
  $("high").textContent = data.high ?? "–";
  $("low").textContent = data.low ?? "–";
  $("volume").textContent = `${short(data.volume)} ${market.base}`;
}

let last = null;

function showLast(price) {
  if (!price || price === last) return;
  const rose = last === null ? null : Number(price) > Number(last);
  last = price;
  const element = document.createElement("span");
  element.textContent = price;
  element.className = rose === null ? "" : rose ? "flash-up" : "flash-down";
  $("last").replaceChildren(element);
  document.title = `${price} ${market.symbol} · Outcry`;
}

function onTrades({ type, data }) {
  if (type === "snapshot") $("trades").replaceChildren();
  const rows = data.slice(-TRADES_SHOWN).map(tradeRow).reverse();
  $("trades").prepend(...rows);
  while ($("trades").children.length > TRADES_SHOWN) $("trades").lastChild.remove();
}

function tradeRow({ price, quantity, aggressor, time }) {
  const row = document.createElement("li");
  const texts = [price, quantity, new Date(time).toLocaleTimeString([], { hour12: false })];
  row.append(
    ...texts.map((text) => {
      const cell = document.createElement("span");
      cell.textContent = text;
      return cell;
    }),
  );
  row.firstChild.className = aggressor === "buy" ? "up" : aggressor === "sell" ? "down" : "";
  return row;
}

function onCandles({ type, data }) {
  const decimals = market.tick.split(".")[1]?.length ?? 0;
  if (type === "snapshot") chart.reset(data.map(candle), decimals);
  else chart.update(candle(data));
}

function candle({ start, open, high, low, close, volume }) {
  return {
    time: start,
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
    volume: Number(volume),
    volumeText: volume,
  };
}

function short(decimal) {
  return Number(decimal).toLocaleString("en", { maximumFractionDigits: 3 });
}

function makeIntervals() {
  const buttons = INTERVALS.map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => {
      interval = name;
      chart.reset([], 0);
      press();
      listen();
    });
    return button;
  });
  const press = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === interval));
  };
  press();
  $("intervals").replaceChildren(...buttons);
}

$("market").addEventListener("change", () => {
  choose(markets.find(({ symbol }) => symbol === $("market").value));
});
makeIntervals();
socket.open();
