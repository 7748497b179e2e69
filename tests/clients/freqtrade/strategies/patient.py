"""A strategy of tests: enters where the last whole candle says so, and leaves when it is told."""

from freqtrade.strategy import IStrategy


class Patient(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 10}
    stoploss = -0.1
    order_types = {
        "entry": "limit", "exit": "limit", "emergency_exit": "market", "force_entry": "limit", "force_exit": "limit",
        "stoploss": "limit", "stoploss_on_exchange": True, "stoploss_on_exchange_interval": 1,
    }

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        wanted = self.config["dry_run"] and dataframe["volume"] > 0
        dataframe.loc[wanted, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
