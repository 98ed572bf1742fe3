from __future__ import annotations

import pytest

from vela.bootstrap.played import open_played
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.errors import ConfigurationError

NOW = 1_735_689_600_000 + 90_500


def still() -> Settings:
    return load_settings({"market": "still", "symbols": "BTC", "timeframe": "1m"}, {})


def test_a_still_market_begins_so_long_ago_that_its_candles_can_be_ended_at_once() -> None:
    assert NOW - open_played(still(), {}, NOW).start >= 100_000 * 60_000


def test_a_still_market_begins_with_the_candle_of_the_moment_if_asked_for() -> None:
    assert open_played(still(), {}, NOW, begins_now=True).start == NOW - NOW % 60_000


def test_a_market_that_moves_by_itself_begins_where_it_begins() -> None:
    with pytest.raises(ConfigurationError, match="accepted: --market still"):
        open_played(load_settings({"market": "synthetic"}, {}), {}, NOW, begins_now=True)
