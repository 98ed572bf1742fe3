from __future__ import annotations

import itertools
import time
from decimal import Decimal
from unittest.mock import Mock

import numpy as np
import pytest

from vela.domain.assets import QuoteCurrency
from vela.domain.candles import candle_fault
from vela.domain.errors import ConfigurationError
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation import synthetic
from vela.simulation.synthetic import CHUNK, ORIGIN, SyntheticMarket

BTC, ETH, SOL, DOGE = (TradingSymbol(base) for base in ("BTC", "ETH", "SOL", "DOGE"))
SHIB, OTHER = TradingSymbol("SHIB"), TradingSymbol("QTUM")
ETHBTC = TradingSymbol("ETH", QuoteCurrency.BTC)
SYMBOLS = (BTC, ETH, SOL, DOGE, SHIB, OTHER)
LONG = 20 * CHUNK


def as_bytes(candles):
    return b"".join(
        getattr(candles, name).tobytes() for name in ("open_time", "open", "high", "low", "close", "volume")
    )


@pytest.fixture(scope="module")
def year():
    return SyntheticMarket(7, SYMBOLS).candles(0, LONG)


def returns(candles):
    return np.diff(np.log(candles.close))


def test_the_same_seed_gives_the_same_bytes_however_it_is_read():
    whole = SyntheticMarket(1, [BTC, ETH]).candles(0, 2 * CHUNK + 100)
    market = SyntheticMarket(1, [BTC, ETH])
    sizes = (1, 300, CHUNK, 3000, 891)
    starts = list(itertools.accumulate(sizes, initial=0))
    for symbol in (BTC, ETH):
        parts = [market.candles(start, size)[symbol] for start, size in zip(starts, sizes, strict=False)]
        assert np.concatenate([part.close for part in parts]).tobytes() == whole[symbol].close[: starts[-1]].tobytes()
        again = market.candles(5000, 500)[symbol]
        assert as_bytes(again) == as_bytes(whole[symbol].slice(5000, 5500))


def test_chunks_and_candles_are_the_same_market():
    market = SyntheticMarket(1, [BTC])
    first, second = itertools.islice(market.chunks(), 2)
    both = market.candles(0, 2 * CHUNK)[BTC]
    assert as_bytes(both.slice(0, CHUNK)) == as_bytes(first.candles[BTC])
    assert as_bytes(both.slice(CHUNK, 2 * CHUNK)) == as_bytes(second.candles[BTC])
    assert (second.first, len(second.trend)) == (CHUNK, CHUNK)


def test_who_reads_one_symbol_pays_for_one(monkeypatch):
    market = SyntheticMarket(1, SYMBOLS)
    whole = market.candles(CHUNK - 5, 10)
    joined = Mock(wraps=synthetic._joined)
    monkeypatch.setattr(synthetic, "_joined", joined)
    assert as_bytes(market.candles_of(ETH, CHUNK - 5, 10)) == as_bytes(whole[ETH])
    assert joined.call_count == 1


def test_another_symbol_leaves_the_first_as_it_is_and_another_seed_does_not():
    alone = SyntheticMarket(1, [BTC]).candles(0, 100)[BTC]
    assert as_bytes(alone) == as_bytes(SyntheticMarket(1, SYMBOLS).candles(0, 100)[BTC])
    assert as_bytes(alone) != as_bytes(SyntheticMarket(2, [BTC]).candles(0, 100)[BTC])


def test_every_candle_is_usable_and_on_the_grid_of_its_instrument(year):
    rules = {rule.symbol: rule for rule in SyntheticMarket(7, SYMBOLS).instruments()}
    for symbol, candles in year.items():
        rows = candles.rows()
        assert {candle_fault(row, 60_000) for row in rows} == {None}
        assert [row.open_time for row in rows[:3]] == [ORIGIN, ORIGIN + 60_000, ORIGIN + 120_000]
        rule = rules[symbol]
        for row in rows[:2000]:
            assert all(not Decimal(repr(p)) % rule.tick for p in (row.open, row.high, row.low, row.close))
            assert row.volume > 0
            assert not Decimal(repr(row.volume)) % rule.step


