"""The file of a copy: a zip with the database and a manifest that says what it must hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from vela.domain.errors import ConfigurationError, StorageError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
_CHUNK: Final = 1 << 20
_ACCEPTED: Final = "accepted: a file that vela backup wrote"
# What zipfile raises, wherever a byte is wrong.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy holds.

    Attributes:
        format: of the file; this program knows 1.
        vela: the version that took it.
        database: `sqlite` or `postgresql`.
        schema: the version of the tables.
        time: when it was taken, ms UTC.
        rows: how many there are, by table.
        bytes, sha256: of the database's own file inside.
    """

    format: int = FORMAT
    vela: str
    database: str
    schema: str
    time: int
    rows: dict[str, int]
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        """The name of the database's own file inside."""
        return "record.sqlite" if self.database == "sqlite" else "record.pgdump"


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def beside(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Lend a name beside `path` to write to; what was written takes the name `path` at the end, whole, or never.

    Raises:
        ConfigurationError: `path` is there already.
        StorageError: it cannot be written.
    """
    if path.exists() and not overwrite:
        raise ConfigurationError(f"{path} is there already; accepted: another name, or --overwrite")
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_archive(path: Path, manifest: Manifest, database: Path) -> None:
    """Pack a database's file and its manifest; only the owner may read it.

    Raises:
        OSError: it cannot be written.
    """
    with (
        os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        archive.write(database, manifest.member)


def read_manifest(path: Path) -> Manifest:
    """Return what a copy says that it holds.

    Raises:
        ConfigurationError: there is no such file.
        StorageError: it is no copy, or damaged, or of a newer format.
    """
    with _opened(path) as archive:
        if MANIFEST not in archive.namelist():
            raise StorageError(f"{path} is no copy of a record: it has no {MANIFEST}; {_ACCEPTED}")
        text = archive.read(MANIFEST)
        try:
            kind = msgspec.json.decode(text, type=_Format).format
            if kind > FORMAT:
                raise StorageError(f"{path} has format {kind}; this program knows up to {FORMAT}: use a newer Vela")
            return msgspec.json.decode(text, type=Manifest)
        except msgspec.MsgspecError as error:
            raise StorageError(f"{path} is damaged: {MANIFEST}: {error}; {_ACCEPTED}") from error


class _Format(msgspec.Struct):
    format: int


def extract(path: Path, manifest: Manifest, to: Path) -> None:
    """Unpack the database's file, and make sure that it is what was packed.

    Raises:
        StorageError: the copy is damaged, or there is no room.
    """
    digest, size = hashlib.sha256(), 0
    with _opened(path) as archive, _writable(to) as file, archive.open(manifest.member) as packed:
        while chunk := packed.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    if (size, digest.hexdigest()) != (manifest.bytes, manifest.sha256):
        raise StorageError(f"{path} is damaged: {manifest.member} is not what was packed; {_ACCEPTED}")


@contextmanager
def _writable(path: Path) -> Iterator[BinaryIO]:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise ConfigurationError(f"{path} does not exist; {_ACCEPTED}") from None
    except (*_DAMAGE, OSError) as error:
        raise StorageError(f"{path} is damaged or no copy: {error}; {_ACCEPTED}") from error


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def move_aside(path: Path, suffixes: tuple[str, ...] = ("", "-wal", "-shm")) -> Path | None:
    """Give a database's files a new name, and return it; None: there was none."""
    if not path.exists():
        return None
    number = 1
    while (kept := path.with_name(f"{path.name}.before-restore-{number}")).exists():
        number += 1
    for suffix in suffixes:
        part = path.with_name(path.name + suffix)
        if part.exists():
            shutil.move(part, kept.with_name(kept.name + suffix))
    return kept
