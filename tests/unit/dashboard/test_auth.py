from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.fakes import ManualClock
from tests.unit.dashboard.samples import START

from vela.dashboard.auth import COOKIE_SECONDS, LINK_MS, LoginLimit, LoginTokens, login_link
from vela.domain.errors import ConfigurationError


def token(link):
    return link.partition("token=")[2]


def test_a_link_opens_once(tokens):
    link = tokens.new_link("127.0.0.1", 5000)
    assert link.startswith("http://127.0.0.1:5000/login?token=")
    cookie = tokens.redeem(token(link))
    assert tokens.is_session(cookie)
    assert tokens.redeem(token(link)) is None


def test_a_link_lasts_fifteen_minutes(tokens, clock):
    link = tokens.new_link("127.0.0.1", 5000)
    clock.set(START + LINK_MS)
    assert tokens.redeem(token(link)) is None


def test_the_first_start_link_waits_until_it_is_used(tokens, clock):
    link = tokens.first_start_link("127.0.0.1", 5000)
    clock.set(START + 100 * LINK_MS)
    assert tokens.redeem(token(link)) is not None
    assert tokens.first_start_link("127.0.0.1", 5000) is None


def test_the_first_start_link_is_void_once_another_was_used(tokens):
    first = tokens.first_start_link("127.0.0.1", 5000)
    assert tokens.redeem(token(tokens.new_link("127.0.0.1", 5000))) is not None
    assert tokens.redeem(token(first)) is None


def test_a_restart_prints_a_new_first_link_only_while_none_was_used(tokens, tmp_path, clock):
    old = tokens.first_start_link("127.0.0.1", 5000)
    restarted = LoginTokens(tmp_path / "data", clock.now)
    new = restarted.first_start_link("127.0.0.1", 5000)
    assert restarted.redeem(token(old)) is None
    assert restarted.redeem(token(new)) is not None
    assert LoginTokens(tmp_path / "data", clock.now).first_start_link("127.0.0.1", 5000) is None


def test_a_link_made_by_another_process_works_while_the_server_runs(tokens, tmp_path, clock):
    other = LoginTokens(tmp_path / "data", clock.now)
    assert tokens.is_session(tokens.redeem(token(other.new_link("127.0.0.1", 5000))))


def test_a_cookie_survives_a_restart_and_ends_after_thirty_days(tokens, tmp_path, clock):
    cookie = tokens.redeem(token(tokens.new_link("127.0.0.1", 5000)))
    restarted = LoginTokens(tmp_path / "data", clock.now)
    assert restarted.is_session(cookie)
    clock.set(START + COOKIE_SECONDS * 1000)
    assert not restarted.is_session(cookie)


def test_another_installations_cookie_is_refused(tokens, tmp_path, clock):
    other = LoginTokens(tmp_path / "other", clock.now)
    assert not tokens.is_session(other.redeem(token(other.new_link("127.0.0.1", 5000))))


@pytest.mark.parametrize("forged", [None, "", ".", "..", "a.b.c", "9999999999999.x.", "9999999999999.x.00", "é.\udce9"])
def test_forged_cookies_are_refused(tokens, forged):
    assert not tokens.is_session(forged)


def test_every_changed_byte_of_a_cookie_is_noticed(tokens):
    cookie = tokens.redeem(token(tokens.new_link("127.0.0.1", 5000)))
    for place in range(len(cookie)):
        other = "0" if cookie[place] != "0" else "1"
        assert not tokens.is_session(cookie[:place] + other + cookie[place + 1 :])


@pytest.mark.parametrize("wrong", ["", "x", "../page-secret", "first", "used", "\x00", "\udce9", "a" * 10_000])
def test_wrong_tokens_open_nothing(tokens, wrong):
    tokens.first_start_link("127.0.0.1", 5000)
    assert tokens.redeem(wrong) is None


def test_what_is_stored_opens_nothing_and_is_private(tokens, tmp_path):
    secret = token(tokens.new_link("127.0.0.1", 5000))
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert secret.encode() not in path.read_bytes() + path.name.encode()
        assert tokens.redeem(path.name) is None


def test_old_links_are_cleared_away(tokens, tmp_path, clock):
    for _ in range(10):
        tokens.new_link("127.0.0.1", 5000)
    clock.set(START + LINK_MS)
    tokens.new_link("127.0.0.1", 5000)
    assert len(list((tmp_path / "data" / "page-logins").iterdir())) == 1


def test_an_open_secret_is_closed_and_a_damaged_one_refused(tokens, tmp_path, clock):
    secret = tmp_path / "data" / "page-secret"
    secret.chmod(0o644)
    LoginTokens(tmp_path / "data", clock.now)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="page-secret was 5 bytes; accepted: at least 32"):
        LoginTokens(tmp_path / "data", clock.now)


def test_a_directory_that_cannot_be_used_is_said_plainly(tmp_path: Path, clock: ManualClock):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="accepted: a directory to write to"):
        LoginTokens(tmp_path / "file", clock.now)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("box", "box")],  # noqa: S104
)
def test_a_link_names_a_host_that_a_browser_can_open(host, shown):
    assert login_link(host, 80, "x") == f"http://{shown}:80/login?token=x"


def test_five_attempts_a_minute_and_address(clock):
    limit = LoginLimit(clock.now)
    assert [limit.allows("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limit.allows("b")
    clock.set(START + 60_000)
    assert limit.allows("a")


def test_many_addresses_take_bounded_memory(clock):
    limit = LoginLimit(clock.now)
    for number in range(5000):
        limit.allows(str(number))
    assert len(limit._attempts) == 1000
