from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.builders import BTC, ETH, MINUTE, candle, fill, wallet
from tests.fakes import FastClock, Listener, ManualClock, until

from vela.adapters.bus.memory import MemoryBus
from vela.domain.candles import CandleFault
from vela.domain.errors import StorageError
from vela.domain.events import (
    CandlesClosed,
    DecisionsMade,
    Envelope,
    Gap,
    MarketEnded,
    Message,
    OrderFilled,
    RefusedCandle,
    ServiceBeat,
    ServiceState,
    SymbolCandle,
    Topic,
    WalletChanged,
)
from vela.domain.order import OrderPurpose
from vela.domain.regime import MarketRegime
from vela.domain.signal import Action, Decision
from vela.domain.timeframe import Timeframe
from vela.ports.record import CandleCount, JournalEntry
from vela.services.persistence import PersistenceService
from vela.services.service import Service
from vela.services.supervisor import Group, Supervisor


class ListJournal:
    def __init__(self, cursor: int | None = None, failures: int = 0) -> None:
        self.entries: list[JournalEntry] = []
        self.failures = failures
        self._cursor = cursor

    async def cursor(self) -> int | None:
        return self.entries[-1].cursor if self.entries else self._cursor

    async def begun(self) -> int | None:
        reached = [one.cursor if one.begun is None else one.begun for one in self.entries]
        return reached[-1] if reached else self._cursor

    async def append(self, entry: JournalEntry) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        self.entries.append(entry)


class Diary:
    """The service, on a bus, with a clock that stands still."""

    def __init__(self, journal: ListJournal, *, at_once: bool = False) -> None:
        self.journal = journal
        self.clock = ManualClock()
        self.bus = MemoryBus(self.clock)
        self.service = PersistenceService(self.bus, self.clock, journal, at_once=at_once)
        self.working: asyncio.Task[None] | None = None

    async def start(self) -> Diary:
        await self.service.start()
        self.working = asyncio.create_task(self.service.work())
        return self

    async def say(self, *messages) -> None:
        for message in messages:
            await self.bus.publish(message)
        await self.bus.settled()

    def second_passes(self) -> None:
        self.clock.seconds += 1.5


def closes(minute: int, *symbols, **more) -> CandlesClosed:
    entries = tuple(SymbolCandle(symbol, candle((minute - 1) * MINUTE)) for symbol in symbols or (BTC,))
    return CandlesClosed(time=minute * MINUTE, timeframe=Timeframe.M1, candles=entries, **more)


def decision(minute: int, symbol=BTC) -> Decision:
    hold, unknown = Action.HOLD, MarketRegime.UNKNOWN
    return Decision(symbol, (minute - 1) * MINUTE, hold, "SmaCrossover", unknown, 0.0, "no_signal", {})


def decided(minute: int, count: int = 1) -> DecisionsMade:
    return DecisionsMade(time=minute * MINUTE, decisions=(decision(minute),) * count)


def marked(minute: int, *, is_mark: bool = True) -> WalletChanged:
    return WalletChanged(time=minute * MINUTE, wallet=wallet(time=minute * MINUTE), marked=is_mark)


def whole_round(minute: int) -> Sequence[Message]:
    return closes(minute), decided(minute), marked(minute)


async def test_a_round_is_written_only_when_a_later_one_has_begun() -> None:
    diary = await Diary(ListJournal()).start()
    await diary.say(*whole_round(1))
    diary.second_passes()
    await diary.say(decided(1), marked(1), MarketEnded(time=MINUTE))
    assert diary.journal.entries == []
    await diary.say(closes(2))
    [entry] = diary.journal.entries
    assert entry.cursor == MINUTE
    assert entry.decisions == (decision(1), decision(1))
    assert [w.time for w in entry.wallets] == [MINUTE, MINUTE]
    assert entry.candles == (CandleCount(BTC, 1, 0, 0, 0, {}),)


