"""Random backtests for comparing two implementations of the same rules: one seed, one case, always the same."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray
from tests.parity.records import Details, Instruments, ReferenceConfig, Regimes, Series

from vela.domain.candles import COLUMNS, Candles
from vela.domain.instrument import Instrument
from vela.domain.regime import MarketRegime
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol

MINUTE = 60_000
START = 1_704_067_200_000
FINE_PER_CANDLE = 4
SYMBOLS = tuple(TradingSymbol(base) for base in ("BTC", "ETH", "SOL", "XRP"))

# Windows of recorded candles: symbols, file, finer file or none, length of a candle.
RECORDED = (
    (("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "SHIBUSDT"), "5m", None, 5 * MINUTE),
    (("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT"), "1m", None, MINUTE),
    (("BTCUSDT", "ETHUSDT"), "1m_2021-04", None, MINUTE),
    (("BTCUSDT", "ETHUSDT"), "1h", "5m", 60 * MINUTE),
)


class Case(NamedTuple):
    """The arguments of `simulate`, in its order: `simulate(*random_case(7))`."""

    series: Series
    config: ReferenceConfig
    instruments: Instruments
    regimes: Regimes
    detail: Details


def random_case(seed: int, rows: int = 200) -> Case:
    """Return random options over up to four random walks with gaps, flats and jumps, on differing grids.

    Args:
        seed: any whole number from 0.
        rows: candles of the longest symbol, at most; at least 20.
    """
    chance = np.random.default_rng([seed, 1])
    symbols = SYMBOLS[: chance.integers(1, len(SYMBOLS) + 1)]
    instruments = {symbol: _instrument(chance, symbol) for symbol in symbols}
    walks = {symbol: _walk(chance, instruments[symbol], int(chance.integers(20, rows + 1))) for symbol in symbols}
    series = {symbol: (coarse, _signals(chance, len(coarse))) for symbol, (coarse, _) in walks.items()}
    regimes = {symbol: _regimes(chance, len(coarse)) for symbol, (coarse, _) in walks.items()}
    times = np.concatenate([coarse.open_time for coarse, _ in walks.values()])
    config = _config(chance, MINUTE, int(times.min()), int(times.max()))
    if chance.random() < 0.6:
        return Case(series, config, instruments, regimes, {})
    # Stop and target near each other, so that the finer candles have something to decide.
    config = replace(config, stop_loss=Decimal(1), take_profit=Decimal(str(chance.choice(("0.3", "1")))))
    return Case(series, config, instruments, regimes, {symbol: fine for symbol, (_, fine) in walks.items()})


def recorded_case(folder: Path, seed: int, rows: int = 200) -> Case:
    """Return random options and signals over a window of recorded candles.

    Args:
        folder: holds `<SYMBOL>/<timeframe>.parquet`, such as one exchange's directory of recorded candles.
        seed: any whole number from 0.
        rows: length of the window in candles, gaps included.
    """
    chance = np.random.default_rng([seed, 2])
    names, timeframe, finer, length = RECORDED[chance.integers(len(RECORDED))]
    picked = chance.permutation(len(names))[: chance.integers(1, min(4, len(names)) + 1)]
    files = {TradingSymbol.from_str(names[index]): folder / names[index] for index in sorted(picked)}
    first, last = _common_span([path / f"{timeframe}.parquet" for path in files.values()])
    start = int(chance.integers(first, max(first + 1, last - rows * length)) // length * length)
    window = (start, start + rows * length)
    candles = {symbol: _read(path / f"{timeframe}.parquet", *window) for symbol, path in files.items()}
    detail = {symbol: _read(path / f"{finer}.parquet", *window) for symbol, path in files.items()} if finer else {}
    return Case(
        {symbol: (columns, _signals(chance, len(columns))) for symbol, columns in candles.items()},
        _config(chance, length, *window),
        {symbol: _recorded_instrument(chance, symbol) for symbol in candles},
        {symbol: _regimes(chance, len(columns)) for symbol, columns in candles.items()},
        detail,
    )


def _config(chance: Generator, length: int, first: int, last: int) -> ReferenceConfig:
    def one_of(*values: Any) -> Any:
        return values[chance.integers(len(values))]

    def percent(*values: str) -> Decimal:
        return Decimal(one_of(*values))

    edge = (last - first) // 4 // length * length
    return ReferenceConfig(
        capital=Decimal(one_of("1000", "100", "12345.67", "60")),
        stake=one_of("50", "50", "33.33", "7", "5%", "12.5%", "60%", "100%", "all", "all"),
        max_positions=one_of(1, 2, 2, 3, 10),
        cooldown_ms=one_of(0, length, 3 * length, 10 * length, 7 * length + 1),
        stop_loss=percent("0", "0.04", "0.5", "1", "2", "3.3"),
        take_profit=percent("0", "0", "0.3", "1", "2.5"),
        take_profit_part=percent("100", "100", "50", "33.3", "90"),
        trailing=percent("0", "0", "0.5", "1", "2"),
        trailing_after=percent("0", "0.4", "1"),
        break_even_after=percent("0", "0", "0.4", "1"),
        fee=percent("0", "0.001", "0.001", "0.00075", "0.02"),
        slippage=percent("0", "0.0005", "0.0005", "0.003"),
        impact=percent("0", "0", "0.002", "0.01"),
        allow_short=one_of(True, False),
        regime_filter=one_of(True, False),
        from_ms=one_of(None, None, first + edge, first + edge + 1),
        to_ms=one_of(None, None, last - edge, last - edge + 1),
        timeframe_ms=length,
    )


# ------------------------------------------------------------------------------------------------------------- candles


def _instrument(chance: Generator, symbol: TradingSymbol) -> Instrument:
    if chance.random() < 0.25:
        return Instrument.raw(symbol)
    tick, step, notional, quantity = (
        Decimal(str(chance.choice(values)))
        for values in (
            ("0.01", "0.1", "0.0005", "1E-8"),
            ("0.00001", "0.001", "1E-8", "0.01"),
            ("0", "5", "10", "40"),
            ("0", "0", "0.01"),
        )
    )
    return Instrument(symbol, tick, step, notional, quantity)


def _recorded_instrument(chance: Generator, symbol: TradingSymbol) -> Instrument:
    # The recorded prices have up to eight decimals.
    step, notional = str(chance.choice(("1E-8", "0.00001", "0.01"))), str(chance.choice(("0", "5", "10")))
    return Instrument(symbol, Decimal("1E-8"), Decimal(step), Decimal(notional))


def _walk(chance: Generator, instrument: Instrument, rows: int) -> tuple[Candles, Candles]:
    # Prices are whole ticks, four fine candles make a coarse one; then rows are lost from both, each for itself.
    count = rows * FINE_PER_CANDLE
    volatility = 10.0 ** chance.uniform(-3.2, -1.7)
    moves = chance.normal(0.0, volatility, count)
    moves[chance.random(count) < 0.3] = 0.0
    jumps = np.where(chance.random(count) < 0.02, chance.normal(0.0, 8.0 * volatility, count), 0.0)
    flat = np.repeat(chance.random(rows // 8 + 1) < 0.15, 8 * FINE_PER_CANDLE)[:count]
    moves[flat] = jumps[flat] = 0.0
    start = 10.0 ** chance.uniform(np.log10(300.0 * float(instrument.tick)), 4.5)
    open_ = start * np.exp(np.cumsum(moves + jumps) - moves)
    close = open_ * np.exp(moves)
    reach = np.abs(chance.normal(0.0, volatility, (2, count))) * ~flat
    ticks = [
        np.maximum(1, np.rint(column / float(instrument.tick))).astype(np.int64)
        for column in (
            open_,
            np.maximum(open_, close) * (1.0 + reach[0]),
            np.minimum(open_, close) * np.exp(-reach[1]),
            close,
        )
    ]
    fine = [column.reshape(rows, FINE_PER_CANDLE) for column in ticks]
    coarse = [fine[0][:, 0], fine[1].max(axis=1), fine[2].min(axis=1), fine[3][:, -1]]
    offset = START + int(chance.integers(0, 12)) * MINUTE
    fine_times = offset + np.arange(count, dtype=np.int64) * (MINUTE // FINE_PER_CANDLE)
    kept = _kept(chance, rows)
    return (
        _on_grid(instrument, fine_times[::FINE_PER_CANDLE][kept], [column[kept] for column in coarse]),
        _on_grid(instrument, fine_times, ticks).slice(0, int(count * chance.choice((1.0, 0.7)))),
    )


def _kept(chance: Generator, rows: int) -> NDArray[np.bool_]:
    kept = np.ones(rows, dtype=np.bool_)
    if chance.random() < 0.6:
        kept[chance.random(rows) < 0.05] = False
        hole = int(chance.integers(0, rows))
        kept[hole : hole + int(chance.integers(0, 15))] = False
    kept[0] = True
    return kept


def _on_grid(instrument: Instrument, times: NDArray[np.int64], ticks: list[NDArray[np.int64]]) -> Candles:
    # Through Decimal, so that the float prints as the price it stands for.
    open_, high, low, close = (np.array([float(int(tick) * instrument.tick) for tick in column]) for column in ticks)
    return Candles.from_columns(times, open_, high, low, close, _volumes(len(times)))


def _volumes(count: int) -> NDArray[np.float64]:
    # From less than an order to much more, and now and then nothing at all.
    chance = np.random.default_rng([count, 3])
    return np.round(10.0 ** chance.uniform(-3.0, 4.0, count), 3) * (chance.random(count) < 0.9)


def _common_span(files: list[Path]) -> tuple[int, int]:
    time = pl.col("open_time")
    spans = [
        pl.scan_parquet(file).select(time.min().alias("a"), time.max().alias("b")).collect().row(0) for file in files
    ]
    return max(span[0] for span in spans), min(span[1] for span in spans)


def _read(file: Path, start: int, stop: int) -> Candles:
    table = pl.scan_parquet(file).filter(pl.col("open_time").is_between(start, stop, closed="left")).collect()
    return Candles.from_columns(table["open_time"].to_numpy(), *(table[name].to_numpy() for name in COLUMNS))


# ------------------------------------------------------------------------------------------------------------- signals


def _signals(chance: Generator, rows: int) -> Signals:
    # Runs of the same wish, as levels of an indicator make them, with stray ones in between, some contradictory.
    density = chance.choice((0.05, 0.15, 0.4))
    buy, sell = (chance.random(rows) < density * chance.uniform(0.3, 1.0) for _ in range(2))
    for wish in (buy, sell):
        for start in chance.integers(0, rows, rows // 20):
            wish[start : start + int(chance.integers(1, 6))] = True
    if chance.random() < 0.3:
        return Signals(buy, sell)
    # Few different values, so that symbols often tie.
    return Signals(buy, sell, chance.choice((0.25, 0.5, 0.5, 0.9, 1.0), rows))


def _regimes(chance: Generator, rows: int) -> tuple[MarketRegime, ...]:
    names = list(MarketRegime)
    runs = chance.integers(0, len(names), rows // 10 + 1)
    return tuple(names[runs[row // 10]] for row in range(rows))
