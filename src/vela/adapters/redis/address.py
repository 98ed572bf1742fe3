"""Where Redis is: one server, whoever Sentinel says is the primary, or a cluster.

    redis://[user:password@]host[:port][/db]                               one server
    rediss://…                                                             the same over TLS
    unix://[user:password@]/path/to/socket[?db=0]                          the same over a socket in the file system
    redis+sentinel://[user:password@]host:port[,host:port…]/service[/db]   the primary of `service`
    redis+cluster://[user:password@]host:port[,host:port…]                 a cluster; any of its nodes will do

`rediss+sentinel` and `rediss+cluster` are those over TLS. What is no letter or digit in names and passwords is written
as `%XX`. Options follow a `?`: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile` (paths), and for Sentinel itself
`sentinel_username` and `sentinel_password`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from vela.domain.errors import ConfigurationError

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_TLS_OPTIONS: Final = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_SENTINEL_OPTIONS: Final = frozenset({"sentinel_username", "sentinel_password"})
_ACCEPTED: Final = (
    "accepted: redis://host:port/db, rediss://host:port/db, unix:///path/to/socket, "
    "redis+sentinel://host:port,host:port/service/db, redis+cluster://host:port,host:port"
)


class Topology(StrEnum):
    """How the servers behind an address belong together."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_SCHEMES: Final = {
    "redis": (Topology.SINGLE, False),
    "rediss": (Topology.SINGLE, True),
    "unix": (Topology.SINGLE, False),
    "redis+sentinel": (Topology.SENTINEL, False),
    "rediss+sentinel": (Topology.SENTINEL, True),
    "redis+cluster": (Topology.CLUSTER, False),
    "rediss+cluster": (Topology.CLUSTER, True),
}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is and how one gets in. As text it shows no password.

    Attributes:
        topology: what the hosts are to each other.
        hosts: names and ports; of the server, of the Sentinels, or of nodes of the cluster. Empty: a socket.
        path: of the socket in the file system; empty: TCP.
        service: the name that Sentinel knows the primary by; empty without Sentinel.
        db: number of the database; 0 in a cluster.
        is_tls: whether the way is encrypted.
        username, password: empty: none.
        options: further ones by their name in the address.
    """

    topology: Topology
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    db: int = 0
    is_tls: bool = False
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        scheme = "rediss" if self.is_tls else "redis"
        if self.path:
            return f"unix://{self.path}?db={self.db}"
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        if self.topology is Topology.SENTINEL:
            return f"{scheme}+sentinel://{hosts}/{self.service}/{self.db}"
        if self.topology is Topology.CLUSTER:
            return f"{scheme}+cluster://{hosts}"
        return f"{scheme}://{hosts}/{self.db}"


def parse_address(text: str) -> RedisAddress:
    """Read an address.

    Raises:
        ConfigurationError: it is none; the message names what is wrong, and never a password.
    """
    try:
        parts = urlsplit(text)
    except ValueError as e:
        raise ConfigurationError(f"Redis address: {e}; {_ACCEPTED}") from e
    if parts.scheme not in _SCHEMES:
        raise ConfigurationError(f"Redis address: scheme was {parts.scheme[:40]!r}; {_ACCEPTED}")
    topology, is_tls = _SCHEMES[parts.scheme]
    credentials, _, rest = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    options = _options(parts, topology)
    socket = parts.scheme == "unix"
    service, db = _service_and_db(parts, topology)
    return RedisAddress(
        topology,
        () if socket else _hosts(rest, _SENTINEL_PORT if topology is Topology.SENTINEL else _PORT),
        _socket_path(parts, rest) if socket else "",
        service,
        _db_number(options.pop("db", "0")) if socket else db,
        is_tls,
        unquote(username),
        unquote(password),
        options,
    )


def _options(parts: SplitResult, topology: Topology) -> dict[str, str]:
    allowed = set(_TLS_OPTIONS)
    if topology is Topology.SENTINEL:
        allowed |= _SENTINEL_OPTIONS
    if parts.scheme == "unix":
        allowed = {"db"}
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in allowed:
            raise ConfigurationError(f"Redis address: option was {name[:40]!r}; accepted: {', '.join(sorted(allowed))}")
    if parts.fragment:
        raise ConfigurationError("Redis address: it holds a #; in names and passwords that is written %23")
    return options


def _hosts(netloc: str, default_port: int) -> tuple[tuple[str, int], ...]:
    return tuple(_host(one, default_port) for one in netloc.split(","))


def _host(text: str, default_port: int) -> tuple[str, int]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        if port and not port.startswith(":"):
            raise ConfigurationError(f"Redis address: host was {text[:80]!r}; accepted: [IPv6]:port")
        port = port[1:]
    else:
        host, _, port = text.partition(":")
    if not host:
        raise ConfigurationError(f"Redis address: a host is missing; {_ACCEPTED}")
    if not port:
        return unquote(host), default_port
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise ConfigurationError(f"Redis address: port was {port[:40]!r}; accepted: 1 to 65535")
    return unquote(host), int(port)


def _socket_path(parts: SplitResult, rest: str) -> str:
    if rest or not parts.path.strip("/"):
        raise ConfigurationError("Redis address: a socket is named by its whole path; accepted: unix:///path/to/socket")
    return unquote(parts.path)


def _service_and_db(parts: SplitResult, topology: Topology) -> tuple[str, int]:
    if parts.scheme == "unix":
        return "", 0
    names = [unquote(name) for name in parts.path.split("/") if name]
    service = ""
    if topology is Topology.SENTINEL:
        if not names:
            raise ConfigurationError("Redis address: the service's name is missing; accepted: …host:port/service/db")
        service = names.pop(0)
    if len(names) > 1 or (names and topology is Topology.CLUSTER):
        raise ConfigurationError(f"Redis address: path was {parts.path[:80]!r}; {_ACCEPTED}")
    return service, _db_number(names[0]) if names else 0


def _db_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise ConfigurationError(f"Redis address: database was {text[:40]!r}; accepted: a number such as 0")
    return int(text)
