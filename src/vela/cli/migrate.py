"""`vela migrate`: the record's schema."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def migrate(
    to: Annotated[str | None, typer.Option(help="A schema such as 0007, older or newer.  [this program's]")] = None,
    data_dir: rule.DataDir = None,
    database: rule.Database = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Bring the record to this program's schema, or with --to back to an older program's. Nothing may run on it.

    It is one transaction; a symbol that cannot be read stops it before anything is changed.

    Example: vela migrate --data-dir vela-data

    Example: vela migrate --to 0007
    """
    from vela.cli.copies import migrate_and_report
    from vela.cli.failures import failures

    with failures():
        migrate_and_report(to, {"data_dir": data_dir, "database": database}, as_json=json)
