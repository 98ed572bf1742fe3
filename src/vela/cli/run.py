"""`vela run`: one service in a process of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule
from vela.cli import session_options as session
from vela.cli import universe_options as choice


def run(  # noqa: PLR0917  one parameter per option
    service: Annotated[
        str,
        typer.Argument(help="market-data, brain, orders, persistence, historical, simulator or dashboard."),
    ],
    bus: rule.Bus = None,
    database: rule.Database = None,
    exchange: session.Exchange = None,
    live: session.Live = None,
    confirm: Annotated[str | None, typer.Option(help="The words that confirm --live, for orders.")] = None,
    market: session.Market = None,
    speed: session.Speed = None,
    symbols: session.Symbols = None,
    universe: choice.Size = None,
    universe_min_volume: choice.MinVolume = None,
    universe_min_move: choice.MinMove = None,
    timeframe: session.Timeframe = None,
    candles: session.Candles = None,
    port: session.Port = None,
    host: session.Host = None,
    data_dir: rule.DataDir = None,
    shard: Annotated[
        str | None, typer.Option(help="With brain: which part of the symbols is its own: 1/3, 2/3 or 3/3.")
    ] = None,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="With market-data: leave when the market ends.")
    ] = False,
) -> None:
    """Run one service alone, over Redis and PostgreSQL; all processes of an account need the same settings.

    Settings that are no option here, such as the rules, come from vela.toml and the environment.

    Example: vela run brain --bus redis://127.0.0.1:6379/0 --database postgresql://vela:secret@127.0.0.1/vela
    """
    others = {"service", "confirm", "shard", "until_end"}
    given = {name: value for name, value in locals().items() if name not in {"others", *others}}
    import os

    from vela.bootstrap.settings import load_settings
    from vela.cli.service_session import run_service

    run_service(service, load_settings(given, os.environ), until_end=until_end, shard=shard, confirmation=confirm)
