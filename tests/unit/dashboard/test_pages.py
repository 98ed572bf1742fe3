from __future__ import annotations

import pytest

from vela.dashboard.app import build_app
from vela.dashboard.gate import Hosts

LINK = "http://127.0.0.1:5000/login?token="


async def test_a_link_logs_in_once_and_leads_to_the_page(visitor, tokens):
    link = tokens.first_start_link("127.0.0.1", 5000)
    answer = await visitor.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("vela_session=")
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=2592000"):
        assert attribute in cookie
    assert (await visitor.get("/api/v1/summary")).status_code == 200
    visitor.cookies.clear()
    used = await visitor.get(link)
    assert used.status_code == 401
    assert "set-cookie" not in used.headers
    assert "vela login-link" in used.text


async def test_whoever_is_logged_in_is_led_to_the_page_by_a_used_link(user):
    answer = await user.get(LINK + "used")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


async def test_a_look_ahead_at_a_link_does_not_use_it_up(visitor, tokens):
    link = tokens.first_start_link("127.0.0.1", 5000)
    assert (await visitor.head(link)).status_code == 405
    assert (await visitor.get(link)).status_code == 303


async def test_guessing_is_slowed_down_even_for_a_right_link(visitor, tokens):
    statuses = [(await visitor.get(f"{LINK}{number}")).status_code for number in range(6)]
    assert statuses == [401] * 5 + [429]
    answer = await visitor.get(tokens.new_link("127.0.0.1", 5000))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


@pytest.mark.parametrize("token", ["", "%00", "<script>", "%ED%B3%A9", "a" * 5000])
async def test_odd_tokens_get_the_same_page(visitor, token):
    answer = await visitor.get(LINK + token)
    assert answer.status_code == 401
    assert "<script>" not in answer.text


async def test_the_page_is_served_without_login(visitor):
    answer = await visitor.get("/")
    assert (answer.status_code, answer.text) == (200, "<!doctype html>the page")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


async def test_files_with_a_hash_in_their_name_may_be_kept(visitor):
    hashed = await visitor.get("/assets/index-abc123.js")
    assert hashed.headers["content-type"].startswith("text/javascript")
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = await visitor.get("/favicon.svg")
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/..%5csecret.txt",
        "/index.html%00",
        "/.built-from",
        "/assets",
        "/nothing",
        "/" + "a" * 5000,
    ],
)
async def test_nothing_else_is_served(visitor, path):
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert "canary" not in answer.text
    assert set(answer.json()) == {"error", "accepted"}


async def test_a_link_out_of_the_directory_is_not_followed(visitor, static):
    (static / "way-out.txt").symlink_to(static.parent / "secret.txt")
    assert (await visitor.get("/way-out.txt")).status_code == 404


async def test_a_checkout_without_its_page_says_how_to_build_it(visitor, sources, tmp_path):
    visitor._transport.app = build_app(sources, Hosts("127.0.0.1"), tmp_path / "absent")
    answer = await visitor.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
