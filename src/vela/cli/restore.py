"""`vela restore`: a copy of the record, put back."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def restore(
    copy: Annotated[str, typer.Argument(help="A file that vela backup wrote.")],
    check: Annotated[bool, typer.Option("--check", help="Only look whether the copy is whole.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the record that is there; a file is kept under another name.")
    ] = False,
    data_dir: rule.DataDir = None,
    database: rule.Database = None,
    json: Annotated[bool, typer.Option("--json", help="Print what the copy holds as JSON.")] = False,
) -> None:
    """Put a copy of the record back, once it has been checked. Exit 1 if it is damaged or newer than this program.

    Nothing may run on the record. An older schema is brought up to date by the next start, or by vela migrate.

    Example: vela restore vela-20260131T120000Z.zip --data-dir restored

    Example: vela restore vela-20260131T120000Z.zip --check
    """
    from vela.cli.copies import restore_and_report
    from vela.cli.failures import failures

    with failures():
        place = {"data_dir": data_dir, "database": database}
        restore_and_report(copy, place, check=check, overwrite=overwrite, as_json=json)
