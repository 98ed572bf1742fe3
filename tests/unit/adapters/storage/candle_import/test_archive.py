from __future__ import annotations

import gzip
import hashlib
import zipfile
from pathlib import Path

import pytest

from vela.adapters.storage.candle_import import archive
from vela.adapters.storage.candle_import.archive import is_importable, read_file
from vela.domain.errors import CandleError

KLINE = b"1735689600000000,1,2,0.5,1.5,10,1735689659999999,15,3,5,7,0\n"


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name.replace("_csv", ".csv"), content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CandleError) as caught:
        read_file(path, "BTC")
    assert "accepted: " in str(caught.value)
    return str(caught.value)


def test_an_archive_a_packed_and_a_plain_file_hold_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(KLINE)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(KLINE))
    zipped(tmp_path / "a.zip", a_csv=KLINE, readme=b"hello")
    read = [read_file(tmp_path / name, "BTC") for name in ("a.csv", "a.csv.gz", "a.zip")]
    assert [[part.candles.rows() for part in parts] for parts in read] == [[read[0][0].candles.rows()]] * 3


def test_every_file_of_an_archive_is_read(tmp_path: Path) -> None:
    parts = read_file(zipped(tmp_path / "a.zip", a_csv=KLINE, b_csv=KLINE * 2), "BTC")
    assert [part.count for part in parts] == [1, 2]


def test_a_checksum_beside_it_is_checked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a_csv=KLINE)
    checksum = path.with_name("a.zip.CHECKSUM")
    checksum.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  a.zip\n")
    assert read_file(path, "BTC")[0].count == 1
    zipped(path, a_csv=KLINE * 2)
    assert "does not match its checksum; accepted: the archive downloaded again" in refusal(path)
    checksum.write_text("hello")
    assert "holds no SHA-256 checksum" in refusal(path)


def test_what_cannot_be_unpacked(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", a_csv=KLINE * 100).read_bytes()
    damaged = bytearray(whole)
    damaged[60:70] = b"0123456789"
    for content in (whole[: len(whole) // 2], b"", b"hello", bytes(damaged)):
        (tmp_path / "b.zip").write_bytes(content)
        assert "cannot be unpacked" in refusal(tmp_path / "b.zip")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(KLINE)[:-5])
    assert "cannot be unpacked" in refusal(tmp_path / "b.csv.gz")
    assert "holds no candles" in refusal(zipped(tmp_path / "c.zip", readme=b"hello"))
    assert "is no text" in refusal(zipped(tmp_path / "d.zip", a_csv=b"\xff\xfe"))
    assert "cannot be read" in refusal(tmp_path / "nowhere.csv")


def test_what_would_be_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_BYTES", 100)
    assert "too large when unpacked" in refusal(zipped(tmp_path / "a.zip", a_csv=KLINE, b_csv=KLINE))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(KLINE * 2))
    assert "too large when unpacked" in refusal(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.csv.gz", "a.parquet", "a.zip"])
def test_what_can_be_read_is_told_by_its_name(name: str) -> None:
    assert is_importable(Path("folder") / name)


@pytest.mark.parametrize("name", ["a.zip.CHECKSUM", ".a.csv", "a.txt", "csv", "a.csv.bak"])
def test_others_are_passed_over(name: str) -> None:
    assert not is_importable(Path("folder") / name)
