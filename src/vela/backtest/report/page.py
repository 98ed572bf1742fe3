"""A backtest's report as one page: nothing is fetched, every text is escaped, the same result gives the same bytes."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

import msgspec
import numpy as np
from numpy.typing import NDArray

from vela.analysis.drawdown import drawdown_curve
from vela.analysis.equity_fan import EquityFan, equity_fan
from vela.analysis.monte_carlo import MonteCarlo, Resampling, monte_carlo
from vela.analysis.pnl import closed_pnl
from vela.analysis.series import Series
from vela.backtest.report import charts, facts, tables, wording
from vela.backtest.result import BacktestResult
from vela.domain.candles import Candles
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol

_SEED = 20_240_101
_RUNS = 1_000
_MOST_DRAWN = 3_000_000  # trades drawn for the fan: fewer runs where trades are many
_CANDLES_ON_PAGE = 12_000
_FEWEST_CANDLES = 400
_MOST_CANDLES = 4_000
_MARKS = 4_000


def render(result: BacktestResult, data: wording.Data, timeframe: Timeframe) -> str:
    """Return the page.

    Args:
        result: what to show.
        data: what was looked at and refused, by symbol.
        timeframe: length of a candle.
    """
    here = Path(__file__).parent
    style, script, page = (
        (here / name).read_text(encoding="utf-8") for name in ("report.css", "report.js", "report.html")
    )
    return Template(page).substitute(
        title=escape(f"{result.strategy} · backtest"),
        style=style,
        script=script,
        data=_island(result),
        heading=_heading(result, timeframe),
        doubts=tables.sentences(wording.warnings(result, data), "doubts"),
        equity=_equity(result),
        figures="".join(
            (
                tables.fact_list("Return", facts.return_facts(result)),
                tables.fact_list("Risk", facts.risk_facts(result)),
                tables.fact_list("Trades", facts.trade_facts(result)),
            )
        ),
        tabs=_tabs(result),
        months=tables.month_table(result),
        groups="".join(
            f'<section class="card">{tables.group_table(title, group)}</section>'
            for title, group in facts.groups(result).items()
        ),
        drawdowns=tables.drawdown_table(result),
        fan=_fan(result),
        open_positions=tables.open_table(result),
        trades=_trades(result),
        refused=_refused(result),
        assumptions=tables.sentences(wording.assumptions(result, timeframe.milliseconds), "plain"),
        provenance=_provenance(result),
    )


def _heading(result: BacktestResult, timeframe: Timeframe) -> str:
    sheet = result.sheet
    gained, held = sheet.total_return_pct, sheet.buy_and_hold_pct
    chips = "".join(
        f"<span>{escape(key)} <b>{escape(str(value))}</b></span>" for key, value in result.provenance.params.items()
    )
    symbols = ", ".join(symbol.to_ccxt() for symbol in result.candles)
    span = f"{wording.moment(sheet.start)} – {wording.moment(sheet.end)} UTC"
    money = f"{wording.money(result.rules.initial_capital)} → {wording.money(result.final_equity)} {result.rules.quote}"
    return (
        f"<div><h1>{escape(result.strategy)}</h1><div class=chips>{chips}</div>"
        f"<p class=muted>{escape(symbols)} · {timeframe.value} · {sheet.candles:,} steps · {span}</p></div>"
        f'<div class=outcome><p class="big {facts.tone_of(gained)}">{facts.arrow(gained)}'
        f"{wording.percent(gained, sign=True)}</p><p>{escape(money)}</p>"
        f'<p class=muted>buy and hold <b class="{facts.tone_of(held)}">{facts.arrow(held)}'
        f"{wording.percent(held, sign=True)}</b></p></div>"
    )


# ------------------------------------------------------------------------------------------------------------ charts


def _equity(result: BacktestResult) -> str:
    ends = charts.ends_of_parts(len(result.times))
    times, equity, held = result.times[ends], result.equity[ends], result.buy_and_hold[ends]
    across, columns = charts.across_time(times), charts.time_ticks(int(times[0]), int(times[-1]))
    heights = charts.Scale(float(min(equity.min(), held.min())), float(max(equity.max(), held.max())))
    value = charts.plot(
        "equity",
        "Equity of the account and of buying and holding",
        [
            charts.area(across, heights(equity), np.zeros(len(across)), "equity"),
            charts.line(across, heights(held), "hold"),
            charts.line(across, heights(equity), "equity"),
        ],
        heights.ticks(),
        (),
        "tall",
    )
    lost = -_deepest(result, ends)
    depths = charts.Scale(float(lost.min(initial=0.0)), 0.0)
    depths.high = 0.0
    below = charts.plot(
        "drawdown",
        "Drawdown of the account in percent",
        [
            charts.area(across, np.ones(len(across)), depths(lost), "down"),
            charts.line(across, depths(lost), "down"),
        ],
        depths.ticks(" %"),
        columns,
        "low",
    )
    return value + below


def _deepest(result: BacktestResult, ends: NDArray[np.int64]) -> Series:
    curve = drawdown_curve(np.concatenate(([float(result.rules.initial_capital)], result.equity)))[1:]
    return np.maximum.reduceat(curve, np.concatenate(([0], ends[:-1] + 1)))


def _fan(result: BacktestResult) -> str:
    pnl, initial = closed_pnl(result.trades), float(result.rules.initial_capital)
    runs = max(100, min(_RUNS, _MOST_DRAWN // max(len(pnl), 1)))
    fan = equity_fan(pnl, initial, np.random.default_rng(_SEED), runs)
    drawn = monte_carlo(pnl, initial, np.random.default_rng(_SEED), runs, Resampling.BOOTSTRAP)
    shuffled = monte_carlo(pnl, initial, np.random.default_rng(_SEED), runs)
    if fan is None or drawn is None or shuffled is None or len(pnl) < 2:
        return '<p class="muted">Too few trades to shuffle.</p>'
    return _fan_plot(fan) + _fan_words(result, shuffled, drawn)


def _fan_plot(fan: EquityFan) -> str:
    spread = fan.percentiles
    heights = charts.Scale(
        float(min(spread.min(), fan.actual.min())),
        float(max(spread.max(), fan.actual.max())),
    )
    across = fan.trades / fan.trades[-1]
    low, lower, middle, upper, high = (heights(level) for level in spread)
    count = int(fan.trades[-1])
    return charts.plot(
        "fan",
        "Equity over the trades in many random orders",
        [
            charts.area(across, high, low, "wide"),
            charts.area(across, upper, lower, "narrow"),
            charts.line(across, middle, "middle"),
            charts.line(across, heights(fan.actual), "equity"),
        ],
        heights.ticks(),
        [(share, f"{round(count * share):,}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        "middle",
    )


def _fan_words(result: BacktestResult, shuffled: MonteCarlo, drawn: MonteCarlo) -> str:
    quote, depth, final = escape(result.rules.quote), shuffled.max_drawdown_pct, drawn.final_equity
    return (
        f"<p class=muted>The same trades in {shuffled.runs:,} random orders: the bands hold half and nine tenths of "
        "them, the line is the order that happened. Closed trades fell at most "
        f"{wording.percent(depth.p50)} from their peak in the middle order, {wording.percent(depth.p95)} in one of "
        "twenty. Drawn with replacement instead, nine of ten runs end between "
        f"{wording.money(final.p5)} and {wording.money(final.p95)} {quote}.</p>"
    )


# ------------------------------------------------------------------------------------------------------------- blocks


def _tabs(result: BacktestResult) -> str:
    names = [str(symbol) for symbol in result.candles]
    return "".join(
        f'<button type="button" data-symbol="{index}" aria-pressed="{str(not index).lower()}">{escape(name)}</button>'
        for index, name in enumerate(names)
    )


def _trades(result: BacktestResult) -> str:
    if not result.trades:
        return '<p class="muted">None.</p>'
    return tables.trade_table(result)


def _refused(result: BacktestResult) -> str:
    text = facts.refusals(result)
    return f'<section class="card"><h2>Refused</h2><p>{escape(text)}</p></section>' if text else ""


def _provenance(result: BacktestResult) -> str:
    source = result.provenance
    entries: dict[str, object] = {"Vela": source.vela, "strategy": f"{source.strategy} · {source.strategy_sha256}"}
    entries |= {f"candles {symbol}": digest for symbol, digest in source.candles_sha256.items()}
    entries |= {f"detail candles {symbol}": digest for symbol, digest in source.detail_sha256.items()}
    return tables.pairs(entries) + tables.pairs({**source.params, **source.config})


# --------------------------------------------------------------------------------------------- data for the script


def _island(result: BacktestResult) -> str:
    ends = charts.ends_of_parts(len(result.times))
    each = min(_MOST_CANDLES, max(_FEWEST_CANDLES, _CANDLES_ON_PAGE // len(result.candles)))
    values = {
        "curve": {
            "t": result.times[ends].tolist(),
            "e": _rounded(result.equity[ends]),
            "h": _rounded(result.buy_and_hold[ends]),
            "d": _rounded(-_deepest(result, ends)),
        },
        "symbols": [_symbol(result, symbol, candles, each) for symbol, candles in result.candles.items()],
    }
    # Inside a script element only "<" could end it.
    return msgspec.json.encode(values).decode().replace("<", "\\u003c")


def _symbol(result: BacktestResult, symbol: TradingSymbol, candles: Candles, count: int) -> dict[str, object]:
    ends = charts.ends_of_parts(len(candles), count)
    starts = np.concatenate(([0], ends[:-1] + 1))
    marks = [trade for trade in result.trades if trade.symbol == symbol]
    hidden = len(marks) - _MARKS
    if hidden > 0:
        marks = marks[: _MARKS // 2] + marks[-_MARKS // 2 :]
    return {
        "name": str(symbol),
        "t": candles.open_time[starts].tolist(),
        "o": _rounded(candles.open[starts]),
        "h": _rounded(np.maximum.reduceat(candles.high, starts)),
        "l": _rounded(np.minimum.reduceat(candles.low, starts)),
        "c": _rounded(candles.close[ends]),
        "trades": [
            [
                trade.entry_time,
                float(trade.entry_price),
                trade.exit_time,
                float(trade.exit_price),
                trade.side.sign,
                round(float(trade.pnl), 4),
            ]
            for trade in marks
        ],
        "hidden": max(hidden, 0),
    }


def _rounded(values: Series) -> list[float]:
    return [float(f"{value:.8g}") for value in values.tolist()]
