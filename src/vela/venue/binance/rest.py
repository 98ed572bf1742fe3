"""REST: from a request to an answer."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from vela.venue.binance.desk import Desk, Endpoint
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.gate import Gate
from vela.venue.binance.listen_keys import LISTEN_KEYS
from vela.venue.binance.pairs import PAIRS
from vela.venue.binance.parameters import read_parameters
from vela.venue.binance.public import PUBLIC
from vela.venue.binance.request_faults import GARBAGE, Attempt, RequestFaults
from vela.venue.binance.restrictions import RESTRICTIONS
from vela.venue.binance.time_unit import in_microseconds
from vela.venue.binance.trading import TRADING
from vela.venue.connections import cut

ROOT = "/api/v3/"
ENDPOINTS: dict[tuple[str, str], Endpoint] = PUBLIC | TRADING | PAIRS | LISTEN_KEYS | RESTRICTIONS
"""By method and path: those under `ROOT` without it, others whole."""


class Rest:
    """Answers requests."""

    def __init__(self, desk: Desk, gate: Gate, faults: RequestFaults) -> None:
        """Answer at `desk` whom `gate` lets in, through `faults`."""
        self._desk = desk
        self._gate = gate
        self._faults = faults

    async def answer(self, request: Request) -> Response:
        """Answer a request of Binance's API."""
        path = request.url.path
        endpoint = ENDPOINTS.get((request.method, path.removeprefix(ROOT)))
        if endpoint is None:
            return self._refusal(BinanceError(-1000, f"{request.method} {path} is not spoken here.", status=404))
        body = (await request.body()).decode("utf-8", "replace")
        attempt = Attempt(
            names=(f"{request.method} {path}", path),
            execute=lambda: self._executed(endpoint, request, body),
            refuse=self._refusal,
            garble=lambda: Response(GARBAGE),
            cut=lambda: cut(request.scope),
        )
        return await self._faults.through(attempt) or Response()  # to nobody: the connection is gone

    def _executed(self, endpoint: Endpoint, request: Request, body: str) -> Response:
        try:
            self._gate.admit(endpoint)
            parameters, payload = read_parameters(request.url.query, body)
            self._gate.check(endpoint.security, parameters, request.headers.get("X-MBX-APIKEY"), payload)
            answer = endpoint.answer(self._desk, parameters)
        except BinanceError as error:
            return self._refusal(error)
        if request.headers.get("X-MBX-TIME-UNIT", "").upper() == "MICROSECOND":
            answer = in_microseconds(answer)
        return _sent(answer, 200, self._gate.counts(endpoint))

    def _refusal(self, error: BinanceError) -> Response:
        return _sent(error.body(), error.status, self._gate.counts() | error.headers)


def _sent(answer: object, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(answer), status, headers, "application/json;charset=UTF-8")
