"""REST: from a request to an answer, with limits, signatures and faults on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.listen_keys import LISTEN_KEYS
from vela.venue.binance.pairs import PAIRS
from vela.venue.binance.parameters import read_parameters
from vela.venue.binance.public import PUBLIC
from vela.venue.binance.restrictions import RESTRICTIONS
from vela.venue.binance.trading import TRADING
from vela.venue.connections import CUT
from vela.venue.faults import OF_REQUESTS, Fault, FaultKind, FaultPlan

ROOT = "/api/v3/"
ENDPOINTS: dict[tuple[str, str], Endpoint] = PUBLIC | TRADING | PAIRS | LISTEN_KEYS | RESTRICTIONS
"""By method and path: those under `ROOT` without it, others whole."""

_TIMEOUT_S, _DELAY_S, _BAN_S, _MAINTENANCE_S = 60.0, 1.0, 120.0, 60.0
_STATUS_UNKNOWN = (
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
)
_MAINTENANCE = BinanceError(-1016, "This service is no longer available.", status=503)


class Rest:
    """Answers requests."""

    def __init__(self, desk: Desk, plan: FaultPlan) -> None:
        """Answer at `desk`, with the faults of `plan`."""
        self._desk = desk
        self._plan = plan
        self._closed_until = 0

    async def answer(self, request: Request) -> Response:
        """Answer a request of Binance's API."""
        path = request.url.path.removeprefix(ROOT)
        endpoint = ENDPOINTS.get((request.method, path))
        if endpoint is None:
            return self._refusal(
                BinanceError(-1000, f"{request.method} {request.url.path} is not spoken here.", status=404)
            )
        body = (await request.body()).decode("utf-8", "replace")

        def execute() -> Response:
            return self._executed(endpoint, request, body)

        fault = self._plan.hit((f"{request.method} {request.url.path}", request.url.path), OF_REQUESTS)
        return execute() if fault is None else await self._faulty(fault, request, execute)

    def _executed(self, endpoint: Endpoint, request: Request, body: str) -> Response:
        now = self._desk.now()
        try:
            if now < self._closed_until:
                raise _MAINTENANCE
            self._desk.limiter.spend(endpoint.weight, now)
            parameters, payload = read_parameters(request.url.query, body)
            if endpoint.security is not Security.NONE:
                check_key(self._desk, request.headers.get("X-MBX-APIKEY"))
            if endpoint.security is Security.SIGNED:
                parameters.check_time(now)
                parameters.check_signature(self._desk.api_secret, payload)
            return self._sent(endpoint.answer(self._desk, parameters))
        except BinanceError as error:
            return self._refusal(error)

    def _sent(self, answer: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        used = str(self._desk.limiter.used(self._desk.now()))
        weights = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        return Response(orjson.dumps(answer), status, weights | (headers or {}), "application/json;charset=UTF-8")

    def _refusal(self, error: BinanceError) -> Response:
        return self._sent(error.body(), error.status, error.headers)

    # ---------------------------------------------------------------------------------------------------- faults

    async def _faulty(self, fault: Fault, request: Request, execute: Callable[[], Response]) -> Response:
        match fault.kind:
            case FaultKind.DELAY:
                await asyncio.sleep(_seconds(fault, _DELAY_S))
            case FaultKind.BAN:
                self._desk.limiter.ban(self._desk.now() + int(_seconds(fault, _BAN_S) * 1000))
            case FaultKind.MAINTENANCE:
                self._closed_until = self._desk.now() + int(_seconds(fault, _MAINTENANCE_S) * 1000)
            case FaultKind.REJECT:
                return self._refusal(_error(fault, (-2010, "NEW_ORDER_REJECTED"), 400))
            case FaultKind.EXECUTE_AND_5XX:
                execute()
                return self._refusal(_error(fault, _STATUS_UNKNOWN, 503))
            case FaultKind.GARBAGE:
                execute()
                return Response(b'<html>\x00{"code":', 200)
            case _:
                return await _cut(fault, request, execute)
        return execute()


async def _cut(fault: Fault, request: Request, execute: Callable[[], Response]) -> Response:
    if fault.kind in {FaultKind.EXECUTE_AND_TIMEOUT, FaultKind.EXECUTE_AND_RESET}:
        execute()
    if fault.kind in {FaultKind.EXECUTE_AND_TIMEOUT, FaultKind.SILENT}:
        await asyncio.sleep(_seconds(fault, _TIMEOUT_S))
    request.scope["extensions"][CUT]["abort"]()
    return Response()  # to nobody: the connection is gone


def check_key(desk: Desk, key: str | None) -> None:
    """Check an API key.

    Raises:
        BinanceError: it is missing or not the account's.
    """
    if not key:
        raise BinanceError(-2014, "API-key format invalid.", status=401)
    if key != desk.api_key:
        raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def _error(fault: Fault, default: tuple[int, str], status: int) -> BinanceError:
    code, message = default
    args = fault.args
    return BinanceError(args.code or code, args.message or message, status=args.status or status)


def _seconds(fault: Fault, default: float) -> float:
    return default if fault.args.seconds is None else fault.args.seconds
