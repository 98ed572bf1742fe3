"""Endpoints of listen keys: what a user data stream is opened with."""

from __future__ import annotations

from vela.venue.binance.desk import Desk, Endpoint, Security
from vela.venue.binance.errors import missing
from vela.venue.binance.parameters import Parameters


def _new_listen_key(desk: Desk, parameters: Parameters) -> object:
    parameters.finish()
    return {"listenKey": desk.listen_keys.new(desk.now())}


def _keep_listen_key(desk: Desk, parameters: Parameters) -> object:
    desk.listen_keys.keep(_listen_key(parameters), desk.now())
    return {}


def _drop_listen_key(desk: Desk, parameters: Parameters) -> object:
    desk.listen_keys.drop(_listen_key(parameters), desk.now())
    return {}


def _listen_key(parameters: Parameters) -> str:
    key = parameters.text("listenKey")
    parameters.finish()
    if key is None:
        raise missing("listenKey")
    return key


LISTEN_KEYS = {
    ("POST", "userDataStream"): Endpoint(_new_listen_key, 2, Security.KEY),
    ("PUT", "userDataStream"): Endpoint(_keep_listen_key, 2, Security.KEY),
    ("DELETE", "userDataStream"): Endpoint(_drop_listen_key, 2, Security.KEY),
}
