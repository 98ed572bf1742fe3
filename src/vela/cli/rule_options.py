"""Trading rules and candles as options: the same names and meanings wherever something is traded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

Capital = Annotated[str | None, typer.Option(help="Money on the account, in the quote currency.  [1000]")]
StakeOption = Annotated[str | None, typer.Option(help="Money per entry: 50, 5% of equity, or all.  [50]")]
MaxPositions = Annotated[int | None, typer.Option(help="Positions open at once.  [2]")]
Cooldown = Annotated[str | None, typer.Option(help="From entry to entry in one symbol.  [10m]")]
StopLoss = Annotated[str | None, typer.Option(help="Percent under the entry; 0 for none.  [2]")]
TakeProfit = Annotated[str | None, typer.Option(help="Percent over the entry; 0 for none.  [0]")]
TakeProfitPart = Annotated[
    str | None, typer.Option(help="Percent of the position that it closes; the rest runs on under its stop.  [100]")
]
Trailing = Annotated[str | None, typer.Option(help="Percent under the best price; 0 for none.  [0]")]
TrailingAfter = Annotated[str | None, typer.Option(help="Percent of gain from which trailing begins.  [0]")]
BreakEvenAfter = Annotated[str | None, typer.Option(help="Percent of gain that moves the stop to the entry.  [0]")]
Fee = Annotated[str | None, typer.Option(help="Fee per side as a fraction.  [0.001]")]
Slippage = Annotated[str | None, typer.Option(help="Slippage of market orders as a fraction.  [0.0005]")]
Impact = Annotated[
    str | None,
    typer.Option(help="What an order as large as a candle's volume loses beyond that; smaller ones by the root.  [0]"),
]
RegimeFilter = Annotated[
    bool | None,
    typer.Option("--regime-filter/--no-regime-filter", help="Let only entries pass that suit the market's regime."),
]
AllowShort = Annotated[
    bool | None, typer.Option("--allow-short/--long-only", help="Let a sell without a position open a short one.")
]
Instruments = Annotated[
    str | None, typer.Option(help="JSON file with tick, step and min_notional by symbol.  [1e-8, no minimum]")
]
CandleFiles = Annotated[
    list[str] | None,
    typer.Option("--candles", help="FILE (Parquet or CSV), or SYMBOL=FILE, once per symbol.  [candle store]"),
]
DetailFiles = Annotated[
    list[str] | None,
    typer.Option("--detail-candles", help="Finer candles that settle what came first inside one; as --candles."),
]
Database = Annotated[str | None, typer.Option(help="Keep the record on postgresql://USER:PASSWORD@HOST/NAME.")]
Bus = Annotated[str | None, typer.Option(help="Redis between the services: redis://[:PASSWORD@]HOST:6379/0.")]
DataDir = Annotated[str | None, typer.Option(help="Where everything is kept.  [vela-data]")]

_NAMES = (
    "capital",
    "stake",
    "max_positions",
    "cooldown",
    "stop_loss",
    "take_profit",
    "take_profit_part",
    "trailing",
    "trailing_after",
    "break_even_after",
    "fee",
    "slippage",
    "impact",
    "allow_short",
    "regime_filter",
    "instruments",
    "data_dir",
    "timeframe",
)


def given(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return those of a command's arguments that are settings under their own names."""
    return {name: arguments[name] for name in _NAMES if name in arguments}
