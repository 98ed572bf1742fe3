"""What is being sent, for the crash points of orders that are on their way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vela.domain.order import OrderRequest, OrderType, Side

_ENTRY, _PROTECTION, _EXIT = "P06", "P16", "P20"

_point: ContextVar[str] = ContextVar("point", default=_ENTRY)


@contextmanager
def sending(requests: Iterable[OrderRequest]) -> Iterator[None]:
    """Say that these orders are sent inside, in this task."""
    token = _point.set(_point_of(requests))
    try:
        yield
    finally:
        _point.reset(token)


def point_of_sent() -> str:
    """Return the point that is passed when the bytes of what this task sends have left."""
    return _point.get()


def _point_of(requests: Iterable[OrderRequest]) -> str:
    kinds = {(request.side, request.type) for request in requests}
    if any(kind is not OrderType.MARKET for _, kind in kinds):
        return _PROTECTION
    # On a spot account only purchases open positions.
    return _EXIT if (Side.SELL, OrderType.MARKET) in kinds else _ENTRY
