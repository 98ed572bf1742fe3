"""`vela new-strategy`: a file to begin with."""

from __future__ import annotations

from typing import Annotated

import typer


def new_strategy(
    name: Annotated[str, typer.Argument(help="Name of the class, in PascalCase: MyBreakout")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a working strategy and its test into this directory.

    Example: vela new-strategy MyBreakout
    """
    from vela.bootstrap.new_strategy import write_strategy
    from vela.cli.output import print_json

    strategy, test = write_strategy(name)
    if json:
        print_json({"name": name, "strategy": str(strategy), "test": str(test)})
        return
    typer.echo(f"Written: {strategy} and {test}")
    typer.echo(f"Next: vela check {name}, then vela up --strategy {name}")
