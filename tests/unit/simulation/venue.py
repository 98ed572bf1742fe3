"""A spot venue and whoever trades on it, for tests: BTC at 100, ticks of 0.1, steps of 0.001."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from tests.unit.simulation.market import BTC, INSTRUMENTS

from vela.domain.events import Tick
from vela.domain.order import Side
from vela.simulation.depth import spread_offers
from vela.simulation.liquidity import MadeUpBook, Offers
from vela.simulation.spot_exchange import SpotExchange
from vela.simulation.spot_fees import SpotFees
from vela.simulation.spot_orders import SelfTrade, SpotEventKind, SpotOrder, SpotOrderType, SpotRequest, TimeInForce

VOLUME = 100.0
SELL = Side.SELL
FEES = SpotFees(Decimal("0.001"), Decimal("0.002"))
SPREAD_OFFERS = partial(spread_offers, seed=7)


def request(
    name: str,
    kind: str,
    quantity: str | None = None,
    price: str | None = None,
    *,
    side: Side = Side.BUY,
    stop: str | None = None,
    worth: str | None = None,
    lasts: str = "GTC",
    own: str = "EXPIRE_MAKER",
    group: str | None = None,
) -> SpotRequest:
    return SpotRequest(
        client_order_id=name,
        symbol=BTC,
        side=side,
        type=SpotOrderType(kind),
        quantity=Decimal(quantity) if quantity else None,
        quote_quantity=Decimal(worth) if worth else None,
        price=Decimal(price) if price else None,
        stop_price=Decimal(stop) if stop else None,
        time_in_force=TimeInForce(lasts),
        self_trade=SelfTrade(own),
        group=group,
    )


class Venue:
    def __init__(
        self, usdt: str = "10000", btc: str = "10", fees: SpotFees = FEES, offers: Offers = SPREAD_OFFERS
    ) -> None:
        balances = {"USDT": Decimal(usdt), "BTC": Decimal(btc)}
        self.exchange = SpotExchange(INSTRUMENTS, balances, fees=fees, liquidity=MadeUpBook(offers))
        self.time = 0
        self.move(100.0)

    def move(
        self,
        price: float,
        low: float | None = None,
        high: float | None = None,
        share: float = 1.0,
        *,
        jump: bool = False,
    ) -> None:
        self.time += 1000
        if jump:
            self.exchange.on_tick(Tick(BTC, price, price, price, jump=True, volume=VOLUME), self.time, 0.0)
        lowest, highest = (price if low is None else low), (price if high is None else high)
        self.exchange.on_tick(Tick(BTC, price, lowest, highest, volume=VOLUME), self.time, share)

    def place(self, name: str, *args, **options) -> SpotOrder:
        return self.exchange.place(request(name, *args, **options), self.time)

    def order(self, name: str) -> SpotOrder:
        return self.exchange.find(BTC, client_order_id=name)

    def cancel(self, name: str) -> None:
        self.exchange.cancel(self.order(name), self.time, "cancel")

    def held(self, asset: str) -> tuple[str, str]:
        balance = self.exchange.balances()[asset]
        return f"{balance.free.normalize():f}", f"{balance.locked.normalize():f}"

    def kinds(self, name: str) -> list[SpotEventKind]:
        return [event.kind for event in self.exchange.log if event.order.request.client_order_id == name]
