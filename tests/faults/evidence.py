"""What the venue and the database say of an account, brought into one shape; nothing of Vela's code is used.

The venue's books are the paper exchange's own log in the database or, of an account at an exchange, the truth file of
`vela venue`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class Books:
    """The venue's books.

    Attributes:
        accepted: the client ids of all orders that were let in, in order.
        fills: by the id under which Vela books them: order, symbol, side, price, quantity, fee and fee_asset.
        status: of every order, by client id, in Vela's words.
        open: what still rests, by client id: symbol, type (MARKET, LIMIT or STOP) and quantity.
    """

    accepted: list[str] = field(default_factory=list)
    fills: dict[str, Row] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    open: dict[str, Row] = field(default_factory=dict)

    def end(self, order: str, status: str) -> None:
        self.status[order] = status
        self.open.pop(order, None)


class Evidence:
    """What both say."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        truth: Iterable[Row] | None = None,
        lowest: Mapping[str, Decimal] | None = None,
    ) -> None:
        """Read both.

        Args:
            connection: to the record; only read from.
            truth: the venue's events; None: the account is a paper account.
            lowest: the market's lowest price by symbol (`BTC/USDT`), where it is known.
        """
        self._connection = connection
        self.lowest = lowest or {}
        self.orders = self._rows("orders")
        self.order_events = self._rows("order_events ORDER BY client_order_id, seq")
        self.fills = self._rows("fills ORDER BY rowid")  # as they were booked
        self.positions = self._rows("positions")
        self.ledger = self._rows("ledger_entries")
        self.balances = self._rows("balances")
        self.signals = self._rows("signals")
        self.trades = self._rows("trades ORDER BY exit_time, symbol")
        self.rules = self._rows("strategy_configs")
        if truth is None:
            entries = [json.loads(row["events"]) for row in self._rows("paper_events ORDER BY number")]
            self.books = paper_books(event for entry in entries[1:] for event in entry)
        else:
            self.books = truth_books(truth)

    def _rows(self, table: str) -> list[Row]:
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        return [dict(row) for row in cursor.execute(f"SELECT * FROM {table}")]  # noqa: S608  fixed names


def gathered(data_dir: Path, truth: Path | None = None) -> Evidence:
    """Return the evidence that lies in a folder. `truth`: the venue's file; None: it is a paper account."""
    with closing(sqlite3.connect(f"file:{data_dir / 'vela.sqlite'}?mode=ro", uri=True)) as connection:
        return Evidence(connection, None if truth is None else told(truth))


def told(truth: Path) -> Iterator[Row]:
    """Yield the events of a truth file; a last line without an end is being written."""
    with truth.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.endswith("\n"))


def paper_books(events: Iterable[Row]) -> Books:
    """Read the paper exchange's own log."""
    books = Books()
    for event in events:
        if event["event"] == "accepted":
            request = event["request"]
            order = request["client_order_id"]
            books.accepted.append(order)
            books.status[order] = "ACCEPTED"
            books.open[order] = {
                "symbol": pair(request["symbol"]),
                "type": kind(request["type"]),
                "quantity": Decimal(request["quantity"]),
            }
        elif event["event"] == "filled":
            fill = event["fill"]
            books.fills[fill["fill_id"]] = fill | {"order": fill["client_order_id"], "symbol": pair(fill["symbol"])}
            books.end(fill["client_order_id"], "FILLED")
        else:
            books.end(event["client_order_id"], event["event"].upper())
    return books


def truth_books(events: Iterable[Row]) -> Books:
    """Read what the venue wrote, which tells an order as it is after each event."""
    books = Books()
    for event in events:
        order = event["client_order_id"]
        if event["event"] == "new":
            books.accepted.append(order)
        if "fill" in event:
            fill = event["fill"]
            fill_id = f"{event['symbol'].replace('/', '')}:{fill['fill_id']}"
            books.fills[fill_id] = fill | {"order": order, "symbol": event["symbol"], "side": event["side"]}
        if event["status"] in {"ACCEPTED", "PARTIALLY_FILLED"}:
            books.status[order] = event["status"]
            books.open[order] = {
                "symbol": event["symbol"],
                "type": kind(event["type"]),
                "quantity": Decimal(event["quantity"]) - Decimal(event["filled_quantity"]),
            }
        else:
            books.end(order, event["status"])
    return books


def kind(name: str) -> str:
    """Return `STOP` for every kind of stop."""
    return "STOP" if name.startswith("STOP") else name


def pair(symbol: str) -> str:
    """Return `BTC/USDT` for `BTC`."""
    return symbol if "/" in symbol else f"{symbol}/USDT"
