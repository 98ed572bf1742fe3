"""One running instance per data directory, and per account; one writer at a time of a series of candles."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vela.domain.errors import StorageError, StorageLocked, StorageUnavailable

LOCK_FILE = "lock"


class _FileLock:
    """An exclusive lock on a file, held until `release` or the end of the process, however it ends.

    The lock is the kernel's (`flock`), not the file's existence: a file left behind by a crash locks nothing.
    """

    def __init__(self, path: Path, held: str) -> None:
        """Take the lock. `held`: what to say when another process has it, `{holder}` standing for that process."""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(
                f"{path.parent} cannot be written: {error.strerror}; accepted: a writable one"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StorageLocked(held.format(holder=holder)) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class DirectoryLock(_FileLock):
    """An exclusive lock on a directory."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            StorageLocked: another instance holds it.
            StorageError: the directory cannot be written.
        """
        held = f"{directory} is in use by another running Vela (process {{holder}}); stop it or use another directory"
        super().__init__(directory / LOCK_FILE, held)


class AccountLock(_FileLock):
    """An exclusive lock on an exchange's account, for all data directories of this machine."""

    def __init__(self, directory: Path, account: str) -> None:
        """Take the lock.

        Args:
            directory: where the machine's locks lie; it is made if need be.
            account: a name of the account that is no secret.

        Raises:
            StorageLocked: another instance trades on the account.
            StorageError: the directory cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{directory} cannot be made: {error.strerror}; accepted: a writable one") from error
        held = "another running Vela (process {holder}) trades on this account; accepted: one instance per account"
        super().__init__(directory / f"{account}.lock", held)


@contextmanager
def alone_in(directory: Path, *, looks: int = 3_000, pause: float = 0.01) -> Iterator[None]:
    """Keep all others out who ask in the same way, in this process and in others; wait for whoever is in there.

    Args:
        directory: where the file of the lock lies.
        looks: how often to look whether it is free.
        pause: seconds between two looks.

    Raises:
        StorageUnavailable: somebody was in there all the time.
        StorageError: the directory cannot be written.
    """
    lock = _patiently(directory, looks, pause)
    try:
        yield
    finally:
        lock.release()


def _patiently(directory: Path, looks: int, pause: float) -> _FileLock:
    held = f"{directory} is being written by another process ({{holder}}) all the time; accepted: one that ends"
    for _ in range(looks - 1):
        with suppress(StorageLocked):
            return _FileLock(directory / f".{LOCK_FILE}", held)
        time.sleep(pause)
    try:
        return _FileLock(directory / f".{LOCK_FILE}", held)
    except StorageLocked as error:
        raise StorageUnavailable(str(error)) from None
