from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.audit.findings import Finding, Move, Problem, Remove
from vela.adapters.audit.keys import judge_keys, read_symbol, symbols_in_use
from vela.adapters.audit.snapshot import KeyState, Snapshot
from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import TradingSymbol

NOW = 1_790_000_000_000
STALE = 600_000
ACTIVE = KeyState("active_symbols", "string", b'["BTC", "ETH/BTC"]')


def price(key: str, age: int = 0, prefix: str = "price") -> KeyState:
    return KeyState(f"{prefix}:{key}", "string", json.dumps({"time": NOW - age, "price": 2.5}).encode())


def judged(*keys: KeyState, symbols: tuple[str, ...] = (), tagged: bool = False) -> list[Finding]:
    snapshot = Snapshot(NOW, tuple(sorted(keys, key=lambda key: key.name)), tagged=tagged)
    in_use = symbols_in_use(snapshot, map(TradingSymbol.from_str, symbols))
    return judge_keys(snapshot, in_use, stale_ms=STALE)


def problems(*keys: KeyState, symbols: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(finding.problem, finding.key) for finding in judged(*keys, symbols=symbols)]


def test_what_should_be_there_is_no_finding():
    regime = KeyState("market_regime:BTC", "string", b'{"time": 5, "regime": "bull_trend"}')
    strategy = KeyState("strategy_config:BTC", "string", b'{"time": 5, "strategy": "S", "params": {"fast": 10}}')
    bus = [KeyState(f"vela:{name}", "stream") for name in ("orders", "market.candles", "dead:fills")]
    words = [KeyState(f"vela:{name}", "string", b"1") for name in ("clock", "lives", "told:orders:vela.1.2")]
    assert judged(ACTIVE, price("BTC"), price("ETH/BTC", STALE), regime, strategy, *bus, *words) == []


def test_in_a_cluster_the_bus_has_a_tag():
    assert judged(ACTIVE, KeyState("{vela}:orders", "stream"), tagged=True) == []
    assert [finding.problem for finding in judged(ACTIVE, KeyState("vela:orders", "stream"), tagged=True)] == [
        Problem.UNKNOWN_KEY
    ]


def test_a_key_no_symbol_in_use_owns_is_removed_once_nobody_writes_it():
    [fresh, old] = judged(ACTIVE, price("SOL"), price("XRP", STALE + 1))
    assert (fresh.problem, fresh.key, fresh.fix) == (Problem.UNUSED_SYMBOL, "price:SOL", None)
    assert (old.problem, old.fix) == (Problem.UNUSED_SYMBOL, Remove("price:XRP", price("XRP", STALE + 1).value or b""))
    assert judged(ACTIVE, price("SOL"), symbols=("SOL",)) == []


def test_where_nobody_says_what_is_in_use_nothing_counts_as_unused():
    assert problems(price("BTC"), price("SOL")) == [(Problem.NO_SYMBOLS, "active_symbols")]
    assert judged() == []


def test_the_same_symbol_under_two_spellings_is_found_and_the_older_one_goes():
    [finding] = judged(ACTIVE, price("BTC", 5), price("btcusdt", 6))
    assert (finding.problem, finding.key) == (Problem.MISSPELT, "price:btcusdt")
    assert finding.fix == Remove("price:btcusdt", price("btcusdt", 6).value or b"")


def test_a_misspelt_key_that_is_newer_stays_because_something_writes_it():
    [finding] = judged(ACTIVE, price("BTC", 6), price("BTC/USDT", 5))
    assert (finding.problem, finding.fix) == (Problem.MISSPELT, None)
    assert "something still writes it" in finding.sentence


def test_of_several_misspelt_keys_the_newest_takes_the_free_name():
    older, newest, broken = price("btc", 9), price("BTCUSDT", 2), KeyState("price:BTC-USDT", "string", b"x")
    assert [finding.fix for finding in judged(ACTIVE, older, newest, broken)] == [
        None,
        Move("price:BTCUSDT", newest.value or b"", "price:BTC"),
        Remove("price:btc", older.value or b""),
    ]


