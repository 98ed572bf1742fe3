"""What a client's sessions need in an environment without Vela: the venue's addresses, its control port, a way to run.

python -m tests.integration.clients.ccxt_sessions '{"http": …, "ws": …, "control": …, "key": …, "secret": …}'
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

_OPENER = build_opener(ProxyHandler({}))  # the venue is on this machine


@dataclass(frozen=True)
class Venue:
    """A venue that runs in another process."""

    http: str
    ws: str
    control: str
    key: str
    secret: str

    def post(self, path: str, **body: Any) -> None:
        """Tell the control port something."""
        request = Request(self.control + path, json.dumps(body).encode(), method="POST")  # noqa: S310  our own address
        _OPENER.open(request, timeout=5).close()

    def fills(self) -> list[dict[str, Any]]:
        """Return every fill there was."""
        with _OPENER.open(f"{self.control}/truth", timeout=5) as answer:
            return [event["fill"] for event in json.load(answer) if "fill" in event]


Session = Callable[[Venue], Coroutine[Any, Any, None] | None]


def run(module: ModuleType) -> None:
    """Run the module's sessions, in order, and print what became of each as JSON: nothing, or what went wrong."""
    venue = Venue(**json.loads(sys.argv[1]))
    sessions = [function for name, function in vars(module).items() if name.startswith("session_")]
    json.dump({session.__name__: problem_of(session, venue) for session in sessions}, sys.stdout)


def problem_of(session: Session, venue: Venue) -> str | None:
    try:
        running = session(venue)
        if running is not None:
            asyncio.run(running)
    except Exception:  # noqa: BLE001  whatever it is: that is what is asked
        return traceback.format_exc()
    return None
