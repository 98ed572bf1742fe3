"""What every lease must do: a file's, and a server's."""

from __future__ import annotations

import pytest
from tests.contract.record_samples import deposit, planned
from tests.places import RecordPlace

from vela.domain.errors import StorageLocked
from vela.ports.record import Changes

TAKE_OVER = "UPDATE leases SET token = token + 1, holder = 'the other'"


def test_only_one_instance_has_it(place: RecordPlace) -> None:
    with place.open() as record:
        with pytest.raises(StorageLocked, match="in use by another running Vela"):
            place.open()
        record.lease.renew()
    place.open().close()


def test_its_token_grows_with_every_holder(place: RecordPlace) -> None:
    tokens = []
    for _ in range(3):
        with place.open() as record:
            tokens.append(record.lease.token)
    assert tokens == [1, 2, 3]


def test_to_renew_it_changes_no_token(place: RecordPlace) -> None:
    with place.open() as record:
        record.lease.renew()
        record.lease.renew()
        assert record.lease.token == 1


def test_whoever_was_deposed_learns_of_it(place: RecordPlace) -> None:
    with place.open() as record:
        place.execute(TAKE_OVER)
        with pytest.raises(StorageLocked, match=r"taken over this record \(lease 2, ours was 1\)"):
            record.lease.renew()


async def test_whoever_was_deposed_can_write_no_more(place: RecordPlace) -> None:
    with place.open() as record:
        await record.trading.commit(Changes(orders=(planned("mine"),)))
        place.execute(TAKE_OVER)
        with pytest.raises(StorageLocked, match="accepted: one instance per record"):
            await record.trading.commit(Changes(orders=(planned("late"),), ledger=(deposit("late", "5"),)))
        account = await record.trading.load()
        assert [order.client_order_id for order in account.orders] == ["mine"]
        assert account.balances == {}


def test_to_release_it_twice_does_nothing(place: RecordPlace) -> None:
    record = place.open()
    record.lease.release()
    record.lease.release()
    record.close()
    place.open().close()
