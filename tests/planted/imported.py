"""A plugin of pytest: nothing is tested unless Vela is imported from the folder in which a bug was planted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import vela

FOLDER = "PLANTED_IN"


def pytest_sessionstart() -> None:
    """Look where Vela comes from."""
    if not Path(vela.__file__).resolve().is_relative_to(Path(os.environ[FOLDER]).resolve()):
        raise pytest.UsageError(f"vela was imported from {vela.__file__}; accepted: from {os.environ[FOLDER]}")
