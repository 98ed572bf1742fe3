from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.contract.record_samples import (
    BTC,
    ETH_BTC,
    deposit,
    fill,
    life,
    planned,
    position,
    refused,
    signal,
    trade,
)
from tests.places import RecordPlace

from vela.adapters.storage.sql.record import Record
from vela.domain.errors import LedgerError, StorageError
from vela.domain.order import OrderStatus
from vela.domain.signal import SignalOutcome
from vela.ports.record import AccountState, Changes, LedgerTransaction, LimitMarks, Posting, TradingRecord

Reopen = Callable[[], TradingRecord]


@pytest.fixture
def reopen(place: RecordPlace) -> Iterator[Reopen]:
    """Opens the record; called again, closes and opens it as a restart would."""
    opened: list[Record] = []

    def again() -> TradingRecord:
        if opened:
            opened.pop().close()
        opened.append(place.open())
        return opened[-1].trading

    yield again
    for record in opened:
        record.close()


@pytest.fixture
def record(reopen: Reopen) -> TradingRecord:
    return reopen()


EMPTY = AccountState((), (), {}, {})


async def test_a_new_record_is_empty(record):
    assert await record.load() == EMPTY


async def test_everything_committed_is_there_after_a_restart(record, reopen):
    states = life("a", OrderStatus.SENT, OrderStatus.ACCEPTED)
    await record.commit(
        Changes(
            orders=states,
            fills=(fill("f", "a"),),
            positions=(position(),),
            ledger=(deposit("start", "1000"),),
            outcomes=(SignalOutcome(signal(), "a", None),),
            entries=((BTC, 1_002),),
        )
    )
    record = reopen()
    account = await record.load()
    assert account.orders == (states[-1],)
    assert account.positions == (position(),)
    assert account.balances == {("cash", "USDT"): Decimal(1000), ("capital", "USDT"): Decimal(-1000)}
    assert account.entries == {BTC: 1_002}
    assert account.booked == {"a": frozenset({"f"})}
    assert await record.outcome(BTC, "SmaCrossover", 940) == SignalOutcome(signal(), "a", None)


async def test_an_order_is_in_its_last_state_and_leaves_the_account_when_final(record):
    await record.commit(Changes(orders=(planned("a"), planned("b", time=2_000))))
    await record.commit(Changes(orders=life("a", OrderStatus.SENT, OrderStatus.REJECTED)[1:]))
    assert [order.client_order_id for order in (await record.load()).orders] == ["b"]


@pytest.mark.parametrize("status", [status for status in OrderStatus if not status.is_final])
async def test_an_order_that_is_not_over_is_there_after_a_restart_with_its_fills(record, reopen, status):
    await record.commit(Changes(orders=(replace(planned("a"), status=status),), fills=(fill("f", "a"),)))
    account = await reopen().load()
    assert [order.status for order in account.orders] == [status]
    assert account.booked == {"a": frozenset({"f"})}


async def test_open_orders_come_oldest_first(record):
    await record.commit(Changes(orders=(planned("z", time=1), planned("b", time=3), planned("a", time=3))))
    assert [order.client_order_id for order in (await record.load()).orders] == ["z", "a", "b"]


async def test_a_position_changes_and_goes(record):
    await record.commit(Changes(positions=(position(), position(ETH_BTC))))
    await record.commit(Changes(positions=(position(quantity="0.005"),), closed=(ETH_BTC,), trades=(trade(2_000),)))
    assert (await record.load()).positions == (position(quantity="0.005"),)


async def test_a_position_may_close_and_open_again_in_one_step(record):
    await record.commit(Changes(positions=(position(),)))
    await record.commit(Changes(positions=(position(quantity="0.007"),), closed=(BTC,)))
    assert (await record.load()).positions == (position(quantity="0.007"),)


async def test_the_newest_entry_of_a_symbol_counts(record):
    await record.commit(Changes(entries=((BTC, 1), (ETH_BTC, 2))))
    await record.commit(Changes(entries=((BTC, 3),)))
    assert (await record.load()).entries == {BTC: 3, ETH_BTC: 2}


async def test_the_marks_of_the_limits_are_there_after_a_restart(record, reopen):
    marks = LimitMarks(20_089, Decimal("1000.10"), True, Decimal("1234.567890123456789"), False, 2)
    await record.commit(Changes(limit_marks=marks))
    await record.commit(Changes(entries=((BTC, 1),)))
    assert (await reopen().load()).limit_marks == marks
    changed = LimitMarks(20_090, Decimal(1), False, Decimal(2), True, 3)
    await reopen().commit(Changes(limit_marks=changed))
    assert (await reopen().load()).limit_marks == changed


