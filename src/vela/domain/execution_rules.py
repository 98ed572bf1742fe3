"""The arithmetic of a fill: at which price orders execute on a market known by its candles, and what that costs.

Prices are whole ticks of the instrument. The functions on ticks use integers and floor division only, so that the
backtest can compile the very same functions.
"""

from __future__ import annotations

import math
from decimal import Decimal

from vela.domain.money import multiply

PPM = 1_000_000
"""Fractions of prices are whole millionths, so that levels and fills are computed in integers."""


def part_up(price_ticks: int, ppm: int) -> int:
    """Return `ppm` millionths of a price, rounded up to whole ticks.

    Args:
        price_ticks: 0 or more.
        ppm: 0 or more.
    """
    # Millions and rest apart: price × ppm of a fine grid (1e-8) would overflow 64 bits in compiled code.
    return price_ticks // PPM * ppm + (price_ticks % PPM * ppm + PPM - 1) // PPM


def market_fill_ticks(price_ticks: int, is_buy: bool, slippage_ppm: int) -> int:  # noqa: FBT001  a kernel's plain argument
    """Return the price that a market order gets: price × (1 ± slippage), rounded to tick against the trader.

    Args:
        price_ticks: the market's price, 1 tick or more.
        is_buy: buys pay more, sells get less.
        slippage_ppm: millionths of the price, 0 to 1,000,000.

    Returns:
        Ticks, at least 1.
    """
    slip = part_up(price_ticks, slippage_ppm)
    return price_ticks + slip if is_buy else max(1, price_ticks - slip)


def order_slippage_ppm(steps: int, step: float, volume: float, slippage_ppm: int, impact_ppm: int) -> int:
    """Return what an order loses against the quote: the slippage of any order, and its own impact on the price.

    The impact grows with the square root of the order's share of what the market trades (B. Tóth et al., Anomalous
    price impact and the critical nature of liquidity in financial markets, Physical Review X 1, 021006, 2011).

    Args:
        steps: size of the order, 0 or more.
        step: size of a step, in base.
        volume: base traded in the newest candle that has closed; none traded counts as an order of the whole volume.
        slippage_ppm: millionths of the price that every order loses.
        impact_ppm: what an order as large as `volume`, or larger, loses beyond that.
    """
    if impact_ppm == 0 or steps == 0:
        return slippage_ppm
    size = steps * step
    share = size / volume if size < volume else 1.0
    return slippage_ppm + math.ceil(impact_ppm * math.sqrt(share))


def stop_fill_ticks(
    stop_ticks: int,
    is_sell: bool,  # noqa: FBT001
    first_ticks: int,
    low_ticks: int,
    high_ticks: int,
    slippage_ppm: int,
) -> int:
    """Return the price at which a stop order executes while the market moves through a range.

    A sell stop is touched from above, a buy stop from below. If the first price is already beyond the level, the market
    gapped over it and the order gets the first price, else the level; slippage applies to both.

    Args:
        stop_ticks: the trigger.
        is_sell: whether the order sells.
        first_ticks: the price the move begins at.
        low_ticks: lower end of the range; reaching a level touches it.
        high_ticks: upper end of the range.
        slippage_ppm: millionths of the price, 0 to 1,000,000.

    Returns:
        Ticks, or 0 if the stop was not touched.
    """
    if is_sell:
        if min(first_ticks, low_ticks) > stop_ticks:
            return 0
        return market_fill_ticks(min(first_ticks, stop_ticks), False, slippage_ppm)  # noqa: FBT003
    if max(first_ticks, high_ticks) < stop_ticks:
        return 0
    return market_fill_ticks(max(first_ticks, stop_ticks), True, slippage_ppm)  # noqa: FBT003


def limit_fill_ticks(
    limit_ticks: int,
    is_sell: bool,  # noqa: FBT001
    first_ticks: int,
    low_ticks: int,
    high_ticks: int,
) -> int:
    """Return the price at which a limit order executes while the market moves through a range; no slippage.

    If the first price is already better than the limit, the order gets the first price, else the limit.

    Args:
        limit_ticks: the worst price accepted.
        is_sell: whether the order sells.
        first_ticks: the price the move begins at.
        low_ticks: lower end of the range; reaching a level touches it.
        high_ticks: upper end of the range.

    Returns:
        Ticks, or 0 if the limit was not touched.
    """
    if is_sell:
        return max(first_ticks, limit_ticks) if max(first_ticks, high_ticks) >= limit_ticks else 0
    return min(first_ticks, limit_ticks) if min(first_ticks, low_ticks) <= limit_ticks else 0


def fee(rate: Decimal, price: Decimal, quantity: Decimal) -> Decimal:
    """Return rate × price × quantity in quote, exact, never rounded.

    Raises:
        decimal.Inexact: the product needs more than 60 digits.
    """
    return multiply(rate, price, quantity)
