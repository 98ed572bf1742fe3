"""An object store on this machine that speaks S3: moto's server, in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.missing import missing

_SERVER = """
import sys, time
from urllib.request import Request, urlopen
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
urlopen(Request(f"http://{host}:{port}/vela", method="PUT")).read()
print(port, flush=True)
sys.stdin.read()
"""


@contextmanager
def running_object_store() -> Iterator[dict[str, str]]:
    """Yield the environment by which clients find it; it has one bucket, `vela`."""
    if any(importlib.util.find_spec(name) is None for name in ("moto", "flask", "flask_cors")):
        missing("no object store here: moto, flask and flask-cors are not installed")
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, "the object store did not start"
            yield {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": "us-east-1",
                "AWS_ALLOW_HTTP": "true",
            }
        finally:
            process.stdin.close()
            process.terminate()
