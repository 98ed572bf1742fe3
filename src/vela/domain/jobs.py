"""Backtests as jobs: what is asked for, and what has become of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

Figure = int | float | str | None
"""A figure of a summary: counts and percentages as numbers, money as text; None where it is undefined."""


class JobState(StrEnum):
    """What a job is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can become of it any more."""
        return self in _FINAL


_FINAL = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class BacktestRequest(msgspec.Struct, frozen=True):
    """A backtest of stored candles, as `vela backtest` would be asked for it.

    What is left out comes from the settings, as it does there.

    Attributes:
        strategy: its name.
        parameters: the strategy's, as they are written on a command line: `{"fast": "10"}`.
        symbols: what to trade.
        timeframe: length of the candles.
        start: candles that open earlier are left out, ms UTC.
        end: candles that open at or after it are left out, ms UTC.
        rules: trading rules under the names of their settings, as written there: `{"stake": "5%"}`.
    """

    strategy: str
    parameters: Mapping[str, str] = {}
    symbols: tuple[TradingSymbol, ...] = ()
    timeframe: Timeframe | None = None
    start: int | None = None
    end: int | None = None
    rules: Mapping[str, str] = {}


class Job(msgspec.Struct, frozen=True):
    """A backtest and how far it has come. Times are the wall clock's, ms UTC.

    Attributes:
        id: chosen by whoever asked.
        request: what was asked for.
        created: when.
        state: what it is doing.
        stage: while it runs: `reading`, `compiling`, `trading` or `reporting`.
        progress: how much of it is done, 0 to 1.
        started: when it began to run, the last time if it had to begin again.
        finished: when it reached a final state.
        summary: figures of the result, once it is done.
        error: one sentence, if it failed.
    """

    id: str
    request: BacktestRequest
    created: int
    state: JobState = JobState.QUEUED
    stage: str = ""
    progress: float = 0.0
    started: int | None = None
    finished: int | None = None
    summary: Mapping[str, Figure] | None = None
    error: str = ""
