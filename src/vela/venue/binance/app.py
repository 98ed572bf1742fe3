"""Binance's addresses."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from vela.ports.clock import Clock
from vela.venue.binance.desk import Desk
from vela.venue.binance.gate import Gate
from vela.venue.binance.hub import Hub
from vela.venue.binance.request_faults import RequestFaults
from vela.venue.binance.rest import ROOT, Rest
from vela.venue.binance.socket_api import SocketApi
from vela.venue.binance.sockets import Sockets
from vela.venue.faults import FaultPlan


def binance_app(desk: Desk, plan: FaultPlan, clock: Clock) -> Starlette:
    """Return the server's application, which listens to the venue from now on."""
    hub = Hub(desk)
    desk.venue.listen(hub)
    gate = Gate(desk)
    faults = RequestFaults(plan, gate)
    rest = Rest(desk, gate, faults)
    sockets = Sockets(desk, hub, SocketApi(desk, gate, faults), plan, clock)
    return Starlette(
        routes=[
            Route(ROOT + "{path:path}", rest.answer, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/sapi/{path:path}", rest.answer, methods=["GET"]),
            WebSocketRoute("/ws-api/v3", sockets.api),
            WebSocketRoute("/ws", sockets.streams),
            WebSocketRoute("/ws/{path:path}", sockets.streams),
            WebSocketRoute("/stream", sockets.streams),
            WebSocketRoute("/stream/{path:path}", sockets.streams),
        ]
    )
