from __future__ import annotations

import json

import pytest

from vela.cli.output import print_json, print_table


def test_json_is_indented_and_ends_with_a_newline(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1, 2.5, None], "ü": "–"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": [1, 2.5, None], "ü": "–"}
    assert out.startswith('{\n  "a"')
    assert out.endswith("}\n")


def test_a_table_shows_keys_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"name": "a", "count": 1}, {"name": "b", "count": 2}])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [["name", "count"], ["a", "1"], ["b", "2"]]


def test_a_table_without_rows_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([])
    assert capsys.readouterr().out.strip() == ""
