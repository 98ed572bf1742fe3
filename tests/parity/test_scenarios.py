from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
from tests.parity.records import ReferenceResult
from tests.parity.reference import simulate
from tests.parity.scenarios import Case, random_case, recorded_case

D = Decimal


def check_the_books(case: Case) -> ReferenceResult:
    # Whatever happens: equity is what was there, plus what trades made, plus what open positions are up, less fees.
    result = simulate(*case)
    made = sum((trade.pnl for trade in result.trades), D(0))
    paid = sum((trade.fees for trade in result.trades), D(0)) + sum((p.fees for p in result.open_positions), D(0))
    held = D(0)
    for position in result.open_positions:
        rows = case.series[position.symbol][0]
        inside = [row for row, time in enumerate(rows.open_time) if time <= result.equity[-1][0]]
        change = D(repr(float(rows.close[inside[-1]]))) - position.entry_price
        sign = 1 if position.side == "LONG" else -1
        held += position.quantity * sign * change - position.fees
        held += sign * (position.taken_value - position.taken * position.entry_price)
    assert result.final_equity == case.config.capital + made + held
    assert result.fees_paid == paid
    assert all(trade.entry_row > trade.signal_row and trade.exit_row >= trade.entry_row for trade in result.trades)
    return result


def test_random_cases_keep_the_books_and_reach_every_rule():
    results = [check_the_books(random_case(seed)) for seed in range(60)]
    reasons = {(trade.side, trade.exit_reason) for result in results for trade in result.trades}
    names = ("signal", "stop_loss", "take_profit", "trailing", "break_even")
    assert reasons == {(side, name) for side in ("LONG", "SHORT") for name in names}
    assert any(position.taken for result in results for position in result.open_positions)
    assert all(sum(result.refused[reason] for result in results) for reason in results[0].refused)


def test_random_cases_are_repeatable_and_on_their_grids():
    first, again, other = random_case(3), random_case(3), random_case(4)
    assert simulate(*first) == simulate(*again)
    assert first.config != other.config
    for symbol, (rows, _) in first.series.items():
        tick = first.instruments[symbol].tick
        assert all(D(repr(price)) % tick == 0 for price in (*rows.low.tolist(), *rows.high.tolist()))
        assert np.all(np.diff(rows.open_time) > 0)
        assert np.all(
            (rows.low <= np.minimum(rows.open, rows.close)) & (np.maximum(rows.open, rows.close) <= rows.high)
        )


def test_finer_candles_matter_to_some_random_cases():
    cases = [random_case(seed) for seed in range(30, 70)]
    assert any(simulate(*case).trades != simulate(*case._replace(detail={})).trades for case in cases if case.detail)


def test_recorded_candles_keep_the_books(shared_data: Path):
    results = [check_the_books(recorded_case(shared_data / "candles" / "binance", seed)) for seed in range(12)]
    assert sum(len(result.trades) for result in results) > 20
