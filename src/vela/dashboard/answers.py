"""Answers to HTTP requests: JSON, and refusals in the protocol's one form."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from vela.dashboard.shapes import ErrorView


class Json(Response):
    """A JSON answer; bytes are JSON already."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401  whatever is JSON
        """Write `content`."""
        return content if isinstance(content, bytes) else msgspec.json.encode(content)


def error(what: str, accepted: str) -> ErrorView:
    """Return the protocol's one form of an error."""
    return {"error": what, "accepted": accepted}


def refusal(status: int, what: str, accepted: str) -> Json:
    """Return the answer to a request that is refused."""
    return Json(error(what, accepted), status)
