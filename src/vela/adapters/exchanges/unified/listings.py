"""What an exchange lists, as symbols and trading rules of ours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import structlog

from vela.domain.assets import QuoteCurrency, is_valid_asset_name
from vela.domain.errors import ConfigurationError, MoneyError, SymbolError
from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, exact, plain
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.engine.universe import Activity

_EXAMPLES = 5

_log = structlog.get_logger("vela.exchange")


class Listing(NamedTuple):
    """A symbol at the exchange.

    Attributes:
        instrument: its trading rules.
        pair: what ccxt calls it.
        market_id: what the exchange calls it.
        is_trading: whether orders are taken.
        raw: what the exchange says of it.
    """

    instrument: Instrument
    pair: str
    market_id: str
    is_trading: bool
    raw: Mapping[str, Any]


class Listings:
    """All spot symbols of an exchange that can be read; assets that were not known are known from now on."""

    def __init__(self, name: str, markets: Iterable[Mapping[str, Any]]) -> None:
        """`name`: of the exchange. `markets`: as ccxt returns them, numbers as text."""
        self._name = name
        spot = [market for market in markets if market.get("spot")]
        register_assets({str(market["baseId"]) for market in spot if is_valid_asset_name(str(market["baseId"]))})
        self._listings = {listing.instrument.symbol: listing for listing in _readable(spot)}
        self.by_id = {listing.market_id: symbol for symbol, listing in self._listings.items()}

    def __contains__(self, symbol: TradingSymbol) -> bool:
        """Say whether a symbol is listed, halted or not."""
        return symbol in self._listings

    def __getitem__(self, symbol: TradingSymbol) -> Listing:
        """Return a symbol's listing.

        Raises:
            ConfigurationError: it is not listed.
        """
        listing = self._listings.get(symbol)
        if listing is None:
            raise ConfigurationError(f"{symbol.to_ccxt()} is not traded at {self._name}; accepted: {self._examples()}")
        return listing

    def require_trading(self, symbols: Iterable[TradingSymbol]) -> None:
        """Check that orders are taken.

        Raises:
            ConfigurationError: a symbol is not listed, or no orders are taken for it now.
        """
        for listing in map(self.__getitem__, symbols):
            if not listing.is_trading:
                raise ConfigurationError(
                    f"{listing.pair} is listed at {self._name} but not traded now; accepted: {self._examples()}"
                )

    def activity(self, tickers: Mapping[str, Mapping[str, Any]]) -> list[Activity]:
        """Return the last 24 hours of every symbol for which orders are taken, as far as `tickers` (of ccxt) tell."""
        found = []
        for symbol, listing in self._listings.items():
            ticker = tickers.get(listing.pair)
            if listing.is_trading and ticker is not None:
                volume, change = (_figure(ticker.get(name)) for name in ("quoteVolume", "percentage"))
                found.append(Activity(symbol, volume, change))
        return found

    def _examples(self) -> str:
        traded = [listing.pair for listing in self._listings.values() if listing.is_trading]
        return f"{', '.join(traded[:_EXAMPLES])}{' …' if len(traded) > _EXAMPLES else ''} ({len(traded)} symbols)"


def _readable(markets: Iterable[Mapping[str, Any]]) -> Iterator[Listing]:
    left_out = []
    for market in markets:
        try:
            yield _listing(market)
        except (SymbolError, ConfigurationError, MoneyError):
            left_out.append(str(market.get("id"))[:40])
    if left_out:  # a quote that we do not know, a name that is none: nobody can ask for them
        _log.info("symbols left out", count=len(left_out), examples=left_out[:_EXAMPLES])


def _listing(market: Mapping[str, Any]) -> Listing:
    quote = str(market["quoteId"])
    if quote not in QuoteCurrency.__members__:
        raise SymbolError(f"quote {quote[:40]!r} is unknown")
    symbol = TradingSymbol(str(market["baseId"]), QuoteCurrency(quote))
    limits = market["limits"]
    smallest = max(_amount(limits.get(kind, {}).get("min")) for kind in ("amount", "market"))
    instrument = Instrument(
        symbol,
        tick=_amount(market["precision"].get("price")),
        step=_amount(market["precision"].get("amount")),
        min_notional=_amount(limits.get("cost", {}).get("min")),
        min_quantity=smallest,
    )
    return Listing(instrument, str(market["symbol"]), str(market["id"]), bool(market.get("active")), market["info"])


def _figure(value: Any) -> float:  # noqa: ANN401  whatever was told
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _amount(value: str | None) -> Decimal:
    return ZERO if value is None else Decimal(plain(exact(value)))
