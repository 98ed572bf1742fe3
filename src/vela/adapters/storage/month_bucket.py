"""Parquet files of months in a bucket of an object store, through Polars alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import polars as pl
from polars.exceptions import PolarsError

from vela.adapters.storage.month_files import IS_MONTH, MonthFile
from vela.domain.errors import ConfigurationError, StorageUnavailable

_ADDRESS = re.compile(r"(s3|gs)://[^/]+/[^/].*")
_LOOKS = 3


class MonthBucket:
    """`MonthFiles` below an address such as `s3://bucket/candles`.

    The store's address and keys are those that the environment names (`AWS_…`, `GOOGLE_…`). A file appears as a whole.
    Nothing here keeps two machines from writing the same series at a time, of which one would lose: let one write it.
    """

    def __init__(self, root: str) -> None:
        """Keep files below `root`.

        Raises:
            ConfigurationError: it is no address of an object store that can be used.
        """
        if not _ADDRESS.fullmatch(root):
            raise ConfigurationError(
                f"candle store was {root[:80]!r}; accepted: a folder, or s3://BUCKET/FOLDER or gs://BUCKET/FOLDER"
            )
        self._root = root.rstrip("/")

    def __str__(self) -> str:
        return self._root

    def address(self, name: str) -> str:
        """See `MonthFiles.address`."""
        return f"{self._root}/{name}"

    def folders(self) -> list[str]:
        """See `MonthFiles.folders`."""
        return sorted({name.rpartition("/")[0] for name in self._list("**/*.parquet") if name.count("/") == 3})

    def names(self, folder: str) -> list[str]:
        """See `MonthFiles.names`."""
        # Before a wildcard Polars misreads a percent sign: one takes its place, and what it catches besides is dropped.
        pattern = f"{folder.replace('%', '*')}/*.parquet"
        return [name for name in self._list(pattern) if name.rpartition("/")[0] == folder]

    def size(self, name: str) -> int | None:  # noqa: ARG002  nobody tells
        """See `MonthFiles.size`."""
        return None

    def read(self, name: str, columns: list[str] | None = None) -> MonthFile | None:
        """See `MonthFiles.read`."""
        address = self.address(name)
        for looks_left in reversed(range(_LOOKS)):
            try:
                label = pl.read_parquet_metadata(address)
                return MonthFile(pl.read_parquet(address, columns=columns, glob=False), label)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise StorageUnavailable(f"{address} cannot be read: {first_line(error)}") from error
            except PolarsError:  # it is asked for in pieces, and may have been replaced in between
                if not looks_left:
                    raise
        return None

    def replace(self, name: str, table: pl.DataFrame, label: Mapping[str, str]) -> None:
        """See `MonthFiles.replace`."""
        try:
            table.write_parquet(self.address(name), metadata=dict(label))
        except (OSError, PolarsError) as error:
            raise StorageUnavailable(f"{self.address(name)} cannot be written: {first_line(error)}") from error

    def alone_in(self, folder: str) -> AbstractContextManager[None]:  # noqa: ARG002  there is no lock
        """See `MonthFiles.alone_in`. Here it cannot be done."""
        return nullcontext()

    def _list(self, pattern: str) -> list[str]:
        # Polars lists no files, but it tells which ones it has read; a schema allows that there are none.
        rows = pl.scan_parquet(
            self.address(pattern), schema={"open_time": pl.Int64}, extra_columns="ignore", include_file_paths="path"
        )
        try:
            paths = rows.select(pl.col("path").unique()).collect()["path"]
        except (OSError, PolarsError) as error:
            raise StorageUnavailable(f"{self._root} cannot be listed: {first_line(error)}") from error
        names = (path.removeprefix(f"{self._root}/") for path in paths)
        return sorted(name for name in names if IS_MONTH(name.rpartition("/")[2]))


def first_line(error: Exception) -> str:
    """Return what Polars says of an object store, without the answer's whole text."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
