"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from vela.domain.order import TRANSITIONS

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def test_the_picture_of_an_orders_life_is_the_transition_table() -> None:
    picture = re.search(r"stateDiagram-v2\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert picture is not None
    drawn = set(re.findall(r"(\w+) --> (\w+)", picture[1]))
    assert drawn == {(a.value, b.value) for a, following in TRANSITIONS.items() for b in following}


def test_every_place_that_the_architecture_names_exists() -> None:
    named = re.findall(r"`((?:adapters|bootstrap|dashboard|domain|engine|services)/\w+\.py)(?:: (\w+))?`", ARCHITECTURE)
    assert named
    for file, name in named:
        text = (ROOT / "src/vela" / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(def|class) {name}\b", text, re.MULTILINE), f"{name} is not in {file}"


def test_every_folder_of_the_house_is_described() -> None:
    described = set(re.findall(r"^  (\w+)/ ", ARCHITECTURE, re.MULTILINE))
    folders = {path.name for path in (ROOT / "src/vela").iterdir() if (path / "__init__.py").exists()}
    assert described == folders
