"""Runs a backtest for a command: progress, the files it writes, what it prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vela.bootstrap.backtest import Stage, encode_document, run_backtest
from vela.bootstrap.settings import BacktestSettings
from vela.bootstrap.strategies import find_strategy, make, read_values
from vela.cli.stages import stages
from vela.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the result goes: a page, a file of JSON, and to stdout as JSON or as a report."""

    html: str | None
    out: str | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Files:
    """Where the candles come from: see `load_history` and `load_detail`."""

    candles: Sequence[str]
    detail: Sequence[str]
    symbols_given: bool


def run_and_report(
    name: str,
    assignments: Sequence[str],
    settings: BacktestSettings,
    files: Files,
    targets: Targets,
) -> None:
    """Run, write the files that were asked for, and print.

    Raises:
        VelaError: something given cannot be used.
    """
    cls = find_strategy(name)
    strategy = make(cls, read_values(cls, assignments))
    with stages(3) as at:
        outcome = run_backtest(
            strategy,
            settings,
            files.candles,
            detail_files=files.detail,
            symbols_given=files.symbols_given,
            progress=at.enter,
            analysed=at.part,
        )
        at.enter(Stage.REPORTING)
        document = encode_document(outcome.document()) if targets.as_json or targets.out is not None else b""
        if targets.html is not None:
            from vela.backtest.report.page import render

            _write(targets.html, render(outcome.result, outcome.history.series, outcome.history.timeframe).encode())
        if targets.out is not None:
            _write(targets.out, document)
    if targets.as_json:
        sys.stdout.write(document.decode())
        return
    from vela.cli.backtest_report import print_report

    print_report(outcome.result, outcome.history.series, outcome.history.timeframe)


def _write(name: str, content: bytes) -> None:
    try:
        Path(name).write_bytes(content)
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) and e.strerror else e
        raise ConfigurationError(f"{name[:200]!r} cannot be written: {reason}; accepted: a writable file") from None
