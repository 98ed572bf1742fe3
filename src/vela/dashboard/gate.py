"""What every request passes first: for whom, from where, by whom; and the headers that every answer carries."""

from __future__ import annotations

import ipaddress
import re
import socket
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vela.dashboard.answers import refusal
from vela.dashboard.auth import COOKIE, LoginTokens
from vela.dashboard.pages import STYLE

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERY_INTERFACE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  compared, not bound
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_GUARDED = ("/api/v1", "/socket.io")
_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()


class Hosts:
    """Names under which the page may be asked for. A foreign name that points here (DNS rebinding) is none of them."""

    def __init__(self, bound: str, others: Iterable[str] = ()) -> None:
        """Accept loopback names, the bound host and `others`; bound to every interface, also addresses and our name."""
        self._every = bound in _EVERY_INTERFACE
        own = {socket.gethostname()} if self._every else {bound}
        self._names = _LOOPBACK | {name.lower() for name in (*own, *others)}

    def __contains__(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].strip("[]").lower()
        return name in self._names or (self._every and _is_address(name))

    def accepted(self) -> str:
        """Return what is accepted, for a person."""
        return ", ".join(sorted(self._names)) + (", any IP address" if self._every else "")


class Gate:
    """ASGI application around the page's: refuses what is not meant for it and adds strict headers."""

    def __init__(self, app: ASGIApp, tokens: LoginTokens, hosts: Hosts) -> None:
        """Stand before `app`."""
        self._app = app
        self._tokens = tokens
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        refused = self._refusal(scope["path"], headers) or _foreign_change(scope, headers)
        if refused is None and scope["type"] == "websocket":
            await self._app(scope, _engine_frames(receive), send)
        elif refused is None:
            await self._app(scope, receive, self._with_headers(send, host))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1]})
        else:
            answer = refusal(refused[0], refused[1], refused[2])
            await answer(scope, receive, self._with_headers(send, host if host in self._hosts else ""))

    def _refusal(self, path: str, headers: Headers) -> tuple[int, str, str] | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return 400, f"host {host[:60]!r} is not this page's", self._hosts.accepted()
        if origin is not None and origin.lower() not in {f"http://{host}".lower(), f"https://{host}".lower()}:
            return 403, f"origin {origin[:60]!r} is foreign", f"http://{host}"
        if path.startswith(_GUARDED) and not self._tokens.is_session(_cookie(headers)):
            return 401, "not logged in", "the link that Vela printed; `vela login-link` prints a fresh one"
        return None

    def _with_headers(self, send: Send, host: str) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", _policy(host))
                headers["X-Content-Type-Options"] = "nosniff"
                headers["X-Frame-Options"] = "DENY"
                headers["Referrer-Policy"] = "no-referrer"
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return send_with_headers


def _foreign_change(scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
    # Whoever changes something must come from here. A browser says from where it comes; other programs say nothing.
    site = headers.get("sec-fetch-site", "same-origin")
    if scope.get("method", "GET") in _READING or site == "same-origin":
        return None
    return 403, f"a request from {site[:60]!r} changes nothing here", "requests of this page itself"


def _engine_frames(receive: Receive) -> Receive:
    # A frame that no Engine.IO client sends (close 1, pong 3, message 4) ends the connection as if the client had left;
    # the library would fail over it.
    async def receive_frames() -> Message:
        message = await receive()
        text = message.get("text")
        if text is not None and not text.startswith(("1", "3", "4")):
            return {"type": "websocket.disconnect", "code": 1007, "reason": "not Engine.IO"}
        return message

    return receive_frames


def _policy(host: str) -> str:
    # Older browsers do not count sockets of the same origin as 'self'.
    sockets = f" ws://{host} wss://{host}" if host else ""
    return (
        f"default-src 'self'; style-src 'self' 'sha256-{_STYLE_HASH}'; img-src 'self' data:; "
        f"connect-src 'self'{sockets}; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


def _cookie(headers: Headers) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
