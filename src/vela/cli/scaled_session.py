"""Runs all services as processes on a terminal: their lines, each behind its service's name, and the way out."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from vela.adapters.clock import SystemClock
from vela.bootstrap.scaled import ScaledSystem, as_environment
from vela.bootstrap.service_process import SERVICES
from vela.bootstrap.settings import Settings
from vela.cli.output import print_json
from vela.cli.session import as_contract, print_summary
from vela.domain.errors import ConfigurationError
from vela.ports.record import Summary

_COLOURS = dict(zip(SERVICES, ("cyan", "magenta", "yellow", "blue", "green", "red", "bright_black"), strict=True))
_WIDTH = max(map(len, SERVICES))

_terminal = Console(stderr=True, highlight=False, soft_wrap=True)


def run_scaled(
    settings: Settings, given: Mapping[str, object], *, until_end: bool, as_json: bool, confirmation: str | None
) -> None:
    """Run until Ctrl-C or the market's end, then print the summary.

    Args:
        settings: all of them.
        given: those of them that were options.
        until_end: leave when the market ends.
        as_json: print the summary as JSON.
        confirmation: the words that allow real orders.

    Raises:
        VelaError: a setting makes no sense, or the processes cannot be run.
    """
    if settings.live and confirmation is None:
        raise ConfigurationError("with --scaled nobody can be asked for words; accepted: --live with --confirm '…'")
    system = ScaledSystem(settings, as_environment(given, os.environ), SystemClock(), _show, until_end=until_end)
    summary = asyncio.run(_run(system, confirmation))
    if as_json:
        print_json(as_contract(summary))
    else:
        print_summary(summary, settings)


async def _run(system: ScaledSystem, confirmation: str | None) -> Summary:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await system.run(stop, confirmation)


def _show(service: str, line: str) -> None:
    _terminal.print(Text(f"{service:>{_WIDTH}} ", style=_COLOURS[service]).append(line, style="default"))
