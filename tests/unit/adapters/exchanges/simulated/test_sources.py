from __future__ import annotations

from itertools import islice

import numpy as np
import polars as pl
import pytest

from vela.adapters.exchanges.simulated.sources import CandleSource, RecordingSource, SyntheticSource
from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.synthetic import ORIGIN, SyntheticMarket

BTC, ETH, SOL = TradingSymbol("BTC"), TradingSymbol("ETH"), TradingSymbol("SOL")
MINUTE = 60_000


def write(path, minutes):
    opens = np.asarray(minutes, dtype=np.int64) * MINUTE
    prices = {name: np.arange(1.0, len(opens) + 1) for name in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({"open_time": opens, **prices}).write_parquet(path)
    return path


def shown(steps):
    return [(opens // MINUTE, [(str(r.symbol), r.candle.open_time // MINUTE) for r in rows]) for opens, rows in steps]


# ----------------------------------------------------------------------------------------------------------- recordings


@pytest.fixture
def directory(tmp_path):
    write(tmp_path / "BTC_1m.parquet", [0, 1, 1, 4, 2, 5])
    write(tmp_path / "ETH_1m.parquet", [1, 2, 5, 6])
    return tmp_path


def test_symbols_of_one_open_time_come_together_in_order_of_time(directory):
    source: CandleSource = RecordingSource.from_path(directory)
    assert shown(source.steps()) == [
        (0, [("BTC", 0)]),
        (1, [("BTC", 1), ("BTC", 1), ("ETH", 1)]),
        (2, [("ETH", 2)]),
        (4, [("BTC", 4), ("BTC", 2)]),  # a late row comes with the step that it comes in
        (5, [("BTC", 5), ("ETH", 5)]),
        (6, [("ETH", 6)]),
    ]
    assert source.start == 0


def test_counts_agree_with_the_steps(directory):
    source = RecordingSource.from_path(directory)
    for begin in (None, *range(0, 8 * MINUTE, MINUTE // 2)):
        opens = [step for step, _ in source.steps(begin)]
        assert source.count(begin) == len(opens)
        assert source.count(begin, 5 * MINUTE) == len([step for step in opens if step < 5 * MINUTE])
        assert not opens or begin is None or opens[0] >= begin


def test_instruments_are_as_given_or_raw(directory):
    given = SyntheticMarket(1, [ETH]).instruments()[0]
    source = RecordingSource.from_path(directory, instruments={ETH: given})
    assert source.instruments() == [Instrument.raw(BTC), given]


def test_history_is_the_symbol_s_own(directory):
    source = RecordingSource.from_path(directory)
    assert [candle.open_time // MINUTE for candle in source.history(ETH, 6 * MINUTE, 2)] == [2, 5]


def test_the_fingerprint_depends_on_content_and_symbol(directory):
    fingerprint = RecordingSource.from_path(directory).fingerprint
    assert fingerprint == RecordingSource.from_path(directory).fingerprint
    assert len(fingerprint) == 64
    swapped = {ETH: directory / "BTC_1m.parquet", BTC: directory / "ETH_1m.parquet"}
    assert RecordingSource.from_path(swapped).fingerprint != fingerprint


def test_recordings_that_do_not_fit_together_are_refused(tmp_path):
    write(tmp_path / "BTC_1m.parquet", [0, 1])
    write(tmp_path / "ETH_5m.parquet", [0, 5])
    with pytest.raises(ConfigurationError, match="were 1m, 5m; accepted: exactly one"):
        RecordingSource.from_path(tmp_path)
    assert RecordingSource.from_path(tmp_path, timeframe=Timeframe.M5).timeframe is Timeframe.M5
    with pytest.raises(ConfigurationError, match="none"):
        RecordingSource([])


# ------------------------------------------------------------------------------------------------------------ synthetic


@pytest.fixture
def synthetic() -> SyntheticSource:
    return SyntheticSource(SyntheticMarket(1, [BTC, ETH]), history_candles=300)


def test_steps_begin_after_the_history(synthetic):
    source: CandleSource = synthetic
    first, second = islice(source.steps(), 2)
    assert source.start == first[0] == ORIGIN + 300 * MINUTE
    assert second[0] == first[0] + MINUTE
    assert [row.symbol for row in first[1]] == [BTC, ETH]
    history = source.history(BTC, source.start, 1000)
    assert len(history) == 300
    assert history[-1].open_time + MINUTE == source.start


@pytest.mark.parametrize("ahead", [0, 1, 3795, 3796, 3797, 9000])
def test_steps_can_begin_anywhere(synthetic, ahead):
    begin = synthetic.start + ahead * MINUTE
    for offset in (0, 1 - MINUTE):  # off the grid: the next step
        opens, rows = next(synthetic.steps(begin + offset))
        assert opens == begin
        assert rows[0].candle == SyntheticMarket(1, [BTC]).candles(300 + ahead, 1)[BTC].row(0)
    assert next(synthetic.steps(0))[0] == synthetic.start


def test_only_an_until_gives_it_an_end(synthetic):
    assert synthetic.count() is None
    assert synthetic.count(until=synthetic.start + 5 * MINUTE) == 5
    assert synthetic.count(synthetic.start + 2 * MINUTE - 1, synthetic.start + 5 * MINUTE - 1) == 3
    assert synthetic.count(synthetic.start, 0) == 0


def test_the_history_of_a_time_before_the_market_is_empty(synthetic):
    assert synthetic.history(BTC, ORIGIN, 10) == []


def test_another_seed_has_another_fingerprint(synthetic):
    assert synthetic.fingerprint == SyntheticSource(SyntheticMarket(1, [BTC, ETH]), history_candles=300).fingerprint
    assert synthetic.fingerprint != SyntheticSource(SyntheticMarket(2, [BTC, ETH]), history_candles=300).fingerprint
