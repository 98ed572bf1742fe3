from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Table

from vela.adapters.storage.sql.schema import fills, orders, positions, signals, trades
from vela.domain.fill import Fill
from vela.domain.order import Order, OrderRequest
from vela.domain.position import Position, Trade
from vela.domain.signal import Signal

ADDED = {trades: {"id"}, signals: {"client_order_id", "refusal"}}


@pytest.mark.parametrize(
    ("table", "records"),
    [
        (orders, (Order, OrderRequest)),
        (fills, (Fill,)),
        (positions, (Position,)),
        (trades, (Trade,)),
        (signals, (Signal,)),
    ],
)
def test_a_table_has_a_column_for_every_field_so_that_none_is_dropped(
    table: Table, records: tuple[type[msgspec.Struct], ...]
) -> None:
    names = {name for record in records for name in record.__struct_fields__} - {"request"}
    assert {column.name for column in table.columns} - ADDED.get(table, set()) == names
