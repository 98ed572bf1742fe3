"""`vela verify`: a result, got again."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def verify(
    result: Annotated[str, typer.Argument(help="A result, as vela backtest --out or --json wrote it.")],
    candles: rule.CandleFiles = None,
    detail_candles: rule.DetailFiles = None,
    strategy: Annotated[
        str | None, typer.Option(help="Where the strategy is now: a name or module:Class.  [the result's]")
    ] = None,
    data_dir: rule.DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Run a backtest again from what its result says, and compare every byte. Exit 1 where anything differs.

    Example: vela verify result.json --candles btc.parquet
    """
    from pathlib import Path

    from vela.bootstrap.verification import verify_result
    from vela.cli.output import print_json
    from vela.cli.stages import stages

    with stages(2) as at:
        differences = verify_result(
            Path(result),
            candles or [],
            detail_files=detail_candles or [],
            strategy=strategy,
            data_dir=data_dir,
            progress=at.enter,
        )
    if json:
        print_json({"identical": not differences, "differences": differences})
    elif differences:
        for difference in differences:
            typer.echo(f"differs: {difference}")
    else:
        typer.echo("identical")
    if differences:
        raise typer.Exit(1)
