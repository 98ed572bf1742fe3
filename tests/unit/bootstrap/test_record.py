from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.places import PostgresPlace

from vela.bootstrap.kill_switch import kill_switch_state, turn_kill_switch
from vela.bootstrap.record import open_record_of, require_record
from vela.bootstrap.settings import DataSettings
from vela.cli.main import main
from vela.domain.errors import ConfigurationError


@pytest.fixture
def on_server(postgresql_place: PostgresPlace) -> DataSettings:
    return DataSettings.model_validate({"data_dir": postgresql_place.data_dir, "database": address(postgresql_place)})


def address(place: PostgresPlace, password: str | None = None) -> str:
    url = place.server.network_url(place.name).set(drivername="postgresql")
    return (url if password is None else url.set(password=password)).render_as_string(hide_password=False)


def test_without_a_server_the_record_lies_in_the_data_directory(tmp_path: Path) -> None:
    settings = DataSettings(data_dir=tmp_path)
    with pytest.raises(ConfigurationError, match="holds no account; accepted: the --data-dir of a vela up"):
        require_record(settings)
    open_record_of(settings).close()
    assert (tmp_path / "vela.sqlite").exists()
    assert require_record(settings).name == str(tmp_path / "vela.sqlite")


def test_with_a_server_it_lies_there(on_server: DataSettings, postgresql_place: PostgresPlace) -> None:
    with open_record_of(on_server) as record:
        record.claim({"market": "here"})
    assert not (on_server.data_dir / "vela.sqlite").exists()
    assert postgresql_place.execute("SELECT value FROM account_meta") == [("here",)]


async def test_the_kill_switch_of_a_running_system_is_set_over_the_server(on_server: DataSettings) -> None:

    with open_record_of(on_server) as record:
        standing = await asyncio.to_thread(
            turn_kill_switch, on_server, on=True, reason="away", flatten=False, reset_limits=False
        )
        assert standing.switch.is_on
        assert await record.kill_switch.state() == standing.switch
        assert (await asyncio.to_thread(kill_switch_state, on_server)).switch == standing.switch


def test_a_wrong_password_is_one_line_and_exit_code_2(
    postgresql_place: PostgresPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["vela", "kill-switch", "status", "--database", address(postgresql_place, "hush")])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert "password authentication failed" in said
    assert len(said.splitlines()) == 1
    assert "hush" not in said
