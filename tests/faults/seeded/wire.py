"""The way between a process and the venue: everything that takes time there, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import ccxt
from tests.faults.seeded.nature import PEACE, Odds
from tests.faults.seeded.venue import KEY, SECRET, Answer, QuietVenue
from tests.faults.seeded.virtual_time import VirtualClock

from vela.adapters.exchanges.binance.connection import BinanceConnection
from vela.adapters.exchanges.binance.execution import BinanceExecution
from vela.adapters.exchanges.unified.budget import RequestBudget
from vela.adapters.exchanges.unified.calls import Calls
from vela.adapters.exchanges.unified.connection import Credentials
from vela.adapters.exchanges.unified.listings import Listings
from vela.adapters.exchanges.unified.sending import point_of_sent
from vela.domain.crashpoints import crashpoint
from vela.domain.errors import VenueUnavailable
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import FollowUp
from vela.simulation.spot_orders import SpotEvent
from vela.venue.binance.shapes import execution_report

FOLLOW_UP = FollowUp(absent_tries=3, absent_seconds=15.0, reconcile_seconds=10.0)
"""Quicker than a real exchange's, in proportion to how long things take here; see `LONGEST_LAG_MS`."""

LONGEST_LAG_MS = 6_000
_PATIENCE_S = 2.0  # until a request that is not answered has failed
_UNDER_WAY_S = (0.001, 0.03)
_LATE_S = (0.5, 6.0)  # requests older than five seconds are refused by the venue
_EVENT_S = 0.005
_LATE_EVENT_S = (0.05, 9.0)
_REFUSALS = (
    (400, -2010, "Account has insufficient balance for requested action."),
    (400, -1013, "Filter failure: NOTIONAL"),
    (400, -2010, "NEW_ORDER_REJECTED"),
)
_WRONG = {
    "command": (
        *("dropped", "dropped", "unheard", "unheard", "unheard", "late"),
        *("5xx", "5xx done", "refused", "limited", "garbled", "reset"),
    ),
    "query": ("dropped", "late", "5xx", "limited", "garbled"),
}


class Died(BaseException):
    """The process ended here."""


class Pulse:
    """Whether a process lives. One that does not, does nothing more, whatever of it is still in memory."""

    def __init__(self) -> None:
        self.is_alive = True

    def beat(self) -> None:
        if not self.is_alive:
            raise Died

    def stop(self) -> None:
        self.is_alive = False
        raise Died


