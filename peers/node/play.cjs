// Plays a session in nodejs-order-book: `play.cjs SESSION BEFORE PATIENCE [FILLS]`.
//
// SESSION is a file of numbers (64-bit floats), four for each operation: kind, side, price, lots; of a cancel the last
// is the order's number. The first BEFORE operations are not timed. Prints operations done and seconds of processor time
// as JSON, and stops after PATIENCE seconds. Into FILLS go four numbers for each fill: maker, taker, price, lots.
"use strict";
const fs = require("node:fs");
const { OrderBook } = require("nodejs-order-book");

const CANCEL = 0, LIMIT = 1, IMMEDIATE = 2, MARKET = 3;
const SIDES = ["buy", "sell"];
const CHUNK = 4096;

const [session, before, patience, fillsFile] = process.argv.slice(2);
const bytes = fs.readFileSync(session);
const operations = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
const count = operations.length / 4;
const book = new OrderBook();
const fills = [];
let number = 0, lots = 0;

function fill(maker, price, quantity) {
  lots += quantity;
  if (fillsFile) fills.push(Number(maker), number, price, quantity);
}

function play(from, to) {
  for (let at = from * 4; at < to * 4; at += 4) {
    const kind = operations[at], size = operations[at + 3];
    if (kind === CANCEL) {
      book.cancel(String(size));
      continue;
    }
    number += 1;
    const side = SIDES[operations[at + 1]], id = String(number);
    const result = kind === MARKET
      ? book.market({ side, size })
      : book.limit({ side, id, size, price: operations[at + 2], timeInForce: kind === LIMIT ? "GTC" : "IOC" });
    for (const order of result.done) if (order.id !== id) fill(order.id, order.price, order.size);
    const { partial } = result;
    if (partial && partial.id !== id) fill(partial.id, partial.price, result.partialQuantityProcessed);
  }
}

function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

play(0, Number(before));
let done = Number(before);
const started = processorSeconds();
while (done < count && processorSeconds() - started < Number(patience)) {
  const next = Math.min(done + CHUNK, count);
  play(done, next);
  done = next;
}
const seconds = processorSeconds() - started;
if (fillsFile) fs.writeFileSync(fillsFile, Buffer.from(Float64Array.from(fills).buffer));
console.log(JSON.stringify({ done: done - Number(before), seconds, lots }));
