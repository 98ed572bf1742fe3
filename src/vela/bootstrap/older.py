"""Takes over the older system's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vela.adapters.storage.older.file import opened
from vela.adapters.storage.older.importer import RowReport, TableReport, import_file
from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.migration import bring_up_to_date
from vela.bootstrap.backup import held_record
from vela.bootstrap.settings import DataSettings
from vela.domain.errors import ConfigurationError, SymbolError
from vela.domain.trading_symbol import register_assets

_LONGEST_NAME = 100


class Import(msgspec.Struct, frozen=True):
    """What became of a file. `tables`: by the name they have there."""

    file: str
    source: str
    record: str
    tables: dict[str, TableReport]

    @property
    def left(self) -> int:
        """How many rows cannot be used."""
        return sum(table.left for table in self.tables.values())


def import_older(
    settings: DataSettings, path: Path, *, source: str | None, assets: str | None, report: Path | None
) -> Import:
    """Take over the rows of the file `path` that were not taken before; the record is made if there is none.

    Args:
        settings: where the record lies.
        path: the older system's SQLite file; nothing about it changes.
        source: what the file is called for good; None: its name without ending.
        assets: names of assets that are written without their quote there and not known here, separated by commas.
        report: a file for what became of every row, a line of JSON each; None: nobody wants it.

    Raises:
        ConfigurationError: there is no such file, or the report is there already.
        StorageLocked: a running instance uses the record.
        StorageError: file or record cannot be used; nothing was taken.
    """
    name = path.stem if source is None else source
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigurationError(f"--source was {name[:40]!r}; accepted: a name of up to {_LONGEST_NAME} characters")
    _register(assets)
    with (
        opened(path) as file,
        _lines(report) as tell,
        held_record(settings) as database,
        database.connect(Purpose.TRADING) as connection,
    ):
        bring_up_to_date(connection)
        return Import(str(path), name, database.name, import_file(connection, file, name, tell))


def _register(assets: str | None) -> None:
    if assets is None:
        return
    try:
        register_assets(name.strip().upper() for name in assets.split(","))
    except SymbolError as error:
        raise ConfigurationError(f"--assets: {error}") from error


@contextmanager
def _lines(path: Path | None) -> Iterator[Callable[[RowReport], None]]:
    if path is None:
        yield lambda _row: None
        return
    try:
        file = path.open("xb")
    except FileExistsError:
        raise ConfigurationError(f"--report: {path} is there already; accepted: a new file") from None
    except OSError as error:
        raise ConfigurationError(f"--report: {path} cannot be written: {error.strerror}") from error
    encode = msgspec.json.Encoder().encode
    try:
        with file:
            yield lambda row: file.writelines((encode(row), b"\n"))
    except BaseException:
        path.unlink()  # nothing was taken: it would say otherwise
        raise
