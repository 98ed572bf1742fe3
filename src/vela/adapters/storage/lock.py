"""One running instance per data directory, and per account."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vela.domain.errors import StorageError, StorageLocked

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
