"""How fast the record writes and reads, on SQLite and on PostgreSQL.

The PostgreSQL is a private one in a temporary folder, where the machine has it. Commits to SQLite wait for the disk,
those to that PostgreSQL do not (`fsync = off`). Trades carry typed symbols, exact decimals and enumerations.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import Enum
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.contract.record_samples import decision, deposit, fill, life, position, trade, wallet
from tests.places import PostgresPlace, RecordPlace, SqlitePlace
from tests.postgres import PostgresServer, programs

from vela.adapters.storage.sql import schema
from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.dialect import dialect_of
from vela.adapters.storage.sql.record import Record
from vela.domain.order import OrderStatus
from vela.domain.position import Trade
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.record import Changes, JournalEntry

ROWS = 20_000
ROUNDS = 8
COMMITS = 1_000
SYMBOLS = [TradingSymbol.from_str(name) for name in ("BTC", "ETH", "SOL", "ADA/BTC", "DOGE")]


def many_trades() -> tuple[Trade, ...]:
    return tuple(
        msgspec.structs.replace(trade(number), symbol=SYMBOLS[number % 5], pnl=Decimal(number % 977 - 400) / 100)
        for number in range(ROWS)
    )


def filled(number: int) -> Changes:
    """Return what the fill of an order changes."""
    order = f"o{number}"
    states = life(order, OrderStatus.SENT, OrderStatus.FILLED, time=number * 10)
    return Changes(
        orders=states[-1:],
        fills=(fill(f"f{number}", order, time=number),),
        positions=(position(),),
        ledger=(deposit(f"d{number}", "0.01"),),
        entries=((SYMBOLS[0], number),),
    )


async def insertion(record: Record, place: RecordPlace) -> dict[str, float]:
    """Return how quickly typed trades go in, and how that compares with the same rows as text and numbers.

    Both take turns: on a shared machine only what ran side by side can be compared.
    """
    trades, table = many_trades(), schema.trades
    names = [column.name for column in table.columns if column.name != "id"]
    rows = [tuple(_plain(getattr(trade, name)) for name in names) for trade in trades]
    typed = own = plain = float("inf")
    with place.database().connect(Purpose.TRADING) as connection:
        insert_many = dialect_of(connection).insert_many(connection, table, names)
        for _ in range(ROUNDS):
            start, spent = perf_counter(), process_time()
            await record.trading.commit(Changes(trades=trades))
            typed, own = min(typed, perf_counter() - start), min(own, process_time() - spent)
            start = perf_counter()
            with connection.begin():
                insert_many(connection.connection.cursor(), iter(rows))
            plain = min(plain, perf_counter() - start)
    return {
        "trades inserted, thousand/s": ROWS / typed / 1e3,
        "… per second of our own CPU": ROWS / own / 1e3,
        "… as text and numbers": ROWS / plain / 1e3,
        "typed, share of that speed": plain / typed,
    }


def _plain(value: object) -> object:
    if isinstance(value, TradingSymbol):
        return value.to_ccxt()
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


async def seconds_of_commits(record: Record) -> list[float]:
    spent = []
    for number in range(COMMITS):
        changes = filled(number)
        start = perf_counter()
        await record.trading.commit(changes)
        spent.append(perf_counter() - start)
    return spent[COMMITS // 10 :]


def best_of(work: Callable[[], object]) -> float:
    def once() -> float:
        start = perf_counter()
        work()
        return perf_counter() - start

    return min(once() for _ in range(20))


async def measure(name: str, place: RecordPlace) -> None:
    with place.open() as record:
        inserted = await insertion(record, place)
        spent = quantiles(await seconds_of_commits(record), n=100)
        for start in range(0, 100_000, 5_000):
            wallets = tuple(wallet(time) for time in range(start, start + 5_000))
            decisions = tuple(decision(time, SYMBOLS[0]) for time in range(start, start + 5_000))
            await record.journal.append(JournalEntry(start + 5_000, (), decisions, wallets))
        place.execute("ANALYZE")
        reader = record.reader
        figures = {
            **inserted,
            "commit of a fill, p50 µs": spent[49] * 1e6,
            "commit of a fill, p99 µs": spent[98] * 1e6,
            "summary, ms": best_of(reader.summary) * 1e3,
            "50 newest trades, ms": best_of(lambda: reader.trades(limit=50)) * 1e3,
            "trade totals, ms": best_of(reader.trade_totals) * 1e3,
            "500 points of equity, ms": best_of(lambda: reader.equity_curve(points=500)) * 1e3,
        }
    for what, figure in figures.items():
        print(f"{name:<12} {what:<30} {figure:>9.2f}")


@contextmanager
def places() -> Iterator[Iterator[tuple[str, RecordPlace]]]:
    numbers = count()
    with tempfile.TemporaryDirectory() as folder:
        found = programs()
        server = None if found is None else PostgresServer(found)

        def all_of_them() -> Iterator[tuple[str, RecordPlace]]:
            yield "sqlite", SqlitePlace(Path(folder) / str(next(numbers)))
            if server is None:
                print("postgresql   is not on this machine")
            else:
                place = PostgresPlace(server, server.new_database(), Path(folder) / str(next(numbers)))
                yield "postgresql", place

        try:
            yield all_of_them()
        finally:
            if server is not None:
                server.remove()


def main() -> None:
    with places() as found:
        for name, place in found:
            asyncio.run(measure(name, place))


if __name__ == "__main__":
    main()
