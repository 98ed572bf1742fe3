"""Fills a new projection from the record and the candle histories."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from vela.dashboard.account_stream import EQUITY_POINTS, FILLS_REMEMBERED, LISTED, Holding
from vela.dashboard.facts import CandleHistory
from vela.dashboard.projection import CANDLES, Projection
from vela.dashboard.symbol_stream import DECISIONS
from vela.dashboard.views import position_marker, trade_markers
from vela.domain.order import Order, OrderPurpose, OrderStatus
from vela.domain.position import Position, Trade
from vela.ports.latest_values import Snapshot
from vela.ports.record import RecordReader


def load(projection: Projection, reader: RecordReader, history: CandleHistory, candles: int = CANDLES) -> None:
    """Bring `projection` to where the record ends; blocks while it reads.

    Args:
        projection: a new one.
        reader: the record.
        history: the candle histories.
        candles: how many to load of each symbol.

    Raises:
        StorageError: the record or a history cannot be read.
    """
    _load_symbols(projection, reader, history, candles)
    _load_account(projection, reader)
    for stream in projection.streams():
        stream.discard()


def recall(projection: Projection, latest: Snapshot) -> None:
    """Take the newest word on each symbol, as far as it is newer than what was recorded.

    Args:
        projection: one that was loaded.
        latest: what others wrote down last.
    """
    for symbol, price in latest.prices.items():
        projection.of(symbol).recall_price(price.price, price.time)
    for symbol, regime in latest.regimes.items():
        projection.of(symbol).recall_regime(regime.regime, regime.time)
    for symbol, strategy in latest.strategies.items():
        projection.of(symbol).strategy = strategy.strategy


def _load_symbols(projection: Projection, reader: RecordReader, history: CandleHistory, candles: int) -> None:
    for symbol, stream in projection.symbols.items():
        for candle in history(symbol, None, candles).rows():
            stream.close(candle)
        for decision in reversed(reader.decisions(limit=candles, symbol=symbol)):
            stream.recall(decision)
        for outcome in reversed(reader.outcomes(limit=DECISIONS, symbol=symbol)):
            stream.recall_outcome(outcome)
        projection.account.time = max(projection.account.time, stream.time)


def _load_account(projection: Projection, reader: RecordReader) -> None:
    account = projection.account
    summary = reader.summary()
    counts = account.counts
    counts.candles, counts.missing, counts.decisions = summary.candles, summary.missing_candles, summary.decisions
    counts.signals, counts.orders = summary.signals, summary.orders
    counts.fills = summary.fills
    account.refused_candles.update(summary.refused_candles)
    trades, counts.trades, counts.wins = _trades(reader)
    for trade in reversed(trades):
        account.recall_trade(trade)
        for marker in trade_markers(trade):
            projection.of(trade.symbol).mark(marker)
    orders = reader.orders(limit=LISTED)
    for order in reversed(orders):
        account.recall_order(order)
    for fill in reversed(reader.fills(limit=FILLS_REMEMBERED)):
        account.recall_fill(fill.fill_id)
    for position in reader.positions():
        account.recall_holding(_holding(projection, position, orders))
        projection.of(position.symbol).mark(position_marker(position))
    for time, equity in reader.equity_curve(points=EQUITY_POINTS):
        account.recall_point(time, equity)
    wallet = reader.newest_wallet()
    if wallet is not None:
        account.mark(wallet)


def _trades(reader: RecordReader) -> tuple[Sequence[Trade], int, int]:
    # List and totals must be of one moment: a trade that is in one of them only would count twice or never.
    while True:
        trades = reader.trades(limit=LISTED)
        total, wins = reader.trade_totals()
        if reader.trades(limit=1) == trades[:1]:
            return trades, total, wins


def _holding(projection: Projection, position: Position, orders: Sequence[Order]) -> Holding:
    instruments = {instrument.symbol: instrument for instrument in projection.facts.instruments}
    instrument = instruments.get(position.symbol)

    def level(ticks: int | None) -> Decimal | None:
        # Without the symbol's tick, ticks are no price.
        return None if ticks is None or instrument is None else instrument.price(ticks)

    rests = any(
        order.purpose is OrderPurpose.STOP and order.symbol == position.symbol and order.status is OrderStatus.ACCEPTED
        for order in orders
    )
    wanted = "none" if position.stop_ticks is None else "planned"
    return Holding(position, level(position.stop_ticks), level(position.target_ticks), "resting" if rests else wanted)
