from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    return subprocess.run(
        [*command, "--no-logo", "--no-cache"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(ROOT / "src" / "vela", tmp_path / "src" / "vela", ignore=ignored)
    return tmp_path


def test_imports_point_down_only_and_the_core_is_pure():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("domain/planted.py", "from vela.engine import nothing", "Imports point down only BROKEN"),
        ("engine/planted.py", "import asyncio", "reads no clock BROKEN"),
        ("planted/__init__.py", "", "planted"),  # a package on no floor
    ],
)
def test_a_planted_breach_is_found(copy: Path, file: str, line: str, broken: str):
    planted = copy / "src" / "vela" / file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f'"""Planted."""\n{line}\n')
    result = lint_imports(copy)
    assert result.returncode != 0
    assert broken in result.stdout + result.stderr


def test_planted_neighbours_in_a_circle_are_found(copy: Path):
    for one, other in (("engine", "strategies"), ("strategies", "engine")):
        (copy / "src" / "vela" / one / "planted.py").write_text(f"import vela.{other}.planted\n")
    result = lint_imports(copy)
    assert result.returncode != 0
    assert "Neighbours form no cycles BROKEN" in result.stdout
