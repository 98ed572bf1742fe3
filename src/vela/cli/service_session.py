"""Runs one service on a terminal: what is said on stderr, and the way out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from vela.adapters.child_process import end_with_parent
from vela.bootstrap.crash_test import arm_from
from vela.bootstrap.logs import set_up_logs
from vela.bootstrap.marketplace import Marketplace
from vela.bootstrap.scaled import HAS_PARENT
from vela.bootstrap.service_process import ORDERS, Running, ServiceProcess
from vela.bootstrap.settings import Settings
from vela.bootstrap.shards import WHOLE, parse_shard
from vela.cli.session import keep_what_is_loaded, loop_factory, marketplace


def run_service(
    service: str, settings: Settings, *, until_end: bool, shard: str | None, confirmation: str | None
) -> None:
    """Run until SIGTERM, Ctrl-C or, where that is asked for, the market's end.

    Args:
        service: its name.
        settings: all of them.
        until_end: leave when the market ends.
        shard: which part of the symbols a brain looks at, such as 1/3; None: all.
        confirmation: the words that allow real orders, where they are not to be asked for.

    Raises:
        VelaError: a setting makes no sense, or the service could not start or go on.
    """
    set_up_logs()
    arm_from(os.environ)
    if os.environ.get(HAS_PARENT):
        end_with_parent(sys.stdin.buffer)
    place = _market_of(service, settings, confirmation)
    part = WHOLE if shard is None else parse_shard(shard)
    process = ServiceProcess(
        service, settings, _say(part.member_of(service)), marketplace=place, until_end=until_end, shard=part
    )
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(process))


def _market_of(service: str, settings: Settings, confirmation: str | None) -> Marketplace | None:
    if service == ORDERS or not settings.live:
        return marketplace(settings, confirmation)
    from vela.bootstrap.exchange_marketplace import ExchangeMarketplace

    return ExchangeMarketplace(settings, None)  # whoever does not trade needs no key


async def _run(process: ServiceProcess) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await process.run(stop, _greet)


def _greet(running: Running) -> None:
    account = "paper account" if running.mode == "paper" else "REAL MONEY"
    say = _say(running.service)
    say(f"runs · Vela {running.version} · {account} · {running.market} · {running.bus}")
    for link in running.links:
        say(link)
    keep_what_is_loaded()


def _say(service: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        sys.stderr.write(f"{service}: {text}\n")
        sys.stderr.flush()

    return say
