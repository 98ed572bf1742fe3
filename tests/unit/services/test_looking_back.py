from __future__ import annotations

from tests.builders import BTC, ETH

from vela.domain.events import Envelope, MarketEnded, PricesMoved, Tick
from vela.services.looking_back import standing_prices


def told(time: int, *ticks: Tick) -> Envelope:
    return Envelope(f"m-{time}", time + 1, PricesMoved(time=time, ticks=ticks))


def jump(symbol, price: float) -> Tick:
    return Tick(symbol, price, price, price, jump=True, volume=2.0)


def moved(symbol, price: float) -> Tick:
    return Tick(symbol, price, price - 1, price + 1, volume=2.0)


def at(symbol, price: float) -> Tick:
    return Tick(symbol, price, price, price, volume=2.0)


def ticks(envelopes: list[Envelope]) -> list[tuple[int, Tick]]:
    found = []
    for envelope in envelopes:
        assert isinstance(envelope.message, PricesMoved)
        found += [(envelope.message.time, tick) for tick in envelope.message.ticks]
    return found


def test_without_messages_nothing_stands() -> None:
    assert standing_prices([]) == []
    assert standing_prices([Envelope("m", 1, MarketEnded(time=1))]) == []


def test_a_symbol_stands_where_it_jumped_last_and_then_moved_to() -> None:
    handled = [
        told(1, jump(BTC, 10)),
        told(2, moved(BTC, 11)),
        told(3, jump(BTC, 12), jump(ETH, 5)),
        told(4, moved(BTC, 13)),
    ]
    assert ticks(standing_prices(handled)) == [(3, jump(BTC, 12)), (3, jump(ETH, 5)), (4, at(BTC, 13))]


def test_a_move_before_the_newest_jump_is_gone() -> None:
    assert ticks(standing_prices([told(1, moved(BTC, 11)), told(2, jump(BTC, 12))])) == [(2, jump(BTC, 12))]


def test_where_nothing_jumps_the_newest_price_stands() -> None:
    handled = [told(1, moved(BTC, 10), moved(ETH, 5)), told(2, moved(BTC, 11))]
    assert ticks(standing_prices(handled)) == [(1, at(ETH, 5)), (2, at(BTC, 11))]
    assert [envelope.published for envelope in standing_prices(handled)] == [2, 3]
