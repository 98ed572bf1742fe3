from __future__ import annotations

import json

import pytest
from tests.unit.dashboard.samples import MINUTE, START, closed, envelope

from vela.dashboard.api import operation_routes
from vela.dashboard.app import Sources, build_app
from vela.dashboard.gate import Hosts
from vela.dashboard.health import health
from vela.domain.errors import StorageError
from vela.domain.events import ServiceBeat, ServiceState


async def test_the_account_snapshot_is_the_streams_own(user, projection):
    answer = await user.get("/api/v1/snapshot")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(projection.account.snapshot())
    assert answer.json()["stream"] == "account"


@pytest.mark.parametrize("name", ["BTC", "btcusdt", "BTC%2FUSDT"])
async def test_a_symbols_snapshot(user, name):
    shown = (await user.get(f"/api/v1/symbols/{name}")).json()
    assert (shown["stream"], len(shown["candles"])) == ("BTC", 500)


async def test_a_symbol_with_a_slash(user):
    assert (await user.get("/api/v1/symbols/ETH%2FBTC")).json()["stream"] == "ETH/BTC"
    assert len((await user.get("/api/v1/symbols/ETH%2FBTC/candles?limit=3")).json()) == 3


async def test_older_candles_come_page_by_page_ascending(user):
    before = START + 600 * MINUTE
    rows = (await user.get(f"/api/v1/symbols/BTC/candles?before={before}&limit=500")).json()
    assert [row[0] for row in rows] == [START + minute * MINUTE for minute in range(100, 600)]


async def test_the_newest_candles_are_those_that_just_closed(user, projection):
    projection.apply(closed(1000))
    rows = (await user.get("/api/v1/symbols/BTC/candles?limit=2")).json()
    assert [row[0] for row in rows] == [START + 999 * MINUTE, START + 1000 * MINUTE]
    assert len((await user.get("/api/v1/symbols/BTC/candles?limit=800")).json()) == 800


@pytest.mark.parametrize("path", ["symbols/DOGE", "symbols/banana", "symbols/DOGE/candles", "decisions?symbol=DOGE"])
async def test_an_unknown_symbol_is_answered_with_the_known_ones(user, path):
    answer = await user.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.json()["accepted"] == "BTC, ETH, ETH/BTC"


@pytest.mark.parametrize(
    ("path", "count"), [("trades", 2), ("orders", 2), ("fills", 1), ("decisions", 100), ("symbols", 3)]
)
async def test_lists(user, path, count):
    assert len((await user.get(f"/api/v1/{path}")).json()) == count


async def test_limit_before_and_symbol_reach_the_record(user):
    assert len((await user.get(f"/api/v1/trades?before={START + 5 * MINUTE}")).json()) == 1
    assert len((await user.get("/api/v1/decisions?symbol=BTC&limit=7")).json()) == 7
    assert (await user.get("/api/v1/decisions?symbol=ETH")).json() == []


async def test_decisions_tell_what_became_of_them(user):
    newest = (await user.get("/api/v1/decisions?symbol=BTC&limit=3")).json()
    assert [(one["outcome"], one["outcome_reason"]) for one in newest] == [
        ("refused", "max_positions"),
        (None, ""),
        ("order", ""),
    ]


async def test_the_summary(user):
    shown = (await user.get("/api/v1/summary")).json()
    assert (shown["final_equity"], shown["refused"], shown["candles"]) == ("1001.2", {"cooldown": 2}, 1000)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=", "before=-1", "before=1e400", "before=99999999999999999999"]
)
async def test_values_out_of_range_are_refused_in_the_protocols_form(user, query):
    for path in ("trades", "orders", "fills", "decisions", "symbols/BTC/candles"):
        answer = await user.get(f"/api/v1/{path}?{query}")
        assert answer.status_code == 400
        assert set(answer.json()) == {"error", "accepted"}
        assert query.partition("=")[0] in answer.json()["error"]


async def test_other_methods_and_paths_are_refused_in_the_protocols_form(user):
    for method, path, status in (
        ("POST", "/api/v1/trades", 405),
        ("DELETE", "/api/v1/orders", 405),
        ("GET", "/api/v1/x", 404),
        ("GET", "/api/v1", 404),
    ):
        answer = await user.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "accepted"}


async def test_a_record_that_cannot_be_read_is_no_traceback(user, sources: Sources, static):
    def broken():
        raise StorageError("disk /secret/path is gone")

    values = {name: getattr(sources, name) for name in Sources.__slots__}
    user._transport.app = build_app(Sources(**{**values, "reader": broken}), Hosts("127.0.0.1"), static)
    answer = await user.get("/api/v1/trades")
    assert answer.status_code == 503
    assert "secret" not in answer.text


async def test_openapi_lists_every_path_with_its_shape(user):
    document = (await user.get("/api/v1/openapi.json")).json()
    assert set(document["paths"]) == {
        "/health",
        "/api/v1/snapshot",
        "/api/v1/symbols",
        "/api/v1/symbols/{name}",
        "/api/v1/symbols/{name}/candles",
        "/api/v1/trades",
        "/api/v1/orders",
        "/api/v1/fills",
        "/api/v1/decisions",
        "/api/v1/summary",
        "/api/v1/backtests",
        "/api/v1/backtests/{job_id}",
        "/api/v1/backtests/{job_id}/result",
        "/api/v1/backtests/{job_id}/report",
        "/api/v1/strategies",
        "/api/v1/series",
    }
    assert "unrealised_pnl" in document["components"]["schemas"]["PositionView"]["properties"]
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await user.get(path)).status_code == 404


async def test_health_and_metrics_need_no_login(visitor, projection, clock):
    projection.apply(envelope(ServiceBeat(time=START, service="brain", state=ServiceState.RUNNING)))
    clock.set(START + 2000)
    answer = await visitor.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["services"][0]["beat_age_ms"] == 2000
    text = (await visitor.get("/metrics")).text
    for line in (
        "vela_candles_total 1000.0",
        'vela_candles_refused_total{fault="off_grid"} 3.0',
        "vela_equity 1001.2",
        'vela_service_beat_age_seconds{service="brain"} 2.0',
        'vela_service_up{service="brain"} 1.0',
        "vela_page_viewers 0.0",
        "vela_page_ticks_dropped_total 0.0",
    ):
        assert line in text


async def test_a_failed_service_makes_the_page_answer_503(visitor, projection):
    projection.apply(envelope(ServiceBeat(time=START, service="brain", state=ServiceState.FAILED, restarts=2)))
    answer = await visitor.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")


def service(status, age=0):
    return {"service": "x", "status": status, "beat_age_ms": age, "restarts": 0, "detail": ""}


@pytest.mark.parametrize(
    ("services", "ended", "word"),
    [
        ([], False, "ok"),
        ([service("running")], False, "ok"),
        ([service("running"), service("starting", None)], False, "degraded"),
        ([service("running", 30_001)], False, "degraded"),
        ([service("running", 120_001)], False, "down"),
        ([service("failed"), service("running")], False, "down"),
        ([service("stopped")], False, "degraded"),
        ([service("stopped", 999_999)], True, "ok"),
    ],
)
def test_the_worst_service_counts(services, ended, word):
    assert health(services, ended=ended)["status"] == word


def test_metrics_belong_to_one_page_only(sources):
    for _ in range(2):
        operation_routes(sources.projection, sources.counts, sources.now)
