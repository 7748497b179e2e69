// The candle chart: a canvas, redrawn whole, at most once per frame.

const COLOURS = {
  up: "#37c98f",
  down: "#f0687a",
  grid: "#1a212b",
  text: "#8593a3",
  cross: "#55657a",
  last: "#6aa9ff",
};
const AXIS_WIDTH = 74;
const AXIS_HEIGHT = 20;
const STEP = 8; // pixels from candle to candle
const KEPT = 600;

export class Chart {
  constructor(canvas, readout) {
    this.canvas = canvas;
    this.readout = readout;
    this.candles = [];
    this.decimals = 2;
    this.cursor = null; // index of the candle that is read, or null
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("pointermove", (event) => this.pointAt(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.moveCursor(null));
    canvas.addEventListener("blur", () => this.moveCursor(null));
    canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  reset(candles, decimals) {
    this.candles = candles.slice(-KEPT);
    this.decimals = decimals;
    this.cursor = null;
    this.draw();
  }

  // A candle with the open time of the last one replaces it; a later one follows it.
  update(candle) {
    const last = this.candles.at(-1);
    if (last && candle.time < last.time) return;
    if (last && candle.time === last.time) this.candles.pop();
    this.candles.push(candle);
    if (this.candles.length > KEPT) this.candles.shift();
    this.draw();
  }

  onKey(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (!(event.key in moves) || this.candles.length === 0) return;
    event.preventDefault();
    const from = this.cursor ?? this.candles.length;
    this.moveCursor(Math.min(this.candles.length - 1, Math.max(0, from + moves[event.key])));
  }

  pointAt(x) {
    const fromRight = Math.floor((this.plotWidth() - x) / STEP);
    const index = this.candles.length - 1 - fromRight;
    this.moveCursor(fromRight >= 0 && index >= 0 ? index : null);
  }

  moveCursor(index) {
    this.cursor = index;
    this.draw();
  }

  plotWidth() {
    return this.canvas.clientWidth - AXIS_WIDTH;
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    const { canvas } = this;
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const visible = this.candles.slice(-Math.max(1, Math.floor(this.plotWidth() / STEP)));
    canvas.dataset.candles = visible.length; // what is drawn, for those who cannot see the pixels
    this.read();
    if (visible.length === 0) return;
    const plot = this.layout(visible, width, height);
    this.paintGrid(pen, plot);
    visible.forEach((candle, index) => this.paintCandle(pen, plot, candle, index));
    this.paintLast(pen, plot, visible.at(-1));
    if (this.cursor !== null) this.paintCursor(pen, plot);
  }

  layout(visible, width, height) {
    const bottom = height - AXIS_HEIGHT;
    let high = Math.max(...visible.map((c) => c.high));
    let low = Math.min(...visible.map((c) => c.low));
    const margin = (high - low) * 0.08 || high * 0.001 || 1;
    high += margin;
    low -= margin;
    const priceBottom = bottom * 0.82; // volume has the lowest part
    return {
      width, height, bottom, high, low, visible,
      right: width - AXIS_WIDTH,
      x: (index) => width - AXIS_WIDTH - (visible.length - index) * STEP + STEP / 2,
      y: (price) => ((high - price) / (high - low)) * priceBottom,
      priceBottom,
      maxVolume: Math.max(...visible.map((c) => c.volume)) || 1,
    };
  }

  paintGrid(pen, plot) {
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.lineWidth = 1;
    const step = niceStep((plot.high - plot.low) / Math.max(2, plot.priceBottom / 48));
    for (let p = Math.ceil(plot.low / step) * step; p < plot.high; p += step) {
      const y = Math.round(plot.y(p)) + 0.5;
      pen.strokeStyle = COLOURS.grid;
      line(pen, 0, y, plot.right, y);
      pen.fillStyle = COLOURS.text;
      pen.fillText(p.toFixed(this.decimals), plot.right + 8, y);
    }
    const every = Math.ceil(90 / STEP);
    for (let i = plot.visible.length - 1; i >= 0; i -= every) {
      const x = Math.round(plot.x(i)) + 0.5;
      pen.strokeStyle = COLOURS.grid;
      line(pen, x, 0, x, plot.bottom);
      pen.fillStyle = COLOURS.text;
      const text = clock(plot.visible[i].time, this.span());
      pen.fillText(text, Math.max(0, x - pen.measureText(text).width / 2), plot.bottom + 11);
    }
  }

  paintCandle(pen, plot, candle, index) {
    const x = Math.round(plot.x(index));
    const colour = candle.close >= candle.open ? COLOURS.up : COLOURS.down;
    pen.fillStyle = colour;
    pen.strokeStyle = colour;
    line(pen, x + 0.5, plot.y(candle.high), x + 0.5, plot.y(candle.low));
    const top = plot.y(Math.max(candle.open, candle.close));
    const body = Math.max(1, plot.y(Math.min(candle.open, candle.close)) - top);
    pen.fillRect(x - 2, top, 5, body);
    pen.globalAlpha = 0.3;
    const tall = (candle.volume / plot.maxVolume) * (plot.bottom - plot.priceBottom - 4);
    pen.fillRect(x - 2, plot.bottom - tall, 5, tall);
    pen.globalAlpha = 1;
  }

  paintLast(pen, plot, candle) {
    const y = Math.round(plot.y(candle.close)) + 0.5;
    pen.strokeStyle = COLOURS.last;
    pen.setLineDash([3, 4]);
    line(pen, 0, y, plot.right, y);
    pen.setLineDash([]);
    pen.fillStyle = COLOURS.last;
    pen.fillRect(plot.right + 2, y - 9, AXIS_WIDTH - 2, 18);
    pen.fillStyle = "#04101f";
    pen.fillText(candle.close.toFixed(this.decimals), plot.right + 8, y);
  }

  paintCursor(pen, plot) {
    const index = this.cursor - (this.candles.length - plot.visible.length);
    if (index < 0 || index >= plot.visible.length) return;
    const x = Math.round(plot.x(index)) + 0.5;
    pen.strokeStyle = COLOURS.cross;
    line(pen, x, 0, x, plot.bottom);
  }

  // The candle under the cursor, or the last one, in words.
  read() {
    const candle = this.candles[this.cursor ?? this.candles.length - 1];
    if (!candle) {
      this.readout.textContent = "";
      return;
    }
    const price = (value) => value.toFixed(this.decimals);
    this.readout.textContent =
      `${clock(candle.time, this.span())}  O ${price(candle.open)}  H ${price(candle.high)}  ` +
      `L ${price(candle.low)}  C ${price(candle.close)}  V ${candle.volumeText}`;
    this.readout.setAttribute("aria-live", this.cursor === null ? "off" : "polite");
  }

  // Milliseconds from candle to candle.
  span() {
    const [first, second] = this.candles;
    return second ? second.time - first.time : 60_000;
  }
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

// 1, 2 or 5 times a power of ten, at least `step`.
function niceStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= step);
}

function clock(time, span) {
  const date = new Date(time);
  const two = (n) => String(n).padStart(2, "0");
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  if (span >= 86_400_000) return day;
  const minute = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (span < 60_000) return `${minute}:${two(date.getSeconds())}`;
  return span >= 3_600_000 ? `${day} ${minute}` : minute;
}
