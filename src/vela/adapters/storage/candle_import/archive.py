"""What lies in a file: itself, or the files of an archive, proven by its checksum where there is one."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from vela.adapters.storage.candle_import.csv_text import read_csv
from vela.adapters.storage.candle_import.parquet_table import read_table
from vela.adapters.storage.candle_import.rows import FoundRows
from vela.domain.errors import CandleError

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".zip")
CHECKSUM = ".CHECKSUM"

_MOST_BYTES = 2 * 1024**3
_SHA256 = re.compile(r"\s*([0-9a-fA-F]{64})(\s|$)")
# What zipfile raises: the last but one for a way of packing that it does not know.
_BROKEN = (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, zlib.error)

Read = Callable[[bytes, str, str], FoundRows]


def is_importable(path: Path) -> bool:
    """Say whether a file's name ends as that of one that can be read."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def read_file(path: Path, base: str) -> list[FoundRows]:
    """Return the rows of a file, or of each file in an archive.

    Args:
        path: of a file that is importable.
        base: the asset whose volume counts, where volumes are named by asset.

    Raises:
        CandleError: it cannot be read, does not match its checksum, or holds no candles.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CandleError(f"{path} cannot be read: {error.strerror}; accepted: a file that can") from None
    _require_checksum(path, content)
    if path.suffix.lower() == ".zip":
        return [read(inner, f"{name} in {path}", base) for name, read, inner in _members(path, content)]
    if path.suffix.lower() == ".gz":
        content = _unpacked(path, content)
    return [_reader(path.name)(content, str(path), base)]


def _members(path: Path, content: bytes) -> list[tuple[str, Read, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [info for info in archive.infolist() if info.filename.lower().endswith((".csv", ".parquet"))]
            if not inside:
                raise CandleError(f"{path} holds no candles; accepted: an archive with a CSV or Parquet file in it")
            if sum(info.file_size for info in inside) > _MOST_BYTES:
                raise CandleError(f"{path} is too large when unpacked; accepted: up to 2 GiB")
            return [(info.filename, _reader(info.filename), archive.read(info)) for info in inside]
    except _BROKEN as error:
        raise CandleError(
            f"{path} cannot be unpacked ({error}); accepted: a whole zip file without a password"
        ) from None


def _unpacked(path: Path, content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(_MOST_BYTES + 1)
    except _BROKEN as error:
        raise CandleError(f"{path} cannot be unpacked ({error}); accepted: a whole gzip file") from None
    if len(unpacked) > _MOST_BYTES:
        raise CandleError(f"{path} is too large when unpacked; accepted: up to 2 GiB")
    return unpacked


def _reader(name: str) -> Read:
    return read_table if name.lower().endswith(".parquet") else read_csv


def _require_checksum(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + CHECKSUM)
    if not beside.is_file():
        return
    found = _SHA256.match(beside.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        raise CandleError(f"{beside} holds no SHA-256 checksum; accepted: the one that came with the archive, or none")
    if hashlib.sha256(content).hexdigest() != found[1].lower():
        raise CandleError(f"{path} does not match its checksum; accepted: the archive downloaded again")
