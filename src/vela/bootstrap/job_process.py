"""The process of one job: reads what to do, does it, and says what came of it. Run as a module."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from vela.adapters.child_process import end_with_parent, read_frame, write_frame
from vela.bootstrap.jobs import (
    Answer,
    Finished,
    Inventoried,
    Inventory,
    Reached,
    Refused,
    Task,
    decode_question,
    encode,
    settings_of,
    strategy_of,
)
from vela.bootstrap.strategies import describe, find_all_strategies
from vela.domain.errors import StrategyError, VelaError
from vela.domain.jobs import Figure
from vela.ports.jobs import JobResult
from vela.strategies.registry import SHIPPED

_NICENESS = 5  # more would starve a backtest wherever something else is busy
# How much of a job is done when a stage begins, and when the strategy has analysed everything.
_BEGINS = {"reading": 0.0, "compiling": 0.1, "trading": 0.1, "reporting": 0.8}
_ANALYSED = 0.7
_COMPRESSION = 6

Say = Callable[[Answer], None]


def main() -> None:
    """Answer the one question that the parent asks."""
    _step_back()
    source = sys.stdin.buffer
    question = decode_question(read_frame(source))
    end_with_parent(source)
    with os.fdopen(os.dup(1), "wb") as target:
        os.dup2(2, 1)  # what a strategy prints must not come between
        answer = inventory() if isinstance(question, Inventory) else run(question, lambda said: _say(target, said))
        _say(target, answer)


def run(task: Task, say: Say) -> Refused | Finished:
    """Run a backtest and say how far it has come."""
    try:
        return Finished(_run(task, say))
    except VelaError as e:
        return Refused(str(e))
    except Exception as e:  # noqa: BLE001  whatever broke, whoever asked is told
        return Refused(f"the backtest broke off: {type(e).__name__}: {e}".splitlines()[0][:500])


def _run(task: Task, say: Say) -> JobResult:
    settings = settings_of(task.request, task.data_dir, os.environ)
    strategy = strategy_of(task.request)
    say(Reached("reading", 0.0))
    from vela.bootstrap.backtest import Stage, encode_document, run_backtest  # noqa: PLC0415  the compiler, only now

    def enter(stage: Stage) -> None:
        name = stage.name.lower()
        say(Reached(name, _BEGINS[name]))

    def analysed(part: float) -> None:
        say(Reached("trading", _BEGINS["trading"] + part * (_ANALYSED - _BEGINS["trading"])))

    outcome = run_backtest(strategy, settings, (), symbols_given=False, progress=enter, analysed=analysed)
    enter(Stage.REPORTING)
    from vela.backtest.report.page import render  # noqa: PLC0415  drawn only now

    report = render(outcome.result, outcome.history.series, outcome.history.timeframe)
    document = encode_document(outcome.document())
    summary = msgspec.convert(outcome.result.summary(), dict[str, Figure])
    return JobResult(summary, _compressed(document), _compressed(report.encode()))


def inventory() -> Inventoried:
    """Describe all strategies; if one of the user's files cannot be used, the shipped ones alone."""
    try:
        found, problem = find_all_strategies(), ""
    except StrategyError as e:
        found, problem = dict(SHIPPED), str(e)
    return Inventoried(tuple(describe(strategy) for strategy in found.values()), problem)


def _step_back() -> None:
    # Trading goes first: for the processor, and when memory runs out.
    os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, _COMPRESSION, mtime=0)


def _say(target: BinaryIO, answer: Answer) -> None:
    write_frame(target, encode(answer))


if __name__ == "__main__":
    main()
