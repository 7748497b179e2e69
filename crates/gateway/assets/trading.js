// What needs an account: the order form, open orders, balances, and the key.

const $ = (id) => document.getElementById(id);

export class Trading {
  // `onOrders(orders)` hears the open orders whenever they change.
  constructor(socket, onOrders) {
    this.socket = socket;
    this.onOrders = onOrders;
    this.market = null;
    this.orders = new Map(); // "market/id" → order
    this.balances = new Map(); // asset → balance
    $("order").addEventListener("submit", (event) => this.place(event));
    $("order").addEventListener("input", () => this.describe());
    $("key-form").addEventListener("submit", (event) => this.takeKey(event));
    socket.onKeyRefused = (error) => {
      // The demo key lives as long as the server's process: after its restart there is another.
      if (this.isDemo) setTimeout(() => this.useDemoKey());
      else this.say(error.message, "down");
    };
    socket.subscribe("orders", (message) => this.takeOrders(message));
    socket.subscribe("balances", (message) => this.takeBalances(message));
  }

  // A demonstration exchange has a key for everybody.
  async useDemoKey() {
    const answer = await fetch("/v1/demo/session");
    if (!answer.ok) {
      $("key-panel").open = true;
      return;
    }
    const { key, secret } = await answer.json();
    this.isDemo = true;
    await this.useKey({ key, secret }, "the shared demo account");
  }

  async takeKey(event) {
    event.preventDefault();
    this.isDemo = false;
    const key = { key: $("key").value.trim(), secret: $("secret").value.trim() };
    await this.useKey(key, "your own key");
  }

  async useKey(key, whose) {
    try {
      await this.socket.useKey(key);
      $("account").textContent = `Account ${this.socket.account}, with ${whose}.`;
      $("secret").value = "";
      this.say("");
    } catch (error) {
      this.say(error.message, "down");
    }
  }

  setMarket(market) {
    this.market = market;
    $("price").value = "";
    $("price-unit").textContent = market.quote;
    $("quantity-unit").textContent = market.base;
    this.describe();
  }

  setPrice(price) {
    if (!$("price").disabled) $("price").value = price;
    this.describe();
  }

  form() {
    const fields = new FormData($("order"));
    return {
      side: fields.get("side"),
      type: fields.get("type"),
      price: fields.get("price")?.trim(),
      quantity: fields.get("quantity").trim(),
    };
  }

  describe() {
    const { side, type, price, quantity } = this.form();
    const isLimit = type === "limit";
    $("price").disabled = !isLimit;
    $("price").required = isLimit;
    $("price-row").hidden = !isLimit;
    $("submit").className = side;
    $("submit").textContent = `${side === "buy" ? "Buy" : "Sell"} ${this.market?.base ?? ""}`;
    const cost = Number(price) * Number(quantity);
    $("cost").textContent =
      isLimit && cost > 0 ? `${side === "buy" ? "Costs" : "Brings"} ${cost.toFixed(2)} ${this.market.quote}` : "";
  }

  async place(event) {
    event.preventDefault();
    const { side, type, price, quantity } = this.form();
    const order = { market: this.market.symbol, side, type, quantity };
    if (type === "limit") order.price = price;
    // With an id of its own, an order whose answer got lost can be asked for.
    order.client_order_id = `page-${Array.from(crypto.getRandomValues(new Uint32Array(2)), (n) => n.toString(36)).join("")}`;
    $("submit").disabled = true;
    try {
      const placed = await this.socket.request("place_order", order);
      this.say(this.tell(placed), "up");
    } catch (error) {
      this.say(error.message, "down");
    } finally {
      $("submit").disabled = false;
    }
  }

  tell({ id, order, fills }) {
    if (order.status === "waiting") return `Order ${id} waits for ${trigger(order)}.`;
    if (order.status === "open") return `Order ${id} is in the book.`;
    const at = order.average_price ? ` at ${order.average_price}` : "";
    const part = order.status === "filled" ? "filled" : order.status.replace("_", " ");
    return `Order ${id}: ${part}, ${order.filled_quantity}${at} in ${fills.length} trades.`;
  }

