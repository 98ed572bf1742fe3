"""Reads orders from parameters, and says what does not belong together."""

from __future__ import annotations

from decimal import Decimal

from vela.domain.errors import OrderError
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_orders import SelfTrade, SpotOrderType, SpotRequest, TimeInForce
from vela.venue.binance.desk import Desk
from vela.venue.binance.errors import REJECTED, BinanceError, missing
from vela.venue.binance.parameters import Parameters

# Beyond these nothing is ordered; far more than any account here holds.
LARGEST_PRICE, LARGEST_QUANTITY = Decimal(10**9), Decimal(10**12)
# What changes nothing here.
_NO_SUCH_MODE = (REJECTED, "This symbol does not allow the specified self-trade prevention mode.")
IGNORED = ("strategyId", "strategyType", "returnRateLimits", "computeCommissionRates")


class OrderReader:
    """Reads an order, whose parameters may carry a prefix."""

    def __init__(self, desk: Desk, parameters: Parameters, names: dict[str, str] | None = None) -> None:
        """`names`: what `price`, `stopPrice` and `timeInForce` are called, where that is different."""
        self._taken = desk.order_types
        self._parameters = parameters
        self._names = names or {}

    def read(self, symbol: TradingSymbol, kind: SpotOrderType, side: Side, client_id: str) -> SpotRequest:
        """Return the order.

        Raises:
            BinanceError: a parameter is missing, or makes no sense with this type.
        """
        p = self._parameters
        if kind not in self._taken:
            what = kind.value.replace("_", " ").capitalize()
            raise BinanceError(REJECTED, f"{what} orders are not supported for this symbol.")
        for name, needed in (("price", kind.has_limit), ("stopPrice", kind.is_stop)):
            self._check_presence(self._name(name), needed=needed)
        self._check_lasting(kind)
        quantity, worth = p.decimal("quantity"), p.decimal("quoteOrderQty")
        if quantity is not None and worth is not None:
            raise BinanceError(-1106, "Parameter 'quantity' sent when not required.")
        if quantity is None and worth is None:
            raise missing("quantity")
        self._refuse("icebergQty", "Iceberg orders")
        self._refuse("trailingDelta", "Trailing stop orders")
        lasts = p.choice(self._name("timeInForce"), TimeInForce, (-1115, "Invalid timeInForce."))
        price, stop_price = p.decimal(self._name("price")), p.decimal(self._name("stopPrice"))
        for one in (price, stop_price):
            _check_largest(one, LARGEST_PRICE, "PRICE_FILTER")
        _check_largest(quantity, LARGEST_QUANTITY, "LOT_SIZE")
        _check_largest(worth, LARGEST_QUANTITY, "NOTIONAL")
        try:
            return SpotRequest(
                client_order_id=client_id,
                symbol=symbol,
                side=side,
                type=kind,
                quantity=quantity,
                quote_quantity=worth,
                price=price,
                stop_price=stop_price,
                time_in_force=lasts or TimeInForce.GTC,
                self_trade=p.choice("selfTradePreventionMode", SelfTrade, _NO_SUCH_MODE) or SelfTrade.EXPIRE_MAKER,
            )
        except OrderError:  # a value instead of a quantity, of another type than MARKET
            raise BinanceError(-1106, "Parameter 'quoteOrderQty' sent when not required.") from None

    def _refuse(self, name: str, what: str) -> None:
        if self._parameters.has(self._name(name)):
            raise BinanceError(REJECTED, f"{what} are not supported for this symbol.")
        self._parameters.skip(self._name(name))

    def _check_presence(self, name: str, *, needed: bool) -> None:
        if needed and not self._parameters.has(name):
            raise missing(name)
        if not needed and self._parameters.has(name):
            raise BinanceError(-1106, f"Parameter '{name}' sent when not required.")

    def _check_lasting(self, kind: SpotOrderType) -> None:
        needed = kind.has_limit and kind is not SpotOrderType.LIMIT_MAKER
        self._check_presence(self._name("timeInForce"), needed=needed)

    def _name(self, name: str) -> str:
        return self._names.get(name, name)


def _check_largest(value: Decimal | None, largest: Decimal, which: str) -> None:
    if value is not None and value > largest:
        raise BinanceError(-1013, f"Filter failure: {which}")


def read_side(parameters: Parameters) -> Side:
    """Return the side.

    Raises:
        BinanceError: there is none, or no such.
    """
    side = parameters.choice("side", Side, (-1117, "Invalid side."))
    if side is None:
        raise missing("side")
    return side
