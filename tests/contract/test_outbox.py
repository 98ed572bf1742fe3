from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.contract.record_samples import fill, planned, trade, wallet
from tests.places import RecordPlace

from vela.adapters.storage.sql.record import Record
from vela.domain.errors import StorageError
from vela.domain.events import Alert, AnyMessage, OrderFilled, PositionClosed, WalletChanged
from vela.domain.order import OrderPurpose
from vela.ports.record import Changes


@pytest.fixture
def record(place: RecordPlace) -> Iterator[Record]:
    with place.open() as record:
        yield record


def told(text: str) -> AnyMessage:
    return Alert(time=1, level="info", text=text)


async def texts(record: Record, limit: int = 100) -> list[str]:
    pending = await record.trading.outbox.pending(limit=limit)
    return [one.message.text for one in pending if isinstance(one.message, Alert)]


async def test_a_new_one_is_empty(record):
    assert await record.trading.outbox.pending(limit=10) == []
    await record.trading.outbox.acknowledge(5)


async def test_messages_come_in_with_what_they_tell_of_and_stay_in_order(record):
    await record.trading.commit(Changes(orders=(planned("a"),), messages=(told("one"), told("two"))))
    await record.trading.commit(Changes(messages=(told("three"),)))
    assert await texts(record) == ["one", "two", "three"]
    assert await texts(record, limit=2) == ["one", "two"]


async def test_a_step_that_is_refused_tells_nothing(record):
    with pytest.raises(StorageError):
        await record.trading.commit(Changes(fills=(fill("f", "ghost"),), messages=(told("a fill"),)))
    assert await texts(record) == []


async def test_what_was_acknowledged_does_not_come_again_and_the_rest_does(record):
    await record.trading.commit(Changes(messages=tuple(told(str(number)) for number in range(5))))
    pending = await record.trading.outbox.pending(limit=3)
    await record.trading.outbox.acknowledge(pending[-1].number)
    await record.trading.outbox.acknowledge(pending[0].number)
    assert await texts(record) == ["3", "4"]


async def test_numbers_only_grow_even_when_all_were_acknowledged_and_after_a_restart(record, place):
    numbers = []
    for text in ("one", "two"):
        await record.trading.commit(Changes(messages=(told(text),)))
        [pending] = await record.trading.outbox.pending(limit=5)
        numbers.append(pending.number)
        await record.trading.outbox.acknowledge(pending.number)
    record.close()
    with place.open() as again:
        await again.trading.commit(Changes(messages=(told("three"),)))
        numbers.append((await again.trading.outbox.pending(limit=5))[0].number)
    assert numbers == sorted(set(numbers))


async def test_what_was_not_acknowledged_is_there_after_a_restart(record, place):
    await record.trading.commit(Changes(messages=(told("late"),)))
    record.close()
    with place.open() as again:
        assert await texts(again) == ["late"]


async def test_every_kind_of_message_comes_back_whole(record):
    messages = (
        OrderFilled(time=5, fill=fill("f", "a"), purpose=OrderPurpose.ENTRY, reason="signal"),
        WalletChanged(time=6, wallet=wallet(6, "0.000000000000000001"), marked=True),
        PositionClosed(time=7, trade=trade(7)),
    )
    await record.trading.commit(Changes(messages=messages))
    assert tuple(one.message for one in await record.trading.outbox.pending(limit=9)) == messages
