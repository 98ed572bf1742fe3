from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.fakes import until
from tests.jobs import RESULT, ManualRunner, MemoryJobStore, job
from tests.unit.dashboard.samples import START, workshop

from vela.adapters.bus.memory import MemoryBus
from vela.dashboard import backtests
from vela.dashboard.app import Sources, build_app
from vela.dashboard.gate import Hosts
from vela.domain.events import Envelope, Topic
from vela.domain.jobs import JobState
from vela.ports.jobs import MOST_WAITING
from vela.services.simulator import SimulatorService

URL = "/api/v1/backtests"
FORM = {"strategy": "SmaCrossover", "parameters": {"fast": 7}, "symbols": ["BTC"], "rules": {"stake": "5%"}}


class Floor:
    """The page over a real simulator service, whose jobs go on when the test says so."""

    def __init__(self, sources: Sources, user: httpx.AsyncClient) -> None:
        self.store = MemoryJobStore()
        self.runner = ManualRunner()
        self.bus = MemoryBus(sources_clock := _Clock())
        self.board = sources.projection.account.jobs
        self.user = user
        self.service = SimulatorService(self.bus, sources_clock, self.store, self.runner, 1)
        self.bus.subscribe("page", Topic.JOBS)
        self._apply = sources.projection.apply

    async def take(self, envelope: Envelope) -> None:
        self._apply(envelope)

    async def start(self, **changes):
        answer = await self.user.post(URL, json={**FORM, **changes})
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def done(self):
        name = (await self.start())["id"]
        await until(lambda: self.runner.running)
        self.runner.finish("SmaCrossover")
        await until(lambda: self.store.kept[name].state is JobState.DONE and not self.board.waiting())
        return name


