"""`vela import`: candles from files into the candle store."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def import_candles(
    paths: Annotated[list[str], typer.Argument(help="Files and folders: CSV, Parquet, exchanges' archives (zip).")],
    symbol: Annotated[
        str | None, typer.Option(help="Whose candles they are: BTCUSDT.  [from the files' names]")
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="Length of a candle: 1m.  [from the files' names]")] = None,
    exchange: Annotated[str | None, typer.Option(help="Where they are from: binance.  [from the files' names]")] = None,
    keep_stored: Annotated[
        bool, typer.Option("--keep-stored", help="Of two candles of the same time keep the stored one.")
    ] = False,
    data_dir: rule.DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read candles into the candle store, and say of every row that is left out why, and where the first one stands.

    A candle of the same time as a stored one takes its place. Reading a file twice changes nothing. A .CHECKSUM beside
    an archive is checked. Exit 1 if a file cannot be used; then nothing of it is taken, and the others are.

    Example: vela import BTCUSDT-1m-2025-01.zip

    Example: vela import bitcoin.csv --exchange binance --symbol BTCUSDT --timeframe 1m
    """
    import os

    from vela.bootstrap.candle_settings import load_import_settings
    from vela.cli.import_run import run_and_report

    given = {"data_dir": data_dir, "symbols": symbol, "timeframe": timeframe}
    settings = load_import_settings(given, os.environ)
    if not run_and_report(paths, exchange, settings, keep_stored=keep_stored, as_json=json):
        raise typer.Exit(1)
