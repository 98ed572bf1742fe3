"""Takes the rows of the older system's file into the record, each once, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, insert, select

from vela.adapters.storage.older.file import OlderFile
from vela.adapters.storage.older.tables import TABLES, OlderTable, Reader
from vela.adapters.storage.older.values import Raw, UnusableValue
from vela.adapters.storage.sql.database import Prepared, transaction
from vela.adapters.storage.sql.known_symbols import KnownSymbols

_AT_ONCE: Final = 1_000


class Fate(StrEnum):
    """What became of a row."""

    TAKEN = "taken"
    KNOWN = "known"
    LEFT = "left"


class RowReport(msgspec.Struct, frozen=True):
    """A row and what became of it. `row`: its number in the file; `reason`: why it was left, else empty."""

    table: str
    row: int
    fate: Fate
    reason: str = ""


class TableReport(msgspec.Struct, frozen=True):
    """A table of the file.

    Attributes:
        into: our table; None: none takes it.
        rows: how many there are.
        columns: which of its columns each of ours was read from.
        taken, known, left: how many rows were taken now, had been taken before, and cannot be used.
        reason: why the whole table was left, else empty.
    """

    into: str | None
    rows: int
    columns: dict[str, str | None] = {}
    taken: int = 0
    known: int = 0
    left: int = 0
    reason: str = ""


def import_file(
    connection: Connection, file: OlderFile, source: str, tell: Callable[[RowReport], None]
) -> dict[str, TableReport]:
    """Take what can be taken; return what became of every table of the file.

    Args:
        connection: to a record of this program's schema.
        file: open.
        source: what the file is called for good: a row that came from it before is known.
        tell: is told of every row, in order.

    Raises:
        StorageError: the file or the record cannot be used; nothing was written.
    """
    tables = file.tables()
    known = {name: table for table in TABLES for name in table.names}
    reports: dict[str, TableReport] = {}
    with transaction(connection):
        for name, rows in tables.items():
            table = known.get(name.lower())
            if table is None:
                reports[name] = TableReport(None, rows, left=rows, reason="this program has no use for it")
                continue
            try:
                reader = _reader(table, name, file, reports)
            except UnusableValue as error:
                reports[name] = TableReport(table.into, rows, left=rows, reason=str(error))
                continue
            fates = _Taker(connection, table, source).take(name, reader, file, tell)
            reports[name] = TableReport(
                table.into, rows, reader.chosen, fates[Fate.TAKEN], fates[Fate.KNOWN], fates[Fate.LEFT]
            )
    return reports


def _reader(table: OlderTable, name: str, file: OlderFile, reports: Mapping[str, TableReport]) -> Reader:
    if any(report.into == table.into and not report.reason for report in reports.values()):
        raise UnusableValue(f"another table of this file goes to {table.into}")
    if not file.has_numbers(name):
        raise UnusableValue("its rows have no numbers (WITHOUT ROWID): which were taken could not be told")
    return Reader(table, file.columns(name))


class _Taker:
    """Takes the rows of one table."""

    def __init__(self, connection: Connection, table: OlderTable, source: str) -> None:
        self._connection = connection
        self._table = table.table
        self._source = source
        self._symbols = KnownSymbols(connection)
        self._insert = Prepared(connection, insert(table.table), table.table.columns.keys())

    def take(self, name: str, reader: Reader, file: OlderFile, tell: Callable[[RowReport], None]) -> Counter[Fate]:
        fates: Counter[Fate] = Counter()
        rows = file.rows(name, file.columns(name))
        while batch := dict(islice(rows, _AT_ONCE)):
            for report in self._take_batch(name, reader, batch):
                fates[report.fate] += 1
                tell(report)
        return fates

    def _take_batch(self, name: str, reader: Reader, batch: Mapping[int, tuple[Raw, ...]]) -> Iterator[RowReport]:
        digests = self._digests(min(batch), max(batch))
        taken: list[dict[str, Any]] = []
        reports: list[RowReport] = []
        for number, values in batch.items():
            try:
                row = reader.row(values)
            except UnusableValue as error:
                reports.append(RowReport(name, number, Fate.LEFT, str(error)))
                continue
            before = digests.get(number)
            if before is None:
                taken.append({"source": self._source, "number": number, **row})
                reports.append(RowReport(name, number, Fate.TAKEN))
            elif before == row["digest"]:
                reports.append(RowReport(name, number, Fate.KNOWN))
            else:
                reason = f"it is not what was taken before from {self._source} under this number"
                reports.append(RowReport(name, number, Fate.LEFT, reason))
        self._symbols.remember(self._symbols.add(row["symbol"] for row in taken if "symbol" in row))
        self._insert.run(taken)
        yield from reports

    def _digests(self, first: int, last: int) -> dict[int, str]:
        columns = self._table.c
        query = select(columns.number, columns.digest).where(
            columns.source == self._source, columns.number.between(first, last)
        )
        return {row.number: row.digest for row in self._connection.execute(query)}
