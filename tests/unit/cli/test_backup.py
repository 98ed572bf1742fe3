"""`vela migrate`, `vela backup` and `vela restore` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vela.adapters.storage.sql.migration import HEAD
from vela.adapters.storage.sql.record import RECORD_FILE, open_record


@pytest.fixture
def account(tmp_path: Path) -> Path:
    open_record(tmp_path / "vela-data").close()
    return tmp_path / "vela-data"


def test_a_copy_is_taken_checked_and_put_back(vela, account: Path, tmp_path: Path) -> None:
    taken = vela("backup", "copy.zip", "--json")
    assert (taken.code, taken.err) == (0, "")
    document = json.loads(taken.out)
    assert {name: document[name] for name in ("file", "database", "schema", "kept")} == {
        "file": "copy.zip",
        "database": "sqlite",
        "schema": HEAD,
        "kept": None,
    }
    checked = vela("restore", "copy.zip", "--check")
    assert (checked.code, checked.out.startswith(f"whole: copy.zip, schema {HEAD} on sqlite, ")) == (0, True)
    assert vela("restore", "copy.zip", "--data-dir", "other").out.startswith("restored: copy.zip")
    assert (tmp_path / "other" / RECORD_FILE).exists()
    again = vela("restore", "copy.zip", "--data-dir", "other", "--overwrite")
    assert again.out.splitlines()[1] == "the record that was there is kept as other/vela.sqlite.before-restore-1"


def test_a_copy_without_a_name_is_named_by_the_time(vela, account: Path, tmp_path: Path) -> None:
    assert vela("backup").code == 0
    assert len(list(tmp_path.glob("vela-20*Z.zip"))) == 1
    (tmp_path / "folder").mkdir()
    assert json.loads(vela("backup", "folder", "--json").out)["file"].startswith("folder/vela-20")


def test_the_schema_goes_down_and_up(vela, account: Path) -> None:
    assert vela("migrate").out.endswith(f"has schema {HEAD} already\n")
    assert vela("migrate", "--to", "0006").out.endswith(f": schema {HEAD} → 0006\n")
    assert json.loads(vela("migrate", "--json").out) == {
        "record": f"vela-data/{RECORD_FILE}",
        "before": "0006",
        "after": HEAD,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backup", "--data-dir", "nowhere"], "data_dir 'nowhere' holds no account"),
        (["migrate", "--data-dir", "nowhere"], "data_dir 'nowhere' holds no account"),
        (["backup", "no/such/folder/copy.zip"], "no/such/folder is no directory; accepted: one that exists"),
        (["restore", "missing.zip"], "missing.zip does not exist; accepted: a file that vela backup wrote"),
        (["restore", "missing.zip", "--check"], "missing.zip does not exist"),
        (["migrate", "--to", "latest"], f"--to was 'latest'; accepted: 0001 to {HEAD}"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], said: str, refuses, account: Path, tmp_path: Path) -> None:
    assert said in refuses(*arguments)
    assert not (tmp_path / "nowhere").exists()


def test_an_existing_record_or_copy_is_a_mistake_to_replace(vela, refuses, account: Path) -> None:
    vela("backup", "copy.zip")
    assert "copy.zip is there already" in refuses("backup", "copy.zip")
    assert "holds a record" in refuses("restore", "copy.zip")


@pytest.mark.parametrize("arguments", [["restore", "copy.zip", "--overwrite"], ["restore", "copy.zip", "--check"]])
def test_a_damaged_copy_is_a_failure_in_one_line(vela, account: Path, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "copy.zip").write_bytes(b"PK garbage")
    answer = vela(*arguments)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (1, "", 1)
    assert answer.err.startswith("vela: copy.zip is damaged or no copy")


def test_a_record_in_use_is_copied_and_not_migrated(vela, account: Path) -> None:
    with open_record(account):
        assert vela("backup", "copy.zip").code == 0
        for arguments in (["migrate", "--to", "0007"], ["restore", "copy.zip", "--overwrite"]):
            answer = vela(*arguments)
            assert answer.code == 1
            assert "is in use by another running Vela" in answer.err
