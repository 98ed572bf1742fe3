from __future__ import annotations

import math
from decimal import Decimal

import pytest

from vela.adapters.exchanges.unified.listings import Listings
from vela.domain.errors import ConfigurationError
from vela.domain.instrument import Instrument
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.universe import Activity


def market(base="BTC", quote="USDT", **fields):
    return {
        "id": f"{base}{quote}",
        "symbol": f"{base}/{quote}",
        "baseId": base,
        "quoteId": quote,
        "spot": True,
        "active": True,
        "precision": {"price": "0.01000000", "amount": "10.00000000"},
        "limits": {"amount": {"min": "10.0"}, "market": {"min": "0.0"}, "cost": {"min": "5.00000000"}},
        "info": {},
    } | fields


def listed(*markets) -> Listings:
    return Listings("test", markets)


def test_rules_are_read_exactly():
    listing = listed(market())[TradingSymbol("BTC")]
    assert listing.instrument == Instrument(TradingSymbol("BTC"), Decimal("0.01"), Decimal(10), Decimal(5), Decimal(10))
    assert str(listing.instrument.step) == "10"
    assert (listing.pair, listing.market_id, listing.is_trading) == ("BTC/USDT", "BTCUSDT", True)


def test_the_smallest_quantity_is_the_larger_of_both_limits():
    limits = {"amount": {"min": "0.1"}, "market": {"min": "0.5"}, "cost": {"min": None}}
    listing = listed(market(limits=limits))[TradingSymbol("BTC")]
    assert listing.instrument.min_quantity == Decimal("0.5")
    assert listing.instrument.min_notional == 0


def test_assets_that_nobody_knew_are_known_from_now_on():
    listings = listed(market("ZZNEWCOIN"), market("币安人生"), market("1000SATS", "FDUSD"))
    assert listings.by_id["币安人生USDT"] == TradingSymbol("币安人生")
    assert listings.by_id["1000SATSFDUSD"].to_ccxt() == "1000SATS/FDUSD"
    assert TradingSymbol.from_str("ZZNEWCOIN").base == "ZZNEWCOIN"


@pytest.mark.parametrize(
    "unreadable",
    [
        market("BTC", "ZAR"),
        market("b\u202etc"),
        market("USDT"),
        market("../x"),
        market("ETH", precision={"price": None, "amount": "1"}),
        market("ETH", precision={"price": "NaN", "amount": "1"}),
        market("ETH", spot=False),
    ],
    ids=lambda one: f"{one['baseId']!r} {one['precision']['price']}",
)
def test_what_cannot_be_read_is_left_out_and_ends_nothing(unreadable):
    listings = listed(market(), unreadable)
    assert list(listings.by_id) == ["BTCUSDT"]


def test_an_unknown_symbol_is_named_with_what_is_accepted():
    listings = listed(market(), market("ETH"))
    with pytest.raises(ConfigurationError, match=r"SOL/USDT is not traded at test; accepted: BTC/USDT, ETH/USDT \(2"):
        listings.require_trading([TradingSymbol("SOL")])


def test_a_halted_symbol_is_listed_but_not_traded():
    listings = listed(market(), market("ETH", active=False))
    with pytest.raises(ConfigurationError, match="ETH/USDT is listed at test but not traded now; accepted: BTC/USDT"):
        listings.require_trading([TradingSymbol("BTC"), TradingSymbol("ETH")])
    listings.require_trading([TradingSymbol("BTC")])
    assert listings[TradingSymbol("ETH")].pair == "ETH/USDT"


def test_the_last_day_of_those_that_are_traded():
    listings = listed(market(), market("ETH"), market("SOL"), market("XRP", active=False))
    tickers: dict[str, dict[str, str | None]] = {
        "BTC/USDT": {"quoteVolume": "90000000.5", "percentage": "-2.5"},
        "ETH/USDT": {"quoteVolume": None, "percentage": "no number"},
        "XRP/USDT": {"quoteVolume": "1", "percentage": "1"},
        "ZZNOBODY/USDT": {"quoteVolume": "1", "percentage": "1"},
    }
    btc, eth = listings.activity(tickers)
    assert btc == Activity(TradingSymbol("BTC"), 90_000_000.5, -2.5)
    assert eth.symbol == TradingSymbol("ETH")
    assert math.isnan(eth.quote_volume)
    assert math.isnan(eth.change_pct)
