from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.bootstrap.test_session_check import change, session
from typer.testing import CliRunner

from vela.cli.main import app
from vela.domain.errors import ConfigurationError


def run(*arguments: str):
    return CliRunner().invoke(app, ["replay", *arguments])


async def test_a_session_that_drifted_leaves_with_a_finding(tmp_path: Path) -> None:
    await session(tmp_path, 400)
    assert run("--session", str(tmp_path)).exit_code == 0
    change(tmp_path, "UPDATE trades SET fees = fees + 1 WHERE id = 2")
    found = run("--session", str(tmp_path), "--json")
    assert found.exit_code == 1
    assert [drift["kind"] for drift in json.loads(found.stdout)["drift"]] == ["fee"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no strategy was named; accepted: vela replay STRATEGY, or --session DATA_DIR"),
        (("SmaCrossover", "--session", "x"), "accepted: --session without other options"),
        (("--session", "x", "--fee", "0"), "accepted: --session without other options"),
        (("--session", "x", "--set", "fast=1"), "accepted: --session without other options"),
    ],
)
def test_a_strategy_or_a_session_and_never_both(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, ConfigurationError)
    assert message in str(result.exception)
