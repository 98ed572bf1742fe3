"""`vela download`: fetch candles of the past."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def download(
    symbols: Annotated[str | None, typer.Option(help="Whose candles: BTC,ETH.")] = None,
    timeframe: Annotated[str | None, typer.Option(help="Length of a candle.  [1m]")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="First moment, UTC: 2025-01-01, 2025-01-01T12:00, ms.  [30 days ago]")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Moment before which to stop, written as --from.  [now]")
    ] = None,
    exchange: Annotated[str | None, typer.Option(help="Where to fetch them: binance.")] = None,
    exchange_url: Annotated[
        str | None, typer.Option(help="Another server that speaks like it: http://127.0.0.1:8080.")
    ] = None,
    data_dir: rule.DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fetch candles into the candle store. What is there is not asked for again; gaps are filled; needs no account.

    Ctrl-C stops it, and the same command goes on from there. Exit 1 if not all of it could be asked for.

    Example: vela download --exchange binance --symbols BTC,ETH --timeframe 1m --from 2025-01-01 --to 2025-02-01
    """
    import os

    from vela.bootstrap.candle_settings import load_download_settings
    from vela.cli.download_run import run_and_report

    given = {"symbols": symbols, "timeframe": timeframe, "from": start, "to": end, "data_dir": data_dir}
    settings = load_download_settings({**given, "exchange": exchange, "exchange_url": exchange_url}, os.environ)
    if not run_and_report(settings, as_json=json):
        raise typer.Exit(1)
