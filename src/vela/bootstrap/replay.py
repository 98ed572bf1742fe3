"""A replay: recorded candles through the whole live stack, and its trades beside those of the backtest."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from vela.adapters.exchanges.simulated.sources import RecordingSource
from vela.adapters.storage.sql.record import open_record
from vela.backtest.drift import Drift, explain_drift
from vela.backtest.result import trade_as_dict
from vela.bootstrap.application import Application
from vela.bootstrap.backtest import Outcome, run_backtest
from vela.bootstrap.market import Market
from vela.bootstrap.marketplace import SimulatedMarketplace
from vela.bootstrap.settings import BacktestSettings, Settings, TradingSettings
from vela.domain.candles import COLUMNS
from vela.domain.errors import ConfigurationError
from vela.domain.money import plain
from vela.domain.position import Trade
from vela.ports.record import Summary
from vela.strategies.base import Strategy


@dataclass(frozen=True, slots=True)
class Comparison:
    """A session of the live stack beside its backtest.

    Attributes:
        summary: of the session's record.
        trades: its closed round trips, oldest first.
        expected: those of the backtest.
        drift: in what the two differ; nothing, if all is well.
    """

    summary: Summary
    trades: tuple[Trade, ...]
    expected: tuple[Trade, ...]
    drift: tuple[Drift, ...]

    def document(self) -> dict[str, object]:
        """Return the comparison as plain values, ready for JSON."""
        return {
            "summary": {
                name: value if isinstance(value, int | dict) else plain(value)
                for name, value in msgspec.structs.asdict(self.summary).items()
            },
            "trades": [trade_as_dict(trade) for trade in self.trades],
            "identical": not self.drift,
            "drift": [_told(drift) for drift in self.drift],
        }


def run_replay(
    strategy: Strategy,
    settings: BacktestSettings,
    files: Sequence[str],
    *,
    symbols_given: bool,
    progress: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Trade recorded candles twice, by the backtest and by the live stack, and compare.

    Args:
        strategy: with its parameters.
        settings: rules, symbols, timeframe, window.
        files: see `load_history`.
        symbols_given: see `load_history`.
        progress: told what is done next.

    Raises:
        VelaError: something given cannot be used; one line that says what and what is accepted.
    """
    if settings.allow_short:
        raise ConfigurationError("a replay trades spot, which cannot be sold short; accepted: --long-only")
    outcome = run_backtest(strategy, settings, files, symbols_given=symbols_given, progress=progress)
    progress("replaying")
    with tempfile.TemporaryDirectory() as folder:
        live = _live_settings(settings, Path(folder) / "data")
        application = Application(
            live,
            until_end=True,
            marketplace=SimulatedMarketplace(_market(outcome, Path(folder)), live),
            strategies=dict.fromkeys(outcome.history.series, strategy),
        )
        summary = asyncio.run(application.run(asyncio.Event(), lambda _ready: None))
        with open_record(Path(folder) / "data") as record:
            trades = tuple(reversed(record.reader.trades(limit=max(1, summary.trades))))
    expected = outcome.result.trades
    return Comparison(summary, trades, expected, explain_drift(trades, expected, within_ms=0))


def _live_settings(settings: BacktestSettings, data_dir: Path) -> Settings:
    # The values were checked: read again, milliseconds would be taken for seconds.
    shared = {name: getattr(settings, name) for name in TradingSettings.model_fields}
    return Settings.model_construct(**shared | {"speed": None, "page": False, "data_dir": data_dir, "database": None})


def _market(outcome: Outcome, folder: Path) -> Market:
    files = {}
    for symbol, candles in outcome.history.candles.items():
        path = folder / f"{symbol.to_long()}_{outcome.history.timeframe.value}.parquet"
        pl.DataFrame({name: getattr(candles, name) for name in ("open_time", *COLUMNS)}).write_parquet(path)
        files[symbol] = path
    source = RecordingSource.from_path(files, timeframe=outcome.history.timeframe, instruments=outcome.instruments)
    return Market(source, "replay", "replay", {"market": "replay"}, has_end=True)


def _told(drift: Drift) -> dict[str, object]:
    values = msgspec.structs.asdict(drift)
    return values | {"symbol": str(drift.symbol), "cost": None if drift.cost is None else plain(drift.cost)}
