"""A simulated exchange and whoever drives it, for tests."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from vela.domain.events import Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.exchange import SimulatedExchange
from vela.simulation.exchange_events import ExchangeEvent

BTC, ETH, SOL = TradingSymbol("BTC"), TradingSymbol("ETH"), TradingSymbol("SOL")
INSTRUMENTS = [
    Instrument(BTC, Decimal("0.1"), Decimal("0.001"), min_notional=Decimal(5), min_quantity=Decimal("0.002")),
    Instrument(ETH, Decimal("0.1"), Decimal("0.001"), min_notional=Decimal(5)),
]
MINUTE = 60_000


class Market:
    """An exchange together with whoever drives it: events are kept, then applied."""

    def __init__(self, balances: dict[str, str], *, fee_rate: str = "0.001", **costs: int) -> None:
        amounts = {asset: Decimal(amount) for asset, amount in balances.items()}
        self.new = partial(
            SimulatedExchange, INSTRUMENTS, amounts, fee_rate=Decimal(fee_rate), **{"slippage_ppm": 0, **costs}
        )
        self.exchange = self.new()
        self.events: list[ExchangeEvent] = []

    def take(self, events):
        for event in events:
            self.exchange.apply(event)
        self.events += events
        return list(events)

    def submit(self, *requests):
        return self.take(self.exchange.submit(*requests))

    def replace(self, cancel, *requests):
        return self.take(self.exchange.cancel_and_replace(cancel, *requests))

    def jump(self, time, price, symbol=BTC, volume=0.0):
        return self.take(self.exchange.on_ticks(time, [Tick(symbol, price, price, price, jump=True, volume=volume)]))

    def move(self, time, price, low, high, symbol=BTC, volume=0.0):
        return self.take(self.exchange.on_ticks(time, [Tick(symbol, price, low, high, volume=volume)]))

    def status(self, client_order_id):
        return self.exchange.order(client_order_id).status

    def fill(self, client_order_id):
        return self.exchange.order(client_order_id).fills[0]

    def replayed(self) -> SimulatedExchange:
        twin = self.new()
        for event in self.events:
            twin.apply(event)
        return twin


def market(name, quantity, side=Side.BUY, symbol=BTC, group=None):
    return OrderRequest(name, symbol, side, OrderType.MARKET, Decimal(quantity), group=group)


def limit(name, quantity, price, side=Side.SELL, group=None):
    return OrderRequest(name, BTC, side, OrderType.LIMIT, Decimal(quantity), price=Decimal(price), group=group)


def stop(name, quantity, price, side=Side.SELL, group=None):
    return OrderRequest(name, BTC, side, OrderType.STOP, Decimal(quantity), stop_price=Decimal(price), group=group)
