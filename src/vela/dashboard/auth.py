"""Logging in: one-time links, and the signed cookie that they are exchanged for. No password exists."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections import deque
from pathlib import Path

from vela.dashboard.facts import WallClock
from vela.domain.errors import ConfigurationError

COOKIE = "vela_session"
COOKIE_SECONDS = 30 * 86_400
LINK_MS = 15 * 60_000
ATTEMPTS_PER_MINUTE = 5

_SECRET_FILE = "page-secret"  # noqa: S105  a file's name
_LOGINS = "page-logins"
_FIRST = "first"
_USED = "used"
_SECRET_BYTES = 32
_ADDRESSES = 1000


class LoginTokens:
    """One-time tokens and cookies of one data directory; several processes may use it at once.

    A token lies in the directory `page-logins` as a file named by its SHA-256: what is stored opens nothing, and taking
    the file away is the one step that uses it up, so of two who try, one succeeds.
    """

    def __init__(self, directory: Path, now: WallClock) -> None:
        """Open `directory` (it is made if absent), creating its secret if there is none.

        Raises:
            ConfigurationError: the secret there is damaged, or the directory cannot be written.
        """
        self._now = now
        self._logins = directory / _LOGINS
        try:
            self._logins.mkdir(parents=True, exist_ok=True, mode=0o700)
            secret = _load_secret(directory / _SECRET_FILE)
        except OSError as error:
            raise ConfigurationError(
                f"the page's secret cannot be kept in {directory}: {error.strerror}; accepted: a directory to write to"
            ) from error
        self._key = hmac.digest(secret, b"vela page session", "sha256")

    # -------------------------------------------------------------------------------------------------------- links

    def first_start_link(self, host: str, port: int) -> str | None:
        """Return a link that is valid until any link is used, or None once one was; the one given before is void."""
        if (self._logins / _USED).exists():
            return None
        self._forget_first()
        token = self._new_token(expires=None)
        _write(self._logins / _FIRST, _digest(token))
        return login_link(host, port, token)

    def new_link(self, host: str, port: int) -> str:
        """Return a link that is valid once, within 15 minutes."""
        self._forget_expired()
        return login_link(host, port, self._new_token(expires=self._now() + LINK_MS))

    def redeem(self, token: str) -> str | None:
        """Use `token` up and return the value of a new cookie, or None for a token that is unknown, used or too old."""
        self._forget_expired()
        try:
            (self._logins / _digest(token)).unlink()
        except FileNotFoundError:
            return None
        (self._logins / _USED).touch(mode=0o600)
        self._forget_first()
        return self._cookie()

    def _new_token(self, expires: int | None) -> str:
        token = secrets.token_urlsafe(32)
        _write(self._logins / _digest(token), "" if expires is None else str(expires))
        return token

    def _forget_first(self) -> None:
        # A link without an end must not lie in a log for ever.
        first = self._logins / _FIRST
        if first.exists():
            (self._logins / first.read_text()).unlink(missing_ok=True)
            first.unlink(missing_ok=True)

    def _forget_expired(self) -> None:
        for path in self._logins.iterdir():
            if path.name in {_FIRST, _USED} or path.suffix:
                continue
            try:
                expires = path.read_text()
            except FileNotFoundError:
                continue  # used by someone else just now
            if expires and (not expires.isdigit() or int(expires) <= self._now()):
                path.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------------------- cookies

    def is_session(self, cookie: str | None) -> bool:
        """Say whether `cookie` was made here and is not too old."""
        if cookie is None:
            return False
        content, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._signature(content).encode(), signature.encode(errors="replace")):
            return False
        return int(content.split(".")[0]) > self._now()

    def _cookie(self) -> str:
        content = f"{self._now() + COOKIE_SECONDS * 1000}.{secrets.token_urlsafe(16)}"
        return f"{content}.{self._signature(content)}"

    def _signature(self, content: str) -> str:
        return hmac.new(self._key, content.encode(errors="replace"), "sha256").hexdigest()


class LoginLimit:
    """At most five attempts to log in a minute and address."""

    def __init__(self, now: WallClock) -> None:
        """Start with nobody known."""
        self._now = now
        self._attempts: dict[str, deque[int]] = {}

    def allows(self, address: str) -> bool:
        """Count an attempt from `address` and say whether it may go on."""
        now = self._now()
        # The oldest address makes room: memory stays bounded whoever knocks.
        if address not in self._attempts and len(self._attempts) >= _ADDRESSES:
            del self._attempts[next(iter(self._attempts))]
        attempts = self._attempts.setdefault(address, deque(maxlen=ATTEMPTS_PER_MINUTE))
        if len(attempts) == ATTEMPTS_PER_MINUTE and attempts[0] > now - 60_000:
            return False
        attempts.append(now)
        return True


def login_link(host: str, port: int, token: str) -> str:
    """Return the address that logs a browser in; a host that means every interface becomes the loopback address."""
    return f"http://{url_host(host)}:{port}/login?token={token}"


def url_host(host: str) -> str:
    """Return `host` as it stands in an address on this machine."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _load_secret(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        secret = path.read_bytes()
        if len(secret) < _SECRET_BYTES:
            raise ConfigurationError(
                f"{path} was {len(secret)} bytes; accepted: at least {_SECRET_BYTES}, or no file: a new one is made"
            ) from None
        return secret
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret := secrets.token_bytes(_SECRET_BYTES))
    return secret


def _write(path: Path, text: str) -> None:
    descriptor = os.open(part := path.with_suffix(".part"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
