"""`vela import-record`: the older system's history."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def import_record(
    file: Annotated[str, typer.Argument(help="The older system's SQLite file; it is opened for reading only.")],
    source: Annotated[
        str | None, typer.Option(help="What the file is called for good: rows from it are taken once.  [its name]")
    ] = None,
    report: Annotated[
        str | None, typer.Option(help="A new file: what became of every row, a line of JSON each.")
    ] = None,
    assets: Annotated[
        str | None, typer.Option(help="Assets that are written without a quote there and not known here: 1000CAT,XYZ")
    ] = None,
    data_dir: rule.DataDir = None,
    database: rule.Database = None,
    json: Annotated[bool, typer.Option("--json", help="Print what became of every table as JSON.")] = False,
) -> None:
    """Take over trades, signals, wallet and market_snapshots of the older system as history, each row once.

    The account's books and its cash stay as they are. Rows that cannot be used are left out, with the reason. Exit 1
    if any was.

    Example: vela import-record trading.db --report rows.jsonl
    """
    from vela.cli.failures import failures
    from vela.cli.import_report import import_and_report

    place = {"data_dir": data_dir, "database": database}
    with failures():
        left = import_and_report(file, place, source=source, assets=assets, report=report, as_json=json)
    if left:
        raise typer.Exit(1)
