from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.exchanges.binance.messages import CandleSeen, TradeSeen, read_execution, read_kline, read_trade
from vela.adapters.exchanges.unified.reading import MessageError
from vela.domain.candles import Candle, candle_fault
from vela.domain.errors import SymbolError
from vela.domain.fill import Fill
from vela.domain.order import OrderStatus, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import OrderReport

NOW = 1_700_000_000_000
BTC = TradingSymbol("BTC")

TRADE = {"e": "aggTrade", "E": NOW + 1, "s": "BTCUSDT", "p": "58942.01", "q": "0.1", "T": NOW, "m": True}
KLINE = {
    "e": "kline",
    "E": NOW + 1,
    "s": "BTCUSDT",
    "k": {"t": NOW, "s": "BTCUSDT", "i": "1m", "o": "1", "h": "4", "l": "0.5", "c": "2", "v": "7", "x": True},
}
EXECUTION = {
    "e": "executionReport",
    "s": "BTCUSDT",
    "c": "mine",
    "C": "",
    "S": "BUY",
    "x": "TRADE",
    "X": "PARTIALLY_FILLED",
    "r": "NONE",
    "i": 42,
    "z": "0.30000000",
    "l": "0.10000000",
    "L": "100.50",
    "n": "0.00010000",
    "N": "BNB",
    "t": 7,
    "T": NOW,
}


def execution(**fields: object) -> OrderReport:
    return read_execution(EXECUTION | fields, lambda _: BTC)


def test_a_trade():
    assert read_trade(TRADE) == TradeSeen("BTCUSDT", 58942.01, NOW)
    assert read_trade(TRADE | {"a_new_field": [1]}) == read_trade(TRADE)


@pytest.mark.parametrize("fields", [{"p": "0"}, {"p": "NaN"}, {"p": None}, {"T": NOW * 1000}, {"s": None}], ids=str)
def test_what_is_no_trade(fields):
    with pytest.raises(MessageError):
        read_trade(TRADE | fields)


def test_a_candle_and_whether_it_is_closed():
    assert read_kline(KLINE) == CandleSeen(
        "BTCUSDT", "1m", Candle(NOW, 1.0, 4.0, 0.5, 2.0, 7.0), NOW + 1, is_closed=True
    )
    assert not read_kline(KLINE | {"k": {**KLINE["k"], "x": False}}).is_closed  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "fields", [{"x": None}, {"x": "true"}, {"t": NOW * 1000}, {"h": "NaN"}, {"v": "-1"}, {"c": ""}], ids=str
)
def test_what_is_no_candle(fields):
    with pytest.raises(MessageError):
        read_kline(KLINE | {"k": {**KLINE["k"], **fields}})  # type: ignore[dict-item]
    with pytest.raises(MessageError):
        read_kline(KLINE | {"k": None})


def test_an_execution_with_its_fill_and_what_was_executed_so_far():
    fill = Fill("BTCUSDT:7", "mine", BTC, Side.BUY, Decimal("100.50"), Decimal("0.1"), Decimal("0.0001"), "BNB", NOW)
    assert execution() == OrderReport(
        "mine", "42", OrderStatus.PARTIALLY_FILLED, (fill,), NOW, filled_quantity=Decimal("0.3")
    )
    assert execution(z="0.1").filled_quantity is None


def test_a_cancel_bears_the_order_s_id_beside_its_own():
    report = execution(x="CANCELED", X="CANCELED", c="of-the-cancel", C="mine", z="0")
    assert (report.client_order_id, report.status, report.fills) == ("mine", OrderStatus.CANCELLED, ())


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", OrderStatus.ACCEPTED),
        ("FILLED", OrderStatus.FILLED),
        ("REJECTED", OrderStatus.REJECTED),
        ("EXPIRED", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED),
    ],
)
def test_states(word, status):
    assert execution(x=word, X=word, z="0").status is status