async def test_whoever_decides_on_the_candles_goes_before_what_is_written() -> None:
    diary = await Diary(ListJournal()).start()
    written: list[int] = []

    async def decide(_: Envelope) -> None:
        written.append(len(diary.journal.entries))

    diary.bus.subscribe("brain", Topic.CANDLES)
    deciding = asyncio.create_task(diary.bus.consume("brain", decide))
    await diary.say(*whole_round(1))
    diary.second_passes()
    await diary.say(closes(2))
    deciding.cancel()
    assert written == [0, 0]
    assert [entry.cursor for entry in diary.journal.entries] == [MINUTE]


async def test_an_entry_holds_all_rounds_since_the_one_before() -> None:
    diary = await Diary(ListJournal()).start()
    for minute in (1, 2, 3):
        await diary.say(*whole_round(minute))
    assert diary.journal.entries == []
    diary.second_passes()
    await diary.say(*whole_round(4))
    diary.second_passes()
    await diary.say(*whole_round(5))
    first, second = diary.journal.entries
    assert (first.cursor, second.cursor) == (3 * MINUTE, 4 * MINUTE)
    assert first.decisions == tuple(map(decision, (1, 2, 3)))
    assert second.decisions == (decision(4),)
    assert first.candles == (CandleCount(BTC, 3, 0, 2 * MINUTE, 0, {}),)


async def test_the_stop_writes_the_last_round_and_only_once() -> None:
    diary = await Diary(ListJournal()).start()
    await diary.service.stop()
    assert diary.journal.entries == []
    await diary.say(*whole_round(1))
    await diary.service.stop()
    await diary.service.stop()
    assert [entry.cursor for entry in diary.journal.entries] == [MINUTE]


async def test_what_is_cut_off_before_the_round_is_whole_is_not_written() -> None:
    diary = await Diary(ListJournal()).start()
    await diary.say(*whole_round(1))
    diary.second_passes()
    await diary.say(closes(2), decided(2))
    assert diary.working is not None
    diary.working.cancel()
    [entry] = diary.journal.entries
    assert (entry.cursor, entry.decisions) == (MINUTE, (decision(1),))


async def test_rounds_that_are_in_the_journal_already_and_rounds_that_come_again_count_once() -> None:
    diary = await Diary(ListJournal(cursor=2 * MINUTE)).start()
    for minute in (1, 2, 3, 3):
        await diary.say(closes(minute))
    await diary.say(decided(1), decided(2), marked(2), decided(3))
    await diary.service.stop()
    [entry] = diary.journal.entries
    assert entry == JournalEntry(3 * MINUTE, (CandleCount(BTC, 1, 2 * MINUTE, 2 * MINUTE, 0, {}),), (decision(3),), ())


async def test_only_marks_at_closes_are_journaled_of_the_wallet() -> None:
    diary = await Diary(ListJournal()).start()
    await diary.say(closes(1), marked(1, is_mark=False))
    await diary.service.stop()
    assert diary.journal.entries[0].wallets == ()


async def test_everything_that_came_in_is_counted() -> None:
    diary = await Diary(ListJournal()).start()
    refused = tuple(
        RefusedCandle(ETH, 0, fault) for fault in (CandleFault.DUPLICATE, CandleFault.DUPLICATE, CandleFault.OFF_GRID)
    )
    older = tuple(SymbolCandle(BTC, candle(minute * MINUTE)) for minute in (5, 6))
    gaps = (Gap(BTC, MINUTE, 4 * MINUTE, 4), Gap(BTC, 7 * MINUTE, 8 * MINUTE, 2))
    await diary.say(closes(1), closes(10, backfilled=older, gaps=gaps, refused=refused))
    await diary.service.stop()
    [entry] = diary.journal.entries
    assert {count.symbol: count for count in entry.candles} == {
        BTC: CandleCount(BTC, 4, 0, 9 * MINUTE, 6, {}),
        ETH: CandleCount(ETH, 0, 0, 0, 0, {CandleFault.DUPLICATE: 2, CandleFault.OFF_GRID: 1}),
    }


