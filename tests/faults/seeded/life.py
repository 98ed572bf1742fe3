"""A life: a time in which everything goes wrong, a time in which nothing does, and then a look at the books."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.faults.checker import contradictions
from tests.faults.evidence import Evidence
from tests.faults.seeded.market import Market
from tests.faults.seeded.nature import PEACE, Nature, dice, nature
from tests.faults.seeded.process import Process
from tests.faults.seeded.store import Store
from tests.faults.seeded.venue import QuietVenue
from tests.faults.seeded.virtual_time import VirtualClock, VirtualLoop
from tests.faults.seeded.wire import LONGEST_LAG_MS, Wire, new_connection

from vela.domain.crashpoints import POINTS, arm, disarm
from vela.domain.errors import StorageUnavailable, VenueUnavailable
from vela.engine.configuration import Configuration, SymbolConfiguration

_PEACE_S, _MOST_PEACE = 12.0, 9  # together longer than anything is waited for
_PEACE_SLOWNESS = 2.0
_REACHABLE = [point for point in POINTS if point not in {"P01", "P02", "P24"}]
_RARE = ("P18", "P19", "P21")  # several orders in the place of several, and an exit that executes in parts
_INSIDE_COMMITS = ("P04", "P12", "P22")
_LONGEST_REST_S = 8.0
_TURN_S = 12.0
_WAITING = 0.5  # of the lives wait from their beginning for a point to die at, however long that takes
_UNSETTLED = {"PLANNED", "SENT", "UNKNOWN"}


@dataclass(slots=True)
class Account:
    """What came of a life.

    Attributes:
        breaches: what does not hold, in words.
        digest: of everything that happened.
        met: how often which trouble was met.
        events: everything that happened, if it was asked for.
    """

    seed: int
    breaches: list[str] = field(default_factory=list)
    digest: str = ""
    met: Counter[str] = field(default_factory=Counter)
    events: list[str] = field(default_factory=list)


class Lives:
    """Lives one life after the other, with what takes long to make made once."""

    def __init__(self) -> None:
        self._store = Store()
        self._connection = new_connection()

    def live(self, seed: int, tell: Callable[[str], None] | None = None) -> Account:
        """Live the life of a seed. `tell`: hears of everything that happens, as it happens."""
        self._store.wipe()
        loop = VirtualLoop()
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(_Life(seed, self._store, self._wire_to, loop, tell).live())
        finally:
            disarm()
            asyncio.set_event_loop(None)
            loop.close()

    def _wire_to(self, venue: QuietVenue, clock: VirtualClock, chance: random.Random) -> Wire:
        return Wire(self._connection, venue, clock, chance)


class _Life:
    def __init__(
        self,
        seed: int,
        store: Store,
        wire_to: Callable[[QuietVenue, VirtualClock, random.Random], Wire],
        loop: VirtualLoop,
        tell: Callable[[str], None] | None,
    ) -> None:
        self._nature: Nature = nature(seed)
        self._clock = VirtualClock(loop, self._nature.slowness)
        self._loop, self._store, self._tell_on = loop, store, tell
        self._venue = QuietVenue(self._nature, self._clock, seed)
        self._wire = wire_to(self._venue, self._clock, dice(seed, "wire"))
        self._wire.note = self._note
        self._market = Market(self._nature, self._venue, self._clock, dice(seed, "market"), self._note)
        self._chance = dice(seed, "trouble")
        self._process: Process
        self._account = Account(seed)
        self._armed_until = 0.0
        self._hash = hashlib.blake2b(digest_size=16)

    # ---------------------------------------------------------------------------------------------------- the whole

    async def live(self) -> Account:
        self._note("nature", self._nature)
        self._keep_configuration()
        await self._begin()
        self._wire.odds = self._nature.odds
        if self._chance.random() < _WAITING:
            self._arm(self._deadly_point(), self._kill, turn_s=inf)
        await self._pass(self._nature.seconds, self._trouble)
        await self._make_peace()
        found = await self._come_to_rest()
        if not self._process.is_up:
            found.append("the process does not live in the end")
        await self._process.end(cleanly=True)
        self._blame(self._process)
        self._account.breaches += found
        self._hash.update(self._store.contents().encode())
        self._account.digest = self._hash.hexdigest()
        return self._account

    def _keep_configuration(self) -> None:
        symbols = tuple(SymbolConfiguration(one, "SmaCrossover", {}) for one in self._nature.instruments)
        self._store.configurations.keep(Configuration(self._clock.now(), self._nature.rules, symbols))

    async def _begin(self) -> None:
        self._process = Process(self._nature, self._store, self._wire, self._clock)
        self._market.listener = self._process
        is_up = await self._process.start()
        self._note("started" if is_up else "not started")

    async def _pass(self, seconds: float, look_in: Callable[[float], Coroutine[Any, Any, None]]) -> None:
        """Let time pass: the market moves, and between its moves something may happen."""
        end = self._loop.time() + seconds
        before = self._loop.time()
        while self._loop.time() < end:
            await asyncio.sleep(self._market.pause())
            if not self._process.is_up:
                await self._again()
            await self._market.step()
            await look_in(self._loop.time() - before)
            before = self._loop.time()

    async def _again(self) -> None:
        await self._bury(cleanly=False)
        await asyncio.sleep(self._chance.uniform(0.1, _LONGEST_REST_S))
        await self._market.step(is_heard=False)
        await self._begin()
        await self._market.recall()

    async def _bury(self, *, cleanly: bool) -> None:
        self._note("left" if cleanly else "died")
        self._account.met["leave" if cleanly else "death"] += 1
        await self._process.end(cleanly=cleanly)
        self._blame(self._process)

    # -------------------------------------------------------------------------------------------------- the troubles

    async def _trouble(self, seconds: float) -> None:
        chance, odds = self._chance, self._nature.odds
        if chance.random() < odds.death * seconds:
            await self._deadly()
        if chance.random() < odds.commit * seconds:
            self._arm(chance.choice(_INSIDE_COMMITS), self._fail)
        if chance.random() < odds.cut * seconds:
            self._met("cut")
            self._wire.cut()
        if chance.random() < odds.lag * seconds:
            self._lag()
        if chance.random() < odds.halt * seconds:
            self._halt()
        if chance.random() < odds.switch * seconds:
            await self._turn_switch()

    async def _deadly(self) -> None:
        """Let the process die here and now, leave, or die wherever it passes next."""
        chance = self._chance
        kind = chance.choice(("here", "leave", *["point"] * 6))
        if kind == "point":
            self._arm(self._deadly_point(), self._kill)
            return
        await self._bury(cleanly=kind == "leave")

    def _deadly_point(self) -> str:
        return self._chance.choice([*_REACHABLE, *3 * _RARE])

    def _kill(self) -> None:
        self._process.pulse.stop()

    def _arm(self, point: str, action: Callable[[], None], turn_s: float = _TURN_S) -> None:
        """Let something happen where the process passes next; what was armed before gets some time for its turn."""
        if self._loop.time() < self._armed_until:
            return
        disarm()
        self._armed_until = self._loop.time() + turn_s
        left = [self._chance.choice((1, 1, 2))]

        def pass_by() -> None:
            left[0] -= 1
            if left[0] == 0:
                disarm()
                self._armed_until = 0.0
                self._met(point)
                action()

        self._note("armed", point, left[0])
        arm(point, pass_by)

    @staticmethod
    def _fail() -> None:
        raise StorageUnavailable("the record cannot be used: disk I/O error")

    def _lag(self) -> None:
        self._met("lag")
        orders, lists = (self._chance.choice((0, self._chance.randint(100, LONGEST_LAG_MS))) for _ in range(2))
        self._venue.lag(orders, lists)

    def _halt(self) -> None:
        self._met("halt")
        symbol = self._chance.choice(self._nature.listed).symbol
        self._venue.halt(symbol, is_halted=True)
        self._loop.call_later(self._chance.uniform(1.0, 15.0), lambda: self._venue.halt(symbol, is_halted=False))

    async def _turn_switch(self) -> None:
        self._met("switch")
        state = await self._store.switch.state()
        on, flatten = not state.is_on, self._chance.random() < 0.5
        self._note("switch", on, flatten)
        await self._store.switch.turn(on=on, time=self._clock.now(), by="somebody", flatten=flatten)

    # -------------------------------------------------------------------------------------------------------- peace

    async def _make_peace(self) -> None:
        self._note("peace")
        disarm()
        self._wire.odds = PEACE
        self._venue.lag(0, 0)
        for one in self._nature.listed:
            self._venue.halt(one.symbol, is_halted=False)
        self._market.calm()
        self._clock.slowness = _PEACE_SLOWNESS

    async def _come_to_rest(self) -> list[str]:
        """Let time pass until all holds, and return what does not even after a long time."""
        found: list[str] = []
        for _ in range(_MOST_PEACE):
            await self._pass(_PEACE_S, self._nothing)
            evidence = Evidence(self._store.raw, self._venue.truth, self._venue.lowest)
            unsettled = [order for order in evidence.orders if order["status"] in _UNSETTLED]
            found = [*contradictions(evidence), *_stayed(evidence)]
            found += [f"order {order['client_order_id']} is {order['status']}" for order in unsettled]
            if not found and self._process.is_up:
                break
        return found

    async def _nothing(self, _seconds: float) -> None:
        return

    def _blame(self, process: Process) -> None:
        """Nothing but what fails at hand may end a service."""
        for error in process.troubles:
            if not isinstance(error, StorageUnavailable | VenueUnavailable):
                self._account.breaches.append(f"a service died of {error!r}")
            self._note("failed", repr(error))
        process.troubles.clear()

    # --------------------------------------------------------------------------------------------------------- notes

    def _met(self, trouble: str) -> None:
        self._account.met[trouble] += 1
        self._note(trouble)

    def _note(self, *what: object) -> None:
        line = f"{self._loop.time():9.3f} {' '.join(map(str, what))}"
        self._hash.update(line.encode())
        if self._tell_on is not None:
            self._tell_on(line)


def _stayed(evidence: Evidence) -> list[str]:
    """Once it was decided that a position is to be closed, it is."""
    held = {f"{row['symbol'].replace('/', '')}-{row['entry_time']}" for row in evidence.positions}
    exits = [row["client_order_id"] for row in evidence.orders if row["purpose"] == "exit"]
    return [
        f"{order} was to close a position that is still held" for order in exits if order.rpartition("-")[0] in held
    ]
