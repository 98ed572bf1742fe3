"""`vela replay`: a backtest's candles through the whole live stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vela.cli import rule_options as rule
from vela.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from vela.bootstrap.replay import Comparison

EXIT_FINDING = 1


def replay(  # noqa: PLR0917  one parameter per option
    strategy: Annotated[
        str | None, typer.Argument(help="A strategy's name (vela strategies), or module:Class.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Data directory of a session that was traded: compare it instead of a new one.")
    ] = None,
    candles: rule.CandleFiles = None,
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
    regime_filter: rule.RegimeFilter = None,
    instruments: rule.Instruments = None,
    data_dir: rule.DataDir = None,
    explain_drift: Annotated[
        bool, typer.Option("--explain-drift", help="Say per trade in what the two differ, and what it cost.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run a backtest's candles through the whole live stack and compare the trades; exit 1 if they differ.

    Example: vela replay SmaCrossover --candles btc.parquet --symbol BTCUSDT --explain-drift

    Example: vela replay --session vela-data --explain-drift
    """
    arguments = {**rule.given(locals()), "symbols": symbol, "from": start, "to": end}
    others = (strategy, candles, parameter, *arguments.values())
    if session is None:
        done = _replayed(strategy, arguments, candles or [], parameter or [])
    elif all(other is None for other in others):
        done = _checked(session)
    else:
        raise ConfigurationError("a session knows by what it was traded; accepted: --session without other options")
    document = done.document()
    from vela.cli.output import print_json, print_table

    if json:
        print_json(document)
    else:
        typer.echo(f"{len(done.trades)} trades in the live stack, {len(done.expected)} in the backtest: ", nl=False)
        typer.echo("they differ" if done.drift else "identical to the last digit")
        if explain_drift and done.drift:
            print_table(document["drift"])  # type: ignore[arg-type]  # a list of rows by construction
    if done.drift:
        raise typer.Exit(EXIT_FINDING)


def _replayed(
    name: str | None, arguments: Mapping[str, object], files: Sequence[str], assignments: Sequence[str]
) -> Comparison:
    import os

    from vela.bootstrap.replay import run_replay
    from vela.bootstrap.settings import load_backtest_settings
    from vela.bootstrap.strategies import find_strategy, make, read_values
    from vela.cli.stages import stages

    if name is None:
        raise ConfigurationError("no strategy was named; accepted: vela replay STRATEGY, or --session DATA_DIR")
    cls = find_strategy(name)
    strategy = make(cls, read_values(cls, assignments))
    settings = load_backtest_settings(arguments, os.environ)
    given = arguments["symbols"] is not None
    with stages(3) as at:
        return run_replay(strategy, settings, files, symbols_given=given, progress=at.enter)


def _checked(session: str) -> Comparison:
    from pathlib import Path

    from vela.bootstrap.session_check import check_session
    from vela.cli.stages import stages

    with stages(2) as at:
        return check_session(Path(session), progress=at.enter)
