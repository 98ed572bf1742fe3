"""What a test needs and does not find: one rule for browsers and servers."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(reason: str, required_by: str = "VELA_REQUIRE_SERVERS") -> NoReturn:
    """Skip where a user has no such thing; fail where the environment asks for it, lest what is broken pass unseen."""
    if os.environ.get(required_by) == "1":
        pytest.fail(reason)
    pytest.skip(reason)
