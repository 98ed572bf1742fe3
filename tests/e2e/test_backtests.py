"""Backtests, from the form to the report, through a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.e2e.conftest import Vela, Visitor, logged_in

NewVisitor = Callable[..., Visitor]

SECONDS = 1_000
# Takes for ever, and says to whom it belongs.
ENDLESS = """
import time
from vela.strategies.sma_crossover import SmaCrossover

class Endless(SmaCrossover):
    \"\"\"Never comes back.\"\"\"

    def analyze(self, symbol, candles):
        while True:
            time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def shop(browser: Browser, tmp_path_factory: pytest.TempPathFactory):
    """A market that is over, with a strategy of the user's own beside it."""
    folder: Path = tmp_path_factory.mktemp("shop")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "endless.py").write_text(ENDLESS)
    vela = Vela(folder, "--candles", "200", "--speed", "max", "--symbols", "BTC,ETH")
    vela.start()
    yield logged_in(browser, vela)
    vela.kill()


def open_backtests(page: Page) -> Page:
    page.get_by_role("button", name="Backtests").first.click()
    page.get_by_role("button", name="Start backtest").wait_for(timeout=30 * SECONDS)
    return page


def start(page: Page, strategy: str) -> Locator:
    """Start a backtest and return its place in the list."""
    page.locator(".form").get_by_label("Strategy").select_option(strategy)
    before = page.locator(".jobs li h3").count()
    page.get_by_role("button", name="Start backtest").click()
    expect(page.locator(".jobs li h3")).to_have_count(before + 1)
    return page.locator(".jobs li").first


def test_a_backtest_is_started_followed_and_its_report_opened(shop: Vela, new_visitor: NewVisitor):
    visitor = new_visitor()
    page = open_backtests(visitor.log_in(shop))
    page.get_by_role("button", name="ETH", exact=True).click()
    page.get_by_label("fast").fill("7")
    page.get_by_label("Stake").fill("5%")
    job = start(page, "SmaCrossover")
    expect(job.locator(".badge")).to_have_text("Done", timeout=60 * SECONDS)
    told = shop.get("backtests")[0]
    assert (told["parameters"], told["rules"]["stake"]) == ({"fast": "7", "slow": "30"}, "5%")
    assert {symbol["base"] for symbol in told["symbols"]} == {"BTC", "ETH"}
    figures = dict(zip(job.locator("dt").all_inner_texts(), job.locator("dd").all_inner_texts(), strict=True))
    assert figures["Trades"] == str(told["summary"]["trades"])
    assert f"{abs(told['summary']['total_return_pct']):.2f}" in figures["Return"]
    assert shop.get(f"backtests/{told['id']}/result")["summary"] == told["summary"]
    with visitor.context.expect_page() as opened:
        job.get_by_role("link", name="Open report").click()
    report = opened.value
    expect(report.get_by_role("heading", name="SmaCrossover")).to_be_visible()
    report.wait_for_function("document.querySelector('#market').width > 300")  # drawn by its script
    assert report.evaluate("self.origin") == "null"
    report.close()


def test_a_running_backtest_is_cancelled(shop: Vela, new_visitor: NewVisitor):
    page = open_backtests(new_visitor().log_in(shop))
    job = start(page, "Endless")
    expect(job.locator(".badge")).to_have_text("Running", timeout=30 * SECONDS)
    expect(job.locator(".stage")).to_contain_text("Trading", timeout=30 * SECONDS)
    assert 0 < job.get_by_role("progressbar").evaluate("bar => bar.value") < 1
    job.get_by_role("button", name="Cancel").click()
    expect(job.locator(".badge")).to_have_text("Cancelled")
    expect(job.get_by_role("progressbar")).to_have_count(0)
    page.reload()
    open_backtests(page)
    expect(page.locator(".jobs li").first.locator(".badge")).to_have_text("Cancelled")


def test_what_makes_no_sense_is_said_beside_the_form(shop: Vela, new_visitor: NewVisitor):
    page = open_backtests(new_visitor(expect_complaints=True).log_in(shop))
    before = len(shop.get("backtests"))
    page.get_by_label("Stake").fill("200%")
    page.get_by_role("button", name="Start backtest").click()
    alert = page.locator(".form").get_by_role("alert")
    expect(alert).to_contain_text("setting stake (option) was '200%'. Accepted: above 0")
    assert len(shop.get("backtests")) == before
    for view in ("Trading", "Backtests"):
        page.get_by_role("button", name=view).first.click()
    expect(page.get_by_label("Stake")).to_have_value("200%")  # what was typed stays
    page.get_by_label("Stake").fill("50")
    page.get_by_label("From").fill("2031-01-01T00:00")
    page.get_by_role("button", name="Start backtest").click()
    expect(alert).to_have_count(0)
    failed = page.locator(".jobs li").first
    expect(failed.locator(".badge")).to_have_text("Failed", timeout=30 * SECONDS)
    expect(failed).to_contain_text("no candle opens between from and to; accepted: a window that overlaps")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_in_spanish_nothing_scrolls_sideways(shop: Vela, new_visitor: NewVisitor, scheme: str):
    phone = {"width": 375, "height": 720}
    options = {"viewport": phone, "is_mobile": True, "has_touch": True, "locale": "es-ES", "color_scheme": scheme}
    page = new_visitor(**options).log_in(shop)
    page.get_by_role("navigation").get_by_role("button", name="Backtests").tap()
    expect(page.get_by_role("button", name="Iniciar backtest")).to_be_visible(timeout=30 * SECONDS)
    for element in ("document.scrollingElement", "document.querySelector('main')"):
        assert page.evaluate(f"{element}.scrollWidth") <= 375


def test_the_form_is_filled_in_and_sent_by_keyboard(shop: Vela, new_visitor: NewVisitor):
    page = new_visitor().log_in(shop)
    page.get_by_role("button", name="Backtests").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start backtest").wait_for(timeout=30 * SECONDS)
    before = page.locator(".jobs li h3").count()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.labels?.[0]?.innerText || document.activeElement.innerText || ''")
        reached.add(re.split(r"\s", name)[0])
        if name == "Start backtest":
            break
    assert {"Strategy", "fast", "Timeframe", "BTC", "From", "Capital", "Take", "Start"} <= reached
    page.keyboard.press("Enter")
    expect(page.locator(".jobs li h3")).to_have_count(before + 1)
