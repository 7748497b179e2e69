"""ccxt as its users point it at Outcry: URLs replaced, and time for a busy machine. freqtrade takes the same."""

from exchange import PATIENCE


def urls(exchange):
    """What goes into `urls` of the configuration, for an exchange that runs."""
    url, ws = exchange.url, exchange.ws
    return {"api": {
        "public": f"{url}/api/v3", "private": f"{url}/api/v3", "v1": f"{url}/api/v1",
        "sapi": f"{url}/sapi/v1", "sapiV2": f"{url}/sapi/v2", "sapiV3": f"{url}/sapi/v3",
        "sapiV4": f"{url}/sapi/v4", "fapiPublic": f"{url}/fapi/v1", "dapiPublic": f"{url}/dapi/v1",
        "eapiPublic": f"{url}/eapi/v1",
        "ws": {"spot": f"{ws}/ws", "margin": f"{ws}/ws", "ws-api": {"spot": f"{ws}/ws-api/v3"}},
    }}


def config(exchange, key=None, **more):
    """The constructor's argument."""
    keys = {"apiKey": key[0], "secret": key[1]} if key else {}
    return {"urls": urls(exchange), "timeout": int(PATIENCE * 1000), **keys, **more}