def test_candles_follow_each_other_and_a_jump_is_rare(year):
    for candles in year.values():
        gaps = np.mean(candles.open[1:] != candles.close[:-1])
        assert 0 < gaps < 0.002


def test_high_and_low_reach_beyond_open_and_close_as_far_as_real_ones_do(year):
    candles = year[BTC]
    body = np.mean(np.abs(candles.close - candles.open))
    ratio = np.mean(candles.high - candles.low) / body
    assert 1.8 < ratio < 2.3  # 2.0 for Brownian motion; 1.9 to 2.2 for Bitcoin's minutes


def test_volatility_clusters_and_tails_are_fat(year):
    for candles in year.values():
        moves = returns(candles)
        size = np.abs(moves)
        lagged = np.corrcoef(size[1:], size[:-1])[0, 1]
        assert lagged > 0.1
        assert np.corrcoef(size[30:], size[:-30])[0, 1] > 0.05
        assert np.mean((moves - moves.mean()) ** 4) / np.var(moves) ** 2 > 4
        assert abs(np.corrcoef(moves[1:], moves[:-1])[0, 1]) < 0.1


def test_symbols_move_together(year):
    moves = np.array([returns(year[symbol]) for symbol in SYMBOLS])
    correlation = np.corrcoef(moves)
    assert correlation[np.triu_indices(len(SYMBOLS), 1)].min() > 0.3
    assert correlation[np.triu_indices(len(SYMBOLS), 1)].max() < 0.95


def test_volume_rises_with_volatility(year):
    candles = year[BTC]
    span = np.log(candles.high / candles.low)
    assert np.corrcoef(span, candles.volume)[0, 1] > 0.3


def test_regimes_come_and_go_and_show_in_the_price():
    chunks = list(itertools.islice(SyntheticMarket(7, [BTC]).chunks(), 10))
    trend = np.concatenate([chunk.trend for chunk in chunks])
    shares = [np.mean(trend == state) for state in (-1, 0, 1)]
    assert min(shares) > 0.15
    assert 100 < len(trend) / np.count_nonzero(np.diff(trend)) < 500
    moves = np.diff(np.log(np.concatenate([chunk.candles[BTC].close for chunk in chunks])), prepend=np.nan)
    up, down = (np.nanmean(moves[trend == state]) for state in (1, -1))
    assert up > 0 > down
    assert set(np.unique(trend[:2000])) == {-1, 0, 1}


def test_prices_stay_sane_for_years():
    candles = SyntheticMarket(3, [BTC, OTHER], Timeframe.D1).candles(0, 30 * 365)
    for symbol, start in ((BTC, 97_000), (OTHER, 10)):
        assert candles[symbol].close.min() > start / 20
        assert candles[symbol].close.max() < start * 20


def test_a_cross_pair_agrees_with_the_two_it_lies_between():
    candles = SyntheticMarket(3, [BTC, ETH, ETHBTC]).candles(0, 5000)
    ratio = candles[ETH].close / candles[BTC].close
    assert np.allclose(candles[ETHBTC].close, ratio, rtol=1e-4)


def test_instruments_look_like_a_venue_s():
    bitcoin, _, _, doge, shib, _ = SyntheticMarket(1, SYMBOLS).instruments()
    assert (bitcoin.tick, bitcoin.step, bitcoin.min_notional) == (Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    assert (doge.tick, doge.step) == (Decimal("0.00001"), Decimal(1))
    assert shib.tick < Decimal("1E-7")
    [cross] = SyntheticMarket(1, [ETHBTC]).instruments()
    assert cross.min_notional == Decimal("0.00005")


def test_reading_far_ahead_is_quick():
    began = time.perf_counter()
    market = SyntheticMarket(1, SYMBOLS)
    assert len(market.candles(100_000, 10)[BTC]) == 10
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "arguments",
    [(-1, [BTC]), (1, []), (1, [BTC, BTC]), (1, [BTC], Timeframe.M1, 5)],
    ids=["seed", "none", "twice", "grid"],
)
def test_a_market_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(ConfigurationError, match="accepted"):
        SyntheticMarket(*arguments)
