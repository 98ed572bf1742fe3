"""Makes the checks for a command and prints what they found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from rich.console import Console

from vela.backtest.bias import Check, Finding, Report, Severity
from vela.bootstrap.strategies import find_strategy, make, read_values
from vela.bootstrap.strategy_checks import SEED, check_thoroughly
from vela.cli.output import print_json
from vela.domain.candles import Candles
from vela.domain.trading_symbol import TradingSymbol

_LOOKED_FOR = {
    Check.SHAPE: "answers of the promised shape and type, with few candles, too",
    Check.PURITY: "the same answer to the same candles, whatever came before",
    Check.UNDEFINED: "no signal where an indicator is undefined",
    Check.LOOK_AHEAD: "no use of later candles",
    Check.START: "no dependence on where candles begin, beyond the warm-up",
}


def check_and_report(
    name: str, assignments: Sequence[str], file: str | None, symbol: str | None, *, as_json: bool
) -> bool:
    """Check, print, and return whether the strategy may be trusted.

    Raises:
        VelaError: strategy, parameters or candles cannot be used.
    """
    cls = find_strategy(name)
    strategy = make(cls, read_values(cls, assignments))
    traded, candles = _candles(file, symbol)
    report = check_thoroughly(strategy, traded, candles)
    market = f"synthetic market, seed {SEED}" if file is None else file
    if as_json:
        print_json({"ok": not report.errors, "market": market, "symbol": str(traded), **_builtins(report)})
    else:
        _print(report, f"{report.candles:,} candles of {traded} ({market})")
    return not report.errors


def _candles(file: str | None, symbol: str | None) -> tuple[TradingSymbol, Candles | None]:
    if file is None:
        return TradingSymbol.from_str(symbol or "BTC"), None
    from vela.bootstrap.history import load_history
    from vela.bootstrap.settings import load_backtest_settings

    settings = load_backtest_settings({"symbols": symbol}, os.environ)
    history = load_history([file], settings, symbols_given=symbol is not None)
    return next(iter(history.candles.items()))


def _builtins(report: Report) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(report)
    return values


def _print(report: Report, market: str) -> None:
    console = Console(highlight=False)
    parameters = ", ".join(f"{name}={value}" for name, value in report.parameters.items())
    console.print(f"[bold]{report.strategy}[/] {parameters} on {market}", soft_wrap=True)
    for check, looked_for in _LOOKED_FOR.items():
        found = [finding for finding in report.findings if finding.check is check]
        console.print(f"  {_verdict(check, report, found)}  {looked_for}", soft_wrap=True)
        for finding in found:
            console.print(f"           {_said(finding)}", markup=False, soft_wrap=True)
    measured = "–" if report.measured_warmup is None else f"{report.measured_warmup:,}"
    console.print(
        f"Warm-up: {report.warmup:,} candles declared, {measured} measured · {report.signals:,} signals · "
        f"{report.decisions_compared:,} decisions compared with what live would have seen",
        soft_wrap=True,
    )
    if not report.signals:
        console.print("There was no signal on these candles: little is proven.")


def _verdict(check: Check, report: Report, found: Sequence[Finding]) -> str:
    if any(finding.severity is Severity.ERROR for finding in found):
        return "[bold red]error  [/]"
    if found:
        return "[yellow]warning[/]"
    return "[green]ok     [/]" if check in report.checked else "[dim]skipped[/]"


def _said(finding: Finding) -> str:
    if finding.time is None:
        return finding.sentence
    return f"{finding.sentence} ({np.datetime64(finding.time, 'ms').astype('datetime64[s]')} UTC)"
