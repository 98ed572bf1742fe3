"""`vela backup`: a copy of the record."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def backup(
    to: Annotated[
        str | None, typer.Argument(help="A file, or a directory in which one is named by the time.  [here]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of that name.")] = False,
    data_dir: rule.DataDir = None,
    database: rule.Database = None,
    json: Annotated[bool, typer.Option("--json", help="Print what the copy holds as JSON.")] = False,
) -> None:
    """Copy the record as it is at one moment, whether a system runs on it or not.

    The copy holds the account: orders, fills, ledger, decisions, backtests. Candles lie beside the record and can be
    fetched again.

    Example: vela backup /var/backups/vela

    Example: vela backup today.zip --database postgresql://vela@db/vela
    """
    from vela.cli.copies import back_up_and_report
    from vela.cli.failures import failures

    with failures():
        back_up_and_report(to, {"data_dir": data_dir, "database": database}, overwrite=overwrite, as_json=json)