class _Request(NamedTuple):
    method: str
    path: str
    query: str
    body: str
    key: str | None

    @property
    def is_command(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        sent = self.query if self.method in {"GET", "DELETE"} else self.body
        terms = [one for one in sent.split("&") if not one.startswith(("signature=", "timestamp=", "recvWindow="))]
        return f"{self.method} {self.path} {' '.join(terms)}"


class _Subscription:
    """A connection for events."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self.tell = tell
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def holds(self) -> bool:
        return not self.lost.done()


class Wire:
    """To one venue, for all processes of a life."""

    def __init__(
        self, connection: BinanceConnection, venue: QuietVenue, clock: VirtualClock, chance: random.Random
    ) -> None:
        """`connection`: of ccxt, used for one life after the other. `chance`: what goes wrong."""
        self.odds: Odds = PEACE
        self.note: Callable[..., None] = lambda *_: None
        self._client: Any = connection._client
        self._venue, self._clock, self._chance = venue, clock, chance
        self._pulse = Pulse()
        self._subscription: _Subscription | None = None
        self._calls: Calls
        self._listings: Listings | None = None
        self._order_limit: int | None = None
        venue.tell = self._tell

    # ------------------------------------------------------------------------------------------------ for a process

    async def open(self, pulse: Pulse) -> None:
        """Serve a new process, and none of those before."""
        self._pulse, self._subscription = pulse, None
        client = self._client
        client.fetch, client.subscribe_account, client.hold_account = self._fetch, self._subscribe, self._hold
        client.taps = {}
        odds, self.odds = self.odds, PEACE
        self._calls = client.calls = Calls(self._clock, RequestBudget(6_000), client.fetch_time)
        await self._calls.set_clock()
        if self._listings is None:  # it takes long, and does not change
            self._listings = Listings("binance", (await client.load_markets(True)).values())
            self._order_limit = self._calls.orders.limit
        self._calls.orders.limit = self._order_limit
        self.odds = odds

    def execution(self, symbols: list[TradingSymbol]) -> BinanceExecution:
        """Return the real adapter before this wire."""
        assert self._listings is not None
        return BinanceExecution(self._client, self._calls, self._listings, symbols, self._clock, FOLLOW_UP)

    # ----------------------------------------------------------------------------------------------------- requests

    async def _fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        self._pulse.beat()
        pulse, parts = self._pulse, urlsplit(url)
        path = parts.path.partition("/v3/")[2]
        request = _Request(method, path, parts.query, body or "", (headers or {}).get("X-MBX-APIKEY"))
        wrong = self._draw("command" if request.is_command else "query")
        self.note("sent", request, wrong or "")
        answer = await self._travel(request, wrong)
        pulse.beat()
        self.note("answered", method, path, answer.status, _brief(answer.body))
        if request.is_command:
            crashpoint("P07")
        return self._read(answer, url, method, body)

    def _draw(self, kind: str) -> str | None:
        likely = self.odds.command if kind == "command" else self.odds.query
        return self._chance.choice(_WRONG[kind]) if self._chance.random() < likely else None

    async def _travel(self, request: _Request, wrong: str | None) -> Answer:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[Answer] = loop.create_future()
        if wrong != "dropped":
            way = _LATE_S if wrong == "late" else _UNDER_WAY_S
            # Whatever becomes of who sent it: once it is under way, it arrives.
            loop.call_later(self._chance.uniform(*way), partial(self._arrive, request, wrong, arrived))
        if request.is_command:
            crashpoint(point_of_sent())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await asyncio.shield(arrived)
                await asyncio.sleep(self._chance.uniform(*_UNDER_WAY_S))
                if wrong == "unheard":
                    await asyncio.sleep(_PATIENCE_S)
        except TimeoutError:
            raise ccxt.RequestTimeout(f"binance {request.method} timed out") from None
        if wrong == "reset":
            raise ccxt.NetworkError(f"binance {request.method} connection reset")
        return answer

    def _arrive(self, request: _Request, wrong: str | None, arrived: asyncio.Future[Answer]) -> None:
        chance = self._chance
        match wrong:
            case "5xx":
                answer = Answer(503, {"code": -1008, "msg": "Request throttled by system-level protection."}, {})
            case "limited":
                seconds = str(chance.randint(1, 4))
                answer = Answer(429, {"code": -1003, "msg": "Too much request weight used"}, {"Retry-After": seconds})
            case "refused":
                status, code, text = chance.choice(_REFUSALS)
                answer = Answer(status, {"code": code, "msg": text}, {})
            case _:
                answer = self._venue.answer(*request)
        if wrong == "5xx done":
            answer = Answer(503, {"code": -1007, "msg": "Timeout waiting for response from backend server."}, {})
        elif wrong == "garbled":
            answer = Answer(200, {"whatever": 1}, {})
        if not arrived.done():
            arrived.set_result(answer)

    def _read(self, answer: Answer, url: str, method: str, body: Any) -> Any:
        client, text = self._client, json.dumps(answer.body)
        client.on_rest_response(answer.status, "", url, method, answer.headers, text, {}, body)
        client.handle_errors(answer.status, "", url, method, answer.headers, text, answer.body, {}, {})
        client.handle_http_status_code(answer.status, "", url, method, text)
        return json.loads(text)

    # ------------------------------------------------------------------------------------------------------- events

    async def _subscribe(self) -> None:
        self._pulse.beat()
        await asyncio.sleep(self._chance.uniform(*_UNDER_WAY_S))
        if self._chance.random() < self.odds.query:
            raise VenueUnavailable("not subscribed")
        self._pulse.beat()
        self._subscription = _Subscription(self._client.taps["executionReport"])
        self.note("subscribed")

    async def _hold(self) -> None:
        assert self._subscription is not None
        await self._subscription.lost

    def cut(self) -> None:
        """Lose the connection for events."""
        if self._subscription is not None and self._subscription.holds:
            self._subscription.lost.set_exception(VenueUnavailable("connection lost"))

    def close(self) -> None:
        """Forget who listened."""
        self._subscription = None

    def _tell(self, event: SpotEvent) -> None:
        subscription = self._subscription
        self.note("happened", event.kind.value, event.order.request.client_order_id, event.order.status.value)
        if subscription is None or not subscription.holds:
            return
        message = execution_report(event, self._clock.now())
        for delay in self._delays():
            asyncio.get_running_loop().call_later(delay, partial(self._deliver, subscription, message))

    def _delays(self) -> list[float]:
        chance = self._chance
        if chance.random() >= self.odds.event:
            return [_EVENT_S]
        match chance.choice(("omitted", "late", "late", "twice")):
            case "omitted":
                return []
            case "late":
                return [chance.uniform(*_LATE_EVENT_S)]
            case _:
                return [_EVENT_S, chance.uniform(*_LATE_EVENT_S)]

    def _deliver(self, subscription: _Subscription, message: dict[str, Any]) -> None:
        if subscription.holds and self._pulse.is_alive and subscription is self._subscription:
            self.note("told", message["x"], message["C"] or message["c"], message["X"])
            subscription.tell(message)


def new_connection() -> BinanceConnection:
    """Return a connection of ccxt that never reaches anything: it takes a hundredth of a second to make."""
    return BinanceConnection(Credentials(KEY, SECRET), _NoClock())


class _NoClock:
    """Replaced before anything is asked."""

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0

    async def sleep_until(self, time: int) -> None:
        raise AssertionError("nobody waits on this clock here")

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits on this clock here")


def _brief(body: Any) -> str:
    if isinstance(body, dict):
        told = ("code", "msg", "clientOrderId", "status", "executedQty")
        return " ".join(str(body[name]) for name in told if name in body)
    return f"{len(body)} rows"
