from __future__ import annotations

import pytest
from tests.unit.simulation.market import BTC, INSTRUMENTS

from vela.domain.errors import ConfigurationError
from vela.domain.order import Side
from vela.simulation.depth import Level, flat_offers
from vela.simulation.liquidity import MadeUpBook, Quote, Slippage

QUOTE = Quote(INSTRUMENTS[0], ticks=1000, volume=5.0)  # 5,000 steps


def test_a_book_holds_what_was_traded_and_what_is_taken_is_gone_until_the_market_moves() -> None:
    book = MadeUpBook(flat_offers)
    assert book.offers(QUOTE, Side.BUY, 1) == [Level(1000, 5000)]
    book.took(BTC, Side.BUY, 4000)
    book.took(BTC, Side.BUY, 500)
    assert book.offers(QUOTE, Side.BUY, 1) == [Level(1000, 500)]
    assert book.offers(QUOTE, Side.SELL, 1) == [Level(1000, 5000)]
    book.moved(BTC)
    assert book.offers(QUOTE, Side.BUY, 1) == [Level(1000, 5000)]
    assert book.worst_ticks(1000) == 1000


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, 1015), (Side.SELL, 985)])
def test_slippage_offers_all_at_one_price_that_is_worse_the_more_is_taken(side, price) -> None:
    # 0.5 %, and a tenth of 10 % for a hundredth of what is traded.
    slippage = Slippage(slippage_ppm=5_000, impact_ppm=100_000)
    assert slippage.offers(QUOTE, side, 50) == [Level(price, 50)]
    slippage.took(BTC, side, 50)
    slippage.moved(BTC)
    assert slippage.offers(QUOTE, side, 50) == [Level(price, 50)]


def test_nobody_knows_what_will_be_traded_when_a_stop_is_touched() -> None:
    assert Slippage(slippage_ppm=5_000, impact_ppm=100_000).worst_ticks(1000) == 1105
    assert Slippage(slippage_ppm=900_000, impact_ppm=900_000).worst_ticks(1000) == 2000


@pytest.mark.parametrize(("slippage", "impact", "words"), [(-1, 0, "slippage was -1"), (0, 1_000_001, "impact was")])
def test_slippage_out_of_range_is_refused(slippage, impact, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Slippage(slippage, impact)
