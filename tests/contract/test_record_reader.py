from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import event
from tests.contract.record_samples import (
    BTC,
    ETH_BTC,
    decision,
    deposit,
    fill,
    planned,
    position,
    refused,
    trade,
    wallet,
)
from tests.places import RecordPlace

from vela.adapters.storage.sql.record import Record
from vela.ports.record import Changes, JournalEntry, RecordReader


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


READS: dict[str, Callable[[RecordReader], object]] = {
    "summary": lambda reader: reader.summary(),
    "trades": lambda reader: reader.trades(limit=50),
    "trade_totals": lambda reader: reader.trade_totals(),
    "orders": lambda reader: reader.orders(limit=50),
    "fills": lambda reader: reader.fills(limit=50),
    "decisions": lambda reader: reader.decisions(limit=50, symbol=BTC),
    "outcomes": lambda reader: reader.outcomes(limit=50, symbol=BTC),
    "positions": lambda reader: reader.positions(),
    "equity_curve": lambda reader: reader.equity_curve(points=20),
    "newest_wallet": lambda reader: reader.newest_wallet(),
}


@pytest.mark.parametrize("name", READS)
async def test_a_question_is_one_statement_however_much_there_is(record, name):
    await record.trading.commit(
        Changes(
            orders=tuple(planned(str(number), time=number) for number in range(60)),
            fills=tuple(fill(f"f{number}", str(number), time=number) for number in range(60)),
            positions=(position(BTC), position(ETH_BTC)),
            trades=tuple(trade(time) for time in range(60)),
            outcomes=tuple(refused("cooldown", time) for time in range(60)),
            ledger=(deposit("start", "1000"),),
        )
    )
    decisions, wallets = tuple(map(decision, range(60))), tuple(map(wallet, range(60)))
    await record.journal.append(JournalEntry(60, (), decisions, wallets))
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    engine = record.reader._connection.engine
    event.listen(engine, "before_cursor_execute", note)
    answer = READS[name](record.reader)
    event.remove(engine, "before_cursor_execute", note)
    assert answer
    assert len([statement for statement in sent if not statement.startswith("BEGIN")]) == 1, sent
