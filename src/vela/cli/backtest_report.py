"""A backtest's report on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from rich.color import Color
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from vela.analysis.series import Series
from vela.analysis.trade_sheet import TradeSheet
from vela.backtest.report import facts, wording
from vela.backtest.report.facts import DOWN, UP, Fact
from vela.backtest.result import BacktestResult
from vela.domain.money import plain
from vela.domain.timeframe import Timeframe

_STYLES = {UP: "green", DOWN: "red", "": ""}
_BARS = "▁▂▃▄▅▆▇█"
_SPARKLINE = 60
_FULL_COLOUR_PCT = 10.0
_OPEN_SHOWN = 10
_WIDE = 110
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")


def print_report(result: BacktestResult, data: wording.Data, timeframe: Timeframe) -> None:
    """Print the report to stdout."""
    console = Console(highlight=False)
    for part in _parts(result, data, timeframe, console.width):
        console.print(Padding(part, (0, 0, 1, 1)))


def _parts(result: BacktestResult, data: wording.Data, timeframe: Timeframe, width: int) -> Iterable[RenderableType]:
    yield _headline(result, timeframe)
    doubts = wording.warnings(result, data)
    if doubts:
        yield Text("\n").join(Text(f"! {line}", "yellow") for line in doubts)
    lists = (
        ("Return", facts.return_facts(result)),
        ("Risk", facts.risk_facts(result)),
        ("Trades", facts.trade_facts(result)),
    )
    yield Columns([_facts(title, entries) for title, entries in lists], padding=(1, 4))
    yield _months(result, width)
    for title, group in facts.groups(result).items():
        yield _group(title, group)
    if result.open_positions:
        yield _open_positions(result)
    if refused := facts.refusals(result):
        yield Text.assemble(("Refused  ", "bold"), refused)
    lines = wording.assumptions(result, timeframe.milliseconds)
    yield Text("\n").join([Text("Assumed", "bold"), *(Text(f"· {line}", "dim") for line in lines)])


def _headline(result: BacktestResult, timeframe: Timeframe) -> RenderableType:
    sheet, quote = result.sheet, result.rules.quote
    settings = " · ".join(f"{name} {value}" for name, value in result.provenance.params.items())
    symbols = ", ".join(symbol.to_ccxt() for symbol in result.candles)
    span = f"{wording.moment(sheet.start)} – {wording.moment(sheet.end)} UTC"
    gained, held = sheet.total_return_pct, sheet.buy_and_hold_pct
    tone = _STYLES[facts.tone_of(gained)]
    return Group(
        Text.assemble((result.strategy, "bold"), f"  {settings}"),
        Text(f"{symbols} · {timeframe.value} · {sheet.candles:,} steps · {span}", "dim"),
        Text(),
        Text.assemble(
            (f"{facts.arrow(gained)}{wording.percent(gained, sign=True)}", f"bold {tone}"),
            f"   {wording.money(result.rules.initial_capital)} → {wording.money(result.final_equity)} {quote}   ",
            "buy and hold ",
            (f"{facts.arrow(held)}{wording.percent(held, sign=True)}", _STYLES[facts.tone_of(held)]),
        ),
        Text(sparkline(result.equity), tone),
    )


def sparkline(values: Series, width: int = _SPARKLINE) -> str:
    """Draw values as a line of bars, the lowest and the highest of what is shown at the two ends of the scale."""
    shown = values[np.unique(np.linspace(0, len(values) - 1, width).round().astype(np.int64))]
    low, high = float(shown.min()), float(shown.max())
    span = high - low
    if not span > 0.0:
        return _BARS[0] * len(shown)
    levels = ((shown - low) / span * (len(_BARS) - 1)).round().astype(np.int64)
    return "".join(_BARS[level] for level in levels)


def _facts(title: str, entries: Iterable[Fact]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column(style="dim")
    table.add_column(justify="right")
    for entry in entries:
        table.add_row(entry.label, Text(entry.text, _STYLES[entry.tone]))
    return table


def _group(title: str, group: Mapping[str, TradeSheet]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(title, header_style="bold")
    for name in facts.GROUP_COLUMNS:
        table.add_column(name, justify="right")
    for name, sheet in group.items():
        table.add_row(Text(name), *(Text(fact.text, _STYLES[fact.tone]) for fact in facts.group_row(sheet)))
    return table


def _months(result: BacktestResult, width: int) -> Table:
    cell, decimals = (7, 1) if width >= _WIDE else (5, 0)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 0))
    table.title, table.title_justify, table.title_style = "Month by month, %", "left", "bold"
    table.add_column("", min_width=6)
    for name in _MONTHS:
        table.add_column(name, justify="right", min_width=cell)
    for year, values in facts.months(result).items():
        table.add_row(str(year), *(_cell(value, decimals) for value in values))
    return table


def _cell(value: float | None, decimals: int) -> Text:
    if value is None:
        return Text("")
    # From the terminal's own ground towards green or red, full at ten percent a month.
    share = min(abs(value) / _FULL_COLOUR_PCT, 1.0)
    weak, strong = (30, 60, 45), ((16, 130, 80) if value >= 0 else (170, 40, 55))
    mixed = (round(a + (b - a) * share) for a, b in zip(weak if value >= 0 else (70, 40, 45), strong, strict=True))
    return Text(f" {wording.signed(value, decimals)}", Style(color="white", bgcolor=Color.from_rgb(*mixed)))


def _open_positions(result: BacktestResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Open at the end", header_style="bold", no_wrap=True)
    for name in ("Side", "Since", "Entry", "Last", "Quantity", "Unrealised"):
        table.add_column(name, justify="right", no_wrap=True)
    for position in result.open_positions[:_OPEN_SHOWN]:
        table.add_row(
            Text(str(position.symbol)),
            position.side.value,
            wording.moment(position.entry_time),
            plain(position.entry_price),
            plain(position.last_price),
            plain(position.quantity),
            Text(wording.signed(position.unrealised_pnl), _STYLES[facts.tone_of(position.unrealised_pnl)]),
        )
    return table
