"""From candles, signals and rules to what the compiled loop takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log10
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vela.backtest.tables import ALL, BUY, FIXED, PERCENT, SELL, Detail, Grids, Market, Options
from vela.domain.candles import Candles
from vela.domain.errors import ConfigurationError, StrategyError
from vela.domain.instrument import Instrument
from vela.domain.regime import MarketRegime
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.regime import REGIMES, classify_all
from vela.engine.risk import UNSUITABLE_FOR_LONG, UNSUITABLE_FOR_SHORT
from vela.engine.rules import Stake, StakeKind, TradingRules
from vela.strategies.base import Strategy

_Scalar = TypeVar("_Scalar", bound=np.generic)

_KINDS = {StakeKind.FIXED: FIXED, StakeKind.PERCENT: PERCENT, StakeKind.ALL: ALL}
_WORD = 2**64
_LARGEST = 2**126


def _fixed(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    # The loop is compiled for what it is given: an array that may be written to, and one that may not, are two things,
    # and so is one with gaps between its values.
    fixed = np.ascontiguousarray(array).view()
    fixed.flags.writeable = False
    return fixed


_NO_TIMES = _fixed(np.empty(0, dtype=np.int64))
_NO_FLOATS = _fixed(np.empty(0, dtype=np.float64))
_NO_FLAGS = _fixed(np.empty(0, dtype=np.bool_))
_NO_ACTIONS = np.empty(0, dtype=np.int8)
_NO_CANDLES = Candles.from_rows(())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backtest ready to run.

    Attributes:
        symbols: in their order; the loop knows them by their place.
        candles: of each symbol, cut to the window.
        market, detail, grids, options, step_times, busy: see `kernel.simulate`.
        most_trades: how many there can be.
        unit: what one of the loop's whole numbers of money is worth, in quote.
    """

    symbols: tuple[TradingSymbol, ...]
    candles: tuple[Candles, ...]
    instruments: tuple[Instrument, ...]
    market: Market
    detail: Detail
    grids: Grids
    options: Options
    step_times: NDArray[np.int64]
    busy: NDArray[np.int8]
    most_trades: int
    unit: Decimal


def prepare(
    strategy: Strategy,
    candles: Mapping[TradingSymbol, Candles],
    instruments: Mapping[TradingSymbol, Instrument],
    rules: TradingRules,
    *,
    allow_short: bool,
    detail: Mapping[TradingSymbol, Candles] | None = None,
    decide_from: int | None = None,
    analysed: Callable[[float], None] = lambda _: None,
) -> Prepared:
    """Analyse all symbols and lay everything out. `detail`: finer candles, where there are some.

    Raises:
        StrategyError: the strategy's answer has the wrong shape, or a confidence outside 0–1.
        ConfigurationError: the account's money cannot be counted exactly in 128 bits.
    """
    symbols = tuple(sorted(candles))
    series = tuple(candles[symbol] for symbol in symbols)
    rows = [instruments.get(symbol) or Instrument.raw(symbol) for symbol in symbols]
    answers = []
    for symbol, part in zip(symbols, series, strict=True):
        answers.append(_answer(strategy, symbol, part))
        analysed(len(answers) / len(symbols))
    if decide_from is not None:
        answers = [_from(decide_from, answer, part) for answer, part in zip(answers, series, strict=True)]
    grids, unit, fee_denominator = _grids(rows, rules)
    is_aligned = all(np.array_equal(series[0].open_time, part.open_time) for part in series[1:])
    market = _market(series, answers, rules, timed=not is_aligned or bool(detail))
    return Prepared(
        symbols=symbols,
        candles=series,
        instruments=tuple(rows),
        market=market,
        detail=_detail(symbols, series, detail or {}),
        grids=grids,
        options=_options(rules, unit, fee_denominator, allow_short=allow_short),
        step_times=_fixed(series[0].open_time if is_aligned else _union(series)),
        busy=_busy(market.action, len(series)) if is_aligned else _NO_ACTIONS,
        most_trades=sum(_most_trades(part, answer, rules) for part, answer in zip(series, answers, strict=True)),
        unit=unit,
    )


