"""The record's books and the venue's own, and whether they are the same."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from vela.domain.order import OrderStatus

OPEN = tuple(status.value for status in OrderStatus if not status.is_final)


class Books:
    """What the record says."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "vela.sqlite"

    def ask(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(query).fetchall()

    def live(self) -> dict[str, str]:
        marks = ", ".join(f"'{status}'" for status in OPEN)
        return dict(self.ask(f"SELECT client_order_id, status FROM orders WHERE status IN ({marks})"))  # noqa: S608

    def fills(self) -> set[tuple[Any, ...]]:
        rows = self.ask("SELECT fill_id, client_order_id, price, quantity, fee FROM fills")
        return {(fill_id, order_id, *map(Decimal, amounts)) for fill_id, order_id, *amounts in rows}

    def cash(self) -> Decimal:
        [(amount,)] = self.ask("SELECT amount FROM balances WHERE account = 'cash' AND asset = 'USDT'")
        return Decimal(amount)

    def positions(self) -> dict[str, Decimal]:
        rows = self.ask("SELECT symbol, quantity FROM positions")
        return {symbol.partition("/")[0]: Decimal(held) for symbol, held in rows}


class Truth:
    """What the venue says, from its own log."""

    def __init__(self, log: Sequence[dict[str, Any]], capital: Decimal) -> None:
        newest = {event["client_order_id"]: event for event in log}
        trades = [event for event in log if "fill" in event]
        self.live = {name: event["status"] for name, event in newest.items() if event["status"] in OPEN}
        self.fills = {_fill(event) for event in trades}
        self.cash = capital
        self.positions: dict[str, Decimal] = {}
        for event in trades:
            self._book(event)
        self.positions = {asset: held for asset, held in self.positions.items() if held}

    def _book(self, event: dict[str, Any]) -> None:
        fill, asset = event["fill"], event["symbol"].partition("/")[0]
        price, quantity, fee = (Decimal(fill[name]) for name in ("price", "quantity", "fee"))
        way = 1 if event["side"] == "BUY" else -1
        self.cash -= way * price * quantity + (fee if fill["fee_asset"] == "USDT" else 0)
        held = self.positions.get(asset, Decimal(0)) + way * quantity
        self.positions[asset] = held - (fee if fill["fee_asset"] == asset else 0)


def _fill(event: dict[str, Any]) -> tuple[Any, ...]:
    fill, market = event["fill"], event["symbol"].replace("/", "")
    amounts = (Decimal(fill[name]) for name in ("price", "quantity", "fee"))
    return (f"{market}:{fill['fill_id']}", event["client_order_id"], *amounts)


def truth_of(control: str, capital: str) -> Truth:
    """Ask the venue at its control port."""
    answer = httpx.get(f"{control}/truth", trust_env=False, timeout=60)
    return Truth(answer.raise_for_status().json(), Decimal(capital))


def compare(books: Books, truth: Truth) -> None:
    """Print what differs, and leave with exit code 1 if anything does."""
    pairs = {
        "fills": (books.fills(), truth.fills),
        "open orders": (books.live(), truth.live),
        "cash": (books.cash(), truth.cash),
        "positions": (books.positions(), truth.positions),
    }
    for name, (ours, theirs) in pairs.items():
        print(f"{name:34} {'equal' if ours == theirs else 'DIFFERENT'}")
    if any(ours != theirs for ours, theirs in pairs.values()):
        sys.exit(1)
