"""`vela check`: may a strategy be trusted?"""

from __future__ import annotations

from typing import Annotated

import typer


def check(
    strategy: Annotated[str, typer.Argument(help="A strategy's name (vela strategies), or module:Class.")],
    candles: Annotated[
        str | None, typer.Option(help="FILE of candles (Parquet or CSV), or SYMBOL=FILE.  [synthetic market]")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter: --set fast=10 --set slow=30.")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="What the candles are of: BTCUSDT.  [from the file's name]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Look for use of the future, dependence on where candles begin, and state; exit 1 if there is any.

    Example: vela check SmaCrossover --set fast=10 --set slow=30

    Example: vela check MyBreakout --candles BTCUSDT_1m.parquet --json
    """
    from vela.cli.check_report import check_and_report

    if not check_and_report(strategy, parameter or [], candles, symbol, as_json=json):
        raise typer.Exit(1)
