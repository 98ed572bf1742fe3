from __future__ import annotations

from pathlib import Path

import hatch_build
import pytest


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("VELA_SKIP_WEB", raising=False)
    monkeypatch.setattr(hatch_build, "WEB", tmp_path / "web")
    monkeypatch.setattr(hatch_build, "STATIC", tmp_path / "static")
    monkeypatch.setattr(hatch_build, "DIGEST", tmp_path / "static" / ".built-from")
    (tmp_path / "web" / "src").mkdir(parents=True)
    (tmp_path / "web" / "package.json").write_text("{}")
    (tmp_path / "web" / "src" / "main.ts").write_text("let a = 1")
    return tmp_path / "web"


@pytest.fixture
def npm(web: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    calls: list[tuple[str, ...]] = []

    def run_npm(*arguments: str) -> None:
        calls.append(arguments)
        hatch_build.STATIC.mkdir(exist_ok=True)
        (hatch_build.STATIC / "index.html").write_text("<!doctype html>")

    monkeypatch.setattr(hatch_build, "run_npm", run_npm)
    return calls


def test_the_page_is_built_once(npm):
    hatch_build.build_page()
    hatch_build.build_page()
    assert npm == [("run", "build")]


@pytest.mark.parametrize("name", ["src/main.ts", "src/new.ts", "vite.config.ts", "package.json"])
def test_a_changed_or_new_source_makes_the_page_stale(web, npm, name):
    hatch_build.build_page()
    (web / name).write_text("let b = 2")
    assert hatch_build.page_is_stale()


@pytest.mark.parametrize("name", ["README.md", "src/.hidden", "node_modules/x.ts"])
def test_other_files_do_not(web, npm, name):
    hatch_build.build_page()
    (web / name).parent.mkdir(exist_ok=True)
    (web / name).write_text("other")
    assert not hatch_build.page_is_stale()


def test_a_deleted_source_makes_the_page_stale(web, npm):
    hatch_build.build_page()
    (web / "src" / "main.ts").unlink()
    assert hatch_build.page_is_stale()


def test_without_sources_or_when_told_so_nothing_is_built(web, npm, monkeypatch):
    monkeypatch.setenv("VELA_SKIP_WEB", "1")
    hatch_build.build_page()
    monkeypatch.delenv("VELA_SKIP_WEB")
    (web / "package.json").unlink()
    hatch_build.build_page()
    assert npm == []


def test_a_missing_node_is_said_plainly(web, monkeypatch, capsys):
    monkeypatch.setattr(hatch_build, "machine_npm", lambda: None)
    monkeypatch.setattr(hatch_build, "packaged_npm", lambda: None)
    assert hatch_build.main("build") == 1
    assert "needs npm with Node.js 20.19 or newer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("v20.19.0", True), ("v24.1.0", True), ("v20.9.0", False), ("v18.20.4", False), ("?", False)],
)
def test_an_old_node_is_passed_over(tmp_path, monkeypatch, version, accepted):
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (hatch_build.machine_npm() is not None) == accepted
