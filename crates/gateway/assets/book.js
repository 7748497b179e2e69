// The order book as the stream tells it, and its table. The checksum of each message is compared
// with that of the book here (docs/websocket.md), so that a mistake is noticed and mended.

const ROWS = 13;
const CHECKSUM_LEVELS = 25;
const PAINT_INTERVAL = 100;

export class Book {
  // `onPick(price)` hears which price was picked, `onBroken()` that the book does not add up.
  constructor(elements, onPick, onBroken) {
    this.elements = elements;
    this.onBroken = onBroken;
    this.rows = { bids: makeRows(elements.bids, onPick), asks: makeRows(elements.asks, onPick) };
    this.clear();
  }

  clear() {
    this.bids = new Map();
    this.asks = new Map();
    this.mine = new Set();
    this.schedule();
  }

  take({ type, data }) {
    if (type === "snapshot") {
      this.bids = new Map(data.bids);
      this.asks = new Map(data.asks);
    } else {
      change(this.bids, data.bids);
      change(this.asks, data.asks);
    }
    this.expected = data.checksum;
    this.schedule();
  }

  // Marks the levels with own orders.
  setMine(prices) {
    this.mine = prices;
    this.schedule();
  }

  schedule() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.paint();
    }, PAINT_INTERVAL);
  }

  paint() {
    const bids = sorted(this.bids, -1);
    const asks = sorted(this.asks, 1);
    if (this.expected !== undefined && checksum(bids, asks) !== this.expected) {
      this.expected = undefined;
      this.onBroken();
      return;
    }
    const visible = [bids.slice(0, ROWS), asks.slice(0, ROWS)];
    const deepest = Math.max(...visible.map(total), Number.MIN_VALUE);
    this.fill(this.rows.bids, visible[0], deepest);
    this.fill(this.rows.asks, visible[1], deepest);
    this.elements.spread.textContent = spread(bids[0], asks[0]);
  }

  fill(rows, levels, deepest) {
    let sum = 0;
    rows.forEach((row, index) => {
      const level = levels[index];
      row.item.hidden = !level;
      if (!level) return;
      const [price, quantity] = level;
      sum += Number(quantity);
      row.button.dataset.price = price;
      row.price.textContent = price;
      row.quantity.textContent = quantity;
      row.total.textContent = sum.toFixed(places(quantity));
      row.button.classList.toggle("mine", this.mine.has(price));
      row.button.style.setProperty("--share", `${((sum / deepest) * 100).toFixed(1)}%`);
    });
  }
}

// Rows are made once and filled again and again, so that focus stays where it is. Asks are listed
// best last: their first row is the lowest.
function makeRows(list, onPick) {
  const rows = Array.from({ length: ROWS }, () => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const [price, quantity, sum] = [0, 1, 2].map(() => {
      const cell = document.createElement("span");
      button.append(cell);
      return cell;
    });
    button.title = "Use this price";
    button.addEventListener("click", () => onPick(button.dataset.price));
    item.append(button);
    return { item, button, price, quantity, total: sum };
  });
  const items = rows.map((row) => row.item);
  list.replaceChildren(...(list.id === "asks" ? items.reverse() : items));
  return rows;
}

function change(side, levels) {
  for (const [price, quantity] of levels) {
    if (Number(quantity) === 0) side.delete(price);
    else side.set(price, quantity);
  }
}

function sorted(side, direction) {
  return [...side].sort((a, b) => direction * (Number(a[0]) - Number(b[0])));
}

function total(levels) {
  return levels.reduce((sum, [, quantity]) => sum + Number(quantity), 0);
}

function places(decimal) {
  return decimal.split(".")[1]?.length ?? 0;
}

function spread(bid, ask) {
  if (!bid || !ask) return "–";
  const difference = Number(ask[0]) - Number(bid[0]);
  const percent = ((difference / Number(ask[0])) * 100).toFixed(3);
  return `Spread ${difference.toFixed(places(ask[0]))} (${percent} %)`;
}

function checksum(bids, asks) {
  const parts = [];
  for (let i = 0; i < CHECKSUM_LEVELS; i++) {
    for (const level of [bids[i], asks[i]]) if (level) parts.push(level.join(":"));
  }
  return parts.length === 0 ? 0 : crc32(parts.join("|"));
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(text) {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
