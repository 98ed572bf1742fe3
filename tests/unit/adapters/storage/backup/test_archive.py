from __future__ import annotations

import zipfile
from pathlib import Path

import msgspec
import pytest

from vela.adapters.storage.backup.archive import (
    MANIFEST,
    Manifest,
    beside,
    digest_of,
    extract,
    move_aside,
    read_manifest,
    write_archive,
)
from vela.domain.errors import ConfigurationError, StorageError

CONTENT = b"some pages " * 10_000


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    database = tmp_path / "database"
    database.write_bytes(CONTENT)
    write_archive(tmp_path / "copy.zip", manifest(database), database)
    return tmp_path / "copy.zip"


def manifest(database: Path) -> Manifest:
    size, digest = database.stat().st_size, digest_of(database)
    return Manifest(vela="1", database="sqlite", schema="0007", time=5, rows={"a": 1}, bytes=size, sha256=digest)


def test_what_is_packed_comes_back_and_is_nobody_elses_to_read(copy: Path, tmp_path: Path) -> None:
    found = read_manifest(copy)
    assert found == manifest(tmp_path / "database")
    extract(copy, found, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert [path.stat().st_mode & 0o777 for path in (copy, tmp_path / "out")] == [0o600] * 2


def test_no_byte_of_a_copy_can_change_unseen(copy: Path, tmp_path: Path) -> None:
    whole = copy.read_bytes()
    unseen = []
    for offset in range(len(whole)):
        copy.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x10]) + whole[offset + 1 :])
        try:
            extract(copy, read_manifest(copy), tmp_path / "out")
        except (StorageError, ConfigurationError):
            continue
        if (tmp_path / "out").read_bytes() != CONTENT:
            unseen.append(offset)
    assert unseen == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_copy_that_was_cut_off_is_damaged(copy: Path, share: float) -> None:
    copy.write_bytes(copy.read_bytes()[: int(share * copy.stat().st_size)])
    with pytest.raises(StorageError, match="is damaged or no copy"):
        read_manifest(copy)


def test_a_database_that_is_not_what_was_packed_is_damage(copy: Path, tmp_path: Path) -> None:
    other = msgspec.structs.replace(read_manifest(copy), sha256="0" * 64)
    with pytest.raises(StorageError, match=r"record\.sqlite is not what was packed"):
        extract(copy, other, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"it has no manifest\.json; accepted: a file that vela backup wrote"),
        ("{", "is damaged: manifest.json"),
        ('{"format": 1}', "is damaged: manifest.json"),
        ('{"format": 2, "all": "new"}', "has format 2; this program knows up to 1: use a newer Vela"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, text: str | None, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("other", "x")
        if text is not None:
            archive.writestr(MANIFEST, text)
    with pytest.raises(StorageError, match=said):
        read_manifest(tmp_path / "x.zip")


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist; accepted: a file that vela backup wrote"):
        read_manifest(tmp_path / "x.zip")


def test_nothing_is_replaced_unless_told_and_half_a_file_is_never_seen(tmp_path: Path) -> None:
    place = tmp_path / "file"
    with pytest.raises(ZeroDivisionError), beside(place, overwrite=False) as partial:
        partial.write_text(f"half, and not yet there: {1 // place.exists()}")
    assert list(tmp_path.iterdir()) == []
    with beside(place, overwrite=False) as partial:
        partial.write_text("whole")
    with pytest.raises(ConfigurationError, match="is there already"), beside(place, overwrite=False):
        pytest.fail("nothing is lent")
    with beside(place, overwrite=True) as partial:
        partial.write_text("newer")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "newer")]


def test_what_is_moved_aside_keeps_its_log_and_replaces_nothing(tmp_path: Path) -> None:
    record = tmp_path / "vela.sqlite"
    assert move_aside(record) is None
    for content in ("first", "second"):
        record.write_text(content)
        record.with_name("vela.sqlite-wal").write_text(content)
        move_aside(record)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"vela.sqlite.before-restore-{number}{suffix}": content
        for number, content in ((1, "first"), (2, "second"))
        for suffix in ("", "-wal")
    }
