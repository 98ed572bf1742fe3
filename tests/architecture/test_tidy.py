from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from vela.version import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "vela"
CORE = ("domain", "indicators", "strategies", "engine", "analysis", "simulation")
TESTED_BY_NAME = ("domain", "engine", "analysis", "simulation", "strategies", "indicators")
LONGEST_FUNCTION = 70
LONGEST_FILE = 500
NAMES_THAT_SAY_NOTHING = {"common", "helper", "helpers", "misc", "util", "utils"}
MIGRATIONS = PACKAGE / "adapters" / "storage" / "migrations" / "versions"


def python_files() -> list[Path]:
    files = [ROOT / "hatch_build.py"]
    for folder in ("src", "tests", "bench"):
        files += sorted((ROOT / folder).rglob("*.py"))
    return files


def modules(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((PACKAGE / package).rglob("*.py"))]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_function_is_too_long_to_be_read_at_once():
    long = []
    for path in python_files():
        if path.parent == MIGRATIONS:  # a migration is one list of steps
            continue
        for function in functions(ast.parse(path.read_text())):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > LONGEST_FUNCTION:
                long.append(f"{shown(path)}:{function.lineno} {function.name}: {lines} lines")
    assert long == []


def test_no_file_is_too_long():
    lengths = {shown(path): len(path.read_text().splitlines()) for path in python_files()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_every_module_that_decides_has_a_test_of_its_name():
    untested = []
    for path in modules(*TESTED_BY_NAME):
        does_something = any(functions(ast.parse(path.read_text())))
        test = ROOT / "tests" / "unit" / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
        if does_something and path.name != "__init__.py" and not test.is_file():
            untested.append(f"{shown(path)} has no {shown(test)}")
    assert untested == []


def test_the_core_has_no_type_checking_blocks():
    assert [shown(path) for path in modules(*CORE) if "TYPE_CHECKING" in path.read_text()] == []


def test_module_names_say_what_is_inside():
    vague = [path for path in PACKAGE.rglob("*") if path.stem.strip("_").lower() in NAMES_THAT_SAY_NOTHING]
    static = PACKAGE / "dashboard" / "static"
    assert [shown(path) for path in vague if static not in path.parents] == []


def test_the_purity_contract_covers_the_whole_core():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    pure = next(contract for contract in contracts if contract["id"] == "pure-core")
    existing = {f"vela.{package}" for package in CORE if (PACKAGE / package).is_dir()}
    assert set(pure["source_modules"]) == existing


def test_changelog_begins_with_this_version():
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
