"""Checks an account from the outside: reads the paper exchange's own log and the record, and nothing of Vela's code.

`python tests/faults/checker.py DATA_DIR` prints every breach and exits with 1 if there is one.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

FINAL = {"FILLED", "REJECTED", "CANCELLED", "EXPIRED"}
ORDER_OF_STATES = ["PLANNED", "SENT", "UNKNOWN", "ACCEPTED", "PARTIALLY_FILLED", "FINAL"]
Row = dict[str, Any]


class Evidence:
    """What the venue and the database say."""

    def __init__(self, data_dir: Path) -> None:
        with closing(sqlite3.connect(f"file:{data_dir / 'vela.sqlite'}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            self.orders = self._rows(connection, "orders")
            self.order_events = self._rows(connection, "order_events ORDER BY client_order_id, seq")
            self.fills = self._rows(connection, "fills")
            self.positions = self._rows(connection, "positions")
            self.ledger = self._rows(connection, "ledger_entries")
            self.signals = self._rows(connection, "signals")
            self.trades = self._rows(connection, "trades ORDER BY exit_time, symbol")
            entries = [json.loads(row["events"]) for row in self._rows(connection, "paper_events ORDER BY number")]
        self.initial = {asset: Decimal(amount) for asset, amount in entries[0]["balances"].items()}
        self.venue: list[Row] = [event for entry in entries[1:] for event in entry]

    @staticmethod
    def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608  fixed names


def breaches(data_dir: Path) -> list[str]:
    """Return every invariant that does not hold, in words."""
    evidence = Evidence(data_dir)
    checks = (_ledger, _fills, _orders, _balances, _positions, _stops, _signals)
    with localcontext(prec=80):
        return [breach for check in checks for breach in check(evidence)]


def trades(data_dir: Path) -> list[Row]:
    """Return the closed round trips, without their row numbers."""
    return [{key: value for key, value in row.items() if key != "id"} for row in Evidence(data_dir).trades]


def _ledger(evidence: Evidence) -> Iterator[str]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in evidence.ledger:
        sums[entry["transaction_id"], entry["asset"]] += Decimal(entry["amount"])
    yield from (f"ledger transaction {key} sums to {total}" for key, total in sums.items() if total)
    account = _accounts(evidence)
    left = account["cash", "USDT"] + account["cost", "USDT"]
    right = -account["capital", "USDT"] - account["realised", "USDT"] - account["fees", "USDT"]
    if left != right:
        yield f"cash + cost is {left}, capital + realised - fees is {right}"


def _accounts(evidence: Evidence) -> defaultdict[tuple[str, str], Decimal]:
    totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in evidence.ledger:
        totals[entry["account"], entry["asset"]] += Decimal(entry["amount"])
    return totals


def _venue_fills(evidence: Evidence) -> list[Row]:
    return [event["fill"] for event in evidence.venue if event["event"] == "filled"]


def _fills(evidence: Evidence) -> Iterator[str]:
    ours = {row["fill_id"]: row for row in evidence.fills}
    theirs = {fill["fill_id"]: fill for fill in _venue_fills(evidence)}
    yield from (f"fill {fill_id} is on record only" for fill_id in ours.keys() - theirs.keys())
    yield from (f"fill {fill_id} is at the venue only" for fill_id in theirs.keys() - ours.keys())
    for fill_id in ours.keys() & theirs.keys():
        for name in ("price", "quantity", "fee"):
            if Decimal(ours[fill_id][name]) != Decimal(theirs[fill_id][name]):
                yield f"fill {fill_id}: {name} is {ours[fill_id][name]} here, {theirs[fill_id][name]} there"


def _orders(evidence: Evidence) -> Iterator[str]:
    ours = {row["client_order_id"]: row for row in evidence.orders}
    accepted = [event["request"]["client_order_id"] for event in evidence.venue if event["event"] == "accepted"]
    yield from (f"order {order} was accepted twice" for order in accepted if accepted.count(order) > 1)
    yield from (f"order {order} is at the venue without an intent" for order in accepted if order not in ours)
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        filled[fill["client_order_id"]] += Decimal(fill["quantity"])
    for order_id, row in ours.items():
        if Decimal(row["filled_quantity"]) != filled[order_id]:
            yield f"order {order_id} says {row['filled_quantity']} filled, its fills {filled[order_id]}"
        if order_id not in accepted and row["status"] not in FINAL:
            yield f"order {order_id} is {row['status']} here and unknown at the venue"
    newest: dict[str, int] = {}
    for event in evidence.order_events:
        state = "FINAL" if event["status"] in FINAL else event["status"]
        rank = ORDER_OF_STATES.index(state)
        if rank < newest.get(event["client_order_id"], 0):
            yield f"order {event['client_order_id']} went back to {event['status']}"
        newest[event["client_order_id"]] = rank


def _balances(evidence: Evidence) -> Iterator[str]:
    venue = defaultdict(Decimal, evidence.initial)
    for fill in _venue_fills(evidence):
        base, quote = _assets(fill["symbol"])
        sign = 1 if fill["side"] == "BUY" else -1
        venue[base] += sign * Decimal(fill["quantity"])
        venue[quote] -= sign * Decimal(fill["price"]) * Decimal(fill["quantity"])
        venue[fill["fee_asset"]] -= Decimal(fill["fee"])
    account = _accounts(evidence)
    for asset in venue:
        ours = account["cash", asset] + account["holdings", asset]
        if ours != venue[asset]:
            yield f"{asset}: the ledger says {ours}, the venue {venue[asset]}"
        if venue[asset] < 0:
            yield f"{asset}: {venue[asset]} at the venue"


def _positions(evidence: Evidence) -> Iterator[str]:
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        held[fill["symbol"]] += Decimal(fill["quantity"]) * (1 if fill["side"] == "BUY" else -1)
    positions = {row["symbol"]: Decimal(row["quantity"]) for row in evidence.positions}
    for symbol in held.keys() | positions.keys():
        if held[symbol] != positions.get(symbol, 0):
            yield f"{symbol}: fills make {held[symbol]}, the position is {positions.get(symbol, 0)}"


def _stops(evidence: Evidence) -> Iterator[str]:
    resting: dict[str, Row] = {}
    for event in evidence.venue:
        if event["event"] == "accepted":
            resting[event["request"]["client_order_id"]] = event["request"]
        else:
            resting.pop(event["fill"]["client_order_id"] if "fill" in event else event["client_order_id"], None)
    stops: defaultdict[str, Decimal] = defaultdict(Decimal)
    for request in resting.values():
        if request["type"] == "STOP":
            stops["/".join(_assets(request["symbol"]))] += Decimal(request["quantity"])
    positions = {row["symbol"]: Decimal(row["quantity"]) for row in evidence.positions if row["stop_ticks"] is not None}
    for symbol in stops.keys() | positions.keys():
        if stops[symbol] != positions.get(symbol, 0):
            yield f"{symbol}: {positions.get(symbol, 0)} held, {stops[symbol]} behind a stop"


def _signals(evidence: Evidence) -> Iterator[str]:
    used = [row["client_order_id"] for row in evidence.signals if row["client_order_id"] is not None]
    yield from (f"order {order} answers two signals" for order in set(used) if used.count(order) > 1)


def _assets(symbol: str) -> tuple[str, str]:
    base, _, quote = symbol.partition("/")
    return base, quote or "USDT"


if __name__ == "__main__":
    found = breaches(Path(sys.argv[1]))
    print("\n".join(found) or "all invariants hold")
    sys.exit(bool(found))