def test_a_reason_is_handed_on():
    assert execution(x="REJECTED", X="REJECTED", z="0", r="INSUFFICIENT_BALANCE").reason == "INSUFFICIENT_BALANCE"


def test_a_rebate_is_a_negative_fee():
    assert execution(n="-0.0002").fills[0].fee == Decimal("-0.0002")


@pytest.mark.parametrize(
    "fields",
    [
        {"X": "A_WORD_NEVER_SEEN"},
        {"X": None},
        {"z": "NaN"},
        {"z": None},
        {"L": "Infinity"},
        {"L": "0"},
        {"l": "-1"},
        {"n": "NaN"},
        {"N": None},
        {"S": "HOLD"},
        {"T": NOW * 1000},
        {"i": None},
        {"c": ""},
    ],
    ids=str,
)
def test_what_is_no_execution_is_asked_for_instead(fields):
    with pytest.raises(MessageError):
        execution(**fields)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([TRADE, KLINE, EXECUTION]), st.data())
def test_mutated_messages_are_read_or_refused_and_nothing_else(message, data):
    changed = message | {data.draw(st.sampled_from(sorted(message))): data.draw(JSON)}
    for read in (read_trade, read_kline, lambda one: read_execution(one, lambda _: BTC)):
        try:
            read(changed)
        except MessageError:
            continue


# ------------------------------------------------------------------------------------------------------- recorded


def recorded(shared_data: Path) -> Iterator[dict[str, Any]]:
    """Every event in the recordings, out of its envelopes."""
    folder = shared_data / "protocol" / "binance"
    texts = []
    for name in ("user_data.json", "user_data_sessions.json", "ws_market.json", "ws_fixtures_gct.json"):
        messages = json.loads((folder / name).read_text())["messages"]
        texts += [message["raw"] for message in messages if message["transport"] == "ws"]
    with gzip.open(folder / "recording_spot_2021-08-14.txt.gz", "rt") as lines:
        texts += [line.partition(": ")[2] for line in lines if ": {" in line]
    with gzip.open(folder / "recording_spot_2021-10-12.jsonl.gz", "rt") as lines:
        texts += [entry["data"] for entry in map(json.loads, lines) if isinstance(entry.get("data"), str)]
    for text in texts:
        try:
            message = json.loads(text)
        except ValueError:
            continue
        for envelope in ("data", "event"):
            message = message.get(envelope, message) if isinstance(message, dict) else {}
        yield message


def of_kind(shared_data: Path, kind: str) -> list[dict[str, Any]]:
    return [message for message in recorded(shared_data) if message.get("e") == kind]


def test_every_recorded_trade_can_be_read(shared_data):
    trades = [read_trade(message) for message in of_kind(shared_data, "aggTrade")]
    assert len(trades) > 20
    assert all(trade.price > 0 for trade in trades)


def test_every_recorded_candle_can_be_read(shared_data):
    readable, made_up = [], 0
    for message in of_kind(shared_data, "kline"):
        if message["k"]["t"] < 10**12:  # an example of the documentation, which is not in ms
            made_up += 1
            continue
        readable.append(read_kline(message))
    assert len(readable) > 10
    assert made_up < len(readable)
    assert {candle_fault(seen.candle, 60_000) for seen in readable if seen.interval == "1m"} == {None}
    assert {seen.is_closed for seen in readable} >= {False}


def test_every_recorded_execution_can_be_read(shared_data):
    def symbol_of(market_id: str) -> TradingSymbol:
        try:
            return TradingSymbol.from_str(market_id)
        except SymbolError:
            return BTC

    messages = of_kind(shared_data, "executionReport")
    reports = [read_execution(message, symbol_of) for message in messages]
    assert len(reports) >= 10
    assert {report.status for report in reports} >= {
        OrderStatus.ACCEPTED,
        OrderStatus.CANCELLED,
        OrderStatus.FILLED,
    }
    filled = [fill for report in reports for fill in report.fills]
    assert "BNB" in {fill.fee_asset for fill in filled}
