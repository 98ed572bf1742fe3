"""The control port: whoever tests a client says here what goes wrong, and asks what really happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vela.domain.errors import ConfigurationError, VelaError
from vela.domain.money import plain
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_exchange import Phase
from vela.simulation.spot_orders import SpotOrder
from vela.venue.faults import Fault, FaultPlan
from vela.venue.queries import Lag
from vela.venue.still import VOLUME, StillMarket
from vela.venue.truth import truth_of
from vela.venue.venue import Venue

_LARGEST_OFFSET_MS = 10 * 365 * 86_400_000


class _ClockSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`offset_ms`: how far the venue's clock is ahead of the machine's."""

    offset_ms: int

    def __post_init__(self) -> None:
        if abs(self.offset_ms) > _LARGEST_OFFSET_MS:
            raise ConfigurationError(f"offset_ms was {self.offset_ms}; accepted: up to ten years either way")


class _Halt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`symbol` enters a phase; `halted` false: it trades again."""

    symbol: str
    state: Phase = Phase.HALT
    halted: bool = True


class _Expiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Which open orders end: the one of a client's id, or the stops that wait of a symbol."""

    symbol: str | None = None
    client_order_id: str | None = None

    def __post_init__(self) -> None:
        if (self.symbol is None) == (self.client_order_id is None):
            raise ConfigurationError("expiry of what? accepted: symbol or clientOrderId, one of them")

    def means(self, order: SpotOrder) -> bool:
        if self.client_order_id is not None:
            return order.request.client_order_id == self.client_order_id
        return order.request.symbol == TradingSymbol.from_str(self.symbol or "") and order.working_time is None


class _Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`symbol` goes to `price`, through all prices in between or by a `jump`; it trades `volume` (base) on the way."""

    symbol: str
    price: Decimal
    jump: bool = False
    volume: float = VOLUME

    def __post_init__(self) -> None:
        if not 0 <= self.volume <= VOLUME:
            raise ConfigurationError(f"volume was {self.volume}; accepted: 0 to {VOLUME:.0f}")


class Control:
    """Answers whoever runs the test."""

    def __init__(self, venue: Venue, plan: FaultPlan, still: StillMarket | None = None) -> None:
        """Rule over `venue` and its faults, and over the market if it is a still one."""
        self._venue = venue
        self._plan = plan
        self._market = still

    def app(self) -> Starlette:
        """Return the control port's application."""
        return Starlette(
            routes=[
                Route("/faults", _answering(self._add_fault), methods=["POST"]),
                Route("/faults", _answering(self._list_faults), methods=["GET"]),
                Route("/faults", _answering(self._clear_faults), methods=["DELETE"]),
                Route("/clock", _answering(self._set_clock), methods=["POST"]),
                Route("/lag", _answering(self._set_lag), methods=["POST"]),
                Route("/halt", _answering(self._halt), methods=["POST"]),
                Route("/price", _answering(self._move), methods=["POST"]),
                Route("/candle", _answering(self._end_candle), methods=["POST"]),
                Route("/expire", _answering(self._expire), methods=["POST"]),
                Route("/disconnect", _answering(self._disconnect), methods=["POST"]),
                Route("/logout", _answering(self._log_out), methods=["POST"]),
                Route("/truth", _answering(self._truth), methods=["GET"]),
            ]
        )

    def _add_fault(self, _request: Request, body: bytes) -> object:
        self._plan.add(msgspec.json.decode(body, type=Fault))
        return {"faults": len(self._plan.faults)}

    def _list_faults(self, _request: Request, _body: bytes) -> object:
        return self._plan.faults

    def _clear_faults(self, _request: Request, _body: bytes) -> object:
        self._plan.clear()
        return {"faults": 0}

    def _set_clock(self, _request: Request, body: bytes) -> object:
        self._venue.clock.offset_ms = msgspec.json.decode(body, type=_ClockSetting).offset_ms
        return {"time": self._venue.clock.now()}

    def _set_lag(self, _request: Request, body: bytes) -> object:
        self._venue.queries.lag = msgspec.json.decode(body, type=Lag)
        return self._venue.queries.lag

    def _halt(self, _request: Request, body: bytes) -> object:
        wanted = msgspec.json.decode(body, type=_Halt)
        symbol = self._traded(wanted.symbol)
        phase = wanted.state if wanted.halted else Phase.TRADING
        self._venue.exchange.enter(phase, symbol, self._venue.clock.now())
        self._venue.publish()
        return {"symbol": str(symbol), "state": phase}

    def _move(self, _request: Request, body: bytes) -> object:
        wanted, market = msgspec.json.decode(body, type=_Move), self._still()
        symbol = self._traded(wanted.symbol)
        for moved in market.moved(symbol, wanted.price, jump=wanted.jump, volume=wanted.volume):
            self._venue.take(moved, share=1.0)
        return {"symbol": str(symbol), "price": plain(wanted.price)}

    def _end_candle(self, _request: Request, _body: bytes) -> object:
        market = self._still()
        for event in market.candle_ended(self._venue.tapes.forming()):
            self._venue.take(event)
        return {"time": market.time}

    def _still(self) -> StillMarket:
        if self._market is None:
            raise ConfigurationError("the market moves by itself; accepted: a venue with --market still")
        return self._market

    def _traded(self, text: str) -> TradingSymbol:
        symbol = TradingSymbol.from_str(text)
        if symbol not in self._venue.exchange.instruments:
            traded = ", ".join(map(str, self._venue.exchange.instruments))
            raise ConfigurationError(f"symbol {symbol} is not traded here; accepted: {traded}")
        return symbol

    def _expire(self, _request: Request, body: bytes) -> object:
        wanted, exchange = msgspec.json.decode(body, type=_Expiry), self._venue.exchange
        meant = [order for order in exchange.open_orders() if wanted.means(order)]
        if not meant:
            raise ConfigurationError(
                "no such order is open; accepted: an open order's clientOrderId or a stop's symbol"
            )
        for order in meant:
            exchange.expire(order, self._venue.clock.now())
        self._venue.publish()
        return {"expired": [order.request.client_order_id for order in meant]}

    def _disconnect(self, _request: Request, _body: bytes) -> object:
        self._venue.disconnect()
        return {}

    def _log_out(self, _request: Request, _body: bytes) -> object:
        self._venue.log_out()
        return {}

    def _truth(self, request: Request, _body: bytes) -> object:
        text = request.query_params.get("after", "0")
        if not text.isascii() or not text.isdigit():
            raise ConfigurationError(f"after was {text[:40]!r}; accepted: the number of an event, 0 or more")
        return [truth_of(event) for event in self._venue.exchange.log[int(text) :]]


def _answering(answer: Callable[[Request, bytes], object]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            return _json(answer(request, await request.body()), 200)
        except (VelaError, msgspec.MsgspecError) as problem:
            return _json({"error": str(problem)}, 400)

    return respond


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
