"""A universe as options."""

from __future__ import annotations

from typing import Annotated

import typer

Size = Annotated[int | None, typer.Option(help="Trade an exchange's N busiest symbols, chosen every hour.")]
MinVolume = Annotated[str | None, typer.Option(help="What each of them traded in 24 hours, in USDT.  [50000000]")]
MinMove = Annotated[str | None, typer.Option(help="Percent that each of them moved in 24 hours.  [1.5]")]
