from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from tests.contract.record_samples import BTC, ETH_BTC, trade
from tests.places import RecordPlace

from vela.adapters.storage.sql.record import Record
from vela.ports.record import Changes


@pytest.fixture
def record(place: RecordPlace) -> Iterator[Record]:
    with place.open() as record:
        yield record


async def test_totals_of_no_trades_are_none(record):
    assert record.reader.trade_totals() == (0, 0)


async def test_totals_count_every_trade_and_as_wins_only_those_above_zero(record):
    amounts = ["9", "10.5", "0.00000001", "0", "0.00", "-0.00000001", "-3", "-20"]
    closed = [msgspec.structs.replace(trade(time), pnl=Decimal(amount)) for time, amount in enumerate(amounts)]
    await record.trading.commit(Changes(trades=(*closed, trade(99, ETH_BTC))))
    assert record.reader.trade_totals() == (9, 4)
    await record.trading.commit(Changes(trades=tuple(trade(time, BTC) for time in range(100, 400))))
    assert record.reader.trade_totals() == (309, 304)
