"""What the documents promise to a newcomer exists: settings, commands, queries, files."""

from __future__ import annotations

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
import typer.main

from vela.adapters.exchanges.simulated.sources import RecordingSource
from vela.adapters.storage.sql.record import RECORD_FILE, open_record
from vela.bootstrap.settings import ENVIRONMENT_PREFIX, Settings, load_settings
from vela.cli.main import app
from vela.domain.money import plain
from vela.domain.trading_symbol import TradingSymbol

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL, SPANISH = (ROOT / "docs" / name for name in ("tutorial.md", "tutorial.es.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TYPED = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    TUTORIAL,
    SPANISH,
    *(ROOT / "docs" / name for name in ("audit.md", "backups.md", "candles.md", "processes.md", "venue.md")),
]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # the application is a group

Block = tuple[str, str]


def blocks(document: Path) -> list[Block]:
    """Return the language and the text of every code block; a block inside a list is indented."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [(language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)) for indent, language, text in found]


def prose(document: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def typed(document: Path) -> list[list[str]]:
    """Return the commands of shell blocks and of code inside the text as words, without redirections and variables."""
    lines = [line for language, text in blocks(document) if language == "bash" for line in text.splitlines()]
    lines += [span for span in re.findall(r"`([^`\n]+)`", prose(document)) if re.match(r"(vela|make) \w", span)]
    commands = [
        shlex.split(re.split(r"\s(?:>|&&|\|)\s", line)[0]) for line in lines if re.search(r"\b(vela|make) ", line)
    ]
    without_variables = [[word for word in words if not re.match(r"[A-Z_]+=", word)] for words in commands]
    return [words for words in without_variables if words[0] in {"vela", "make"}]


def queries(document: Path) -> list[str]:
    shell = "\n".join(text for language, text in blocks(document) if language == "bash")
    return re.findall(r'^sqlite3 [^"\n]*"([^"]+)"', shell, re.MULTILINE)


def rows() -> dict[str, dict[str, str]]:
    lines = re.findall(
        r"^\| `(\w+)` \|(.+)\|$", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    columns = ("option", "environment", "default", "accepted", "meaning")
    return {name: dict(zip(columns, map(str.strip, rest.split(" | ")), strict=True)) for name, rest in lines}


def shown(name: str, value: object) -> str:
    if name == "cooldown":
        return f"`{int(str(value)) // 60_000}m`"
    if value is None or value == {}:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{plain(value) if name in {'capital', 'fee', 'slippage'} else f'{value:g}' if name == 'speed' else value}`"  # type: ignore[arg-type]


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    assert sorted(rows()) == sorted(Settings.model_fields)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_the_default_shown_is_the_real_one(name: str) -> None:
    assert rows()[name]["default"] == shown(name, getattr(Settings(), name))


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_the_option_and_the_environment_shown_are_real(name: str) -> None:
    options = {
        option for parameter in COMMANDS["up"].params if parameter.name == name for option in options_of(parameter)
    }
    assert set(re.findall(r"`(--[\w-]+)`", rows()[name]["option"])) == options
    assert rows()[name]["environment"] in {f"`{ENVIRONMENT_PREFIX}{name.upper()}`", "–"}


def options_of(parameter: object) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]  # type: ignore[attr-defined]  # typer's own kind of parameter


@pytest.mark.parametrize("document", TYPED, ids=lambda path: path.name)
def test_every_command_shown_exists_with_its_options(document: Path) -> None:
    targets = re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = typed(document)
    assert commands
    for program, name, *arguments in commands:
        if program == "make":
            assert name in targets, f"make {name}"
        elif not arguments:  # named, and perhaps no more than that
            assert name in COMMANDS, f"vela {name}"
        elif "--help" not in arguments:
            COMMANDS[name].make_context(name, arguments)  # raises on an unknown option; runs nothing


@pytest.mark.parametrize("document", TYPED, ids=lambda path: path.name)
def test_every_module_that_is_run_exists(document: Path) -> None:
    shell = "\n".join(text for language, text in blocks(document) if language == "bash")
    for module in re.findall(r"python -m ([\w.]+)", shell):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    document = tmp_path / "planted.md"
    document.write_text("Try `make tea`.\n\n- so:\n\n  ```bash\n  VELA_FEE=0 vela up --sped 60 > out.json\n  ```\n")
    assert typed(document) == [["vela", "up", "--sped", "60"], ["make", "tea"]]
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["up"].make_context("up", ["--sped", "60"])


@pytest.mark.parametrize("document", [ROOT / "README.md", TUTORIAL], ids=lambda path: path.name)
def test_the_queries_shown_fit_the_record(document: Path, tmp_path: Path) -> None:
    open_record(tmp_path).close()
    assert queries(document)
    with closing(sqlite3.connect(tmp_path / RECORD_FILE)) as connection:
        for query in queries(document):
            connection.execute(query).fetchall()


def test_the_settings_file_shown_is_accepted(tmp_path: Path) -> None:
    for text in (text for language, text in blocks(TUTORIAL) if language == "toml"):
        (tmp_path / "vela.toml").write_text(text)
        assert load_settings({}, {}, tmp_path / "vela.toml").strategies == {"BTC": "RsiMeanReversion"}


def test_the_scripts_shown_make_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stored = tmp_path / "fortnight" / "candles" / "synthetic-1" / "BTC-USDT" / "1m" / "2025-01.parquet"
    stored.parent.mkdir(parents=True)
    prices = {name: [2.5, 3.5, 4.5] for name in ("open", "high", "low", "close", "volume")}
    candles = pl.DataFrame({"open_time": [1_735_689_600_000, 1_735_689_660_000, 1_735_689_720_000], **prices})
    candles.write_parquet(stored)
    for script in (text for language, text in blocks(TUTORIAL) if language == "python"):
        exec(compile(script, "tutorial.md", "exec"), {})  # noqa: S102  our own document
    source = RecordingSource.from_path(tmp_path / "BTCUSDT_1m.parquet")
    history = source.history(TradingSymbol.from_str("BTC"), 1_735_689_780_000, 3)
    assert [(row.open_time, row.close) for row in history] == list(
        zip(candles["open_time"], candles["close"], strict=True)
    )


def test_the_spanish_tutorial_has_the_same_sections_blocks_and_pictures() -> None:
    english, spanish = (
        [len(level) for level in re.findall(r"^(#+) ", prose(path), re.MULTILINE)] for path in (TUTORIAL, SPANISH)
    )
    assert english == spanish
    assert blocks(TUTORIAL) == blocks(SPANISH)
    pictures, imagenes = (re.findall(r"!\[.+\]\((.+)\)", prose(path)) for path in (TUTORIAL, SPANISH))
    assert pictures == imagenes


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_everything_that_is_linked_exists(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(document))
    local = [link.partition("#")[0] for link in links if not re.match(r"https?:", link)]
    assert [link for link in local if link and not (document.parent / link).exists()] == []


def test_the_first_screen_shows_the_two_commands() -> None:
    begin = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30]
    assert {"make run", "make test"} <= set(begin)


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").glob("*.png")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size >= 250_000} == {}


def test_every_decision_says_what_enforces_it() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequence",
            "Enforced by",
        ]
        assert f"]({path.name})" in index
        for named in re.findall(r"`(tests/[\w/.]+)`", text):
            assert (ROOT / named).exists(), f"{path.name} names {named}"
