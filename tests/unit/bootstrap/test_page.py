"""What the page begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

from vela.adapters.clock import SystemClock
from vela.adapters.storage.parquet import ParquetCandleStore
from vela.bootstrap.choices import choose_strategies
from vela.bootstrap.exchange_marketplace import ExchangeMarketplace
from vela.bootstrap.market import open_market
from vela.bootstrap.marketplace import SimulatedMarketplace
from vela.bootstrap.record import open_record_of
from vela.bootstrap.services import Services
from vela.bootstrap.settings import load_settings
from vela.bootstrap.transport import in_memory
from vela.domain.candles import Candle, Candles
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.latest_values import PRICES, LatestPrice

BTC, MINUTE = TradingSymbol("BTC"), 60_000


async def test_candles_of_times_still_to_come_are_not_shown(tmp_path: Path):
    settings = load_settings({"data_dir": str(tmp_path), "symbols": "BTC"}, {})
    market, clock = SimulatedMarketplace(open_market(settings), settings), SystemClock()
    start = market.start_of(None)
    times = [start + index * MINUTE for index in range(-5, 30)]
    candles = Candles.from_rows([Candle(time, 1.0, 1.0, 1.0, 1.0, 1.0) for time in times])
    ParquetCandleStore(settings.candle_place).write(market.exchange, BTC, market.timeframe, candles)
    transport = in_memory(clock)
    with open_record_of(settings, trading=market.durability) as record:
        strategies = choose_strategies(settings, market.symbols)
        page = Services(settings, market, strategies, transport, clock).page(record)
        await page.build()
        assert [*page._history(BTC, None, 100).open_time] == times[:5]
        await transport.latest.put(PRICES, {BTC: LatestPrice(time=start + 3 * MINUTE, price=1.0)})
        await page.build()  # it failed and is made anew, in the midst of a session
        assert [*page._history(BTC, None, 100).open_time] == times[:8]


@pytest.mark.parametrize(
    ("given", "speed"), [({}, "60"), ({"speed": "max"}, "max"), ({"exchange": "binance", "speed": "60"}, "1")]
)
def test_the_page_says_how_fast_time_passes_which_at_an_exchange_is_not_ours_to_choose(
    given: dict[str, str], speed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ExchangeMarketplace, "instruments", lambda _: ())
    settings = load_settings({"data_dir": str(tmp_path), "symbols": "BTC", **given}, {})
    simulated = settings.exchange is None
    market = SimulatedMarketplace(open_market(settings), settings) if simulated else ExchangeMarketplace(settings, None)
    with open_record_of(settings, trading=market.durability) as record:
        strategies = choose_strategies(settings, market.symbols)
        clock = SystemClock()
        page = Services(settings, market, strategies, in_memory(clock), clock).page(record)
        assert page._facts().speed == speed
