"""Prints what is stored."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.settings import SeriesSettings
from vela.cli.download_run import gap_document
from vela.cli.output import moment, print_json, print_table
from vela.domain.gaps import Gap
from vela.ports.candle_store import StoredSeries

_terminal = Console(stderr=True, highlight=False)

_Listed = tuple[StoredSeries, Sequence[Gap]]


def report(settings: SeriesSettings, *, with_gaps: bool, as_json: bool) -> bool:
    """Print a line for each series that was asked for; returns whether there is any.

    Raises:
        StorageError: a file of the store cannot be read.
    """
    store = ParquetCandleStore(settings.candle_place)
    chosen = [
        one
        for one in store.series()
        if settings.timeframe in {None, one.timeframe} and (settings.symbols is None or one.symbol in settings.symbols)
    ]
    listed = [
        (one, store.gaps(one.exchange, one.symbol, one.timeframe) if one.missing and (with_gaps or as_json) else ())
        for one in chosen
    ]
    if as_json:
        print_json([_document(*one, with_gaps=with_gaps) for one in listed])
    elif listed:
        _print(listed)
    else:
        _terminal.print(
            f"No such candles are stored in {store}; vela download and vela import bring some.", markup=False
        )
    return bool(listed)


def _document(series: StoredSeries, gaps: Sequence[Gap], *, with_gaps: bool) -> dict[str, object]:
    document: dict[str, object] = {
        "exchange": series.exchange,
        "symbol": str(series.symbol),
        "timeframe": series.timeframe.value,
        "first": series.first,
        "last": series.last,
        "rows": series.count,
        "missing": series.missing,
        "gaps": len(gaps),
        "bytes": series.size,
    }
    return document | ({"gap_list": [gap_document(gap) for gap in gaps]} if with_gaps else {})


def _print(listed: Sequence[_Listed]) -> None:
    print_table(
        [
            {
                "exchange": series.exchange,
                "symbol": series.symbol,
                "timeframe": series.timeframe.value,
                "first (UTC)": moment(series.first),
                "last (UTC)": moment(series.last),
                "rows": f"{series.count:,}",
                "missing": f"{series.missing:,}" if series.missing else "–",
                "size": "–" if series.size is None else f"{series.size / 1e6:.2f} MB",
            }
            for series, _ in listed
        ]
    )
    rows = [
        {
            "gap in": f"{series.symbol} {series.timeframe.value} ({series.exchange})",
            "from (UTC)": moment(gap.start),
            "to (UTC)": moment(gap.end),
            "missing": f"{gap.missing:,}",
        }
        for series, gaps in listed
        for gap in gaps
    ]
    if rows:
        print_table(rows)
