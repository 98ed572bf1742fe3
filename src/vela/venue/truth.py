"""The venue's own account of what happened, to hold a client's books against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

import msgspec

from vela.domain.money import plain
from vela.simulation.spot_orders import SpotEvent
from vela.venue.venue import Listener

Truth = dict[str, object]


def truth_of(event: SpotEvent) -> Truth:
    """Return an event in plain words: the order as it is afterwards and, of a trade, the execution. Money is text."""
    order, request = event.order, event.order.request
    truth: Truth = {
        "sequence": event.sequence,
        "time": event.time,
        "event": event.kind.value,
        "order_id": order.order_id,
        "list_id": order.list_id,
        "client_order_id": request.client_order_id,
        "symbol": request.symbol.to_ccxt(),
        "side": request.side.value,
        "type": request.type.value,
        "status": order.status.value,
        "quantity": plain(order.quantity),
        "filled_quantity": plain(order.filled_quantity),
        "filled_value": plain(order.filled_value),
        "price": None if request.price is None else plain(request.price),
        "stop_price": None if request.stop_price is None else plain(request.stop_price),
        "reason": event.reason,
    }
    if event.trade is None:
        return truth
    fill = event.trade.fill
    return truth | {
        "fill": {
            "fill_id": fill.fill_id,
            "price": plain(fill.price),
            "quantity": plain(fill.quantity),
            "fee": plain(fill.fee),
            "fee_asset": fill.fee_asset,
            "maker": event.trade.is_maker,
        }
    }


class TruthWriter(Listener):
    """Writes every event to a file, a line of JSON each, before any client is told."""

    def __init__(self, file: TextIO) -> None:
        """`file`: open for appending; left open."""
        self._file = file

    def account_changed(self, events: Sequence[SpotEvent]) -> None:
        """See `Listener.account_changed`."""
        for event in events:
            self._file.write(msgspec.json.encode(truth_of(event)).decode() + "\n")
        self._file.flush()
