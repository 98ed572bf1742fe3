"""Which market a session runs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vela.adapters.exchanges.simulated.sources import CandleSource, RecordingSource, SyntheticSource
from vela.bootstrap.settings import DEFAULT_SYMBOLS, SYNTHETIC, Settings
from vela.domain.errors import ConfigurationError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol, parse_symbol_list
from vela.simulation.synthetic import SyntheticMarket


@dataclass(frozen=True, slots=True)
class Market:
    """A market to trade on.

    Attributes:
        source: its candles.
        title: for people.
        exchange: the name under which its candles are stored.
        identity: what must stay the same while an account lives on it.
        has_end: whether it ends by itself or by a setting.
    """

    source: CandleSource
    title: str
    exchange: str
    identity: Mapping[str, str]
    has_end: bool

    @property
    def symbols(self) -> tuple[TradingSymbol, ...]:
        """What is traded on it."""
        return tuple(instrument.symbol for instrument in self.source.instruments())


def open_market(settings: Settings) -> Market:
    """Open the market that the settings name.

    Raises:
        ConfigurationError: an option does not fit the market.
        CandleError: a recording cannot be used.
    """
    if settings.market == SYNTHETIC:
        return _synthetic(settings)
    return _recording(settings, Path(settings.market))


def _synthetic(settings: Settings) -> Market:
    symbols = settings.symbols or tuple(parse_symbol_list(DEFAULT_SYMBOLS))
    timeframe = settings.timeframe or Timeframe.M1
    source = SyntheticSource(SyntheticMarket(settings.seed, symbols, timeframe))
    identity = {
        "market": SYNTHETIC,
        "seed": str(settings.seed),
        "symbols": ",".join(map(str, symbols)),
        "timeframe": timeframe.value,
    }
    return Market(
        source,
        f"synthetic market, seed {settings.seed}",
        f"{SYNTHETIC}-{settings.seed}",
        identity,
        settings.candles is not None,
    )


def _recording(settings: Settings, path: Path) -> Market:
    if not path.exists():
        raise ConfigurationError(
            f"market {settings.market[:200]!r} is neither {SYNTHETIC!r} nor an existing file or folder; "
            f"accepted: {SYNTHETIC}, or the path of recorded candles (Parquet)"
        )
    symbols = settings.symbols
    # One file and one symbol belong together, whatever the file is called.
    files = {symbols[0]: path} if symbols is not None and len(symbols) == 1 and path.is_file() else path
    source = RecordingSource.from_path(files, timeframe=settings.timeframe, symbols=symbols)
    _require_recorded(symbols or (), source)
    identity = {
        "market": "recording",
        "sha256": source.fingerprint,
        "symbols": ",".join(str(instrument.symbol) for instrument in source.instruments()),
        "timeframe": source.timeframe.value,
    }
    exchange = f"recording-{source.fingerprint[:12]}"
    return Market(source, f"replay of {path.name}", exchange, identity, has_end=True)


def _require_recorded(symbols: Sequence[TradingSymbol], source: CandleSource) -> None:
    recorded = [instrument.symbol for instrument in source.instruments()]
    for symbol in symbols:
        if symbol not in recorded:
            raise ConfigurationError(f"{symbol} was not recorded; accepted: {', '.join(map(str, recorded))}")
