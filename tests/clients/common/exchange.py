"""The real binary with a market of its own, for tests of client libraries.

OUTCRY_BIN names the binary. Everything it makes lives in a temporary directory; ports are free ones.
"""

import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 60.0
SETTINGS = os.path.join(os.path.dirname(__file__), "..", "..", "small.toml")


class Exchange:
    """A running exchange: assets BTC and USDT, market BTC-USDT, fees of 0.1 % and 0.05 %, funded traders.

    `more` are further arguments of `outcry run`.
    """

    def __init__(self, *more):
        self.data = tempfile.TemporaryDirectory(prefix="outcry-client-")
        command = [os.environ["OUTCRY_BIN"], "run", "--no-demo", "--data", self.data.name, "--config", SETTINGS,
                   "--listen", "127.0.0.1:0", "--limits", "unlimited", "--shed-above", "0ms", *more]
        self.reader = None
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        try:
            self._read_until_it_listens()
            self._furnish()
        except BaseException:
            self.stop()
            raise

    def _read_until_it_listens(self):
        key = secret = None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"admin key:\s+(\S+)", line):
                key = found[1]
            if found := re.search(r"admin secret:\s+(\S+)", line):
                secret = found[1]
            if found := re.search(r"listening on (https?://\S+?)/?\s*$", line):
                self.url = found[1]
                self.ws = self.url.replace("http", "ws", 1)
                self.operator = (key, secret)
                # The rest must be taken, or the process would wait for us.
                self.reader = threading.Thread(target=self.said.extend, args=(self.process.stdout,), daemon=True)
                self.reader.start()
                return
        raise RuntimeError("the exchange did not start:\n" + "".join(self.said))

    def _furnish(self):
        self.list_market("BTC", "USDT")
        self.admin("PUT", "/v1/admin/fee-tiers/0", {"maker_ppm": 500, "taker_ppm": 1000})

    def list_market(self, base, quote):
        """A market of two assets, which are made if there are none of these names."""
        for symbol in (base, quote):
            there = lambda: any(a["symbol"] == symbol for a in self.native("GET", "/v1/assets")["assets"])
            if not there():
                self.admin("POST", "/v1/admin/assets", {"symbol": symbol, "scale": 8})
                until(there)
        self.admin("POST", "/v1/admin/markets", {
            "symbol": f"{base}-{quote}", "base": base, "quote": quote, "tick": "0.01", "lot": "0.00001",
            "max_price": "1000000", "max_quantity": "9000",
        })

    def trader(self, name, **funds):
        """A new account with these funds; its key and secret."""
        made = self.admin("POST", "/v1/admin/accounts", {"name": name})
        account = made["account"]["id"]
        for asset, amount in funds.items():
            self.admin("POST", "/v1/admin/credits", {
                "account": account, "asset": asset, "amount": str(amount), "reference": f"{name}-{asset}",
            })
        key = self.admin("POST", "/v1/admin/keys", {"account": account, "permissions": ["read", "trade"]})
        return key["key"]["key"], key["secret"]

    def admin(self, method, path, body):
        return self.native(method, path, body, self.operator)

    def native(self, method, path, body=None, key=None):
        """A request of the native API."""
        text = "" if body is None else json.dumps(body)
        request = urllib.request.Request(self.url + path, data=text.encode() or None, method=method)
        if key:
            stamp = str(int(time.time() * 1000))
            message = f"{stamp}\n5000\n{method}\n{path}\n{text}".encode()
            request.add_header("x-outcry-key", key[0])
            request.add_header("x-outcry-timestamp", stamp)
            request.add_header("x-outcry-signature", hmac.new(key[1].encode(), message, hashlib.sha256).hexdigest())
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.reader:
            self.reader.join()
        self.process.stdout.close()
        self.data.cleanup()


def until(condition, what="what must come"):
    """Waits until `condition()` gives something, and gives it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come")
        time.sleep(0.02)