class _Clock:
    def now(self) -> int:
        return START

    def monotonic(self) -> float:
        return 0.0

    async def sleep_until(self, time: int) -> None:
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
async def floor(sources: Sources, user: httpx.AsyncClient, static) -> AsyncIterator[Floor]:
    made = Floor(sources, user)
    values = {name: getattr(sources, name) for name in Sources.__slots__}
    asking = workshop(made.bus.publish, made.store)
    user._transport.app = build_app(Sources(**{**values, "workshop": asking}), Hosts("127.0.0.1"), static)  # type: ignore[attr-defined]
    tasks = [asyncio.create_task(made.service.work()), asyncio.create_task(made.bus.consume("page", made.take))]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_backtest_is_accepted_once_it_is_stored(floor: Floor) -> None:
    answer = await floor.user.post(URL, json={**FORM, "from": "1970-01-02", "to": 172_800_000, "timeframe": "1m"})
    shown = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"{URL}/{shown['id']}")
    request = floor.store.kept[shown["id"]].request
    assert (request.parameters, request.rules) == ({"fast": "7"}, {"stake": "5%"})
    assert (request.start, request.end, request.timeframe) == (86_400_000, 172_800_000, "1m")
    assert (shown["from"], shown["to"]) == (86_400_000, 172_800_000)
    assert shown["symbols"] == [{"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}]
    assert (await floor.user.get(answer.headers["location"])).json()["strategy"] == "SmaCrossover"


async def test_numbers_switches_and_texts_reach_the_settings_as_written(floor: Floor) -> None:
    rules = {"stop_loss": 1.5, "max_positions": 3, "allow_short": True, "cooldown": "1h"}
    name = (await floor.start(rules=rules))["id"]
    written = {"stop_loss": "1.5", "max_positions": "3", "allow_short": "true", "cooldown": "1h"}
    assert floor.store.kept[name].request.rules == written


async def test_two_of_the_same_moment_are_two(floor: Floor) -> None:
    first, second = await asyncio.gather(floor.start(), floor.start())
    assert first["id"] != second["id"]
    assert [one["id"] for one in (await floor.user.get(URL)).json()] == sorted([first["id"], second["id"]])[::-1]


@pytest.mark.parametrize(
    ("changes", "error", "accepted"),
    [
        ({"strategy": "Foo"}, "strategy 'Foo' is unknown", "SmaCrossover, "),
        ({"strategy": ""}, "strategy cannot be used", "String should have at least 1 character"),
        ({"strategy": 5}, "strategy cannot be used", "a valid string"),
        ({"parameters": {"fast": 99}}, "SmaCrossover.fast was 99", "a whole number from 5 to 50"),
        ({"parameters": {"speed": 1}}, "parameter was 'speed=1'", "each once: fast=10, slow=30"),
        ({"parameters": {"fast": [1]}}, "parameters.fast cannot be used", "a valid boolean"),
        ({"symbols": ["banana"]}, "setting symbols (option) was 'banana'", ""),
        ({"symbols": "BTC"}, "symbols cannot be used", "a valid list"),
        ({"timeframe": "7m"}, "setting timeframe (option) was '7m'", "1s, 1m, "),
        ({"from": "yesterday"}, "setting from (option) was 'yesterday'", "a date or time such as"),
        ({"rules": {"stake": "200%"}}, "setting stake (option) was '200%'", ""),
        ({"rules": {"data_dir": "/"}}, "rule 'data_dir' is unknown", "capital, "),
        ({"colour": "red"}, "'colour' is unknown", "strategy, parameters, symbols, timeframe, from, to, rules"),
    ],
)
async def test_what_makes_no_sense_names_the_field_and_what_is_accepted(floor, changes, error, accepted) -> None:
    answer = await floor.user.post(URL, json={**FORM, **changes})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(error)
    assert answer.json()["accepted"].startswith(accepted)
    assert answer.json()["accepted"]
    assert floor.store.kept == {}


BODIES = [
    "",
    "[]",
    "null",
    "{",
    '{"strategy": NaN}',
    "strategy=SmaCrossover",
    '{"strategy": "\\ud800"}',
    '{"strategy": "SmaCrossover", "\\ud800": 1}',
    '{"strategy": "SmaCrossover", "parameters": {"\\ud800": 1}}',
    '{"strategy": "SmaCrossover", "parameters": {"fast": "\\ud800"}}',
    '{"strategy": "SmaCrossover", "symbols": ["\\ud800"]}',
]


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_is_no_form(floor: Floor, body: str) -> None:
    answer = await floor.user.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "accepted"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_what_a_foreign_form_could_send_starts_nothing(floor: Floor, kind: str) -> None:
    answer = await floor.user.post(URL, content=b'{"strategy": "SmaCrossover"}', headers={"Content-Type": kind})
    assert answer.status_code == 422
    assert floor.store.kept == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:5001"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_nothing_is_started_or_ended_from_another_site_even_with_the_cookie(floor: Floor, headers) -> None:
    name = (await floor.start())["id"]
    for method, path, body in (("POST", URL, FORM), ("DELETE", f"{URL}/{name}", None)):
        answer = await floor.user.request(method, path, json=body, headers=headers)
        assert answer.status_code == 403
    assert list(floor.store.kept) == [name]
    assert not floor.store.kept[name].state.is_final


async def test_the_page_itself_may(floor: Floor) -> None:
    headers = {"Origin": "http://127.0.0.1:5000", "Sec-Fetch-Site": "same-origin"}
    assert (await floor.user.post(URL, json=FORM, headers=headers)).status_code == 202


async def test_without_the_cookie_nothing_can_be_asked(visitor: httpx.AsyncClient) -> None:
    for method, path in (("POST", URL), ("GET", URL), ("DELETE", f"{URL}/1"), ("GET", "/api/v1/strategies")):
        assert (await visitor.request(method, path)).status_code == 401


async def test_a_running_backtest_is_cancelled_when_that_is_answered(floor: Floor) -> None:
    name = (await floor.start())["id"]
    await until(lambda: floor.runner.running)
    answer = await floor.user.delete(f"{URL}/{name}")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert floor.runner.running == {}
    again = await floor.user.delete(f"{URL}/{name}")
    assert (again.status_code, again.json()["error"]) == (409, "the backtest is cancelled")


async def test_result_and_report_once_it_is_done(floor: Floor) -> None:
    name = (await floor.start())["id"]
    for part in ("result", "report"):
        answer = await floor.user.get(f"{URL}/{name}/{part}")
        assert (answer.status_code, set(answer.json())) == (409, {"error", "accepted"})
    await until(lambda: floor.runner.running)
    floor.runner.finish("SmaCrossover")
    await until(lambda: floor.store.results)
    result, report = [await floor.user.get(f"{URL}/{name}/{part}") for part in ("result", "report")]
    assert (result.content, result.headers["content-type"]) == (gzip.decompress(RESULT.document), "application/json")
    assert (report.text, report.headers["content-type"]) == ("<p>", "text/html; charset=utf-8")
    assert (await floor.user.get(f"{URL}/{name}")).json()["summary"] == RESULT.summary


async def test_the_reports_script_runs_without_origin_and_reaches_nothing(floor: Floor) -> None:
    headers = (await floor.user.get(f"{URL}/{await floor.done()}/report")).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["sandbox"] == "allow-scripts"
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert "connect-src" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert (await floor.user.get(URL)).headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("path", ["", "/result", "/report"])
async def test_an_unknown_backtest(floor: Floor, path: str) -> None:
    answer = await floor.user.get(f"{URL}/nothing{path}")
    assert (answer.status_code, answer.json()["error"]) == (404, "there is no backtest 'nothing'")
    assert (await floor.user.delete(f"{URL}/nothing")).status_code == 404


async def test_too_many_that_wait(floor: Floor) -> None:
    for number in range(MOST_WAITING):
        floor.board.recall(job(str(number)))
    answer = await floor.user.post(URL, json=FORM)
    assert (answer.status_code, answer.json()["error"]) == (429, "100 backtests are waiting")
    assert floor.store.kept == {}


async def test_a_simulator_that_does_not_answer_is_said(user: httpx.AsyncClient, projection, monkeypatch) -> None:
    monkeypatch.setattr(backtests, "ANSWER_SECONDS", 0.05)
    projection.account.jobs.recall(job("1"))
    for answer in (await user.post(URL, json=FORM), await user.delete(f"{URL}/1")):
        assert (answer.status_code, answer.json()["error"]) == (503, "the simulator does not answer")


async def test_what_a_form_needs(user: httpx.AsyncClient) -> None:
    found = (await user.get("/api/v1/strategies")).json()
    [strategy] = found["strategies"]
    assert strategy["parameters"]["fast"] == {"default": 10, "low": 5, "high": 50}
    assert found["problem"] == "own.py:1: broken"
    [series] = (await user.get("/api/v1/series")).json()
    assert (series["symbol"]["base"], series["timeframe"], series["count"]) == ("BTC", "1m", 10)


async def test_openapi_describes_the_form(user: httpx.AsyncClient) -> None:
    document = (await user.get("/api/v1/openapi.json")).json()
    form = document["components"]["schemas"]["BacktestForm"]
    assert set(form["properties"]) == {"strategy", "parameters", "symbols", "timeframe", "from", "to", "rules"}
    assert {"202", "422", "429", "503"} <= set(document["paths"][URL]["post"]["responses"])
