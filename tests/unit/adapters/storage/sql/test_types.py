from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    cast,
    create_engine,
    func,
    insert,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import StatementError

from vela.adapters.storage.sql.types import EnumText, ExactDecimal, JsonText, PlainText, TradingSymbolType
from vela.domain.assets import QuoteCurrency, TradingPair
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol

metadata = MetaData()
sample = Table(
    "sample",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", TradingSymbolType),
    Column("amount", ExactDecimal),
    Column("side", EnumText(Side)),
    Column("data", JsonText(dict[str, float])),
    Column("note", PlainText),
    Column("done", Boolean),
)
other = Table("other", metadata, Column("symbol", TradingSymbolType, primary_key=True), Column("name", ExactDecimal))

SYMBOLS = st.builds(
    lambda base, quote: TradingSymbol(base.value, quote) if base.value != quote.value else TradingSymbol("PEPE"),
    st.sampled_from(TradingPair),
    st.sampled_from(QuoteCurrency),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request):
    if request.param == "sqlite":
        url = "sqlite://"
    else:
        server = request.getfixturevalue("postgres")
        url = server.url(server.new_database())
    engine = create_engine(url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def stored(engine: Any, column: str, *values: object) -> list[Any]:
    with engine.connect() as connection:  # rolled back when left
        connection.execute(insert(sample), [{column: value} for value in values])
        return list(connection.execute(select(sample.c[column]).order_by(sample.c.id)).scalars())


def kept_as(engine: Any, column: str, value: object) -> tuple[str, str]:
    """Return how the database shows a value as text, and of what type it is there."""
    with engine.connect() as connection:
        connection.execute(insert(sample), [{column: value}])
        raw = type_coerce(sample.c[column], Text)
        kind = func.typeof(raw) if engine.name == "sqlite" else cast(func.pg_typeof(raw), Text)
        return tuple(connection.execute(select(cast(raw, Text), kind)).one())


@given(values=st.lists(SYMBOLS, min_size=1, max_size=20))
def test_symbols_come_back_and_sort_as_values_do(engine, values):
    assert stored(engine, "symbol", *values) == values
    with engine.connect() as connection:
        connection.execute(insert(sample), [{"symbol": value} for value in values])
        ordered = connection.execute(select(sample.c.symbol).order_by(sample.c.symbol)).scalars().all()
    assert ordered == sorted(ordered)


def test_symbols_are_kept_as_base_and_quote_and_compare_and_join_as_values(engine):
    btc, eth = TradingSymbol("BTC"), TradingSymbol("ETH", QuoteCurrency.BTC)
    assert kept_as(engine, "symbol", btc) == ("BTC/USDT", "text")
    with engine.connect() as connection:
        connection.execute(insert(sample), [{"symbol": btc}, {"symbol": eth}])
        connection.execute(insert(other), [{"symbol": eth, "name": Decimal(7)}])
        joined = select(sample.c.symbol, other.c.name).join(other, sample.c.symbol == other.c.symbol)
        assert connection.execute(joined).all() == [(eth, Decimal(7))]
        assert connection.execute(select(sample.c.symbol).where(sample.c.symbol == btc)).all() == [(btc,)]
        assert connection.execute(select(sample.c.symbol).where(sample.c.symbol.in_([eth]))).all() == [(eth,)]


@pytest.mark.parametrize("wrong", ["BTC", "BTC/USDT", 5, b"BTC/USDT"])
def test_only_symbols_can_be_bound_to_a_symbol_column(engine, wrong):
    with engine.connect() as connection:
        with pytest.raises(StatementError, match=r"takes a TradingSymbol, not .*from_str\(\) reads text"):
            connection.execute(insert(sample), [{"symbol": wrong}])
        with pytest.raises(StatementError, match="takes a TradingSymbol"):
            connection.execute(select(sample).where(sample.c.symbol == wrong))


DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**30), 10**30), st.integers(-60, 40)
)


@given(values=st.lists(DECIMALS.filter(lambda value: abs(value.adjusted()) <= 100), min_size=1, max_size=20))
def test_decimals_come_back_exactly(engine, values):
    assert stored(engine, "amount", *values) == values


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.1", "0.1"),
        ("1.50", "1.50"),
        ("1E-8", "0.00000001"),
        ("1E+3", "1000"),
        ("-0.0", "0.0"),
        ("-0E-9", "0.000000000"),
        ("123456789012345678901234567890.123456789012345678901234567890",) * 2,
    ],
)
def test_decimals_are_kept_in_the_exact_type_with_their_digits(engine, value, shown):
    kind = "text" if engine.name == "sqlite" else "numeric"
    assert kept_as(engine, "amount", Decimal(value)) == (shown, kind)


@pytest.mark.parametrize(
    "wrong", [Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+101"), Decimal("1." + "0" * 1_000), 0.1, 1, "1", True]
)
def test_what_is_no_exact_amount_is_refused(engine, wrong):
    with pytest.raises(StatementError, match="is no amount; accepted: a finite Decimal"):
        stored(engine, "amount", wrong)


def test_enumerations_are_kept_by_value_and_nothing_else_is_taken(engine):
    assert stored(engine, "side", Side.SELL, None) == [Side.SELL, None]
    assert kept_as(engine, "side", Side.SELL) == ("SELL", "text")
    with pytest.raises(StatementError, match="takes a Side"):
        stored(engine, "side", "SELL")


@given(
    values=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_json_comes_back_bit_for_bit(engine, values):
    assert stored(engine, "data", values, None) == [values, None]


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_json_takes_no_number_that_json_does_not_know(engine, wrong):
    with pytest.raises(StatementError, match=r"Expected `float`, got `null` - at `\$\[\.\.\.\]`"):
        stored(engine, "data", {"fast": wrong})


def test_json_is_json_to_the_database(engine):
    assert kept_as(engine, "data", {"b": 1.0, "a": 1e-9})[1] == ("text" if engine.name == "sqlite" else "json")
    with engine.connect() as connection:
        connection.execute(insert(sample), [{"data": {"fast": 0.5, "slow": 2.0}}])
        assert connection.execute(text("SELECT data ->> 'fast' FROM sample")).scalar_one() in {0.5, "0.5"}


def test_texts_sort_by_code_point_on_every_database(engine):
    names = ["b", "B", "a", "_", "-E", "10", "9", "é", "z", ""]
    with engine.connect() as connection:
        connection.execute(insert(sample), [{"note": name} for name in names])
        ordered = connection.execute(select(sample.c.note).order_by(sample.c.note)).scalars().all()
    assert ordered == sorted(names)


def test_a_nul_in_a_text_stops_nothing(engine):
    [kept] = stored(engine, "note", "bro\0ken")
    assert kept == ("bro\0ken" if engine.name == "sqlite" else "bro\ufffdken")


def test_truth_is_a_boolean(engine):
    assert stored(engine, "done", True, False, None) == [True, False, None]
