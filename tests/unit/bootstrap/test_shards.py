from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, ETH, SOL

from vela import TradingPair
from vela.bootstrap.shards import WHOLE, Shard, parse_shard
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import TradingSymbol

SYMBOLS = [TradingSymbol.from_config(pair) for pair in TradingPair]


@given(st.integers(1, 50))
def test_every_symbol_is_that_of_exactly_one_shard(count: int) -> None:
    shards = [Shard(index, count) for index in range(1, count + 1)]
    for symbol in SYMBOLS:
        assert sum(shard.takes(symbol) for shard in shards) == 1


def test_whose_a_symbol_is_stays_so_for_good() -> None:
    # Another hash would move symbols while systems run: these answers may not change.
    assert [[s.takes(symbol) for s in (Shard(1, 3), Shard(2, 3), Shard(3, 3))] for symbol in (BTC, ETH, SOL)] == [
        [False, True, False],
        [False, True, False],
        [False, False, True],
    ]


def test_symbols_are_shared_out_evenly_enough() -> None:
    taken = [sum(Shard(index, 4).takes(symbol) for symbol in SYMBOLS) for index in range(1, 5)]
    assert sum(taken) == len(SYMBOLS)
    assert min(taken) > len(SYMBOLS) / 12


def test_names_tell_the_shards_of_different_counts_apart() -> None:
    assert WHOLE.all_of("brain") == ["brain"]
    assert Shard(2, 2).member_of("brain") == "brain-2-of-2"
    assert Shard(2, 3).all_of("brain") == ["brain-1-of-3", "brain-2-of-3", "brain-3-of-3"]


def test_a_shard_is_written_as_its_number_and_that_of_all() -> None:
    assert parse_shard("1/3") == Shard(1, 3)
    assert parse_shard(" 12/12 ") == Shard(12, 12)
    assert parse_shard("1/1") == WHOLE


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1/2000", "\uff11/\uff13"])
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ConfigurationError, match="accepted: the number of this one and of all, such as 1/3"):
        parse_shard(text)
