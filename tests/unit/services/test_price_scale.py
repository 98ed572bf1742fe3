from __future__ import annotations

import pytest
from tests.builders import BTC, ETH

from vela.services.price_scale import PriceScale


@pytest.mark.parametrize(
    ("price", "fits"), [(21.0, True), (20.0, False), (499.0, True), (500.0, False), (100_000.0, False)]
)
def test_a_price_fits_within_five_times_the_one_before(price: float, *, fits: bool) -> None:
    scale = PriceScale()
    assert scale.fits(BTC, 100.0)
    assert scale.fits(BTC, price) is fits
    assert scale.fits(ETH, price), "of another symbol nothing was known"


def test_what_does_not_fit_leaves_no_trace_and_is_told_once_until_the_price_is_back() -> None:
    scale = PriceScale()
    assert scale.fits(BTC, 100.0)
    assert not scale.fits(BTC, 10.0)
    first = scale.freeze(BTC, 10.0)
    assert first is not None
    assert "BTC went from 100 to 10 at once" in first
    assert not scale.fits(BTC, 11.0)
    assert scale.freeze(BTC, 11.0) is None
    assert scale.fits(BTC, 99.0)
    assert scale.freeze(BTC, 9.0) is not None