def test_misspelt_keys_of_another_quote_are_not_those_of_usdt():
    [finding] = judged(ACTIVE, price("BTC"), price("ETHBTC"))
    assert finding.fix == Move("price:ETHBTC", price("ETHBTC").value or b"", "price:ETH/BTC")


@pytest.mark.parametrize("name", ["banana", "", "../BTC", "BTC:USDT", "b\x1b[31m"])
def test_a_key_of_no_symbol_is_told_and_left_alone(name: str):
    [finding] = judged(ACTIVE, price(name))
    assert (finding.problem, finding.fix) == (Problem.UNKNOWN_SYMBOL, None)


def test_an_asset_that_only_another_process_knows_is_taken_at_its_word():
    active = KeyState("active_symbols", "string", b'["8BITCOIN", "9ZZBTC/USDT"]')
    assert judged(active, price("8BITCOIN"), price("9ZZBTC/USDT")) == []


def test_only_prices_grow_stale_and_never_lose_their_key():
    regime = KeyState("market_regime:BTC", "string", b'{"time": 5, "regime": "bull_trend"}')
    [finding] = judged(ACTIVE, price("BTC", STALE + 1), regime)
    assert (finding.problem, finding.key, finding.fix) == (Problem.STALE, "price:BTC", None)


def test_a_time_to_come_is_no_time():
    assert problems(ACTIVE, price("BTC", -60_000)) == []
    assert problems(ACTIVE, price("BTC", -60_001)) == [(Problem.FROM_THE_FUTURE, "price:BTC")]


@pytest.mark.parametrize("value", [b"", b"12", b'{"time": 1}', b'{"time": "x", "price": 1}', b"\xff"])
def test_a_value_that_cannot_be_read_is_told(value: bytes):
    assert problems(ACTIVE, KeyState("price:BTC", "string", value)) == [(Problem.UNREADABLE, "price:BTC")]


def test_a_key_of_another_type_may_be_another_programs_and_is_left_alone():
    keys = [KeyState("price:BTC", "hash"), KeyState("price:SOL", "zset"), KeyState("vela:orders", "string", b"1")]
    found = judged(ACTIVE, *keys)
    assert [(finding.problem, finding.key) for finding in found] == [(Problem.WRONG_TYPE, key.name) for key in keys]
    assert [finding.fix for finding in found] == [None] * 3


def test_a_key_of_the_bus_that_nobody_knows_is_told():
    assert problems(ACTIVE, KeyState("vela:ordres", "stream")) == [(Problem.UNKNOWN_KEY, "vela:ordres")]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"{}", "unreadable"),
        (b"BTC,ETH", "unreadable"),
        (b'["BTC", "btcusdt"]', "misspelt"),
        (b'["?"]', "unknown_symbol"),
    ],
)
def test_the_list_of_symbols_in_use_is_read_with_care(value: bytes, problem: str):
    assert [finding[0] for finding in problems(KeyState("active_symbols", "string", value), symbols=("BTC",))] == [
        problem
    ]


@given(st.text(max_size=40))
def test_any_name_is_a_symbol_or_refused(text: str):
    try:
        symbol = read_symbol(text)
    except SymbolError:
        return
    assert read_symbol(str(symbol)) == symbol


@given(st.lists(st.tuples(st.sampled_from(["BTC", "btc", "BTCUSDT", "BTC/USDT", "SOL", "?"]), st.integers(0, 10**6))))
def test_no_fix_loses_the_newest_value_of_a_symbol_in_use(found: list[tuple[str, int]]):
    held = {f"price:{name}": age for name, age in found}
    left = dict(held)
    for finding in judged(ACTIVE, *(price(name.partition(":")[2], age) for name, age in held.items())):
        if isinstance(finding.fix, Move):
            assert finding.fix.to not in left
            left[finding.fix.to] = left[finding.fix.key]
        if finding.fix is not None:
            del left[finding.fix.key]
    spelt = {"price:BTC", "price:btc", "price:BTCUSDT", "price:BTC/USDT"}
    assert min((left[key] for key in left.keys() & spelt), default=-1) == min(
        (held[key] for key in held.keys() & spelt), default=-1
    )
    assert ("price:?" in held) == ("price:?" in left)
