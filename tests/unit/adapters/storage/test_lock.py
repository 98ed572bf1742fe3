from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vela.adapters.storage.lock import LOCK_FILE, DirectoryLock, alone_in
from vela.domain.errors import StorageError, StorageLocked, StorageUnavailable

HOLDER = """
import sys
from pathlib import Path
from vela.adapters.storage.lock import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_lock_is_refused_and_names_the_holder(tmp_path):
    with holder(tmp_path) as process:
        with pytest.raises(StorageLocked, match=rf"in use by another running Vela \(process {process.pid}\)"):
            DirectoryLock(tmp_path)
        process.kill()


def test_the_death_of_the_holder_frees_the_directory(tmp_path):
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    lock = DirectoryLock(tmp_path)
    assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_released_twice_it_can_be_taken_again(tmp_path):
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StorageLocked, match=str(os.getpid())):
        DirectoryLock(tmp_path)
    lock.release()
    lock.release()
    DirectoryLock(tmp_path).release()


def test_a_file_left_behind_locks_nothing_and_its_text_goes(tmp_path):
    (tmp_path / LOCK_FILE).write_text("123456789 and more\n")
    DirectoryLock(tmp_path).release()
    assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="absent cannot be written: No such file"):
        DirectoryLock(tmp_path / "absent")


def test_who_wants_to_be_alone_waits_for_others(tmp_path):
    inside: list[str] = []

    def work(name: str) -> None:
        with alone_in(tmp_path, pause=0.001):
            inside.append(name)
            time.sleep(0.02)
            inside.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside[::2] == inside[1::2]
    assert sorted(inside[::2]) == ["a", "b", "c"]


def test_who_waits_for_somebody_that_never_leaves_is_told(tmp_path):
    with (
        alone_in(tmp_path),
        pytest.raises(StorageUnavailable, match=rf"written by another process \({os.getpid()}\) all the time"),
        alone_in(tmp_path, looks=3, pause=0.0),
    ):
        pass
    with alone_in(tmp_path):
        pass
