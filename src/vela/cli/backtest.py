"""`vela backtest`: trade the past."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def backtest(  # noqa: PLR0917  one parameter per option
    strategy: Annotated[str, typer.Argument(help="A strategy's name (vela strategies), or module:Class.")],
    candles: rule.CandleFiles = None,
    detail_candles: rule.DetailFiles = None,
    symbol: Annotated[
        str | None, typer.Option(help="What the candles are of: BTCUSDT.  [from the file's name]")
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="Length of a candle: 1m.  [from the candles]")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter: --set fast=10 --set slow=30.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="First moment, UTC: 2024-01-31, 2024-01-31T12:00, ms.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Moment before which to stop, written as --from.")] = None,
    capital: rule.Capital = None,
    stake: rule.StakeOption = None,
    max_positions: rule.MaxPositions = None,
    cooldown: rule.Cooldown = None,
    stop_loss: rule.StopLoss = None,
    take_profit: rule.TakeProfit = None,
    take_profit_part: rule.TakeProfitPart = None,
    trailing: rule.Trailing = None,
    trailing_after: rule.TrailingAfter = None,
    break_even_after: rule.BreakEvenAfter = None,
    fee: rule.Fee = None,
    slippage: rule.Slippage = None,
    impact: rule.Impact = None,
    allow_short: rule.AllowShort = None,
    regime_filter: rule.RegimeFilter = None,
    instruments: rule.Instruments = None,
    data_dir: rule.DataDir = None,
    html: Annotated[str | None, typer.Option(help="Write the report as one page.")] = None,
    out: Annotated[str | None, typer.Option(help="Write the result as JSON, for vela verify.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Trade recorded candles by the rules that trade live, and report.

    Example: vela backtest SmaCrossover --candles btc.parquet --symbol BTCUSDT --timeframe 1m --set fast=10 --json
    """
    arguments = rule.given(locals())
    import os

    from vela.bootstrap.settings import load_backtest_settings
    from vela.cli.backtest_run import Files, Targets, run_and_report

    given = {**arguments, "symbols": symbol, "from": start, "to": end}
    settings = load_backtest_settings(given, os.environ)
    targets = Targets(html=html, out=out, as_json=json)
    files = Files(candles or [], detail_candles or [], symbols_given=symbol is not None)
    run_and_report(strategy, parameter or [], settings, files, targets)
