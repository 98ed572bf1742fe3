"""How figures are written, and a run's assumptions and doubts in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from vela.analysis.daily import DAY_MS, elapsed_days
from vela.backtest.result import BacktestResult
from vela.domain.checked_candles import CheckedCandles
from vela.domain.execution_rules import PPM
from vela.domain.money import plain
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.rules import StakeKind, TradingRules, ppm_to_percent

NONE = "–"
_FEW_TRADES = 30
_SHORT_DAYS = 90
_SURE = 0.95
_LARGE_SHARE = 0.5

Data = Mapping[TradingSymbol, CheckedCandles]


def number(value: float | None, decimals: int = 2) -> str:
    """Write a figure with thousands separated; `–` where it is undefined."""
    return NONE if value is None else f"{value:,.{decimals}f}".replace("-", "−")


def signed(value: float | Decimal | None, decimals: int = 2) -> str:
    """Write a figure with its sign."""
    return NONE if value is None else f"{value:+,.{decimals}f}".replace("-", "−")


def percent(value: float | None, *, sign: bool = False) -> str:
    """Write a percentage."""
    if value is None:
        return NONE
    return f"{signed(value) if sign else number(value)} %"


def money(value: Decimal | float) -> str:
    """Write an amount of quote, rounded to cents for the eye."""
    return f"{value:,.2f}".replace("-", "−")


def moment(time: int) -> str:
    """Write a moment, UTC, to the minute."""
    return datetime.fromtimestamp(time // 1000, UTC).strftime("%Y-%m-%d %H:%M")


def length(milliseconds: int) -> str:
    """Write a duration in its largest whole unit."""
    for unit, name in ((DAY_MS, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if milliseconds and milliseconds % unit == 0:
            return f"{milliseconds // unit} {name}"
    return f"{milliseconds} ms"


def name_of(key: str) -> str:
    """Write a reason's or a regime's name for people: `stop_loss` becomes `stop loss`."""
    return key.replace("_", " ")


def assumptions(result: BacktestResult, timeframe_ms: int | None = None) -> list[str]:
    """Return what the run took for granted, one sentence each."""
    rules = result.rules
    lines = [
        "What is decided at a candle's close fills at the next open: exits first, then entries by confidence.",
        f"Every fill pays {plain(rules.fee_rate * 100)} % of its value as fee.",
        _slippage(rules),
        _levels(rules),
        f"An entry spends {_stake(rules)}; at most {_positions(rules.max_positions)} at once, and {_cooldown(rules)}.",
        "A sell signal without a position opens a short one."
        if result.provenance.config.get("allow_short")
        else "Long only: a sell signal closes a position, it opens none.",
        "Orders fill whole, whatever their size: the market's depth is not known from candles."
        if not rules.impact_ppm
        else "Orders fill whole: what their size does to the price is an estimate from the candles' volume.",
        "What is still held at the end stays open and counts at its last close.",
    ]
    if rules.regime_filter:
        lines.insert(5, "Entries pass only in regimes that suit them: no longs in a bear trend or high volatility.")
    if timeframe_ms is not None:
        lines.append(f"Within a candle of {length(timeframe_ms)} the order of prices is unknown beyond these rules.")
    return lines


def _slippage(rules: TradingRules) -> str:
    base = f"Market orders and stops lose a further {ppm_to_percent(rules.slippage_ppm)} % to slippage"
    if not rules.impact_ppm:
        return f"{base}, take-profits nothing."
    impact = ppm_to_percent(rules.impact_ppm)
    return (
        f"{base}, and {impact} % more if they are as large as the volume of the candle before, smaller ones less, by "
        "the square root of their share; take-profits lose nothing."
    )


def _levels(rules: TradingRules) -> str:
    named = {
        "stop loss": rules.stop_loss_ppm,
        "take profit": rules.take_profit_ppm,
        "trailing stop": rules.trailing_ppm,
        "break-even after": rules.break_even_after_ppm,
    }
    levels = [f"{name} {ppm_to_percent(ppm)} %" for name, ppm in named.items() if ppm]
    if not levels:
        return "No stop and no target: only a signal closes a position."
    if rules.trailing_ppm and rules.trailing_after_ppm:
        levels.append(f"trailing from a gain of {ppm_to_percent(rules.trailing_after_ppm)} %")
    if rules.take_profit_ppm and rules.take_profit_part_ppm < PPM:
        part = ppm_to_percent(rules.take_profit_part_ppm)
        levels.append(f"the take-profit closes {part} % of the position, the rest runs on under its stop")
    return (
        f"{', '.join(levels)[0].upper()}{', '.join(levels)[1:]}: tested against low and high inside every candle, that "
        "of the entry too; beyond the level at the open, the open counts; stop and target both inside, the stop counts "
        "unless detail candles tell."
    )


def _stake(rules: TradingRules) -> str:
    stake = rules.stake
    if stake.kind is StakeKind.ALL:
        return "all that is free, fee included"
    if stake.kind is StakeKind.PERCENT:
        return f"{plain(stake.amount)} % of equity"
    return f"{plain(stake.amount)} {rules.quote}"


def _positions(count: int) -> str:
    return f"{count} position{'s' if count > 1 else ''}"


def _cooldown(rules: TradingRules) -> str:
    if not rules.cooldown_ms:
        return "no wait between entries"
    return f"{length(rules.cooldown_ms)} from entry to entry in one symbol"


def warnings(result: BacktestResult, data: Data) -> list[str]:
    """Return the reasons for doubt, the gravest first."""
    return [*_doubts_about_trades(result), *_doubts_about_time(result), *_doubts_about_data(result, data)]


def _doubts_about_trades(result: BacktestResult) -> list[str]:
    sheet, quote = result.sheet.all_trades, result.rules.quote
    if not sheet.trades:
        return ["There was no trade: nothing is known about this strategy here."]
    lines = []
    if sheet.trades < _FEW_TRADES:
        plural = "s" if sheet.trades > 1 else ""
        lines.append(f"This result rests on {sheet.trades} trade{plural}: too few to tell skill from luck.")
    gross = sheet.pnl + sheet.fees
    if gross > 0 and sheet.pnl <= 0:
        lines.append(f"Fees of {money(sheet.fees)} {quote} took more than the {money(gross)} {quote} that was earned.")
    gains = sum((trade.pnl for trade in result.trades if trade.pnl > 0), Decimal(0))
    best = max(trade.pnl for trade in result.trades)
    if sheet.pnl > 0 and sheet.wins > 1 and best > gains * Decimal(_LARGE_SHARE):
        lines.append(f"One trade brought {number(100 * float(best / gains), 0)} % of all gains.")
    strange = [trade for trade in result.trades if trade.regime not in result.suits]
    if result.suits and 2 * len(strange) > sheet.trades:
        home = " and ".join(name_of(regime) for regime in sorted(result.suits))
        lines.append(
            f"{len(strange):,} of {sheet.trades:,} trades began outside of what {result.strategy} is made for: {home}."
        )
    return lines


def _doubts_about_time(result: BacktestResult) -> list[str]:
    sheet, lines = result.sheet, []
    days = elapsed_days(result.times)
    if days < _SHORT_DAYS:
        lines.append(f"This covers {number(days, 1 if days < 10 else 0)} days: one mood of the market, not many.")
    sure = sheet.probabilistic_sharpe
    if sheet.all_trades.trades and sure is not None and (sheet.total_return_pct or 0) > 0 and sure < _SURE:
        lines.append(
            f"The chance that the true Sharpe ratio is above 0 is {number(100 * sure, 0)} %; "
            f"{number(100 * _SURE, 0)} % is asked of a proof."
        )
    gained, held = sheet.total_return_pct, sheet.buy_and_hold_pct
    if gained is not None and held is not None and 0 < gained < held:
        lines.append("Buying and holding would have brought more.")
    return lines


def _doubts_about_data(result: BacktestResult, data: Data) -> list[str]:
    lines = []
    for symbol in sorted(data):
        checked = data[symbol]
        if checked.faults:
            why = ", ".join(f"{name_of(fault)} {count:,}" for fault, count in checked.faults.items())
            refused = sum(checked.faults.values())
            lines.append(f"{symbol}: {refused:,} of {checked.rows:,} candles were refused ({why}).")
        if checked.missing:
            lines.append(f"{symbol}: {checked.missing:,} candles are missing between the first and the last.")
    if result.refused["balance"]:
        lines.append(f"{result.refused['balance']:,} entries found too little money on the account.")
    return lines