async def test_many_decisions_or_a_fill_make_it_write_sooner() -> None:
    diary = await Diary(ListJournal()).start()
    await diary.say(closes(1), decided(1, count=1_999), closes(2))
    assert diary.journal.entries == []
    await diary.say(decided(2), closes(3))
    assert [entry.cursor for entry in diary.journal.entries] == [2 * MINUTE]
    filled = OrderFilled(time=3 * MINUTE, fill=fill(), purpose=OrderPurpose.ENTRY, reason="signal")
    await diary.say(decided(3, count=200), filled, closes(4))
    assert [entry.cursor for entry in diary.journal.entries] == [2 * MINUTE, 3 * MINUTE]
    await diary.say(decided(4, count=200), closes(5))
    assert len(diary.journal.entries) == 2


async def test_a_journal_that_fails_fails_the_service() -> None:
    diary = await Diary(ListJournal(failures=1)).start()
    await diary.say(*whole_round(1))
    diary.second_passes()
    await diary.bus.publish(closes(2))
    assert diary.working is not None
    with pytest.raises(StorageError, match="disk is full"):
        await asyncio.wait_for(diary.working, 1)
    assert diary.journal.entries == []


async def test_after_a_failure_the_supervisor_makes_a_new_one_that_goes_on_from_the_journal() -> None:
    journal, clock = ListJournal(cursor=0, failures=1), FastClock()
    bus = MemoryBus(clock)
    listener = Listener(bus)

    async def build() -> Sequence[Service]:
        return [PersistenceService(bus, clock, journal)]

    supervisor = Supervisor(bus, clock)
    await supervisor.start(Group("journal", build, is_essential=True))
    await bus.publish(closes(1))
    await bus.settled()
    await asyncio.sleep(0.02)
    await bus.publish(closes(2))
    await until(lambda: any(b.state is ServiceState.RUNNING and b.restarts for b in listener.of(ServiceBeat)))
    for message in whole_round(1):
        await bus.publish(message)
    await bus.settled()
    await supervisor.stop(cleanly=True)
    [entry] = journal.entries
    assert (entry.cursor, entry.decisions) == (MINUTE, (decision(1),))


# ------------------------------------------------------------------------------------------- in a process of its own


async def test_alone_it_writes_each_part_before_it_counts_as_handled() -> None:
    diary = await Diary(ListJournal(), at_once=True).start()
    await diary.say(closes(1))
    count = CandleCount(BTC, 1, 0, 0, 0, {})
    assert diary.journal.entries == [JournalEntry(0, (count,), (), (), MINUTE)]
    await diary.say(decided(1), marked(1))
    assert diary.journal.entries[1:] == [
        JournalEntry(0, (), (decision(1),), (), MINUTE),
        JournalEntry(0, (), (), (wallet(time=MINUTE),), MINUTE),
    ]
    await diary.say(closes(2))
    assert diary.journal.entries[3] == JournalEntry(
        MINUTE, (CandleCount(BTC, 1, MINUTE, MINUTE, 0, {}),), (), (), 2 * MINUTE
    )


async def test_alone_it_goes_on_in_the_midst_of_a_round() -> None:
    journal = ListJournal()
    before = await Diary(journal, at_once=True).start()
    await before.say(closes(1), closes(2), decided(2))
    written = len(journal.entries)
    after = await Diary(journal, at_once=True).start()
    # What it had not acknowledged comes again; so does the round, if the market was taken up where the journal ends.
    await after.say(closes(2))
    assert len(journal.entries) == written
    await after.say(decided(2), marked(2))
    assert [entry.cursor for entry in journal.entries[written:]] == [MINUTE, MINUTE]


async def test_alone_it_takes_decisions_that_come_late_and_no_late_marks() -> None:
    diary = await Diary(ListJournal(), at_once=True).start()
    await diary.say(closes(1), closes(2), decided(1), marked(1))
    assert [entry.decisions for entry in diary.journal.entries[2:]] == [(decision(1),)]


async def test_alone_it_has_nothing_to_finish() -> None:
    diary = await Diary(ListJournal(), at_once=True).start()
    await diary.say(*whole_round(1))
    written = list(diary.journal.entries)
    await diary.service.stop()
    assert diary.journal.entries == written
