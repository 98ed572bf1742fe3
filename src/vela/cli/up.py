"""`vela up`: everything in one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from vela.cli import limit_options as limit
from vela.cli import rule_options as rule
from vela.cli import session_options as session
from vela.cli import universe_options as choice


def up(  # noqa: PLR0917  one parameter per option
    exchange: session.Exchange = None,
    live: session.Live = None,
    confirm: Annotated[str | None, typer.Option(help="The words that confirm --live; else they are asked for.")] = None,
    key_file: Annotated[str | None, typer.Option(help="File with the account's key and secret.")] = None,
    exchange_url: Annotated[str | None, typer.Option(help="Another server that speaks like the exchange.")] = None,
    market: session.Market = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the synthetic market.")] = None,
    speed: session.Speed = None,
    symbols: session.Symbols = None,
    universe: choice.Size = None,
    universe_min_volume: choice.MinVolume = None,
    universe_min_move: choice.MinMove = None,
    timeframe: session.Timeframe = None,
    candles: session.Candles = None,
    strategy: Annotated[str | None, typer.Option(help="One strategy for all symbols; see vela strategies.")] = None,
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
    max_order: limit.MaxOrder = None,
    max_exposure: limit.MaxExposure = None,
    max_orders_per_minute: limit.MaxOrdersPerMinute = None,
    price_band: limit.PriceBand = None,
    max_daily_loss: limit.MaxDailyLoss = None,
    max_drawdown: limit.MaxDrawdown = None,
    allowed_symbols: limit.AllowedSymbols = None,
    reduce_only: limit.ReduceOnly = None,
    port: session.Port = None,
    host: session.Host = None,
    page: Annotated[bool | None, typer.Option("--page/--no-page", help="Serve the page or not.")] = None,
    data_dir: rule.DataDir = None,
    bus: rule.Bus = None,
    database: rule.Database = None,
    scaled: Annotated[
        bool, typer.Option("--scaled", help="Each service in a process of its own, over --bus and --database.")
    ] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="Leave when the market ends.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON when leaving.")] = False,
) -> None:
    """Trade, with a page to watch it: a synthetic market, a replay of recorded candles, or an exchange.

    All services are in one process, unless --scaled asks for one process each.

    Example: vela up --speed 120

    Example: vela up --market btc_1m.parquet --speed max --until-end --json

    Example: vela up --exchange binance --symbols BTC,ETH
    """
    # Every option but these is a setting of the same name.
    others = {"confirm", "scaled", "until_end", "json"}
    given = {name: value for name, value in locals().items() if name not in {"others", *others}}
    _run(given, scaled=scaled, until_end=until_end, as_json=json, confirmation=confirm)


def _run(
    given: Mapping[str, object], *, scaled: bool, until_end: bool, as_json: bool, confirmation: str | None
) -> None:
    import os

    from vela.bootstrap.settings import load_settings
    from vela.domain.errors import ConfigurationError

    settings = load_settings(given, os.environ)
    if scaled:
        from vela.cli.scaled_session import run_scaled

        run_scaled(settings, given, until_end=until_end, as_json=as_json, confirmation=confirmation)
        return
    if settings.bus is not None:
        raise ConfigurationError("setting bus is for services in processes of their own; accepted: with --scaled")
    from vela.cli.session import run_session

    run_session(settings, until_end=until_end, as_json=as_json, confirmation=confirmation)
