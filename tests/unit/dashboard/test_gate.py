from __future__ import annotations

import base64
import hashlib
import re

import pytest

from vela.dashboard.gate import Hosts

API = "/api/v1/summary"


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "LOCALHOST", "[::1]:5000"])
async def test_loopback_names_are_served(visitor, host):
    assert (await visitor.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:5000", "", "a b", "127.0.0.1:5000@evil", "10.0.0.1"]
)
async def test_foreign_hosts_are_refused_whatever_they_ask(user, host):
    for path in ("/", "/login", API, "/health", "/metrics"):
        answer = await user.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert set(answer.json()) == {"error", "accepted"}
        assert "evil" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:5001", "null", "http://127.0.0.1", "file://"]
)
async def test_foreign_origins_are_refused_even_with_the_cookie(user, origin):
    answer = await user.get(API, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_the_own_origin_is_let_in(user):
    assert (await user.get(API, headers={"Origin": "http://127.0.0.1:5000"})).status_code == 200


@pytest.mark.parametrize(
    "path", [API, "/api/v1/openapi.json", "/api/v1/nothing", "/api/v1", "/socket.io/", "/socket.io"]
)
async def test_without_the_cookie_the_api_is_closed(visitor, path):
    answer = await visitor.get(path)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "not logged in",
        "accepted": "the link that Vela printed; `vela login-link` prints a fresh one",
    }


@pytest.mark.parametrize("cookie", ["vela_session=", "vela_session=9999999999999.x.0000", "vela_session=%00", "a=b"])
async def test_forged_cookies_open_nothing(visitor, cookie):
    assert (await visitor.get(API, headers={"Cookie": cookie})).status_code == 401


async def test_other_programs_cookies_do_not_disturb(user):
    cookie = user.cookies["vela_session"]
    for noise in ('other={"a": [1]}', 'x="', "=;;="):
        headers = {"Cookie": f"{noise}; vela_session={cookie}"}
        assert (await user.get(API, headers=headers)).status_code == 200


async def test_strict_headers_on_every_answer(user, visitor):
    page = (await visitor.get("/login?token=wrong", headers={"Cookie": ""})).text
    [style] = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    for path in ("/", "/nothing", API, "/login", "/health", "/api/v1/trades?limit=0"):
        headers = (await user.get(path)).headers
        assert headers["content-security-policy"] == (
            f"default-src 'self'; style-src 'self' 'sha256-{allowed}'; img-src 'self' data:; "
            "connect-src 'self' ws://127.0.0.1:5000 wss://127.0.0.1:5000; object-src 'none'; frame-ancestors 'none'; "
            "base-uri 'none'; form-action 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
    assert (await user.get(API)).headers["cache-control"] == "no-store"


def test_on_every_interface_addresses_are_served_but_not_names():
    hosts = Hosts("0.0.0.0", ["vela.example"])  # noqa: S104
    for host in ("192.168.1.7:5000", "localhost", "[fe80::1]:80", "vela.example", "VELA.example:443"):
        assert host in hosts
    for host in ("evil.example", "192.168.1.7.evil.example", "vela.example.evil", "[::1", "1.2.3.4:5:6"):
        assert host not in hosts


def test_on_one_address_only_that_one():
    hosts = Hosts("192.168.1.7")
    assert "192.168.1.7:5000" in hosts
    assert "192.168.1.8:5000" not in hosts
