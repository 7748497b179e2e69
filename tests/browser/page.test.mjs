// Drives the live page in Chromium against a running exchange: what it shows, an order from the form
// to the list and its cancel, and the reconnect after the server's restart.
//
// OUTCRY_BIN names the binary; CHROMIUM the browser (/usr/bin/chromium unless given).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const BINARY = process.env.OUTCRY_BIN;
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PATIENCE = 60_000;
const SETTINGS = fileURLToPath(new URL("../small.toml", import.meta.url));

let data;
let exchange;
let browser;

// Starts the exchange on `listen` and resolves when it says where it listens.
async function start(listen) {
  // Nothing is refused because the machine is busy with other tests.
  const freely = ["--limits", "unlimited", "--shed-above", "0ms", "--config", SETTINGS];
  const child = spawn(BINARY, ["run", "--data", data, "--listen", listen, ...freely], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = [];
  const address = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const found = line.match(/listening on (https?:\/\/\S+?)\/?$/);
        if (found) resolve(found[1]);
      });
    }
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`exit ${code}:\n${said.join("\n")}`)));
  });
  return { child, address };
}

async function stop({ child }, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}

async function open(options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => {
    // A lost connection is reported by the browser itself; everything else is ours.
    if (message.type() === "error" && !/WebSocket|Failed to load resource|ERR_/.test(message.text())) {
      page.problems.push(message.text());
    }
  });
  await page.goto(exchange.address);
  return page;
}

before(async () => {
  assert.ok(BINARY, "OUTCRY_BIN names no binary");
  data = await mkdtemp(join(tmpdir(), "outcry-page-"));
  exchange = await start("127.0.0.1:0");
  browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  if (exchange) await stop(exchange);
  if (data) await rm(data, { recursive: true, force: true });
});

test("the page shows a market, its book, trades and candles", async () => {
  const page = await open();
  await page.locator("#connection[data-state=live]").waitFor();
  await page.locator("#bids li:not([hidden]) button").first().waitFor();
  await page.locator("#asks li:not([hidden]) button").first().waitFor();
  await page.locator("#trades li").first().waitFor();
  await page.waitForFunction(() => Number(document.querySelector("#chart").dataset.candles) > 0);
  assert.match(await page.locator("#last").textContent(), /^\d+(\.\d+)?$/);
  assert.ok((await page.locator("#market option").count()) >= 3);
  const [bid, ask] = await page.evaluate(() => {
    const best = (side) => Number(document.querySelector(`#${side} li:not([hidden]) button`).dataset.price);
    const asks = [...document.querySelectorAll("#asks li:not([hidden]) button")];
    return [best("bids"), Number(asks.at(-1).dataset.price)];
  });
  assert.ok(bid < ask, `best bid ${bid}, best ask ${ask}`);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("another market and another interval can be chosen", async () => {
  const page = await open();
  await page.locator("#bids li:not([hidden]) button").first().waitFor();
  await page.selectOption("#market", "ETH-USDT");
  await page.getByRole("button", { name: "1s", exact: true }).click();
  await page.waitForFunction(() => document.title.includes("ETH-USDT"));
  await page.locator("#book-quantity", { hasText: "ETH" }).waitFor();
  await page.locator("#trades li").first().waitFor();
  await page.waitForFunction(() => Number(document.querySelector("#chart").dataset.candles) > 0);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("an order of the form appears among the open ones and is cancelled", async () => {
  const page = await open();
  await page.locator("#balances tr").first().waitFor();
  // Far below the market, so that it rests.
  const bid = page.locator("#bids li:not([hidden]) button").first();
  await bid.waitFor();
  const best = Number(await bid.getAttribute("data-price"));
  await page.getByLabel("Price").fill((Math.floor(best / 2 / 10) * 10).toFixed(2));
  await page.getByLabel("Quantity").fill("0.01");
  await page.locator("#submit").click();
  await page.locator("#notice", { hasText: /Order \d+ is in the book/ }).waitFor();
  const id = (await page.locator("#notice").textContent()).match(/Order (\d+)/)[1];
  const row = page.locator(`#orders tr[data-order="${id}"]`);
  await row.waitFor();
  await row.getByRole("button", { name: /^Cancel order/ }).click();
  await row.waitFor({ state: "detached" });
  await page.locator("#notice", { hasText: `Order ${id} is cancelled` }).waitFor();
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a market order is filled and an order that cannot be is refused in words", async () => {
  const page = await open();
  await page.locator("#balances tr").first().waitFor();
  await page.locator("#asks li:not([hidden]) button").first().waitFor();
  await page.locator("#order").getByText("Market", { exact: true }).click();
  await page.getByLabel("Quantity").fill("0.01");
  await page.locator("#submit").click();
  await page.locator("#notice.up", { hasText: /Order \d+: filled/ }).waitFor();
  await page.getByLabel("Quantity").fill("0.0000000001");
  await page.locator("#submit").click();
  await page.locator("#notice.down", { hasText: "quantity" }).waitFor();
  await page.context().close();
});

test("the page works on a phone and by keyboard alone", async () => {
  const page = await open({ viewport: { width: 375, height: 740 } });
  await page.locator("#bids li:not([hidden]) button").first().waitFor();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  await page.locator("body").press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const unlabelled = await page.evaluate(() =>
    [...document.querySelectorAll("input, select, button, canvas")]
      .filter((element) => element.offsetParent !== null)
      .filter((element) => !element.labels?.length && !element.textContent.trim() && !element.ariaLabel)
      .map((element) => element.outerHTML),
  );
  assert.deepEqual(unlabelled, []);
  await page.context().close();
});

test("after a crash of the server the page reconnects and trades again", async () => {
  const page = await open();
  await page.locator("#trades li").first().waitFor();
  const { host } = new URL(exchange.address);
  await stop(exchange, "SIGKILL");
  await page.locator("#connection:not([data-state=live])").waitFor();
  exchange = await start(host);
  await page.locator("#connection[data-state=live]").waitFor();
  const trades = await page.locator("#trades li").first().textContent();
  await page.waitForFunction(
    (before) => document.querySelector("#trades li")?.textContent !== before,
    trades,
  );
  await page.locator("#balances tr").first().waitFor();
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
