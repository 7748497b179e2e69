"""What the tests of the official SDK share: clients, and models that must know every field of an answer.

Its models are strict (texts are texts, numbers are numbers), so that reading an answer checks its types.
"""

import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_spot.spot import Spot
from exchange import PATIENCE, Exchange
from pydantic import BaseModel

SYMBOL = "BTCUSDT"
MILLISECONDS = int(PATIENCE * 1000)


def keys(key):
    return {"api_key": key[0], "api_secret": key[1]} if key else {}


def rest(exchange, key=None):
    return Spot(config_rest_api=ConfigurationRestAPI(base_path=exchange.url, timeout=MILLISECONDS, **keys(key))).rest_api


async def socket_api(test, exchange, **credentials):
    configuration = ConfigurationWebSocketAPI(stream_url=f"{exchange.ws}/ws-api/v3", timeout=MILLISECONDS, **credentials)
    made = await Spot(config_ws_api=configuration).websocket_api.create_connection()
    test.addAsyncCleanup(made.close_connection, close_session=True)
    return made


async def streams(test, exchange):
    configuration = ConfigurationWebSocketStreams(stream_url=exchange.ws)
    made = await Spot(config_ws_streams=configuration).websocket_streams.create_connection()
    test.addAsyncCleanup(made.close_connection, close_session=True)
    return made


def known(model, but=()):
    """The model, if it knows every field that came, `but` for these."""
    if isinstance(model, list):
        return [known(each, but) for each in model]
    if isinstance(model, BaseModel):
        strange = set(getattr(model, "additional_properties", None) or ()) - set(but)
        if strange:
            raise AssertionError(f"{type(model).__name__} does not know {strange}")
        for name in type(model).model_fields:
            if name != "additional_properties":
                known(getattr(model, name), but)
        if hasattr(model, "actual_instance"):
            return model.actual_instance
    return model


def fields(model):
    """As the answer had them."""
    return {name: value for name, value in model.to_dict().items() if name != "additional_properties"}


async def told(handle_or_queue, wanted=lambda event: True):
    """The next event of a queue that is wanted."""
    async with asyncio.timeout(PATIENCE):
        while not wanted(event := await handle_or_queue.get()):
            pass
    return event


def listen(handle):
    """A queue of what comes from now on, read into their models."""
    queue = asyncio.Queue()
    handle.on("message", lambda event: queue.put_nowait(known(event)))
    return queue
