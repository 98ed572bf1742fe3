"""Settings of the commands that deal with candles alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from vela.bootstrap.setting_values import Address, ExchangeName, Moment
from vela.bootstrap.settings import SeriesSettings, load_as
from vela.domain.errors import ConfigurationError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

_DEFAULT_DAYS = 30
_DAY_MS = 86_400_000


class DownloadSettings(SeriesSettings):
    """What is fetched, and from where. `start` and `end` are called `from` and `to` outside; ms UTC."""

    exchange: ExchangeName | None = None
    exchange_url: Address | None = None
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")

    @field_validator("end")
    @classmethod
    def _check_order(cls, value: int | None, info: ValidationInfo) -> int | None:
        start = info.data.get("start")
        if value is not None and start is not None and value <= start:
            raise ValueError("accepted: a moment after --from")
        return value

    @property
    def stored_as(self) -> str:
        """The name under which the candles are stored."""
        return stored_as(str(self.exchange), self.exchange_url)

    @property
    def length(self) -> Timeframe:
        """The timeframe; one minute unless another is set."""
        return self.timeframe or Timeframe.M1

    def chosen(self) -> tuple[TradingSymbol, ...]:
        """Return the symbols.

        Raises:
            ConfigurationError: none are set, or no exchange.
        """
        if self.exchange is None:
            raise ConfigurationError("setting exchange is not set; accepted: --exchange binance")
        if not self.symbols:
            raise ConfigurationError("setting symbols is not set; accepted: --symbols BTC,ETH")
        return self.symbols

    def window(self, now: int) -> tuple[int, int]:
        """Return from where to where candles are wanted: whole ones that have closed.

        Args:
            now: the exchange's time, ms UTC.

        Raises:
            ConfigurationError: nothing has closed in there yet.
        """
        length = self.length.milliseconds
        end = min(now if self.end is None else self.end, now)
        start = end - _DEFAULT_DAYS * _DAY_MS if self.start is None else self.start
        start, end = -(-start // length) * length, end // length * length
        if start >= end:
            raise ConfigurationError("no candle has closed between from and to; accepted: a window of the past")
        return start, end


def stored_as(exchange: str, url: str | None) -> str:
    """Return the name under which candles are stored; those of another server are kept apart from the exchange's."""
    return exchange if url is None else f"{exchange}-elsewhere"


def load_download_settings(options: Mapping[str, Any], environment: Mapping[str, str]) -> DownloadSettings:
    """Read the settings of `vela download`; see `load_settings`.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    return load_as(DownloadSettings, options, environment)


def load_series_settings(options: Mapping[str, Any], environment: Mapping[str, str]) -> SeriesSettings:
    """Read which candles are meant; see `load_settings`.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    return load_as(SeriesSettings, options, environment)


def load_import_settings(options: Mapping[str, Any], environment: Mapping[str, str]) -> SeriesSettings:
    """Read where candles go, and what was said of the files by options.

    Symbols and a timeframe of the settings file or the environment are those of trading, not those of some file.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    settings = load_series_settings(options, environment)
    unsaid = {name: None for name in ("symbols", "timeframe") if options.get(name) is None}
    return settings.model_copy(update=unsaid)
