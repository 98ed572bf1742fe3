"""Runs a download on a terminal: the progress bar, the way out, what is printed."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vela.adapters.clock import SystemClock
from vela.adapters.exchanges.live import connect
from vela.adapters.exchanges.unified.connection import Connection
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.candle_settings import DownloadSettings
from vela.bootstrap.download import Download, Fetched
from vela.bootstrap.logs import set_up_logs
from vela.cli.output import moment, print_json, print_table
from vela.domain.gaps import Gap
from vela.domain.trading_symbol import TradingSymbol

_terminal = Console(stderr=True, highlight=False)


@dataclass(slots=True)
class _Report:
    window: tuple[int, int] = (0, 0)
    plans: list[Fetched] = field(default_factory=list)
    interrupted: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.interrupted and all(plan.error is None for plan in self.plans)


def run_and_report(settings: DownloadSettings, *, as_json: bool) -> bool:
    """Fetch, then print what came of it; returns whether all of it could be asked for.

    Raises:
        VelaError: a setting makes no sense, the exchange cannot be reached, or the store cannot be written.
    """
    settings.chosen()
    set_up_logs()
    report = _Report()
    asyncio.run(_until_interrupted(settings, report))
    if as_json:
        print_json(_document(settings, report))
    else:
        _print(report)
    return report.is_complete


async def _until_interrupted(settings: DownloadSettings, report: _Report) -> None:
    work = asyncio.create_task(_connected(settings, report))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        report.interrupted = True


async def _connected(settings: DownloadSettings, report: _Report) -> None:
    clock, symbols = SystemClock(), settings.chosen()
    connection = await connect(str(settings.exchange), None, clock, base_url=settings.exchange_url)
    try:
        connection.instruments(symbols)
        report.window = settings.window(clock.now() + connection.clock_offset())
        await _fetch(settings, connection, report)
    finally:
        await connection.close()


async def _fetch(settings: DownloadSettings, connection: Connection, report: _Report) -> None:
    store = ParquetCandleStore(settings.candle_place)
    download = Download(connection.history(), store, settings.stored_as, settings.length, SystemClock())
    report.plans = await download.plan(settings.chosen(), *report.window)
    try:
        with _progress() as bar:
            tasks = {plan.symbol: bar.add_task(str(plan.symbol), total=plan.wanted) for plan in report.plans}

            def advance(symbol: TradingSymbol, candles: int) -> None:
                bar.advance(tasks[symbol], candles)

            await download.run(report.plans, advance)
    finally:
        for plan in report.plans:
            await download.account(plan, *report.window)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_terminal,
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _document(settings: DownloadSettings, report: _Report) -> dict[str, object]:
    return {
        "exchange": settings.stored_as,
        "timeframe": settings.length.value,
        "from": report.window[0],
        "to": report.window[1],
        "interrupted": report.interrupted,
        "symbols": [
            {
                "symbol": str(plan.symbol),
                "rows": plan.rows,
                "new": plan.new,
                "refused": dict(sorted(plan.refused.items())),
                "missing": sum(gap.missing for gap in plan.gaps),
                "gaps": [gap_document(gap) for gap in plan.gaps],
                "error": plan.error,
            }
            for plan in report.plans
        ],
    }


def gap_document(gap: Gap) -> dict[str, object]:
    """Return a gap ready for JSON: times in ms UTC, `to` is when candles go on."""
    return {"from": gap.start, "to": gap.end, "missing": gap.missing}


def _print(report: _Report) -> None:
    rows = [
        {
            "symbol": plan.symbol,
            "new": f"{plan.new:,}",
            "refused": ", ".join(f"{fault} {count:,}" for fault, count in sorted(plan.refused.items())) or "–",
            "missing": f"{sum(gap.missing for gap in plan.gaps):,} in {len(plan.gaps):,} gaps" if plan.gaps else "–",
        }
        for plan in report.plans
    ]
    if rows:
        _terminal.print(f"{moment(report.window[0])} – {moment(report.window[1])} UTC")
        print_table(rows)
    for plan in report.plans:
        if plan.error is not None and not report.interrupted:
            _terminal.print(f"{plan.symbol}: {plan.error}", style="red", markup=False)
    if report.interrupted:
        _terminal.print("Interrupted. What came is stored; the same command goes on from there.")