def _most_trades(candles: Candles, signals: Signals, rules: TradingRules) -> int:
    # Every trade begins with a signal of its own, and with a cool-down after the one before.
    most = int(np.count_nonzero(signals.buy) + np.count_nonzero(signals.sell))
    if rules.cooldown_ms and len(candles):
        most = min(most, int(candles.open_time[-1] - candles.open_time[0]) // rules.cooldown_ms + 1)
    return most


def _answer(strategy: Strategy, symbol: TradingSymbol, candles: Candles) -> Signals:
    flags = np.zeros(len(candles), dtype=np.bool_)
    if not len(candles) or not strategy.is_applicable(symbol):
        return Signals(flags, flags)
    signals = strategy.analyze(symbol, candles)
    for name, column in (("buy", signals.buy), ("sell", signals.sell), ("confidence", signals.confidence)):
        if column is not None and column.shape != flags.shape:
            raise StrategyError(f"{strategy.name} gave {name} of shape {column.shape}; accepted: {flags.shape}")
    confidence = signals.confidence
    if confidence is not None:
        asked = confidence[signals.buy | signals.sell]
        if not np.all((asked >= 0.0) & (asked <= 1.0)):
            raise StrategyError(f"{strategy.name} gave a confidence outside its range; accepted: 0 to 1")
    # The indicators are not traded on: what holds them is free again for the next symbol.
    return Signals(signals.buy, signals.sell, confidence)


def _from(time: int, answer: Signals, candles: Candles) -> Signals:
    counts = candles.open_time >= time
    return Signals(answer.buy & counts, answer.sell & counts, answer.confidence)


def _market(series: Sequence[Candles], answers: Sequence[Signals], rules: TradingRules, *, timed: bool) -> Market:
    lengths = [len(part) for part in series]
    confidences = _NO_FLOATS
    if any(answer.confidence is not None for answer in answers):
        confidences = _joined(
            [np.ones(n) if a.confidence is None else a.confidence for a, n in zip(answers, lengths, strict=True)]
        )
    suits_long, suits_short = _NO_FLAGS, _NO_FLAGS
    if rules.regime_filter:
        regimes = [classify_all(part) for part in series]
        suits_long = _joined([_suits(row, UNSUITABLE_FOR_LONG) for row in regimes])
        suits_short = _joined([_suits(row, UNSUITABLE_FOR_SHORT) for row in regimes])
    return Market(
        first=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        time=_joined([part.open_time for part in series]) if timed else _NO_TIMES,
        open=_joined([part.open for part in series]),
        high=_joined([part.high for part in series]),
        low=_joined([part.low for part in series]),
        close=_joined([part.close for part in series]),
        volume=_joined([part.volume for part in series]) if rules.impact_ppm else _NO_FLOATS,
        action=_joined([_actions(answer) for answer in answers]),
        confidence=confidences,
        suits_long=suits_long,
        suits_short=suits_short,
    )


def _detail(
    symbols: Sequence[TradingSymbol], series: Sequence[Candles], detail: Mapping[TradingSymbol, Candles]
) -> Detail:
    parts = [detail.get(symbol, _NO_CANDLES) for symbol in symbols]
    length = _length(series) if detail else 0
    return Detail(
        first=np.concatenate(([0], np.cumsum([len(part) for part in parts]))).astype(np.int64),
        time=_joined([part.open_time for part in parts]),
        open=_joined([part.open for part in parts]),
        high=_joined([part.high for part in parts]),
        low=_joined([part.low for part in parts]),
        length_ms=length,
    )


def _length(series: Sequence[Candles]) -> int:
    # Gaps are longer than a candle, nothing is shorter.
    distances = np.concatenate([np.diff(part.open_time) for part in series])
    return int(distances.min()) if len(distances) else 0


def _joined(parts: Sequence[NDArray[_Scalar]]) -> NDArray[_Scalar]:  # one symbol's columns are not copied
    return _fixed(parts[0] if len(parts) == 1 else np.concatenate(parts))


def _actions(signals: Signals) -> NDArray[np.int8]:
    # As `engine.decide.action_of`: a row that asks for both asks for nothing.
    only_buy, only_sell = signals.buy > signals.sell, signals.sell > signals.buy
    actions: NDArray[np.int8] = only_buy.view(np.int8) * np.int8(BUY) + only_sell.view(np.int8) * np.int8(SELL)
    return actions


def _suits(numbers: NDArray[np.int8], unsuitable: frozenset[MarketRegime]) -> NDArray[np.bool_]:
    suits = np.array([regime not in unsuitable for regime in REGIMES], dtype=np.bool_)
    return suits[numbers]


def _busy(actions: NDArray[np.int8], symbols: int) -> NDArray[np.int8]:
    return _fixed(actions if symbols == 1 else actions.reshape(symbols, -1).max(axis=0))


def _union(series: Sequence[Candles]) -> NDArray[np.int64]:
    return np.unique(np.concatenate([part.open_time for part in series]))


def _grids(instruments: Sequence[Instrument], rules: TradingRules) -> tuple[Grids, Decimal, int]:
    """Return the grids, the worth of one money unit, and the fee's denominator."""
    if not rules.fee_rate.is_finite() or not 0 <= rules.fee_rate < 1:
        raise ConfigurationError(f"fee_rate was {rules.fee_rate}; accepted: 0 or more, below 1")
    denominator = 10 ** max(0, -int(rules.fee_rate.as_tuple().exponent))
    worths = [instrument.tick * instrument.step for instrument in instruments]
    finest = min(worth.normalize().as_tuple().exponent for worth in worths)
    unit = Decimal(1).scaleb(int(finest))
    scales = [int(worth / unit) for worth in worths]
    grids = Grids(
        ticks_per_unit=np.array([i.ticks_per_unit or 1.0 / float(i.tick) for i in instruments]),
        scale=np.array(scales, dtype=np.int64),
        min_value=np.array([_countable(i.min_value, "min_notional") for i in instruments], dtype=np.int64),
        min_steps=np.array([_countable(i.min_steps, "min_quantity") for i in instruments], dtype=np.int64),
        step=np.array([float(i.step) for i in instruments]),
    )
    return grids, unit / denominator, denominator


def _countable(number: int, name: str) -> int:
    if number >= 2**62:
        raise ConfigurationError(f"{name} is {number} of the smallest units; accepted: below 2**62")
    return number


def _options(rules: TradingRules, unit: Decimal, fee_denominator: int, *, allow_short: bool) -> Options:
    stake: Stake = rules.stake
    fixed = stake.amount if stake.kind is StakeKind.FIXED else Decimal(0)
    percent = stake.amount / 100 if stake.kind is StakeKind.PERCENT else Decimal(0)
    numerator, denominator = percent.as_integer_ratio()
    capital_high, capital_low = _pair(rules.initial_capital, unit)
    stake_high, stake_low = _pair(fixed, unit)
    return Options(
        capital_high,
        capital_low,
        _KINDS[stake.kind],
        stake_high,
        stake_low,
        numerator,
        denominator,
        int(rules.fee_rate * fee_denominator),
        fee_denominator,
        rules.slippage_ppm,
        rules.impact_ppm,
        rules.max_positions,
        rules.cooldown_ms,
        rules.stop_loss_ppm,
        rules.take_profit_ppm,
        rules.take_profit_part_ppm,
        rules.trailing_ppm,
        rules.trailing_after_ppm,
        rules.break_even_after_ppm,
        allow_short,
    )


def _pair(amount: Decimal, unit: Decimal) -> tuple[np.int64, np.uint64]:
    whole = int(amount / unit)  # rounded down: less than a unit cannot buy anything
    if whole * 2**20 >= _LARGEST:
        digits = round(log10(_LARGEST / 2**20))
        raise ConfigurationError(f"{amount} in units of {unit} has more than {digits} digits; accepted: less money")
    high, low = divmod(whole, _WORD)
    return np.int64(high), np.uint64(low)
