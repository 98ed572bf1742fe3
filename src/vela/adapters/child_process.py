"""Work in a process of its own: it can be ended at any moment, and nothing that it does holds up the event loop.

The conversation: one frame in, any number out. A frame is its length in four bytes, big-endian, and as many bytes.
The child's standard input stays open while its parent lives: where it ends, the child must end (`end_with_parent`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from vela.domain.errors import VelaError

LONGEST_FRAME = 256 * 2**20
_LENGTH = 4


class ChildFailed(VelaError):
    """A child process could not be started, or said something that is no frame."""


async def converse(
    command: Sequence[str],
    environment: Mapping[str, str],
    question: bytes,
    hear: Callable[[bytes], Awaitable[None]],
) -> int:
    """Run a command to its end.

    However this is left, neither the process nor any that it started goes on.

    Args:
        command: program and arguments.
        environment: the process's.
        question: the frame that it reads first.
        hear: given every frame that it writes.

    Returns:
        Its exit status; below zero: the signal that ended it.

    Raises:
        ChildFailed: it could not be started, or wrote what is no frame.
    """
    try:
        # A session of its own: Ctrl-C on the terminal is for the parent, which then ends its children.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, start_new_session=True
        )
    except OSError as e:
        raise ChildFailed(f"a process could not be started: {e.strerror}; accepted: the same once more, later") from e
    try:
        await _exchange(process, question, hear)
        return await process.wait()
    finally:
        await _end(process)


async def _exchange(process: Process, question: bytes, hear: Callable[[bytes], Awaitable[None]]) -> None:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("both were asked for")
    process.stdin.write(_framed(question))
    with suppress(ConnectionError):  # it does not read to the end: what it has said by then still counts
        await process.stdin.drain()
    with suppress(asyncio.IncompleteReadError):
        while True:
            length = int.from_bytes(await process.stdout.readexactly(_LENGTH))
            if length > LONGEST_FRAME:
                raise ChildFailed(f"{length:,} bytes are more than can be taken; accepted: up to {LONGEST_FRAME:,}")
            await hear(await process.stdout.readexactly(length))


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


def _framed(content: bytes) -> bytes:
    return len(content).to_bytes(_LENGTH) + content


# ------------------------------------------------------------------------------------------------- inside of the child


def read_frame(source: BinaryIO) -> bytes:
    """Return the next frame; what was said before the end, where it ends early."""
    return source.read(int.from_bytes(source.read(_LENGTH)))


def write_frame(target: BinaryIO, content: bytes) -> None:
    """Write a frame, at once."""
    target.write(_framed(content))
    target.flush()


def end_with_parent(source: BinaryIO) -> None:
    """End this process when `source` ends: then its parent has died. Nothing else may read from it."""
    # Past the buffer: its lock would be held for as long as this waits, and the interpreter could not end.
    descriptor = source.fileno()

    def wait() -> None:
        while os.read(descriptor, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
