from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.adapters.redis.address import RedisAddress, Topology, parse_address
from vela.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://localhost", RedisAddress(Topology.SINGLE, (("localhost", 6379),))),
        ("redis://h:1/2", RedisAddress(Topology.SINGLE, (("h", 1),), db=2)),
        ("redis://:p%20w@h", RedisAddress(Topology.SINGLE, (("h", 6379),), password="p w")),
        ("redis://u:p%40w@h/", RedisAddress(Topology.SINGLE, (("h", 6379),), username="u", password="p@w")),
        ("redis://[::1]:7", RedisAddress(Topology.SINGLE, (("::1", 7),))),
        (
            "rediss://h?ssl_ca_certs=/ca.pem",
            RedisAddress(Topology.SINGLE, (("h", 6379),), is_tls=True, options={"ssl_ca_certs": "/ca.pem"}),
        ),
        ("unix:///run/redis.sock?db=3", RedisAddress(Topology.SINGLE, path="/run/redis.sock", db=3)),
        ("unix://:pw@/run/r%20s", RedisAddress(Topology.SINGLE, path="/run/r s", password="pw")),
        (
            "redis+sentinel://:pw@a,b:2/main/1?sentinel_password=other",
            RedisAddress(
                Topology.SENTINEL,
                (("a", 26379), ("b", 2)),
                service="main",
                db=1,
                password="pw",
                options={"sentinel_password": "other"},
            ),
        ),
        ("rediss+sentinel://a/main", RedisAddress(Topology.SENTINEL, (("a", 26379),), service="main", is_tls=True)),
        ("redis+cluster://a:1,b:2", RedisAddress(Topology.CLUSTER, (("a", 1), ("b", 2)))),
    ],
)
def test_addresses_are_read(text: str, expected: RedisAddress) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "scheme was ''"),
        ("localhost:6379", "scheme was 'localhost'"),
        ("http://h", "scheme was 'http'"),
        ("redis://", "a host is missing"),
        ("redis://:1", "a host is missing"),
        ("redis://h:x", "port was 'x'"),
        ("redis://h:0", "port was '0'"),
        ("redis://h:65536", "port was '65536'"),
        ("redis://h:" + "9" * 5000, "port was '9999"),
        ("redis://h:²", "port was '²'"),
        ("redis://h/x", "database was 'x'"),
        ("redis://h/1/2", "path was '/1/2'"),
        ("redis://h?nonsense=1", "option was 'nonsense'"),
        ("redis://h#x", "it holds a #"),
        ("redis://[::1", "Invalid IPv6"),
        ("unix://", "whole path"),
        ("unix://relative/path", "whole path"),
        ("redis+sentinel://h", "service's name is missing"),
        ("redis+sentinel://h,/main", "a host is missing"),
        ("redis+cluster://h/0", "path was '/0'"),
    ],
)
def test_what_is_no_address_is_refused_with_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_address(text)
    assert wrong in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.text(max_size=60) | st.builds("redis{}://{}".format, st.sampled_from(["", "+sentinel", "+cluster"]), st.text())
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except ConfigurationError:
        return
    assert address.hosts or address.path


@given(st.text(min_size=1), st.text(), st.integers(1, 65_535), st.integers(0, 99_999))
def test_any_name_and_password_pass_and_no_password_is_shown(user: str, password: str, port: int, db: int) -> None:
    marked = f"hush{password}hush"
    address = parse_address(f"redis://{quote(user, safe='')}:{quote(marked, safe='')}@host:{port}/{db}")
    assert (address.username, address.password) == (user, marked)
    assert (address.hosts, address.db) == ((("host", port),), db)
    assert "hush" not in f"{address} {address!r}"
    assert parse_address(str(address)).hosts == address.hosts
