"""Binance's errors: codes, texts and HTTP statuses as its documentation lists them."""

from __future__ import annotations

from vela.domain.errors import OrderRefused

REJECTED = -2010
"""The matching engine refused a new order."""

_BAD_REQUEST = 400

# The exchange's reasons for refusing an order, and Binance's words for them.
REFUSED = {
    "unknown_symbol": (-1121, "Invalid symbol."),
    "market_closed": (REJECTED, "Market is closed."),
    "no_price": (REJECTED, "Market is closed."),
    "duplicate_client_id": (REJECTED, "Duplicate order sent."),
    "step": (-1013, "Filter failure: LOT_SIZE"),
    "min_quantity": (-1013, "Filter failure: LOT_SIZE"),
    "tick": (-1013, "Filter failure: PRICE_FILTER"),
    "min_notional": (-1013, "Filter failure: NOTIONAL"),
    "open_orders": (-1013, "Filter failure: MAX_NUM_ORDERS"),
    "open_stops": (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS"),
    "would_trigger": (REJECTED, "Stop price would trigger immediately."),
    "would_take": (REJECTED, "Order would immediately match and take."),
    "pair_prices": (REJECTED, "The relationship of the prices for the orders is not correct."),
    "no_offers": (REJECTED, "Order book liquidity is less than symbol minimum quantity."),
    "balance": (REJECTED, "Account has insufficient balance for requested action."),
}


class BinanceError(Exception):
    """An answer that says no. `code` and `message` go into the body, `headers` beside it."""

    def __init__(
        self, code: int, message: str, *, status: int = _BAD_REQUEST, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """Return the error as it is sent."""
        return {"code": self.code, "msg": self.message}


def refused(reason: OrderRefused) -> BinanceError:
    """Return the exchange's refusal in Binance's words."""
    return BinanceError(*REFUSED[str(reason).partition(":")[0]])


def missing(name: str) -> BinanceError:
    """Return the error for a parameter that must be there."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def unknown_order(*, cancelling: bool) -> BinanceError:
    """Return the error for an order that is not there, or no longer open when it is to be cancelled."""
    return BinanceError(-2011, "Unknown order sent.") if cancelling else BinanceError(-2013, "Order does not exist.")
