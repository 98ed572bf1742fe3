"""The simulated exchange of `vela venue` without a server: the same endpoints, account and rules, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from tests.faults.evidence import Row
from tests.faults.seeded.nature import PRICES, Nature
from tests.faults.seeded.virtual_time import VirtualClock

from vela.domain.events import PricesMoved, Tick
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.depth import LEVELS, Level, flat_offers, spread_offers
from vela.simulation.liquidity import MadeUpBook
from vela.simulation.spot_exchange import Phase, SpotExchange
from vela.simulation.spot_orders import SpotEvent, SpotOrder
from vela.venue.binance.desk import Desk, Terms
from vela.venue.binance.errors import BinanceError
from vela.venue.binance.gate import Gate
from vela.venue.binance.parameters import read_parameters
from vela.venue.binance.rest import ENDPOINTS
from vela.venue.clock import VenueClock
from vela.venue.queries import Lag
from vela.venue.still import VOLUME, StillMarket
from vela.venue.tape import Tapes
from vela.venue.truth import truth_of
from vela.venue.venue import Listener, Venue

_LEVELS = 6  # of the book: enough for orders to execute in several parts, or not to the end

KEY, SECRET = "key-of-nobody", "secret-of-nobody"


class Answer(NamedTuple):
    """What the venue sends back."""

    status: int
    body: Any
    headers: dict[str, str]


class QuietVenue(Listener):
    """The venue and its market, which moves when it is told to."""

    def __init__(self, nature: Nature, clock: VirtualClock, seed: int) -> None:
        self._clock = clock
        assets = {asset for one in nature.listed for asset in (one.symbol.base, one.symbol.quote.value)}
        self.exchange = SpotExchange(
            nature.listed,
            dict.fromkeys(sorted(assets), Decimal(0)) | nature.balances,
            fees=nature.fees,
            liquidity=MadeUpBook(flat_offers if nature.is_flat else partial(_few_offers, seed=seed)),
        )
        prices = {one.symbol: PRICES[one.symbol] for one in nature.listed}
        self._market = StillMarket(nature.listed, prices, Timeframe.M1, clock.now())
        self._venue = Venue(self.exchange, Tapes([], Timeframe.M1), VenueClock(clock))
        self._venue.listen(self)
        self._desk = Desk(self._venue, Terms(api_key=KEY, api_secret=SECRET, order_limit=nature.order_limit), seed)
        self._gate = Gate(self._desk)
        self.truth: list[Row] = []
        self.lowest: dict[str, Decimal] = {}
        self.tell: Callable[[SpotEvent], None] = lambda _: None
        for symbol in prices:
            self.move(symbol, PRICES[symbol], jump=True)

    def answer(self, method: str, path: str, query: str, body: str, key: str | None) -> Answer:
        """Do what a request asks for."""
        endpoint = ENDPOINTS[method, path]
        try:
            self._gate.admit(endpoint)
            parameters, payload = read_parameters(query, body)
            self._gate.check(endpoint.security, parameters, key, payload)
            answer = endpoint.answer(self._desk, parameters)
        except BinanceError as error:
            return Answer(error.status, error.body(), self._gate.counts() | error.headers)
        return Answer(200, answer, self._gate.counts(endpoint))

    def account_changed(self, events: Sequence[SpotEvent]) -> None:
        """See `Listener.account_changed`."""
        for event in events:
            self.truth.append(truth_of(event))
            self.tell(event)

    # -------------------------------------------------------------------------------------------------- the market

    def price(self, symbol: TradingSymbol) -> Decimal:
        price = self.exchange.price(symbol)
        assert price is not None
        return price

    def resting(self, symbol: TradingSymbol) -> list[SpotOrder]:
        return self.exchange.open_orders(symbol)

    def move(
        self, symbol: TradingSymbol, price: Decimal, *, jump: bool = False, volume: float = VOLUME
    ) -> list[PricesMoved]:
        """Move a price, let orders execute, and return what the public hears of it."""
        name = symbol.to_ccxt()
        self.lowest[name] = min(price, self.lowest.get(name, price))
        moves = self._market.moved(symbol, price, jump=jump, volume=volume)
        ticks: list[Tick] = [tick for move in moves for tick in move.ticks]
        now = self._clock.now()
        for tick in ticks:
            self.exchange.on_tick(tick, now, 1.0)
            self._venue.publish(symbol)
        return [PricesMoved(time=now, ticks=(tick,)) for tick in ticks]

    def halt(self, symbol: TradingSymbol, *, is_halted: bool) -> None:
        self.exchange.enter(Phase.HALT if is_halted else Phase.TRADING, symbol, self._clock.now())

    def lag(self, orders_ms: int, open_orders_ms: int) -> None:
        """Answer questions as late as that from now on."""
        self._venue.queries.lag = Lag(orders_ms, open_orders_ms)


def _few_offers(price_ticks: int, volume_steps: int, *, is_ask: bool, seed: int) -> list[Level]:
    return spread_offers(price_ticks, volume_steps * LEVELS // _LEVELS, is_ask=is_ask, seed=seed)[:_LEVELS]
