"""`vela candles`: what is stored."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def candles(
    symbols: Annotated[str | None, typer.Option(help="Only of these: BTC,ETH.  [all]")] = None,
    timeframe: Annotated[str | None, typer.Option(help="Only of this length: 1m.  [all]")] = None,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="List each gap: from, to, how many candles are missing.")
    ] = False,
    data_dir: rule.DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the stored candles: first, last, how many, how many are missing between, size. Exit 1 if there are none.

    Example: vela candles --symbols BTC --gaps
    """
    import os

    from vela.bootstrap.candle_settings import load_import_settings
    from vela.cli.candles_report import report

    given = {"symbols": symbols, "timeframe": timeframe, "data_dir": data_dir}
    if not report(load_import_settings(given, os.environ), with_gaps=gaps, as_json=json):
        raise typer.Exit(1)
