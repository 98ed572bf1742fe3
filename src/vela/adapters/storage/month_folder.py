"""Parquet files of months in a folder of this machine or of a shared disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from vela.adapters.storage.lock import alone_in
from vela.adapters.storage.month_files import IS_MONTH, MonthFile
from vela.domain.errors import StorageUnavailable


class MonthFolder:
    """`MonthFiles` in a folder, which is made by the first write. A file is replaced by a rename."""

    def __init__(self, root: Path) -> None:
        """Keep files below `root`."""
        self._root = root

    def __str__(self) -> str:
        return str(self._root)

    def address(self, name: str) -> str:
        """See `MonthFiles.address`."""
        return str(self._root / name)

    def folders(self) -> list[str]:
        """See `MonthFiles.folders`."""
        return [path.relative_to(self._root).as_posix() for path in self._root.glob("*/*/*/")]

    def names(self, folder: str) -> list[str]:
        """See `MonthFiles.names`."""
        months = sorted(path.name for path in (self._root / folder).glob("*.parquet") if IS_MONTH(path.name))
        return [f"{folder}/{name}" for name in months]

    def size(self, name: str) -> int | None:
        """See `MonthFiles.size`."""
        with suppress(OSError):
            return (self._root / name).stat().st_size
        return None

    def read(self, name: str, columns: list[str] | None = None) -> MonthFile | None:
        """See `MonthFiles.read`."""
        path = self._root / name
        try:
            # Opened once: by its path Polars would open it twice, and meet the new file's data by the old one's footer.
            with path.open("rb") as file:
                label = pl.read_parquet_metadata(file)
                file.seek(0)
                return MonthFile(pl.read_parquet(file, columns=columns), label)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be read: {error.strerror or error}") from error

    def replace(self, name: str, table: pl.DataFrame, label: Mapping[str, str]) -> None:
        """See `MonthFiles.replace`. It lasts: a power cut leaves the old one or the new one."""
        path = self._root / name
        try:
            descriptor, draft = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".tmp", dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    table.write_parquet(file, metadata=dict(label))
                    file.flush()
                    os.fsync(file.fileno())
                Path(draft).chmod(0o644)  # mkstemp makes private files
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be written: {error.strerror or error}") from error

    @contextmanager
    def alone_in(self, folder: str) -> Iterator[None]:
        """See `MonthFiles.alone_in`: by a lock of the kernel, which a writer that was killed leaves to the next."""
        path = self._root / folder
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be made: {error.strerror or error}") from error
        with alone_in(path):
            for draft in path.glob(".*.tmp"):  # of writers that were killed
                draft.unlink(missing_ok=True)
            yield


def _sync_folder(folder: Path) -> None:
    # The rename itself must survive a power cut as well.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
