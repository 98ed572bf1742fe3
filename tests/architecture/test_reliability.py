"""The catalogue of failures is whole, and what it names as proof exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CATALOGUE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([AB]\d\d(?:–[AB]\d\d)?) \|.*\| (.+) \|$", CATALOGUE, re.MULTILINE)
EXPECTED = [f"A{number:02}" for number in range(1, 41)] + [f"B{number:02}" for number in range(1, 25)]


def numbers(row: str) -> list[str]:
    """Return what `B09–B13` stands for."""
    first, _, last = row.partition("–")
    return [f"{first[0]}{number:02}" for number in range(int(first[1:]), int((last or first)[1:]) + 1)]


def test_every_failure_has_its_row_in_order() -> None:
    assert [number for row, _ in ROWS for number in numbers(row)] == EXPECTED


def test_every_test_that_is_named_exists() -> None:
    for row, proof in ROWS:
        named = re.findall(r"`([\w/]+\.py)::(\w+)(…?)`", proof)
        assert named or proof == "none", f"{row} names no test"
        for file, name, rest in named:
            text = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert f"def {name}{'' if rest else '('}" in text, f"{row}: {name} is not in {file}"


def test_every_test_of_the_catalogue_is_named() -> None:
    named = {f"{file}::{name}" for _, proof in ROWS for file, name in re.findall(r"`([\w/]+\.py)::(\w+)…?`", proof)}
    for path in sorted((ROOT / "tests/faults/catalogue").glob("test_*.py")):
        file = path.relative_to(ROOT / "tests").as_posix()
        for name in re.findall(r"def (test_[ab]\d\d\w+)", path.read_text(encoding="utf-8")):
            assert any(f"{file}::{name}".startswith(start) for start in named), f"{name} stands in no row"
