"""Runs the system on a terminal: what is printed, the progress bar, the way out."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vela.bootstrap.application import Application, Ready
from vela.bootstrap.crash_test import arm_from, follow_up_from
from vela.bootstrap.logs import set_up_logs
from vela.bootstrap.marketplace import Marketplace
from vela.bootstrap.settings import Settings
from vela.cli.output import print_json
from vela.domain.money import plain
from vela.ports.record import Summary

_REDRAW_SECONDS = 0.2

_terminal = Console(stderr=True, highlight=False)


def run_session(settings: Settings, *, until_end: bool, as_json: bool, confirmation: str | None = None) -> None:
    """Run until Ctrl-C or the market's end, then print the summary.

    Args:
        settings: all of them.
        until_end: leave when the market ends.
        as_json: print the summary as JSON.
        confirmation: the words that allow real orders, where they are not to be asked for.

    Raises:
        VelaError: a setting makes no sense, or the system could not start or go on.
    """
    set_up_logs()
    arm_from(os.environ)
    application = Application(settings, until_end=until_end, marketplace=marketplace(settings, confirmation))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        summary = runner.run(_run(application, settings))
    if as_json:
        print_json(as_contract(summary))
    else:
        print_summary(summary, settings)


def marketplace(settings: Settings, confirmation: str | None) -> Marketplace | None:
    """Return the exchange that the settings name, or None where they name none.

    Raises:
        ConfigurationError: real money is to be traded without a key, or nobody confirmed it.
    """
    if settings.exchange is None:
        return None
    from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
    from vela.bootstrap.live_trading import confirm, read_credentials

    if not settings.live:
        return ExchangeMarketplace(settings, None)
    credentials = read_credentials(settings, os.environ)
    confirm(settings, confirmation, _terminal.input if sys.stdin.isatty() else None)
    return ExchangeMarketplace(settings, credentials, follow_up_from(os.environ, settings))


def as_contract(summary: Summary) -> dict[str, object]:
    """Return the summary as other programs read it: counts as numbers, money as strings, `refused` by reason."""
    values = msgspec.structs.asdict(summary)
    return {key: plain(value) if key in _MONEY else value for key, value in values.items()}


_MONEY = frozenset({"initial_capital", "final_equity", "realised_pnl", "fees"})


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop; None: as Python does."""
    try:
        import uvloop  # absent on platforms without it; the standard loop does as well, a little slower
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _run(application: Application, settings: Settings) -> Summary:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with _progress() as bar:
        showing = asyncio.create_task(_show(application, bar))
        try:
            return await application.run(stop, lambda ready: _on_ready(ready, settings))
        finally:
            showing.cancel()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_terminal,
        transient=True,
        disable=not sys.stderr.isatty(),
    )


async def _show(application: Application, bar: Progress) -> None:
    # A market without an end has no bar: the page shows it.
    while application.progress is None or application.progress.total is None:  # noqa: ASYNC110  nobody tells when
        await asyncio.sleep(_REDRAW_SECONDS)
    progress = application.progress
    task = bar.add_task("candles", total=progress.total, rate="", completed=progress.done)
    loop = asyncio.get_running_loop()
    began, done_before = loop.time(), progress.done
    while True:
        rate = (progress.done - done_before) / max(loop.time() - began, 1e-9)
        bar.update(task, completed=progress.done, rate=f"{rate:,.0f}/s")
        await asyncio.sleep(_REDRAW_SECONDS)


def _on_ready(ready: Ready, settings: Settings) -> None:
    _greet(ready, settings)
    keep_what_is_loaded()


def keep_what_is_loaded() -> None:
    """Let the garbage collector look no more at what is there by now.

    A look at all of it takes a tenth of a second, and no order goes out meanwhile.
    """
    gc.collect()
    gc.freeze()


def _greet(ready: Ready, settings: Settings) -> None:
    account = "paper account" if ready.mode == "paper" else "[bold red]REAL MONEY[/]"
    _terminal.print(f"[bold]Vela {ready.version}[/] · {account} · {ready.market} · {ready.symbols}")
    _terminal.print(f"Everything is kept in {settings.data_dir}; Ctrl-C stops, the same command goes on from there.")
    if ready.url is not None:
        _terminal.print(f"Page: {ready.url}")
    if ready.login_link is not None:
        _terminal.print(f"[bold]First start. Log in once with:[/] {ready.login_link}", soft_wrap=True)


def print_summary(summary: Summary, settings: Settings) -> None:
    """Print a summary for people."""
    _terminal.print(
        f"{summary.candles:,} candles · {summary.decisions:,} decisions · {summary.orders:,} orders · "
        f"{summary.trades:,} trades · {summary.open_positions} open"
    )
    _terminal.print(
        f"Equity {plain(summary.final_equity)} {settings.rules.quote} from {plain(summary.initial_capital)} · "
        f"realised {plain(summary.realised_pnl)} · fees {plain(summary.fees)}"
    )
    for title, counts in (("Refused signals", summary.refused), ("Refused candles", summary.refused_candles)):
        if counts:
            _terminal.print(f"{title}: " + ", ".join(f"{reason} {count:,}" for reason, count in counts.items()))
    if summary.missing_candles:
        _terminal.print(f"Missing candles: {summary.missing_candles:,}")
