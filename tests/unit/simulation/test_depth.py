from __future__ import annotations

import pytest

from vela.simulation.depth import LEVELS, Level, best, flat_offers, spread_offers, within, without

BOOK = [Level(10, 3), Level(11, 2), Level(12, 5)]


@pytest.mark.parametrize("is_ask", [True, False])
def test_a_side_begins_at_the_market_and_leads_away_from_it(is_ask) -> None:
    side = spread_offers(1_000_000, 50_000, is_ask=is_ask, seed=1)
    prices = [level.ticks for level in side]
    assert len(side) == LEVELS
    assert prices[0] == (1_000_001 if is_ask else 1_000_000)
    assert prices == sorted(set(prices), reverse=not is_ask)


def test_a_side_holds_about_what_the_market_traded() -> None:
    assert sum(level.steps for level in spread_offers(1_000_000, 50_000, is_ask=True, seed=1)) == pytest.approx(
        50_000, rel=0.1
    )


def test_the_same_seed_makes_the_same_book_and_another_seed_another() -> None:
    one, same, other = (spread_offers(500, 10_000, is_ask=True, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_there_is_no_bid_at_zero_and_something_at_every_level() -> None:
    bids = spread_offers(3, 0, is_ask=False, seed=1)
    assert bids == [Level(3, 1), Level(2, 1), Level(1, 1)]


def test_what_was_taken_is_gone_from_the_best_on() -> None:
    assert without(BOOK, 4) == [Level(11, 1), Level(12, 5)]
    assert without(BOOK, 0) == BOOK
    assert without(BOOK, 99) == []


def test_the_best_are_taken_first_and_never_more_than_there_is() -> None:
    assert best(BOOK, 4) == [Level(10, 3), Level(11, 1)]
    assert best(BOOK, 99) == BOOK
    assert best(BOOK, 0) == []


def test_a_limit_cuts_the_book() -> None:
    assert within(BOOK, 11, is_buy=True) == BOOK[:2]
    assert within(BOOK, 11, is_buy=False) == BOOK[1:]


@pytest.mark.parametrize("is_ask", [True, False])
def test_a_flat_book_offers_everything_at_the_price_itself(is_ask) -> None:
    assert flat_offers(1000, 50, is_ask=is_ask) == [Level(1000, 50)]
    assert flat_offers(1000, 0, is_ask=is_ask) == [Level(1000, 1)]
