"""Takes over the older system's file for the command, and says what became of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import typer

from vela.bootstrap.older import import_older
from vela.bootstrap.settings import load_data_settings
from vela.cli.output import print_json


def import_and_report(
    file: str,
    place: Mapping[str, str | None],
    *,
    source: str | None,
    assets: str | None,
    report: str | None,
    as_json: bool,
) -> int:
    """Import, print, and return how many rows were left out. See `import_older`."""
    settings = load_data_settings(place, os.environ)
    rows = None if report is None else Path(report)
    done = import_older(settings, Path(file), source=source, assets=assets, report=rows)
    if as_json:
        print_json(done)
        return done.left
    for name, table in done.tables.items():
        if table.reason:
            typer.echo(f"{name}: {table.rows:,} rows left: {table.reason}")
            continue
        read = ", ".join(f"{ours} from {theirs}" for ours, theirs in table.columns.items() if theirs is not None)
        counts = f"{table.taken:,} rows taken, {table.known:,} taken before, {table.left:,} left"
        typer.echo(f"{name} → {table.into}: {counts} ({read})")
    if not done.tables:
        typer.echo(f"{file} has no tables")
    if done.left and report is None:
        typer.echo("--report FILE says of every row why it was left")
    return done.left