  async cancel({ market, id }) {
    try {
      await this.socket.request("cancel_order", { market, order_id: id });
      this.say(`Order ${id} is cancelled.`);
    } catch (error) {
      this.say(error.message, "down");
    }
  }

  say(text, kind = "") {
    $("notice").textContent = text;
    $("notice").className = kind;
  }

  takeOrders({ type, partition, data }) {
    if (type === "snapshot") {
      for (const [key, order] of this.orders) if (order.partition === partition) this.orders.delete(key);
      for (const order of data) {
        this.orders.set(`${order.market}/${order.id}`, {
          ...order,
          open: order.remaining_quantity,
          waitsFor: order.status === "waiting" ? trigger(order) : null,
          partition,
        });
      }
    } else {
      for (const event of data) this.onOrderEvent(event, partition);
    }
    this.paintOrders();
  }

  onOrderEvent(event, partition) {
    const { market, order_id: id } = event;
    const key = `${market}/${id}`;
    const order = this.orders.get(key);
    switch (event.event) {
      case "order_placed": {
        const waitsFor = trigger(event);
        if (!waitsFor) break; // It is told what it trades, and where it rests.
        const { side, price, quantity } = event;
        this.orders.set(key, { market, id, side, price, open: quantity, waitsFor, partition });
        break;
      }
      case "order_triggered":
        if (order) order.waitsFor = null;
        break;
      case "order_rested": {
        const { side, price, quantity } = event;
        this.orders.set(key, { market, id, side, price, open: quantity, partition });
        break;
      }
      case "trade":
      case "order_reduced":
        if (!order) break;
        order.open = event.remaining_quantity;
        if (Number(order.open) === 0) this.orders.delete(key);
        break;
      case "order_cancelled":
        this.orders.delete(key);
        break;
      case "order_replaced":
        this.orders.delete(`${market}/${event.replaces}`);
        break;
    }
  }

  paintOrders() {
    const orders = [...this.orders.values()].sort((a, b) => b.id - a.id);
    $("orders").replaceChildren(...orders.map((order) => this.orderRow(order)));
    $("no-orders").hidden = orders.length > 0;
    this.onOrders(orders.filter((order) => !order.waitsFor));
  }

  orderRow(order) {
    const row = document.createElement("tr");
    row.dataset.order = order.id;
    row.append(cell(order.market), cell(order.side, order.side === "buy" ? "up" : "down"));
    const price = order.price ?? "market";
    row.append(cell(order.waitsFor ? `${price}, waits for ${order.waitsFor}` : price), cell(order.open ?? "–"));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Cancel";
    button.setAttribute("aria-label", `Cancel order ${order.id}: ${order.side} ${order.open} at ${order.price}`);
    button.addEventListener("click", () => this.cancel(order));
    const action = document.createElement("td");
    action.append(button);
    row.append(action);
    return row;
  }

  takeBalances({ type, data }) {
    if (type === "snapshot") this.balances.clear();
    for (const balance of data) this.balances.set(balance.asset, balance);
    const rows = [...this.balances.values()]
      .sort((a, b) => a.asset.localeCompare(b.asset))
      .map(({ asset, available, held }) => {
        const row = document.createElement("tr");
        row.append(cell(asset), cell(available), cell(held));
        return row;
      });
    $("balances").replaceChildren(...rows);
    $("no-balances").hidden = rows.length > 0;
  }
}

// What an order waits for; nothing if it has no trigger.
function trigger({ stop_price: stop, trailing_basis_points: distance }) {
  if (stop) return stop;
  return distance ? `${distance / 100} % off its best` : null;
}

function cell(text, kind = "") {
  const element = document.createElement("td");
  element.textContent = text;
  element.className = kind;
  return element;
}
