"""One account from its first start to its last, with every death between."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.checker import breaches
from tests.faults.scenario import RANDOM, WAYS_OUT, Scenario
from tests.faults.wire import BUY, FIRST_PRICE, HOLD, SECRET, SELL, Trader, Venue, venue, wait_for

_START_SECONDS = 60.0
_STEPS = 24  # until a point must have been passed
_SETTLE_SECONDS = 20.0
_LEAVE_SECONDS = 20.0
_EXIT_SECONDS = 2.0
_ENDPOINTS = {
    "POST /api/v3/order": "place",
    "POST /api/v3/order/cancelReplace": "replace",
    "POST /api/v3/orderList/oco": "pair",
    "DELETE /api/v3/order*": "cancel",
}


class NotSurvived(Exception):
    """The process did not end, start or leave as it had to."""


class Life:
    """An account at a venue of its own."""

    def __init__(self, folder: Path, *, exits: str, is_flat: bool, seed: int) -> None:
        """`exits`: how positions are protected. `is_flat`: the book has no depth."""
        self._folder = folder
        self._exits = exits
        self._is_flat = is_flat
        self._dice = random.Random(seed)  # noqa: S311  no secrets
        self._stack = ExitStack()
        self._venue: Venue
        self._trader: Trader
        self._trailed = False

    def __enter__(self) -> Self:
        self._venue = self._stack.enter_context(venue(self._folder, is_flat=self._is_flat))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if hasattr(self, "_trader"):
            self._trader.process.kill()
            self._trader.process.wait()
        self._stack.close()

    # --------------------------------------------------------------------------------------------------- the deaths

    def survive(self, scenario: Scenario) -> list[str]:
        """Start the process, play until it dies as it should, and let the market move; returns where it died."""
        if scenario.outcome != "answered":
            for endpoint in _ENDPOINTS:
                self._venue.fault(endpoint, scenario.outcome)
        self._trader = Trader(self._folder, self._venue, self._exits, scenario.crash_at)
        if scenario.point == RANDOM:
            self._kill_after(scenario.moment)
        self._play_until_dead(scenario)
        expected = 0 if scenario.by_term else -signal.SIGKILL
        if self._trader.process.wait() != expected:
            raise NotSurvived(f"exit {self._trader.process.returncode}: {self._trader.words()[-1500:]}")
        self._venue.no_faults()
        self._move_meanwhile(scenario.fill)
        died = [scenario.point]
        if scenario.again:
            died.append(self._die_while_starting())
        return died

    def _kill_after(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._trader.process.kill)
        timer.daemon = True
        timer.start()

    def _die_while_starting(self) -> str:
        self._trader = Trader(self._folder, self._venue, self._exits, f"P23:{self._dice.randint(1, 3)}")
        if self._trader.process.wait(_START_SECONDS) != -signal.SIGKILL:
            raise NotSurvived(f"start not killed: {self._trader.words()[-1500:]}")
        return "P23"

    def _play_until_dead(self, scenario: Scenario) -> None:
        wait_for(lambda: self._trader.is_dead or self._trader.is_up(), _START_SECONDS)
        self._candle(HOLD)
        for _ in range(_STEPS):
            if self._trader.is_dead:
                return
            self._step(scenario.way_out(self._dice))
        wait_for(lambda: self._trader.is_dead, 0.0 if scenario.point != RANDOM else scenario.moment)
        if not self._trader.is_dead:
            raise NotSurvived(f"never came to {scenario}: {self._trader.words()[-1500:]}")

    def settle(self, steps: int = 4) -> None:
        """Start once more, trade on, wait until nothing is left to be done, and let it leave."""
        self._trader = Trader(self._folder, self._venue, self._exits, None)
        wait_for(lambda: self._trader.is_dead or self._trader.is_up(), _START_SECONDS)
        self._candle(HOLD)
        for _ in range(steps):
            self._step(self._dice.choice(WAYS_OUT))
        self._candle(HOLD)
        if not wait_for(self._is_settled, _SETTLE_SECONDS, pause=0.1):
            raise NotSurvived(f"not settled: {self._unsettled()} {self._trader.words()[-1500:]}")
        self._trader.process.terminate()
        if self._trader.process.wait(_LEAVE_SECONDS):
            raise NotSurvived(f"exit {self._trader.process.returncode}: {self._trader.words()[-1500:]}")

    def _is_settled(self) -> bool:
        size = self._venue.size()
        time.sleep(1.5)  # longer than everything is compared, and tried again
        return size == self._venue.size() and not self._unsettled()

    def _unsettled(self) -> list[str]:
        return self._ask("SELECT client_order_id FROM orders WHERE status IN ('PLANNED', 'SENT', 'UNKNOWN')")

    def _held(self) -> float:
        return sum(map(float, self._ask("SELECT quantity FROM positions")))

    def _ask(self, query: str) -> list[str]:
        with closing(sqlite3.connect(f"file:{self._folder / 'data' / 'vela.sqlite'}?mode=ro", uri=True)) as record:
            return [row[0] for row in record.execute(query)]

    def breaches(self, *, is_settled: bool) -> list[str]:
        """Return what does not hold."""
        data, truth = self._folder / "data", self._folder / "truth.jsonl"
        told = [f"{path.name} holds a secret" for path in (self._folder / "vela.log", *_files(data)) if _tells(path)]
        if not truth.exists() or not self._has_record():
            return told
        return told + breaches(data, truth, is_settled=is_settled)

    def _has_record(self) -> bool:
        is_there = (self._folder / "data" / "vela.sqlite").exists()
        return is_there and bool(self._ask("SELECT 1 FROM sqlite_master WHERE name = 'ledger_entries'"))

    # --------------------------------------------------------------------------------------------------- the market

    def _step(self, way_out: str) -> None:
        """Do the next thing: enter, let the stop follow, or leave on the way out that is given."""
        if not self._has_record() or not self._held():
            self._enter(is_thin=way_out == "thin")
        elif not self._trailed:
            self._trailed = True
            self._rise()
        else:
            self._trailed = False
            self._leave(way_out)

    def _enter(self, *, is_thin: bool) -> None:
        if not FIRST_PRICE / 2 < self._venue.price < FIRST_PRICE * 2:
            self._venue.move(FIRST_PRICE)
        self._trailed = False
        self._candle(BUY, volume=_volume(0.6 * 50 / self._venue.price) if is_thin else None)

    def _rise(self) -> None:
        self._candle(HOLD, price=self._venue.price * 1.012)
        self._candle(HOLD)  # the one before may have closed before the entry

    def _leave(self, way: str) -> None:
        if way == "thin":
            held = self._held()
            self._candle(SELL, volume=_volume(0.5 * held))
            wait_for(lambda: self._trader.is_dead or self._held() != held, _EXIT_SECONDS)  # while so little is offered
        elif way == "signal":
            self._candle(SELL)
        else:
            self._touch({"stop": "dead", "target": "full", "part": "partial"}[way])
            self._quiet()
            self._candle(HOLD)

    def _touch(self, fill: str) -> None:
        resting = self._venue.resting()
        stops = [order for order in resting if order["stop_price"] is not None]
        limits = [order for order in resting if order["stop_price"] is None and order["price"] is not None]
        if fill == "dead" or (fill == "full" and not limits):
            lowest = min((float(order["stop_price"]) for order in stops), default=self._venue.price)
            self._venue.move(_dime(lowest * 0.99))
        elif fill == "full":
            self._venue.move(max(float(order["price"]) for order in limits) + 0.1)
        elif resting:
            order = self._dice.choice(resting)
            part = self._dice.uniform(0.1, 0.9) * float(order["quantity"])
            self._venue.move(float(order["stop_price"] or order["price"]), _volume(part))

    def _move_meanwhile(self, fill: str) -> None:
        if fill != "none":
            self._touch(fill)
        self._venue.move(_dime(self._venue.price))

    def _candle(self, digit: int, *, price: float | None = None, volume: float | None = None) -> None:
        """Close a candle whose close says what to do, and wait until all is quiet."""
        self._venue.move(_dime(self._venue.price))
        self._venue.catch_up()
        target = _dime(price or self._venue.price) + digit / 100
        self._venue.move(target) if volume is None else self._venue.move(target, volume)
        opened = self._venue.candle()
        wait_for(lambda: self._trader.is_dead or self._trader.has_seen(opened), 1.0)
        self._quiet()

    def _quiet(self) -> None:
        end = time.monotonic() + 2.0
        size, since = self._venue.size(), time.monotonic()
        while not self._trader.is_dead and time.monotonic() < min(end, since + 0.15):
            time.sleep(0.01)
            if self._venue.size() != size:
                size, since = self._venue.size(), time.monotonic()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _tells(path: Path) -> bool:
    words = path.read_bytes() if path.exists() else b""
    return SECRET.encode() in words or b"signature=" in words


def _dime(price: float) -> float:
    return round(price, 1)


def _volume(quantity: float) -> float:
    return max(0.001, round(quantity, 5))
