"""Values in the JSON shapes of the page's protocol."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal

from vela.dashboard.shapes import (
    AlertView,
    CandleRow,
    DecisionView,
    FillView,
    JobView,
    MarkerView,
    OrderView,
    PositionView,
    SeriesView,
    SummaryView,
    SymbolName,
    TradeView,
    WalletView,
)
from vela.domain.candles import Candle
from vela.domain.events import Alert
from vela.domain.fill import Fill
from vela.domain.jobs import Job
from vela.domain.money import ZERO, multiply, plain
from vela.domain.order import Order, OrderPurpose, Side
from vela.domain.position import Position, PositionSide, Trade, Wallet
from vela.domain.signal import Decision, SignalOutcome
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.candle_store import StoredSeries
from vela.ports.record import Summary

# Averages are shown, never booked: 16 digits are more than any screen.
_AVERAGE = Context(prec=16)


def symbol_name(symbol: TradingSymbol) -> SymbolName:
    """Write a symbol."""
    name = symbol.to_dict()
    return {"base": name["base"], "quote": name["quote"], "full": name["full"]}


def candle_row(candle: Candle) -> CandleRow:
    """Write a candle as `[open_time, open, high, low, close, volume]`."""
    return candle.open_time, candle.open, candle.high, candle.low, candle.close, candle.volume


def wallet_view(wallet: Wallet, trades: int, wins: int) -> WalletView:
    """Write the account; `trades`: round trips closed in its whole life, `wins`: how many of them with a profit."""
    return {
        "quote": wallet.quote,
        "time": wallet.time,
        "initial_capital": plain(wallet.initial_capital),
        "cash": plain(wallet.cash),
        "free": plain(wallet.cash - wallet.reserved),
        "equity": plain(wallet.equity),
        "realised_pnl": plain(wallet.realised_pnl),
        "unrealised_pnl": plain(wallet.unrealised_pnl),
        "fees": plain(wallet.fees),
        "trades": trades,
        "wins": wins,
    }


def position_view(
    position: Position, stop_price: Decimal | None, target_price: Decimal | None, stop_state: str, price: float | None
) -> PositionView:
    """Write an open position, valued at `price` (quote per base; None where no price is known)."""
    pnl = ZERO
    if price is not None:
        pnl = position.side.sign * (multiply(Decimal(repr(price)), position.quantity) - position.cost)
    return {
        "symbol": symbol_name(position.symbol),
        "side": position.side.value,
        "quantity": plain(position.quantity),
        "entry_price": _average(position.entry_value, position.entry_quantity) or "0",
        "entry_time": position.entry_time,
        "cost": plain(position.cost),
        "price": price,
        "stop_price": _optional(stop_price),
        "stop_state": stop_state,
        "take_profit_price": _optional(target_price),
        "unrealised_pnl": plain(pnl),
        "unrealised_pct": None if price is None or not position.cost else float(pnl / position.cost) * 100.0,
        "strategy": position.strategy,
    }


def trade_view(trade: Trade) -> TradeView:
    """Write a round trip."""
    return {
        "symbol": symbol_name(trade.symbol),
        "side": trade.side.value,
        "entry_time": trade.entry_time,
        "entry_price": plain(trade.entry_price),
        "exit_time": trade.exit_time,
        "exit_price": plain(trade.exit_price),
        "quantity": plain(trade.quantity),
        "fees": plain(trade.fees),
        "pnl": plain(trade.pnl),
        "return_pct": trade.return_pct,
        "entry_reason": trade.entry_reason,
        "exit_reason": trade.exit_reason.value,
        "regime": trade.regime.value,
    }


def order_view(order: Order) -> OrderView:
    """Write an order."""
    request = order.request
    return {
        "client_order_id": request.client_order_id,
        "symbol": symbol_name(request.symbol),
        "side": request.side.value,
        "type": request.type.value,
        "purpose": order.purpose.value,
        "status": order.status.value,
        "quantity": plain(request.quantity),
        "filled_quantity": plain(order.filled_quantity),
        "price": _optional(request.price),
        "stop_price": _optional(request.stop_price),
        "average_price": _average(order.filled_value, order.filled_quantity),
        "time": order.created_time,
        "reason": order.reason,
    }


def fill_view(fill: Fill) -> FillView:
    """Write an execution."""
    return {
        "fill_id": fill.fill_id,
        "client_order_id": fill.client_order_id,
        "symbol": symbol_name(fill.symbol),
        "side": fill.side.value,
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "time": fill.time,
    }


def decision_view(decision: Decision, timeframe_ms: int, outcome: SignalOutcome | None) -> DecisionView:
    """Write a decision on a candle that lasted `timeframe_ms`; `outcome`: what became of its signal, where known."""
    became, reason = (None, "") if outcome is None else outcome_words(outcome)
    return {
        "symbol": symbol_name(decision.symbol),
        "time": decision.candle_time + timeframe_ms,
        "candle_time": decision.candle_time,
        "action": decision.action.value,
        "strategy": decision.strategy,
        "regime": decision.regime.value,
        "confidence": decision.confidence,
        "reason": decision.reason,
        "indicators": decision.indicators,
        "outcome": became,
        "outcome_reason": reason,
    }


def outcome_words(outcome: SignalOutcome) -> tuple[str, str]:
    """Return what became of a signal, `order` or `refused`, and why it was refused."""
    return ("order", "") if outcome.refusal is None else ("refused", outcome.refusal)


def alert_view(alert: Alert) -> AlertView:
    """Write an alert."""
    return {"time": alert.time, "level": alert.level, "text": alert.text}


def job_view(job: Job) -> JobView:
    """Write a backtest."""
    request = job.request
    return {
        "id": job.id,
        "strategy": request.strategy,
        "parameters": dict(request.parameters),
        "symbols": [symbol_name(symbol) for symbol in request.symbols],
        "timeframe": request.timeframe,
        "from": request.start,
        "to": request.end,
        "rules": dict(request.rules),
        "created": job.created,
        "state": job.state.value,
        "stage": job.stage,
        "progress": job.progress,
        "started": job.started,
        "finished": job.finished,
        "summary": None if job.summary is None else dict(job.summary),
        "error": job.error,
    }


def series_view(series: StoredSeries) -> SeriesView:
    """Write an account of stored candles."""
    return {
        "exchange": series.exchange,
        "symbol": symbol_name(series.symbol),
        "timeframe": series.timeframe.value,
        "first": series.first,
        "last": series.last,
        "count": series.count,
        "missing": series.missing,
    }


def fill_marker(fill: Fill, purpose: OrderPurpose, reason: str) -> MarkerView:
    """Make the arrow of a fill."""
    kind = "entry" if purpose is OrderPurpose.ENTRY else "exit"
    return {"time": fill.time, "kind": kind, "side": fill.side.value, "price": plain(fill.price), "reason": reason}


def entry_marker(side: PositionSide, time: int, price: str, reason: str) -> MarkerView:
    """Make the arrow of a recorded entry."""
    return {"time": time, "kind": "entry", "side": side.entry_side.value, "price": price, "reason": reason}


def trade_markers(trade: Trade) -> Iterable[MarkerView]:
    """Make the two arrows of a recorded round trip."""
    yield entry_marker(trade.side, trade.entry_time, plain(trade.entry_price), trade.entry_reason)
    out: Side = trade.side.entry_side.opposite
    price, reason = plain(trade.exit_price), trade.exit_reason.value
    yield {"time": trade.exit_time, "kind": "exit", "side": out.value, "price": price, "reason": reason}


def position_marker(position: Position) -> MarkerView:
    """Make the arrow of an open position's entry."""
    price = _average(position.entry_value, position.entry_quantity) or "0"
    return entry_marker(position.side, position.entry_time, price, position.entry_reason)


def summary_view(summary: Summary) -> SummaryView:
    """Write a run in figures."""
    return {
        "candles": summary.candles,
        "decisions": summary.decisions,
        "signals": summary.signals,
        "orders": summary.orders,
        "fills": summary.fills,
        "trades": summary.trades,
        "open_positions": summary.open_positions,
        "refused": dict(summary.refused),
        "refused_candles": dict(summary.refused_candles),
        "missing_candles": summary.missing_candles,
        "initial_capital": plain(summary.initial_capital),
        "final_equity": plain(summary.final_equity),
        "realised_pnl": plain(summary.realised_pnl),
        "fees": plain(summary.fees),
    }


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _average(value: Decimal, quantity: Decimal) -> str | None:
    return plain(_AVERAGE.divide(value, quantity)) if quantity else None
