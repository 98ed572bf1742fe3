"""One running instance per data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vela.domain.errors import StorageError, StorageLocked

LOCK_FILE = "lock"


class DirectoryLock:
    """An exclusive lock on a directory, held until `release` or the end of the process, however it ends.

    The lock is the kernel's (`flock`), not the file's existence: a file left behind by a crash locks nothing.
    """

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            StorageLocked: another instance holds it.
            StorageError: the directory cannot be written.
        """
        path = directory / LOCK_FILE
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(f"{directory} cannot be written: {error.strerror}; accepted: a writable one") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StorageLocked(
                f"{directory} is in use by another running Vela (process {holder}); stop it or use another directory"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