async def test_the_intents_of_the_newest_minute_are_known_whatever_became_of_them(record):
    await record.commit(Changes(orders=(planned("old", time=5_000), planned("b", time=65_000))))
    await record.commit(Changes(orders=life("a", OrderStatus.SENT, OrderStatus.REJECTED, time=5_001)))
    assert (await record.load()).sent == (5_001, 65_000)


async def test_unknown_fills_and_signals_are_said_to_be_so(record):
    assert await record.outcome(BTC, "SmaCrossover", 940) is None
    await record.commit(Changes(outcomes=(refused("cooldown"),)))
    assert await record.outcome(BTC, "SmaCrossover", 940) == refused("cooldown")
    assert await record.outcome(ETH_BTC, "SmaCrossover", 940) is None
    assert await record.outcome(BTC, "MacdStrategy", 940) is None
    assert await record.outcome(BTC, "SmaCrossover", 941) is None


async def test_no_changes_change_nothing(record):
    await record.commit(Changes())
    assert await record.load() == EMPTY


REPEATED = {
    "fill": Changes(fills=(fill("f", "a"),)),
    "ledger transaction": Changes(ledger=(deposit("start", "1000"),)),
    "outcome": Changes(outcomes=(refused("cooldown"),)),
}


@pytest.mark.parametrize("kind", REPEATED)
async def test_what_is_booked_once_cannot_be_booked_again(record, kind):
    await record.commit(Changes(orders=(planned("a"),)))
    await record.commit(REPEATED[kind])
    before = await record.load()
    new = Changes(orders=(planned("b"),), positions=(position(),), entries=((BTC, 1),))
    with pytest.raises(StorageError, match="contradict the record"):
        await record.commit(
            Changes(
                orders=new.orders,
                positions=new.positions,
                entries=new.entries,
                fills=REPEATED[kind].fills,
                ledger=REPEATED[kind].ledger,
                outcomes=REPEATED[kind].outcomes,
            )
        )
    assert await record.load() == before
    await record.commit(new)
    assert len((await record.load()).orders) == 2


async def test_a_fill_of_an_order_never_planned_is_refused(record):
    with pytest.raises(StorageError, match="contradict the record"):
        await record.commit(Changes(fills=(fill("f", "ghost"),)))


async def test_postings_must_sum_to_zero_per_asset(record):
    booking = LedgerTransaction("t", 1, (Posting("cash", "USDT", Decimal(5)), Posting("capital", "USDC", Decimal(-5))))
    with pytest.raises(LedgerError, match="leaves 5 USDT"):
        await record.commit(Changes(ledger=(booking,)))
    with pytest.raises(LedgerError, match="no postings"):
        await record.commit(Changes(ledger=(LedgerTransaction("t", 1, ()),)))
    assert await record.load() == EMPTY


@pytest.mark.parametrize("account", ["cost", "holdings"])
async def test_what_is_owned_cannot_fall_below_zero(record, account):
    def moved(name: str, amount: str) -> Changes:
        value = Decimal(amount)
        return Changes(
            ledger=(LedgerTransaction(name, 1, (Posting(account, "BTC", value), Posting("market", "BTC", -value))),),
            orders=(planned(name),),
        )

    await record.commit(moved("in", "0.3"))
    with pytest.raises(LedgerError, match=f"{account} of BTC would be -0.00000001"):
        await record.commit(moved("out", "-0.30000001"))
    account_state = await record.load()
    assert [order.client_order_id for order in account_state.orders] == ["in"]
    await record.commit(moved("out", "-0.3"))
    assert (await record.load()).balances[account, "BTC"] == 0


async def test_cash_may_fall_below_zero_for_a_purchase_is_told_before_the_sale_that_paid_for_it(record):
    out = LedgerTransaction("out", 1, (Posting("cash", "USDT", Decimal(-5)), Posting("cost", "USDT", Decimal(5))))
    await record.commit(Changes(ledger=(out,)))
    assert (await record.load()).balances["cash", "USDT"] == -5


async def test_a_balance_may_dip_within_one_step(record):
    out = LedgerTransaction("out", 1, (Posting("holdings", "BTC", Decimal(-5)), Posting("market", "BTC", Decimal(5))))
    back = LedgerTransaction("in", 1, (Posting("holdings", "BTC", Decimal(7)), Posting("market", "BTC", Decimal(-7))))
    await record.commit(Changes(ledger=(out, back)))
    assert (await record.load()).balances["holdings", "BTC"] == 2


async def test_many_bookings_of_one_step_add_up_exactly(record):
    await record.commit(Changes(ledger=tuple(deposit(str(number), "0.10") for number in range(100))))
    await record.commit(Changes(ledger=(deposit("small", "0.000000000000000000000000000001"),)))
    balances = (await record.load()).balances
    assert balances["cash", "USDT"] == Decimal("10.000000000000000000000000000001")
