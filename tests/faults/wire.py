"""The real thing: a `vela venue` process, a `vela up --live` process on it, and a hand on the market.

The market stands still until it is moved. Vela's strategy is ours: the last digit of a candle's close tells it to buy
or to sell, and it notes which candle it saw last. Candles are a second long, because a stop is moved only by candles
that close after the entry, and never closed before their time.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tests.faults.evidence import Row, told
from tests.faults.forked import ForkedProcess

STRATEGY = '''
from pathlib import Path

import numpy as np

from vela.domain.signal import Signals
from vela.strategies.base import Strategy


class Told(Strategy):
    """Does what the last digit of a close tells: 1 to buy, 2 to sell."""

    @property
    def warmup(self):
        return 1

    def analyze(self, symbol, candles):
        digit = np.rint(candles.close * 100).astype(np.int64) % 10
        Path("seen").write_text(str(candles.open_time[-1:]).strip("[]"))
        return Signals(digit == 1, digit == 2)
'''
T = TypeVar("T")
HOLD, BUY, SELL = 0, 1, 2
PLENTY = 1_000.0
FIRST_PRICE = 100.0
CANDLE_MS = 1_000
SECRET = "the-key-of-a-life"
_VENUE_READY = re.compile(r"REST (http://\S+?)/api.*Control (http://\S+)", re.DOTALL)
_START_SECONDS = 60.0

RULES = ["--stake", "50", "--cooldown", "0", "--stop-loss", "2", "--trailing", "1.5", "--trailing-after", "0.5"]
# So much is done and lost in a minute here that the careful limits of a live account would end it.
RULES += ["--max-orders-per-minute", "0", "--price-band", "0", "--max-daily-loss", "0", "--max-drawdown", "0"]
EXITS = {
    "stop": [],
    "target": ["--take-profit", "3"],
    "part": ["--take-profit", "3", "--take-profit-part", "50"],
}


class Venue:
    """A venue that serves BTC; `truth` is written before anybody is told."""

    def __init__(self, rest: str, control: str, truth: Path) -> None:
        self.rest, self.truth_file = rest, truth
        self._control = httpx.Client(base_url=control, trust_env=False, timeout=10)
        self.price, self.time = FIRST_PRICE, 0

    def close(self) -> None:
        self._control.close()

    def _post(self, path: str, body: Row) -> Any:
        answer = self._control.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def move(self, price: float, volume: float = PLENTY) -> None:
        """Move the price through all between; `volume` is traded on the way and offered from then on."""
        self.price = price
        self._post("/price", {"symbol": "BTC", "price": f"{price:.2f}", "volume": volume})

    def catch_up(self) -> None:
        """Close all candles whose time has come but the last: an entry must not lie in the market's future."""
        while self.time and self.time + 2 * CANDLE_MS <= time.time() * 1000:
            self.candle()

    def candle(self) -> int:
        """Close the candle that forms, not before its time, and return its open."""
        wait = self.time + CANDLE_MS - time.time() * 1000
        if self.time and wait > 0:
            time.sleep(wait / 1000)
        self.time = int(self._post("/candle", {})["time"])
        return self.time - CANDLE_MS

    def fault(self, endpoint: str, kind: str) -> None:
        arguments = {"seconds": 0.2} if kind == "execute_and_timeout" else {}
        self._post("/faults", {"endpoint": endpoint, "kind": kind, "nth": 1, "args": arguments})

    def no_faults(self) -> None:
        self._control.delete("/faults")

    def size(self) -> int:
        """Return how much was written about what happened."""
        return self.truth_file.stat().st_size if self.truth_file.exists() else 0

    def resting(self) -> list[Row]:
        """Return the open orders as they are."""
        newest = {event["order_id"]: event for event in told(self.truth_file)} if self.size() else {}
        return [event for event in newest.values() if event["status"] in {"ACCEPTED", "PARTIALLY_FILLED"}]


@contextmanager
def venue(folder: Path, *, is_flat: bool) -> Iterator[Venue]:
    """A venue on free ports. `is_flat`: all is offered at the price itself, else on many levels."""
    truth = folder / "truth.jsonl"
    options = ["--market", "still", "--symbols", "BTC", "--timeframe", "1s", "--price", f"BTC={FIRST_PRICE}"]
    options += [
        "--begin-now",
        "--port",
        "0",
        "--control-port",
        "0",
        "--truth",
        str(truth),
        "--balance",
        "USDT=10000",
        "--api-secret",
        SECRET,
    ]
    options += ["--flat-book"] if is_flat else []
    log = folder / "venue.log"
    process = ForkedProcess(["venue", *options], folder=folder, environment=environment(folder), log=log)
    try:
        found = wait_for(lambda: _VENUE_READY.search(log.read_text()), _START_SECONDS)
        assert found is not None, log.read_text()
        server = Venue(found[1], found[2], truth)
        yield server
        server.close()
    finally:
        process.terminate()
        process.wait()


class Trader:
    """A `vela up` process."""

    def __init__(self, folder: Path, venue: Venue, exits: str, crash_at: str | None) -> None:
        """`exits`: of `EXITS`. `crash_at`: see `VELA_CRASH_AT`."""
        self.folder = folder
        self._log = folder / "vela.log"
        options = ["--exchange", "binance", "--exchange-url", venue.rest, "--live", "--symbols", "BTC"]
        options += ["--confirm", "trade real money on binance", "--timeframe", "1s", "--strategy", "Told"]
        options += ["--no-page", "--data-dir", "data", "--capital", "1000", *RULES, *EXITS[exits]]
        told_so = {"VELA_API_KEY": "vela-venue-key", "VELA_API_SECRET": SECRET}
        told_so |= {"VELA_FOLLOW_UP": "2,0.5,1"} | ({} if crash_at is None else {"VELA_CRASH_AT": crash_at})
        (folder / "strategies").mkdir(exist_ok=True)
        (folder / "strategies" / "told.py").write_text(STRATEGY)
        (folder / "seen").unlink(missing_ok=True)
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        self.process = ForkedProcess(
            ["up", *options], folder=folder, environment=environment(folder) | told_so, log=self._log
        )

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def words(self) -> str:
        """Return what this process said."""
        with self._log.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def is_up(self) -> bool:
        return "REAL MONEY" in self.words()

    def has_seen(self, open_time: int) -> bool:
        try:
            return int((self.folder / "seen").read_text()) >= open_time
        except (OSError, ValueError):
            return False


def environment(folder: Path) -> dict[str, str]:
    """Return the surroundings of a process that knows nothing of its user."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("VELA_")}
    return kept | {"XDG_STATE_HOME": str(folder / "state"), "COLUMNS": "200"}


def wait_for(what: Callable[[], T], seconds: float, pause: float = 0.02) -> T:
    """Return the first answer that is true, or the last one when the time is over."""
    end = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(pause)
    return answer
