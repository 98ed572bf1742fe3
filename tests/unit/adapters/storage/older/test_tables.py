from __future__ import annotations

from decimal import Decimal

import pytest

from vela.adapters.storage.older.tables import TABLES, Reader
from vela.adapters.storage.older.values import Raw, UnusableValue
from vela.domain.trading_symbol import TradingSymbol

TRADES, SIGNALS, WALLET, SNAPSHOTS = TABLES


def test_columns_are_found_under_other_names_and_what_is_over_goes_along():
    reader = Reader(TRADES, ["id", "Pair", "TIMESTAMP", "type", "price", "qty", "commission", "note", "raw", "none"])
    row = reader.row([7, "ethbtc", 1_700_000_000, "buy", 0.05, "1.50", 1e-9, "x", b"\x00\xff", None])
    assert {name: row[name] for name in ("symbol", "time", "side", "price", "quantity", "fee", "pnl", "strategy")} == {
        "symbol": TradingSymbol.from_str("ETH/BTC"),
        "time": 1_700_000_000_000,
        "side": "BUY",
        "price": Decimal("0.05"),
        "quantity": Decimal("1.50"),
        "fee": Decimal("1E-9"),
        "pnl": None,
        "strategy": None,
    }
    assert row["rest"] == {"id": 7, "note": "x", "raw": {"hex": "00ff"}}
    assert reader.chosen["quantity"] == "qty"
    assert reader.chosen["pnl"] is None


def test_of_several_names_the_best_is_taken():
    reader = Reader(TRADES, ["amount", "quantity", "symbol", "time", "side", "price"])
    row = reader.row([500.0, 2.0, "BTC", 1_700_000_000, "SELL", 250])
    assert row["quantity"] == 2
    assert row["rest"] == {"amount": 500.0}


@pytest.mark.parametrize("missing", ["symbol", "time", "side", "price", "quantity"])
def test_a_table_without_what_every_row_needs_is_refused(missing: str):
    columns = [name for name in ("symbol", "time", "side", "price", "quantity") if name != missing]
    with pytest.raises(UnusableValue, match=f"no column for {missing}; accepted: "):
        Reader(TRADES, columns)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["banana", 1_700_000_000, "buy", 1, 1], "symbol: symbol: 'banana' is no trading symbol"),
        (["BTC", None, "buy", 1, 1], "time: time was nothing"),
        (["BTC", 1_700_000_000, "gift", 1, 1], "side: 'gift' is none of BUY, SELL, LONG, SHORT"),
        (["BTC", 1_700_000_000, "buy", 0, 1], "price: 0 is not above zero"),
        (["BTC", 1_700_000_000, "buy", 1, float("inf")], "quantity: 'inf' is not finite"),
        (["BTC\udcff", 1_700_000_000, "buy", 1, 1], "symbol: its text is no UTF-8"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(values, reason: str):
    with pytest.raises(UnusableValue) as refused:
        Reader(TRADES, ["symbol", "time", "side", "price", "quantity"]).row(values)
    assert str(refused.value).startswith(reason)


def test_the_digest_tells_any_two_rows_apart_and_no_row_from_itself():
    reader = Reader(WALLET, ["time", "balance", "note"])
    rows: list[list[Raw]] = [
        [1_700_000_000, 5, "a"],
        [1_700_000_000, 5.0, "a"],
        [1_700_000_000, 5, None],
        [1_700_000_001, 5, "a"],
    ]
    digests = [reader.row(row)["digest"] for row in rows]
    assert len(set(digests)) == 4
    assert [reader.row(row)["digest"] for row in rows] == digests


def test_a_wallet_without_an_asset_is_in_usdt():
    assert Reader(WALLET, ["timestamp", "balance"]).row([1_700_000_000, 10.5])["asset"] == "USDT"
    assert Reader(WALLET, ["timestamp", "balance", "symbol"]).row([1_700_000_000, 10.5, "ETHUSDT"])["asset"] == "ETH"


def test_what_a_row_need_not_have_may_be_missing_and_must_be_right_if_it_is_there():
    reader = Reader(SNAPSHOTS, ["symbol", "time", "price", "volume"])
    assert reader.row(["BTC", 1_700_000_000, 5, None])["volume"] is None
    with pytest.raises(UnusableValue, match="volume: -1 is below zero"):
        reader.row(["BTC", 1_700_000_000, 5, -1])
    signal = Reader(SIGNALS, ["symbol", "time", "signal", "confidence"]).row(["BTC", 1_700_000_000, "hold", 0.7])
    assert (signal["action"], signal["confidence"], signal["price"]) == ("HOLD", Decimal("0.7"), None)
