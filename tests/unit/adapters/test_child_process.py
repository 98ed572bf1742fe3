from __future__ import annotations

import asyncio
import io
import os
import sys

import pytest
from tests.fakes import until
from tests.jobs import has_ended

from vela.adapters.child_process import ChildFailed, converse, read_frame, write_frame

CHILD = "import sys; from vela.adapters.child_process import *; source, target = sys.stdin.buffer, sys.stdout.buffer\n"
ORPHAN = """
import asyncio, os, sys
from vela.adapters.child_process import converse

async def hear(frame):
    print(int(frame), flush=True)
    os.kill(os.getpid(), 9)

child = ("import os, sys, time; from vela.adapters.child_process import *; read_frame(sys.stdin.buffer); "
    "end_with_parent(sys.stdin.buffer); write_frame(sys.stdout.buffer, str(os.getpid()).encode()); time.sleep(60)")
asyncio.run(converse([sys.executable, "-c", child], os.environ, b"", hear))
"""


async def talk(code: str, question: bytes = b"") -> tuple[int, list[bytes]]:
    heard: list[bytes] = []

    async def hear(frame: bytes) -> None:
        heard.append(frame)

    status = await converse([sys.executable, "-c", CHILD + code], os.environ, question, hear)
    return status, heard


@pytest.mark.parametrize("size", [0, 1, 300_000])
async def test_frames_of_any_size_go_there_and_back(size: int) -> None:
    content = os.urandom(size)
    code = "content = read_frame(source)\nfor _ in range(2): write_frame(target, content)"
    assert await talk(code, content) == (0, [content, content])


async def test_what_was_said_before_it_broke_off_was_said() -> None:
    code = "write_frame(target, b'a'); target.write(b'\\0\\0\\0\\5abc'); target.flush(); sys.exit(4)"
    assert await talk(code, bytes(1_000_000)) == (4, [b"a"])


async def test_a_child_that_is_done_ends_well_although_it_watches_its_parent() -> None:
    assert await talk("content = read_frame(source); end_with_parent(source); write_frame(target, content)", b"a") == (
        0,
        [b"a"],
    )


async def test_the_signal_that_ended_it_is_told() -> None:
    assert await talk("import os; os.kill(os.getpid(), 9)") == (-9, [])


async def test_more_than_can_be_taken_is_refused_and_ended() -> None:
    with pytest.raises(ChildFailed, match="4,294,967,295 bytes are more than can be taken; accepted: up to"):
        await talk("target.write(b'\\xff' * 4); target.flush(); import time; time.sleep(60)")


async def test_a_program_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ChildFailed, match="could not be started: No such file or directory"):
        await converse(["/no/such/program"], {}, b"", lambda _: asyncio.sleep(0))


async def test_a_listener_that_fails_ends_the_process() -> None:
    async def hear(frame: bytes) -> None:
        os.kill(int(frame), 0)
        raise RuntimeError(frame.decode())

    code = "import os, time; write_frame(target, str(os.getpid()).encode()); time.sleep(60)"
    with pytest.raises(RuntimeError) as told:
        await converse([sys.executable, "-c", CHILD + code], os.environ, b"", hear)
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(told.value)), 0)


async def test_a_child_whose_parent_was_killed_ends() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", ORPHAN, stdout=asyncio.subprocess.PIPE)
    said, _ = await parent.communicate()
    assert parent.returncode == -9
    await until(lambda: has_ended(int(said)))


def test_frames_that_end_early_are_as_long_as_they_are() -> None:
    written = io.BytesIO()
    write_frame(written, b"abc")
    assert read_frame(io.BytesIO(written.getvalue())) == b"abc"
    assert read_frame(io.BytesIO(written.getvalue()[:-1])) == b"ab"
    assert read_frame(io.BytesIO()) == b""
