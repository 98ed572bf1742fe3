"""A real `vela up`, watched through a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.request import Request, urlopen

import hatch_build
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.missing import missing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What the page's policy refused; how many squares of the chart are filled with the colours of these names, but for the
# right edge with its labels.
TOOLS = """
window.refused = [];
addEventListener('securitypolicyviolation', (event) => refused.push(`${event.violatedDirective} ${event.blockedURI}`));

window.squares = (names, size) => {
  const probe = document.body.appendChild(document.createElement('span'));
  const tones = new Set(names.map((name) => {
    probe.style.color = `var(${name})`;
    const [red, green, blue] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    return (red << 16) | (green << 8) | blue;
  }));
  probe.remove();
  let count = 0;
  for (const canvas of document.querySelectorAll('.chart .canvas canvas')) {
    const [width, height] = [canvas.width - 60, canvas.height];
    if (width < 100 || height === 0) continue;  // an axis
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const is = (x, y, at = (y * width + x) * 4) => tones.has((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    for (let y = 0; y <= height - size; y += 1) {
      for (let x = 0; x <= width - size; x += 1) {
        let filled = true;
        for (let i = 0; filled && i < size * size; i += 1) filled = is(x + (i % size), y + Math.floor(i / size));
        count += filled;
      }
    }
  }
  return count;
};
"""
START_SECONDS = 20


def unavailable(reason: str) -> NoReturn:
    """There is no page to be looked at."""
    missing(reason, "VELA_REQUIRE_BROWSER")


class Vela:
    """`vela up` in a process of its own; it can be killed and started again on the same data and port."""

    def __init__(self, directory: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._directory = directory
        self._options = options
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.cookie = ""

    def start(self, *options: str) -> None:
        self._directory.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "vela", "up", "--data-dir", str(self._directory / "data")]
        command += ["--port", str(self.port), *(options or self._options)]
        # Settings of whoever runs the tests are not those under test.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VELA_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers(self._process)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def login_link(self) -> str:
        """Return the link that the first start prints, once all services run: the page answers before that."""
        until = time.monotonic() + START_SECONDS
        while (found := re.search(r"http://\S+/login\?token=\S+", self._log.read_text())) is None:
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.05)
        return found[0]

    def fresh_link(self) -> str:
        """Return the link that `vela login-link` prints."""
        command = [sys.executable, "-m", "vela", "login-link", "--data-dir", str(self._directory / "data")]
        done = subprocess.run([*command, "--port", str(self.port)], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def get(self, path: str) -> Any:
        """Return what the API answers to somebody who is logged in."""
        request = Request(f"{self.url}/api/v1/{path}", headers={"Cookie": self.cookie})  # noqa: S310  our own
        with urlopen(request, timeout=5) as answer:  # noqa: S310
            return json.load(answer)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), urlopen(f"{self.url}/health", timeout=1):  # noqa: S310
                return
            time.sleep(0.05)
        raise AssertionError(f"vela up does not answer:\n{self._log.read_text()}")


class Visitor:
    """A browser profile of its own, and what went wrong in its pages."""

    def __init__(self, context: BrowserContext, *, expect_complaints: bool = False) -> None:
        self.context = context
        self._notes = set() if expect_complaints else {"error", "warning"}
        self.complaints: list[str] = []
        context.add_init_script(TOOLS)

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.goto(url)
        return page

    def log_in(self, vela: Vela) -> Page:
        """Open the page as somebody who is logged in."""
        name, _, value = vela.cookie.partition("=")
        self.context.add_cookies([{"name": name, "value": value, "url": vela.url}])
        page = self.open(vela.url)
        page.locator(".connected").wait_for()
        page.locator("main[data-view]").wait_for()
        return page

    def refused(self) -> list[str]:
        return [one for page in self.context.pages for one in page.evaluate("window.refused")]

    def _note(self, kind: str, text: str) -> None:
        if kind in self._notes:
            self.complaints.append(f"{kind}: {text}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        unavailable(f"no browser on the PATH: {', '.join(BROWSERS)}")
    try:
        hatch_build.build_page()
    except hatch_build.PageError as problem:
        unavailable(f"the page is not built: {problem}")
    if not (hatch_build.STATIC / "index.html").is_file():
        unavailable("the page is not built, and VELA_SKIP_WEB=1 forbids it")
    # Within a module: its event loop would be in the way of the asynchronous tests of others.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def start(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Vela]]:
    """Starts a system with these options."""
    started: list[Vela] = []

    def make(*options: str) -> Vela:
        vela = Vela(tmp_path_factory.mktemp("vela"), *options)
        started.append(vela)
        vela.start()
        return vela

    yield make
    for vela in started:
        vela.kill()


def logged_in(browser: Browser, vela: Vela) -> Vela:
    """Use a link and keep the cookie for later visitors."""
    context = browser.new_context()
    context.request.get(vela.login_link())
    [cookie] = context.cookies()
    vela.cookie = f"{cookie['name']}={cookie['value']}"
    context.close()
    return vela


@pytest.fixture(scope="module")
def ended(browser: Browser, start: Callable[..., Vela]) -> Vela:
    """A market that is over: everything stands still."""
    vela = logged_in(browser, start("--candles", "200", "--speed", "max"))
    deadline = time.monotonic() + START_SECONDS
    while not vela.get("snapshot")["session"]["ended"]:
        assert time.monotonic() < deadline, "the market does not end"
        time.sleep(0.1)
    return vela


@pytest.fixture(scope="module")
def live(browser: Browser, start: Callable[..., Vela]) -> Vela:
    """A market that moves, at the default speed."""
    return logged_in(browser, start())


@pytest.fixture
def new_visitor(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors; in the end none of their pages may have complained."""
    visitors: list[Visitor] = []

    def make(*, expect_complaints: bool = False, **options: Any) -> Visitor:
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1440, "height": 900}} | options)
        visitor = Visitor(context, expect_complaints=expect_complaints)
        visitors.append(visitor)
        return visitor

    yield make
    refused = [one for visitor in visitors for one in visitor.refused()]
    complaints = [one for visitor in visitors for one in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert (complaints, refused) == ([], [])
