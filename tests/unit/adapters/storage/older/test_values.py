from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.storage.older.values import (
    UnusableValue,
    read_amount,
    read_asset,
    read_positive,
    read_symbol,
    read_time,
    read_word,
    shown,
)
from vela.domain.assets import QuoteCurrency
from vela.domain.trading_symbol import TradingSymbol, register_assets

BTC = TradingSymbol("BTC")
MS = 1_700_000_000_123


@pytest.mark.parametrize(
    "text",
    [
        "BTC",
        "btc",
        "BTCUSDT",
        "BTC/USDT",
        '{"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}',
        '{"base":"btc","quote":"usdt"}',
        ' {"BASE": "XBT", "Quote": "USDT", "full": "XBTUSDT"}',
        '{"base": "BTC", "quote": "USDT", "full": "BTC/USDT"}',
    ],
)
def test_a_symbol_in_any_of_its_forms(text: str):
    assert read_symbol(text) == BTC


def test_an_asset_named_with_its_quote_needs_no_list_of_assets():
    assert str(read_symbol('{"base": "77CAT", "quote": "USDC", "full": "77CATUSDC"}')) == "77CAT/USDC"


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        b"BTC",
        "",
        "banana",
        "{}",
        "{",
        '{"base": "BTC"}',
        '{"base": "BTC", "quote": "XYZ"}',
        '{"base": "BTC", "quote": "BTC"}',
        '{"base": "b!", "quote": "USDT"}',
        '{"base": 5, "quote": "USDT"}',
        '{"base": "BTC", "quote": "USDT", "full": "ETHUSDT"}',
        "[]",
    ],
)
def test_what_is_no_symbol_is_said(value):
    with pytest.raises(UnusableValue, match="symbol"):
        read_symbol(value)


@given(st.sampled_from(["BTC", "ETH", "WBTC", "DOGE"]), st.sampled_from(QuoteCurrency))
def test_every_form_of_a_symbol_is_that_symbol(base: str, quote: QuoteCurrency):
    if base == quote.value:
        return
    symbol = TradingSymbol(base, quote)
    assert (
        read_symbol(json.dumps(symbol.to_dict())) == read_symbol(str(symbol)) == read_symbol(symbol.to_ccxt()) == symbol
    )


@pytest.mark.parametrize(
    ("value", "asset"),
    [
        ("BTC", "BTC"),
        ("usdt", "USDT"),
        ("ETHUSDT", "ETH"),
        ('{"base": "SOL", "quote": "USDT"}', "SOL"),
        ("77DOG", "77DOG"),
    ],
)
def test_an_asset_may_stand_as_a_symbol(value: str, asset: str):
    assert read_asset(value) == asset


@pytest.mark.parametrize("value", [None, 1, "", "b!", "\u017f"])
def test_what_is_no_asset_is_said(value):
    with pytest.raises(UnusableValue, match="asset"):
        read_asset(value)


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e29, max_value=1e29).filter(
        lambda f: abs(f) > 1e-12 or f == 0
    )
)
def test_a_float_is_the_number_that_was_once_written(value: float):
    amount = read_amount(value)
    assert float(amount) == value
    assert amount == Decimal(repr(value))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**15), max_value=10**15))
def test_text_keeps_every_digit(value: Decimal):
    assert str(read_amount(f" {value} ")) == str(value)


@pytest.mark.parametrize(
    ("value", "amount"), [(0.1, "0.1"), (3, "3"), ("1.10", "1.10"), (-2.5, "-2.5"), (1e-8, "1E-8")]
)
def test_amounts(value, amount: str):
    assert str(read_amount(value)) == amount


@pytest.mark.parametrize(
    "value", [None, b"1", "", "x", "nan", float("inf"), "-Infinity", "1e31", 1e300, "1e-31", "1,5"]
)
def test_what_is_no_amount_is_said(value):
    with pytest.raises(UnusableValue):
        read_amount(value)


@pytest.mark.parametrize("value", [0, -1, "0.0", -0.5])
def test_prices_and_quantities_are_above_zero(value):
    with pytest.raises(UnusableValue, match="is not above zero"):
        read_positive(value)


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1_700_000_000, 1_700_000_000_000),
        (1_700_000_000.1239, MS),
        (MS, MS),
        (MS * 1_000 + 7, MS),
        (MS * 1_000_000 + 7, MS),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.123", MS),
        ("2023-11-14 22:13:20.123456", MS),
        ("2023-11-14T22:13:20.123Z", MS),
        ("2023-11-15T00:13:20.123+02:00", MS),
        ("2023-11-14", 1_699_920_000_000),
        ("20231114", 1_699_920_000_000),
    ],
)
def test_times(value, time: int):
    assert read_time(value) == time


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2199, 1, 1)), st.sampled_from([1, 10**3, 10**6]))  # noqa: DTZ001  bare on purpose
def test_a_time_is_the_same_in_every_unit(moment: datetime, unit: int):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    ms = round(moment.timestamp() * 1000)
    if ms >= 100_000_000_000:  # before 1973 milliseconds look like seconds
        assert read_time(ms * unit) == ms
    assert read_time(moment.replace(tzinfo=None).isoformat()) == ms


@pytest.mark.parametrize("value", [None, b"x", "", "soon", 0, -5, float("inf"), "2200-01-01", "0001-01-01", 10**30])
def test_what_is_no_time_is_said(value):
    with pytest.raises(UnusableValue, match="time was"):
        read_time(value)


@pytest.mark.parametrize("value", [None, 5, "", "  ", b"x"])
def test_what_is_no_word_is_said(value):
    with pytest.raises(UnusableValue, match="is no text"):
        read_word(value)


def test_a_long_value_is_cut_in_a_message():
    assert len(shown("x" * 1_000)) == 42


def test_assets_that_were_registered_are_known():
    register_assets(["77PIG"])
    assert str(read_symbol("77pigusdt")) == "77PIG"
