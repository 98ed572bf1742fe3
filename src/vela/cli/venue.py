"""`vela venue`: the simulated exchange as a server of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer


class Dialect(StrEnum):
    """Whose protocol the venue speaks."""

    BINANCE = "binance"


def venue(  # noqa: PLR0917  one parameter per option
    dialect: Annotated[Dialect, typer.Option(help="Whose protocol it speaks.")] = Dialect.BINANCE,
    market: Annotated[
        str, typer.Option(help="synthetic, still, or a file or folder of recorded candles.")
    ] = "synthetic",
    seed: Annotated[int | None, typer.Option(help="Seed of the market, its book and its faults.")] = None,
    speed: Annotated[str, typer.Option(help="Times life speed, or max.")] = "1",
    symbols: Annotated[str | None, typer.Option(help="What is traded: BTC,ETH.")] = None,
    timeframe: Annotated[str | None, typer.Option(help="Length of a candle: 1m.")] = None,
    price: Annotated[list[str] | None, typer.Option(help="Where a still market stands: BTC=100.")] = None,
    begin_now: Annotated[bool, typer.Option("--begin-now", help="Begin a still market now, not long ago.")] = False,
    flat_book: Annotated[bool, typer.Option("--flat-book", help="Offer all at the price, no spread.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the exchange; 0 takes any free one.")] = 8080,
    control_port: Annotated[int, typer.Option(help="Port for faults, prices, clock, halts and the truth.")] = 8081,
    balance: Annotated[list[str] | None, typer.Option(help="At the start: USDT=10000; once per asset.")] = None,
    maker_fee: Annotated[str, typer.Option(help="Share of trades of resting orders; below 0: a rebate.")] = "0.001",
    taker_fee: Annotated[str, typer.Option(help="Share of all other trades.")] = "0.001",
    fee_in_quote: Annotated[bool, typer.Option("--fee-in-quote", help="Take fees in quote, never in base.")] = False,
    fee_asset: Annotated[str | None, typer.Option(help="Take fees in this while there is some: BNB.")] = None,
    api_key: Annotated[str | None, typer.Option(help="The account's key.")] = None,
    api_secret: Annotated[str | None, typer.Option(help="The account's secret.")] = None,
    key_may_withdraw: Annotated[bool, typer.Option("--key-may-withdraw", help="Say it of the key.")] = False,
    weight_limit: Annotated[int | None, typer.Option(help="Request weight per minute.")] = None,
    order_limit: Annotated[int | None, typer.Option(help="New orders per ten seconds.")] = None,
    limit_stops_only: Annotated[bool, typer.Option("--limit-stops-only", help="Refuse stops without a limit.")] = False,
    new_asset: Annotated[list[str] | None, typer.Option(help="An asset Vela does not know: 币安人生.")] = None,
    truth: Annotated[str | None, typer.Option(help="Append every order's events to this file, as JSON.")] = None,
) -> None:
    """Serve a simulated exchange that ordinary clients can trade on, with faults on demand. Needs no account.

    Example: vela venue --dialect binance --symbols BTC,ETH --port 8080 --control-port 8081
    """
    import os
    from pathlib import Path

    from vela.bootstrap.settings import load_settings
    from vela.bootstrap.venue import VenueSettings
    from vela.cli.venue_session import read_balances, read_prices, run_session
    from vela.domain.money import exact
    from vela.domain.trading_symbol import register_assets
    from vela.simulation.spot_fees import SpotFees

    register_assets(new_asset or [])
    chosen = {"market": market, "seed": seed, "speed": speed, "symbols": symbols, "timeframe": timeframe}
    options = {
        "host": host,
        "port": port,
        "control_port": control_port,
        "balances": read_balances(balance or []),
        "prices": read_prices(price or []),
        "begins_now": begin_now,
        "flat_book": flat_book,
        "fees": SpotFees(exact(maker_fee), exact(taker_fee), in_quote=fee_in_quote, asset=fee_asset),
        "api_key": api_key,
        "api_secret": api_secret,
        "key_may_withdraw": key_may_withdraw,
        "weight_limit": weight_limit,
        "order_limit": order_limit,
        "limit_stops_only": limit_stops_only,
        "truth": None if truth is None else Path(truth),
    }
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    run_session(dialect.value, load_settings(chosen, os.environ), VenueSettings(**given))
