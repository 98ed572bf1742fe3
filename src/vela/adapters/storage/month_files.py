"""Parquet files of months, wherever they lie. Names are relative: `binance/BTC-USDT/1m/2024-01.parquet`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import polars as pl

IS_MONTH = re.compile(r"\d{4}-\d{2}\.parquet").fullmatch


class MonthFile(NamedTuple):
    """What is in a file. `label`: what it says of itself."""

    table: pl.DataFrame
    label: Mapping[str, str]


class MonthFiles(Protocol):
    """Files of months, by name."""

    def address(self, name: str) -> str:
        """Return where a file lies, for Polars and for people."""
        ...

    def folders(self) -> list[str]:
        """List the folders of series, three levels down.

        Raises:
            StorageError: they cannot be read.
        """
        ...

    def names(self, folder: str) -> list[str]:
        """List the months in a folder, oldest first.

        Raises:
            StorageError: it cannot be read.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return a file's bytes; None: nobody knows."""
        ...

    def read(self, name: str, columns: list[str] | None = None) -> MonthFile | None:
        """Return what is in a file, all of it as it was at one moment; None: there is no such file.

        Raises:
            StorageUnavailable: it cannot be reached.
            PolarsError: it is no Parquet file, or one of the columns is not in it.
        """
        ...

    def replace(self, name: str, table: pl.DataFrame, label: Mapping[str, str]) -> None:
        """Write a file as a whole: whoever reads meets the old one or the new one.

        Raises:
            StorageUnavailable: it cannot be written.
        """
        ...

    def alone_in(self, folder: str) -> AbstractContextManager[None]:
        """Keep other writers out of a folder, as far as that can be done, waiting for whoever is in it.

        Raises:
            StorageUnavailable: somebody stays in there for too long.
        """
        ...
