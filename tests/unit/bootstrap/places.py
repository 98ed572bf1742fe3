"""Settings that name a record's place, as a user would write them."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from tests.places import PostgresPlace, RecordPlace

from vela.bootstrap.settings import DataSettings


def settings_of(place: RecordPlace, data_dir: Path | None = None) -> DataSettings:
    if isinstance(place, PostgresPlace):
        url = place.server.network_url(place.name).set(drivername="postgresql")
        secret = SecretStr(url.render_as_string(hide_password=False))
        return DataSettings(data_dir=data_dir or place.data_dir, database=secret)
    return DataSettings(data_dir=data_dir or place.data_dir)
