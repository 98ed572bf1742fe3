"""What docs/venue.md tells people to send to the control port is understood, and nothing is left out there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from starlette.routing import Route
from tests.integration.venue_server import running_venue

from vela.venue.control import Control

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "venue.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^curl -X POST http://127.0.0.1:8081(/\w+)(?: -d '(.*)')?$", DOCUMENT, re.MULTILINE)
LISTED = re.findall(r"^\| `POST (/\w+)`(?: `({.*?})`)? ", DOCUMENT, re.MULTILINE)


def test_every_request_that_is_shown_is_understood() -> None:
    assert TYPED
    assert LISTED
    with running_venue({"market": "still", "symbols": "BTC,ETH"}) as venue:
        venue.order(type="STOP_LOSS", stopPrice="999999.00")  # for what expires
        for path, body in [*TYPED, *((path, body) for path, body in LISTED if path != "/price")]:
            answer = venue.control.post(path, content=body)
            assert answer.status_code == 200, (path, body, answer.text)


def test_every_address_is_described() -> None:
    nobody = cast("Any", None)
    routes = [route for route in Control(nobody, nobody).app().routes if isinstance(route, Route)]
    addresses = {(method, route.path) for route in routes for method in route.methods or () if method == "POST"}
    assert {path for _, path in addresses} <= {path for path, _ in [*TYPED, *LISTED]}
