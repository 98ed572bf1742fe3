"""Runs an import on a terminal: the progress bar, what is printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from vela.adapters.clock import SystemClock
from vela.adapters.storage.candle_import.names import Named
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.candle_import import Imported, find_sources, import_file
from vela.bootstrap.settings import SeriesSettings
from vela.cli.output import print_json, print_table
from vela.cli.stages import stages
from vela.domain.errors import ConfigurationError

_terminal = Console(stderr=True, highlight=False)


def run_and_report(
    paths: Sequence[str], exchange: str | None, settings: SeriesSettings, *, keep_stored: bool, as_json: bool
) -> bool:
    """Import, then print what came of it; returns whether every file could be used.

    Raises:
        VelaError: a path or an option makes no sense, or the store cannot be written.
    """
    symbols = settings.symbols or ()
    if len(symbols) > 1:
        raise ConfigurationError("a file holds one symbol; accepted: one --symbol, or names that say it")
    if exchange == "":
        raise ConfigurationError("option exchange was ''; accepted: a name such as binance")
    given = Named(exchange, symbols[0] if symbols else None, settings.timeframe)
    sources = find_sources([Path(path) for path in paths], given)
    store, now = ParquetCandleStore(settings.candle_place), SystemClock().now()
    results = []
    with stages(len(sources)) as progress:
        for source in sources:
            progress.enter(source.path.name)
            results.append(import_file(source, store, now, stored_wins=keep_stored))
    if as_json:
        print_json([_document(result) for result in results])
    else:
        _print(results)
    return all(result.error is None for result in results)


def _document(result: Imported) -> dict[str, object]:
    source = result.source
    return {
        "file": str(source.path),
        "exchange": source.exchange,
        "symbol": str(source.symbol),
        "timeframe": source.timeframe.value,
        "rows": result.rows,
        "used": result.used,
        "new": result.new,
        "replaced": result.replaced,
        "refused": {reason: refusal._asdict() for reason, refusal in sorted(result.refused.items())},
        "error": result.error,
    }


def _print(results: Sequence[Imported]) -> None:
    print_table(
        [
            {
                "file": result.source.path.name,
                "series": f"{result.source.symbol} {result.source.timeframe.value} ({result.source.exchange})",
                "rows": f"{result.rows:,}",
                "new": f"{result.new:,}",
                "replaced": f"{result.replaced:,}",
                "left out": f"{sum(refusal.rows for refusal in result.refused.values()):,}",
            }
            for result in results
        ]
    )
    for result in results:
        for reason, refusal in sorted(result.refused.items()):
            _say(f"{result.source.path.name}: {reason} {refusal.rows:,}, first in line {refusal.first_line:,}")
        if result.error is not None:
            _say(f"Not taken: {result.error}", style="red")


def _say(text: str, style: str | None = None) -> None:
    _terminal.print(text, style=style, markup=False, soft_wrap=True)
