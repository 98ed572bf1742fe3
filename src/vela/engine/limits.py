"""The last gate before an entry: limits on what may be put at risk, out of every strategy's reach.

Exits, stops and cancels never come here: they reduce what is at risk.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from vela.domain.errors import ConfigurationError
from vela.domain.execution_rules import PPM
from vela.domain.money import ZERO, add, exact, multiply, subtract
from vela.domain.position import Wallet
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.risk import Refusal
from vela.ports.record import LimitMarks

DAY_MS = Timeframe.D1.milliseconds
_AMOUNTS = ("max_order", "max_exposure")
_COUNTS = ("max_orders_per_minute", "price_band_ppm", "max_daily_loss_ppm", "max_drawdown_ppm")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be put at risk. Percentages in millionths (ppm); 0 switches a limit off.

    Attributes:
        max_order: value of one entry, in quote.
        max_exposure: value of all positions, of entries under way and of the new one together, in quote.
        max_orders_per_minute: orders of every kind within a minute of market time, from which on no entry follows.
        price_band_ppm: how far from the newest close the expected fill price may be.
        max_daily_loss_ppm: how much of the equity with which the UTC day began may be lost on it.
        max_drawdown_ppm: how far below its highest equity may fall.
        allowed_symbols: what may be entered; None: all that is traded.
        reduce_only: let no entry pass at all.
    """

    max_order: Decimal = ZERO
    max_exposure: Decimal = ZERO
    max_orders_per_minute: int = 0
    price_band_ppm: int = 0
    max_daily_loss_ppm: int = 0
    max_drawdown_ppm: int = 0
    allowed_symbols: frozenset[TradingSymbol] | None = None
    reduce_only: bool = False

    def __post_init__(self) -> None:
        for name in (*_AMOUNTS, *_COUNTS):
            value = Decimal(getattr(self, name))
            if not value.is_finite() or value < 0:
                raise ConfigurationError(f"{name} was {value}; accepted: 0 or more")

    @classmethod
    def careful(cls, capital: Decimal) -> Limits:
        """Return limits fit for real money of which nothing else is known.

        An entry may be worth a tenth of the capital, everything together half of it; twenty orders a minute; fills up
        to 2 % from the newest close; 3 % may be lost in a day, 10 % from the highest equity.

        Args:
            capital: what may be traded with, in quote.

        Raises:
            ConfigurationError: the capital is not above 0, so that a part of it would be no limit.
        """
        if not (capital.is_finite() and capital > 0):
            raise ConfigurationError(f"capital was {capital}; accepted: above 0")
        return cls(
            max_order=multiply(capital, Decimal("0.1")),
            max_exposure=multiply(capital, Decimal("0.5")),
            max_orders_per_minute=20,
            price_band_ppm=20_000,
            max_daily_loss_ppm=30_000,
            max_drawdown_ppm=100_000,
        )

    @property
    def watch_equity(self) -> bool:
        """Whether there is a limit on losses."""
        return bool(self.max_daily_loss_ppm or self.max_drawdown_ppm)


class Entry(msgspec.Struct, frozen=True):
    """An entry that its strategy and the rules want.

    Attributes:
        symbol: what is bought.
        price: expected fill price, quote per base.
        quantity: in base.
        close: the newest close, quote per base; None: not known.
        wallet: the account without this entry; None: nobody knows what its positions are worth.
        is_counted: it is among the orders sent already, because it is sent again.
    """

    symbol: TradingSymbol
    price: Decimal
    quantity: Decimal
    close: float | None
    wallet: Wallet | None
    is_counted: bool = False


def entry_refusal(entry: Entry, limits: Limits, sent: int, marks: LimitMarks | None) -> Refusal | None:
    """Return the first limit against an entry, or None.

    A limit that is set and cannot be computed refuses: a number is missing, not finite, or has too many digits.

    Args:
        entry: what is wanted.
        limits: those in force.
        sent: orders of the last minute, the entry not included.
        marks: with the entry's wallet measured; None: it could not be.
    """
    checks: tuple[tuple[Refusal, Callable[[], bool]], ...] = (
        (Refusal.REDUCE_ONLY, lambda: not limits.reduce_only),
        (Refusal.SYMBOL_NOT_ALLOWED, lambda: _is_allowed(entry.symbol, limits)),
        (Refusal.LIMIT_ORDER, lambda: not limits.max_order or ZERO < _value(entry) <= limits.max_order),
        (Refusal.LIMIT_TOTAL, lambda: not limits.max_exposure or ZERO < _exposure(entry) <= limits.max_exposure),
        (Refusal.LIMIT_RATE, lambda: not limits.max_orders_per_minute or sent < limits.max_orders_per_minute),
        (Refusal.PRICE_BAND, lambda: not limits.price_band_ppm or _is_near(entry, limits.price_band_ppm)),
        (Refusal.DAILY_LOSS, lambda: not limits.max_daily_loss_ppm or (marks is not None and not marks.day_lost)),
        (Refusal.DRAWDOWN, lambda: not limits.max_drawdown_ppm or (marks is not None and not marks.drawn_down)),
    )
    return next((refusal for refusal, passes in checks if not _is_certain(passes)), None)


def measured(marks: LimitMarks | None, limits: Limits, time: int, equity: Decimal, resets: int) -> LimitMarks:
    """Return the marks once the account was worth `equity` at `time`.

    Args:
        marks: before; None: nothing was measured yet.
        limits: those in force.
        time: ms UTC; an earlier day than the marks' counts as the same day.
        equity: in quote, finite.
        resets: requests to count anew so far; a new one forgets what was lost.
    """
    day = time // DAY_MS
    if marks is None or resets > marks.resets:
        return LimitMarks(day, equity, False, equity, False, resets)  # noqa: FBT003  nothing is lost yet
    is_new = day > marks.day
    day_equity, highest = equity if is_new else marks.day_equity, max(marks.highest, equity)
    was_lost = marks.day_lost and not is_new
    return LimitMarks(
        day=max(marks.day, day),
        day_equity=day_equity,
        day_lost=was_lost or not _is_kept(day_equity, equity, limits.max_daily_loss_ppm),
        highest=highest,
        drawn_down=marks.drawn_down or not _is_kept(highest, equity, limits.max_drawdown_ppm),
        resets=marks.resets,
    )


def _is_certain(passes: Callable[[], bool]) -> bool:
    # Decimal raises when a NaN is compared or a result would have to be rounded; `exact` on whatever is not finite.
    try:
        return passes()
    except (ArithmeticError, ValueError):
        return False


def _is_allowed(symbol: TradingSymbol, limits: Limits) -> bool:
    return limits.allowed_symbols is None or symbol in limits.allowed_symbols


def _value(entry: Entry) -> Decimal:
    return multiply(exact(entry.price), exact(entry.quantity))


def _exposure(entry: Entry) -> Decimal:
    wallet = entry.wallet
    if wallet is None:
        raise ValueError("the value of the positions is not known")
    return add(exact(wallet.market_value), exact(wallet.reserved), _value(entry))


def _is_near(entry: Entry, ppm: int) -> bool:
    close = exact(repr(entry.close))
    return close > 0 and multiply(abs(subtract(exact(entry.price), close)), Decimal(PPM)) <= multiply(
        close, Decimal(ppm)
    )


def _is_kept(before: Decimal, now: Decimal, ppm: int) -> bool:
    """Say whether no more than `ppm` of what was there before is gone; 0: whatever is gone."""
    return not ppm or (before > 0 and multiply(subtract(before, now), Decimal(PPM)) <= multiply(before, Decimal(ppm)))
