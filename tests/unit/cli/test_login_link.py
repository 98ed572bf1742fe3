from __future__ import annotations

from pathlib import Path

from vela.adapters.storage.sql.record import open_record


def test_a_fresh_link_is_printed_each_time(vela, tmp_path: Path) -> None:
    open_record(tmp_path / "data").close()
    first, second = (vela("login-link", "--data-dir", "data", "--port", "5123") for _ in range(2))
    assert first.code == second.code == 0
    assert first.err == second.err == ""
    assert first.out.startswith("http://127.0.0.1:5123/")
    assert first.out != second.out
    assert len(first.out.splitlines()) == 1


def test_a_directory_without_an_account_is_refused_and_not_made(refuses, tmp_path: Path) -> None:
    assert "'nowhere' holds no account" in refuses("login-link", "--data-dir", "nowhere")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").touch()
    assert "'file' holds no account" in refuses("login-link", "--data-dir", "file")


def test_settings_that_make_no_sense_are_refused(refuses, tmp_path: Path) -> None:
    assert "setting port (option) was '0'" in refuses("login-link", "--port", "0")
    (tmp_path / "vela.toml").write_text("port = 'x'")
    assert "setting port (vela.toml) was 'x'; accepted: a whole number" in refuses("login-link")
