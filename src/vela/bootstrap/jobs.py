"""Wiring of backtests as jobs: how they are checked, and the process that runs them. Needs no compiler.

What they say is what `vela backtest` says: both read the same settings with the same functions.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vela.adapters.child_process import ChildFailed, converse
from vela.bootstrap.settings import BacktestSettings, DataSettings, load_backtest_settings
from vela.bootstrap.strategies import DIRECTORY, describe, find_strategy, make, read_values, require_name
from vela.domain.codec import decode_hook, encode_hook
from vela.domain.errors import ConfigurationError, JobFailed
from vela.domain.jobs import BacktestRequest
from vela.ports.jobs import JobResult, Progress
from vela.strategies.base import Strategy
from vela.strategies.registry import SHIPPED

RULES = tuple(
    field.alias or name
    for name, field in BacktestSettings.model_fields.items()
    if name not in {"symbols", "timeframe", "start", "end", "instruments", *DataSettings.model_fields}
)
"""The settings that a job may bring along: trading rules, and nothing that names a file or a server."""

_PATIENCE_SECONDS = 20
# One core each: the others belong to trading and to other jobs.
_ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Task(msgspec.Struct, frozen=True, tag=True):
    """A backtest to run; `data_dir` as the settings name it."""

    request: BacktestRequest
    data_dir: str


class Inventory(msgspec.Struct, frozen=True, tag=True):
    """Asks for all strategies."""


class Reached(msgspec.Struct, frozen=True, tag=True):
    """How far a backtest has come."""

    stage: str
    progress: float


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Why something cannot be done, in one sentence."""

    sentence: str


class Finished(msgspec.Struct, frozen=True, tag=True):
    """What a backtest brought."""

    result: JobResult


class Inventoried(msgspec.Struct, frozen=True, tag=True):
    """All strategies (see `describe`); `problem`: why the user's own are missing."""

    strategies: tuple[Mapping[str, Any], ...]
    problem: str = ""


Question = Task | Inventory
Answer = Reached | Refused | Finished | Inventoried

encode: Callable[[Question | Answer], bytes] = msgspec.msgpack.Encoder(enc_hook=encode_hook).encode
decode_question: Callable[[bytes], Question] = msgspec.msgpack.Decoder(Question, dec_hook=decode_hook).decode
_decode_answer: Callable[[bytes], Answer] = msgspec.msgpack.Decoder(Answer, dec_hook=decode_hook).decode


# ----------------------------------------------------------------------------------------------------------- checking


def settings_of(request: BacktestRequest, data_dir: str, environment: Mapping[str, str]) -> BacktestSettings:
    """Read the settings that a backtest's request asks for, over those of the file and the environment.

    Raises:
        ConfigurationError: one of them makes no sense.
    """
    options = {"symbols": request.symbols or None, "timeframe": request.timeframe}
    return _load({**options, "from": request.start, "to": request.end}, request.rules, data_dir, environment)


def strategy_of(request: BacktestRequest) -> Strategy:
    """Return the strategy that is asked for; code of the user's own files runs.

    Raises:
        StrategyError: there is none of that name, or a parameter makes no sense.
    """
    return _made(find_strategy(request.strategy), request.parameters)


def read_request(
    strategy: str,
    parameters: Mapping[str, str],
    options: Mapping[str, str | None],
    rules: Mapping[str, str],
    data_dir: str,
) -> BacktestRequest:
    """Read a backtest's request as a person wrote it, as far as it can be checked without running code of the user's.

    Args:
        strategy: its name; no `module:Class`, which names code from anywhere.
        parameters: the strategy's, as text.
        options: `symbols`, `timeframe`, `from` and `to`, as their options are written; None: left out.
        rules: trading rules under their settings' names, as text.
        data_dir: where the candles are.

    Raises:
        StrategyError: the strategy is unknown, or a parameter makes no sense.
        ConfigurationError: something else makes no sense.
    """
    for name, value in (("strategy", strategy), *parameters.items(), *rules.items()):
        if not f"{name}{value}".isprintable():
            raise ConfigurationError(f"{name[:60]!r} was {value[:60]!r}; accepted: text that can be printed")
    settings = _load(options, rules, data_dir, os.environ)
    require_name(strategy)
    if strategy in SHIPPED:
        _made(SHIPPED[strategy], parameters)
    return BacktestRequest(
        strategy=strategy,
        parameters=parameters,
        symbols=(settings.symbols or ()) if options.get("symbols") else (),
        timeframe=settings.timeframe if options.get("timeframe") else None,
        start=settings.start if options.get("from") else None,
        end=settings.end if options.get("to") else None,
        rules=rules,
    )


def _load(
    options: Mapping[str, Any], rules: Mapping[str, str], data_dir: str, environment: Mapping[str, str]
) -> BacktestSettings:
    for name in rules:
        if name not in RULES:
            raise ConfigurationError(f"rule {name[:60]!r} is unknown; accepted: {', '.join(RULES)}")
    return load_backtest_settings({**options, **rules, "data_dir": data_dir}, environment)


def _made(strategy: type[Strategy], parameters: Mapping[str, str]) -> Strategy:
    return make(strategy, read_values(strategy, [f"{name}={value}" for name, value in parameters.items()]))


# ------------------------------------------------------------------------------------------------------------ running


class ProcessRunner:
    """`JobRunner` that gives every backtest a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        """`data_dir`: the session's, with its candle store."""
        self._data_dir = str(data_dir)

    async def run(self, request: BacktestRequest, progress: Progress) -> JobResult:
        """See `JobRunner.run`."""
        answer: Refused | Finished | None = None

        async def hear(frame: bytes) -> None:
            nonlocal answer
            said = _decode_answer(frame)
            if isinstance(said, Reached):
                await progress(said.stage, said.progress)
            elif isinstance(said, Refused | Finished):
                answer = said

        try:
            status = await _ask(Task(request, self._data_dir), hear)
        except ChildFailed as e:
            raise JobFailed(f"the backtest broke off: {e}") from None
        if isinstance(answer, Finished):
            return answer.result
        raise JobFailed(_broken_off(status) if answer is None else answer.sentence)


async def all_strategies() -> Inventoried:
    """Describe the shipped strategies and the user's own, whose files are run in a process of their own.

    If they break it, the shipped ones are described alone.
    """
    answers: list[Answer] = []

    async def hear(frame: bytes) -> None:
        answers.append(_decode_answer(frame))

    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            problem = _broken_off(await _ask(Inventory(), hear))
    except TimeoutError:
        problem = f"a file in {DIRECTORY}/ takes more than {_PATIENCE_SECONDS} s; accepted: one that defines strategies"
    except ChildFailed as e:
        problem = str(e)
    for answer in answers:
        if isinstance(answer, Inventoried):
            return answer
    return Inventoried(tuple(map(describe, SHIPPED.values())), problem)


def jobs_at_once() -> int:
    """Return how many backtests may run at the same time: a core stays free for trading."""
    return max(1, (os.cpu_count() or 1) - 1)


async def _ask(question: Question, hear: Callable[[bytes], Any]) -> int:
    # -P: no module of the working directory may stand in for a library.
    command = (sys.executable, "-P", "-m", "vela.bootstrap.job_process")
    return await converse(command, {**os.environ, **_ONE_THREAD}, encode(question), hear)


def _broken_off(status: int) -> str:
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"its process {how}, perhaps for want of memory; accepted: fewer symbols, a shorter time, or another machine"
