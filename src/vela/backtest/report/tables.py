"""Tables and lists of a report as HTML; every text in them is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from vela.analysis.trade_sheet import TradeSheet
from vela.backtest.report import facts
from vela.backtest.report.facts import Fact
from vela.backtest.report.wording import NONE, moment, name_of, number, signed
from vela.backtest.result import BacktestResult
from vela.domain.money import plain
from vela.domain.position import Trade

SHOWN_AT_EACH_END = 500
"""Trades in the table, from the first and from the last."""

_FULL_COLOUR_PCT = 10.0
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")
_TRADE_COLUMNS = ("Symbol", "Side", "Entry", "Price", "Exit", "Price", "Quantity", "Profit", "%", "Exit by", "Regime")
_OPEN_COLUMNS = ("Symbol", "Side", "Since", "Entry", "Last", "Quantity", "Unrealised")


def table(head: Sequence[str], rows: Iterable[Sequence[Fact | str]], css: str = "") -> str:
    """Make a table; the first column is text, the others are figures."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table class="{css}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: Fact | str) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    tone = f' class="{cell.tone}"' if cell.tone else ""
    return f"<td{tone}>{escape(cell.text)}</td>"


def fact_list(title: str, entries: Iterable[Fact]) -> str:
    """Make a card of figures."""
    rows = "".join(
        f'<div><dt>{escape(fact.label)}</dt><dd class="{fact.tone}">{escape(fact.text)}</dd></div>' for fact in entries
    )
    return f'<section class="card"><h2>{escape(title)}</h2><dl>{rows}</dl></section>'


def sentences(lines: Iterable[str], css: str) -> str:
    """Make a list of sentences; nothing of none."""
    entries = "".join(f"<li>{escape(text)}</li>" for text in lines)
    return f'<ul class="{css}">{entries}</ul>' if entries else ""


def group_table(title: str, group: Mapping[str, TradeSheet]) -> str:
    """Make a table of groups of trades."""
    return table((title, *facts.GROUP_COLUMNS), ([name, *facts.group_row(sheet)] for name, sheet in group.items()))


def month_table(result: BacktestResult) -> str:
    """Make the months' returns a heat map, full in colour at ten percent."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", *_MONTHS))
    rows = "".join(
        f'<tr><th scope="row">{year}</th>{"".join(_month(value) for value in values)}</tr>'
        for year, values in facts.months(result).items()
    )
    return (
        f'<div class="scroll"><table class="months"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _month(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    share = min(abs(value) / _FULL_COLOUR_PCT, 1.0)
    return f'<td class="heat {facts.tone_of(value)}" style="--share:{20 + 80 * share:.0f}%">{signed(value, 1)}</td>'


def drawdown_table(result: BacktestResult) -> str:
    """Make a table of the deepest drawdowns."""
    head = ("Peak", "Trough", "Recovered", "Depth", "Days")
    return table(
        head,
        (
            [
                moment(one.peak_time),
                moment(one.trough_time),
                "not yet" if one.recovery_time is None else moment(one.recovery_time),
                Fact("", f"{signed(-one.depth_pct)} %", facts.DOWN),
                number(one.days, 1),
            ]
            for one in result.sheet.drawdowns
        ),
    )


def open_table(result: BacktestResult) -> str:
    """Make a table of what is still held; nothing where nothing is."""
    if not result.open_positions:
        return ""
    rows = (
        [
            str(one.symbol),
            one.side.value,
            moment(one.entry_time),
            plain(one.entry_price),
            plain(one.last_price),
            plain(one.quantity),
            Fact("", signed(one.unrealised_pnl, 4), facts.tone_of(one.unrealised_pnl)),
        ]
        for one in result.open_positions
    )
    return f'<section class="card"><h2>Open at the end</h2>{table(_OPEN_COLUMNS, rows)}</section>'


def trade_table(result: BacktestResult) -> str:
    """Make the table of trades, its middle left out where they are many."""
    trades = result.trades
    hidden = len(trades) - 2 * SHOWN_AT_EACH_END
    if hidden <= 0:
        return table(("#", *_TRADE_COLUMNS), _trade_rows(trades, 1), "trades")
    first = table(("#", *_TRADE_COLUMNS), _trade_rows(trades[:SHOWN_AT_EACH_END], 1), "trades")
    start = len(trades) - SHOWN_AT_EACH_END
    last = table(("#", *_TRADE_COLUMNS), _trade_rows(trades[start:], start + 1), "trades")
    return f'{first}<p class="between">{hidden:,} more between</p>{last}'


def _trade_rows(trades: Sequence[Trade], first: int) -> Iterable[list[Fact | str]]:
    for index, trade in enumerate(trades, first):
        tone = facts.tone_of(trade.pnl)
        yield [
            f"{index:,}",
            str(trade.symbol),
            trade.side.value,
            moment(trade.entry_time),
            plain(trade.entry_price),
            moment(trade.exit_time),
            plain(trade.exit_price),
            plain(trade.quantity),
            Fact("", signed(trade.pnl, 4), tone),
            Fact("", signed(trade.return_pct), tone),
            name_of(trade.exit_reason.value),
            name_of(trade.regime.value),
        ]


def pairs(entries: Mapping[str, object]) -> str:
    """Make a list of names and values as they stand."""
    rows = "".join(
        f"<div><dt>{escape(str(key))}</dt><dd><code>{escape(NONE if value is None else str(value))}</code></dd></div>"
        for key, value in entries.items()
    )
    return f'<dl class="pairs">{rows}</dl>'
