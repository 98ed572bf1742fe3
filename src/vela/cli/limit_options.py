"""Limits as options."""

from __future__ import annotations

from typing import Annotated

import typer

MaxOrder = Annotated[str | None, typer.Option(help="Highest value of an entry; 0 for no limit.  [0]")]
MaxExposure = Annotated[str | None, typer.Option(help="Highest value of all positions together; 0 for no limit.  [0]")]
MaxOrdersPerMinute = Annotated[
    int | None, typer.Option(help="Orders of every kind, beyond which there is no entry; 0 for no limit.  [0]")
]
PriceBand = Annotated[str | None, typer.Option(help="Percent from the newest close to the price paid; 0: any.  [0]")]
MaxDailyLoss = Annotated[
    str | None, typer.Option(help="Percent lost in a UTC day that ends its entries; 0 for no limit.  [0]")
]
MaxDrawdown = Annotated[
    str | None, typer.Option(help="Percent below the highest equity that ends all entries; 0 for no limit.  [0]")
]
AllowedSymbols = Annotated[str | None, typer.Option(help="What may be entered: BTC,ETH.  [all that is traded]")]
ReduceOnly = Annotated[
    bool | None, typer.Option("--reduce-only/--no-reduce-only", help="Let no entry pass; what is held goes on.")
]
