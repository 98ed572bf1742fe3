"""What the venue holds for us, compared with what we think it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from vela.domain.money import ZERO, add, plain
from vela.domain.order import Order
from vela.domain.position import Position
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.order_ids import is_ours
from vela.ports.execution import Balance, Execution, OrderReport
from vela.ports.record import TradingRecord

_SURELY_GONE_S = 60.0  # what venues tell may be older than that of nothing


class Findings(NamedTuple):
    """What differs.

    Attributes:
        listed: the venue's word on open orders of which nothing new was executed.
        doubtful: orders that are not listed, or of which more was executed: to be asked for, never concluded upon.
        given_up: ids of orders that we gave up and that are open at the venue.
        strangers: ids that look like ours, of orders that our record never knew: somebody else's.
        missing: how much is there of positions of which something has been gone for too long to come back.
        alarms: what a person should know, once.
    """

    listed: list[OrderReport]
    doubtful: list[Order]
    given_up: list[str]
    strangers: list[str]
    missing: dict[TradingSymbol, Decimal]
    alarms: list[str]


class _Holding(NamedTuple):
    """As long as none of this changes, nothing was traded."""

    symbol: TradingSymbol
    entry_time: int
    quantity: Decimal


class Reconciliation:
    """Looks, and says what differs; it changes nothing."""

    def __init__(self, execution: Execution, record: TradingRecord) -> None:
        """`record`: knows every order that was ever ours."""
        self._execution = execution
        self._record = record
        self._short: dict[_Holding, float] = {}  # and since when
        self._told: set[str] = set()

    async def look(self, live: Sequence[Order], positions: Sequence[Position], now: float) -> Findings:
        """Compare orders and holdings. `now`: seconds of a clock that only measures durations.

        Raises:
            ExecutionError: the venue does not tell.
        """
        resting = {report.client_order_id: report for report in await self._execution.open_orders()}
        balances = await self._execution.balances()
        known = {order.client_order_id for order in live}
        unknown = [order_id for order_id in resting if order_id not in known and is_ours(order_id)]
        given_up = [order_id for order_id in unknown if await self._record.has_order(order_id)]
        strangers = [order_id for order_id in unknown if order_id not in given_up]
        alarms = [f"order {order_id} at the venue is none of this record's" for order_id in strangers]
        held = {_Holding(p.symbol, p.entry_time, p.quantity): _there(p, balances) for p in positions}
        alarms += self._shortages(held, now)
        missing = {one.symbol: held[one] for one, since in self._short.items() if now - since >= _SURELY_GONE_S}
        new = [text for text in alarms if text not in self._told]
        self._told = set(alarms)
        doubtful = [order for order in live if _filled(resting.get(order.client_order_id)) != order.filled_quantity]
        sure = [order for order in live if order not in doubtful]
        listed = [resting[order.client_order_id] for order in sure]
        moved = [report for report, order in zip(listed, sure, strict=True) if report.status is not order.status]
        return Findings(moved, doubtful, given_up, strangers, missing, new)

    def _shortages(self, held: Mapping[_Holding, Decimal], now: float) -> list[str]:
        short = {holding: there for holding, there in held.items() if there < holding.quantity}
        # Twice in a row: a fill may be on its way to us.
        lasting = short.keys() & self._short.keys()
        self._short = {holding: self._short.get(holding, now) for holding in short}
        return sorted(
            f"the venue holds only {plain(short[one])} of {plain(one.quantity)} {one.symbol.base} that are ours"
            for one in lasting
        )


def _there(position: Position, balances: Mapping[str, Balance]) -> Decimal:
    balance = balances.get(position.symbol.base, Balance(ZERO, ZERO))
    return add(balance.free, balance.locked)


def _filled(report: OrderReport | None) -> Decimal | None:
    if report is None or report.filled_quantity is not None:
        return None if report is None else report.filled_quantity
    return add(*(fill.quantity for fill in report.fills))
