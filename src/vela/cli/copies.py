"""Migrates, copies and restores for the commands, and says what was done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import typer

from vela.bootstrap.backup import Copy, back_up, check_copy, migrate, restore
from vela.bootstrap.settings import load_data_settings
from vela.cli.output import print_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Place = Mapping[str, str | None]


def migrate_and_report(to: str | None, place: Place, *, as_json: bool) -> None:
    """See `vela.bootstrap.backup.migrate`."""
    done = migrate(load_data_settings(place, os.environ), to)
    if as_json:
        print_json(done)
    elif done.before == done.after:
        typer.echo(f"{done.record} has schema {done.after} already")
    else:
        typer.echo(f"{done.record}: schema {done.before or 'none'} → {done.after}")


def back_up_and_report(to: str | None, place: Place, *, overwrite: bool, as_json: bool) -> None:
    """See `vela.bootstrap.backup.back_up`."""
    settings = load_data_settings(place, os.environ)
    _report(back_up(settings, None if to is None else Path(to), overwrite=overwrite), "copied", as_json=as_json)


def restore_and_report(copy: str, place: Place, *, check: bool, overwrite: bool, as_json: bool) -> None:
    """See `vela.bootstrap.backup.restore` and `check_copy`."""
    if check:
        _report(check_copy(Path(copy)), "whole", as_json=as_json)
        return
    settings = load_data_settings(place, os.environ)
    _report(restore(settings, Path(copy), overwrite=overwrite), "restored", as_json=as_json)


def _report(copy: Copy, what: str, *, as_json: bool) -> None:
    manifest = copy.manifest
    if as_json:
        kept = None if copy.kept is None else str(copy.kept)
        print_json({"file": str(copy.path), **msgspec.structs.asdict(manifest), "kept": kept})
        return
    taken = _EPOCH + timedelta(milliseconds=manifest.time)
    typer.echo(
        f"{what}: {copy.path}, schema {manifest.schema} on {manifest.database}, {sum(manifest.rows.values()):,} rows, "
        f"taken {taken:%Y-%m-%d %H:%M:%S} UTC by Vela {manifest.vela}"
    )
    if copy.kept is not None:
        typer.echo(f"the record that was there is kept as {copy.kept}")
