"""What a running system trades, where, and how it is shown: the same options in one process and in many."""

from __future__ import annotations

from typing import Annotated

import typer

Exchange = Annotated[str | None, typer.Option(help="A real exchange's prices: binance.")]
Live = Annotated[bool | None, typer.Option("--live", help="Trade there with real money, not on paper.")]
Market = Annotated[str | None, typer.Option(help="synthetic, or a file or folder of recorded candles.")]
Speed = Annotated[str | None, typer.Option(help="Times life speed (60), or max.")]
Symbols = Annotated[str | None, typer.Option(help="What to trade: BTC,ETH.")]
Timeframe = Annotated[str | None, typer.Option(help="Length of a candle: 1m.")]
Candles = Annotated[int | None, typer.Option(help="End the market after so many candles per symbol.")]
Port = Annotated[int | None, typer.Option(help="Port of the page.")]
Host = Annotated[str | None, typer.Option(help="Address of the page.")]
