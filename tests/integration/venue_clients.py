"""Runs sessions of ordinary clients on a venue, in an environment of their own: a client is no part of Vela."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from bench.environments import CACHE, environment
from tests.integration.venue_server import KEY, SECRET, running_venue

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).parent / "clients" / "requirements.txt"


def problems_of(sessions: str) -> dict[str, str | None]:
    """Run all sessions of a module of `clients` on a new venue; return what went wrong with each, if anything did."""
    python = _python()
    with running_venue() as venue:
        addresses = {"http": venue.http, "ws": venue.ws, "control": str(venue.control.base_url).rstrip("/")}
        told = json.dumps({**addresses, "key": KEY, "secret": SECRET})
        command = [str(python), "-m", f"tests.integration.clients.{sessions}", told]
        surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    problems: dict[str, str | None] = json.loads(done.stdout)
    return problems


def _python() -> Path:
    try:
        return environment(REQUIREMENTS, CACHE / "clients")
    except subprocess.CalledProcessError as problem:
        if os.environ.get("CI"):  # there they must run
            raise
        pytest.skip(f"the clients cannot be installed, no package index can be reached: {problem}")
