"""Endpoints that anybody may ask: what is traded, prices, candles, trades, the book."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from vela.domain.candles import Candle
from vela.domain.instrument import Instrument
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.simulation.spot_exchange import MOST_OPEN_ORDERS, MOST_OPEN_STOPS
from vela.simulation.spot_orders import SelfTrade
from vela.venue.binance.desk import Desk, Endpoint
from vela.venue.binance.errors import BinanceError, missing
from vela.venue.binance.limits import ORDERS_PER_DAY
from vela.venue.binance.order_reader import LARGEST_PRICE, LARGEST_QUANTITY
from vela.venue.binance.parameters import Parameters, traded_symbol
from vela.venue.binance.shapes import Shape, amount
from vela.venue.tape import PublicTrade, quote_volume

TRADES_PER_CANDLE = 100  # nobody knows how many there were

_MOST_ROWS = 1000
_MOST_LEVELS = 5000
_AVERAGE_MS = 5 * 60_000


def _ping(_desk: Desk, parameters: Parameters) -> object:
    parameters.finish()
    return {}


def _time(desk: Desk, parameters: Parameters) -> object:
    parameters.finish()
    return {"serverTime": desk.now()}


def _exchange_info(desk: Desk, parameters: Parameters) -> object:
    symbols = _symbols(desk, parameters)
    parameters.skip("permissions", "showPermissionSets", "symbolStatus")
    parameters.finish()
    return {
        "timezone": "UTC",
        "serverTime": desk.now(),
        "rateLimits": _rate_limits(desk),
        "exchangeFilters": [],
        "symbols": [_symbol_info(desk, desk.instruments[symbol]) for symbol in symbols],
        "sors": [],
    }


def _rate_limits(desk: Desk) -> list[Shape]:
    limits = (
        ("REQUEST_WEIGHT", "MINUTE", 1, desk.terms.weight_limit),
        ("ORDERS", "SECOND", 10, desk.terms.order_limit),
        ("ORDERS", "DAY", 1, ORDERS_PER_DAY),
    )
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in limits
    ]


def _symbol_info(desk: Desk, instrument: Instrument) -> Shape:
    symbol = instrument.symbol
    return {
        "symbol": symbol.to_binance_api(),
        "status": desk.exchange.phase(symbol).value,
        "baseAsset": symbol.base,
        "baseAssetPrecision": 8,
        "quoteAsset": symbol.quote.value,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [kind.value for kind in desk.order_types],
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": SelfTrade.EXPIRE_MAKER.value,
        "allowedSelfTradePreventionModes": [mode.value for mode in SelfTrade],
    }


def _filters(instrument: Instrument) -> list[Shape]:
    tick, step = amount(instrument.tick), amount(instrument.step)
    smallest = amount(max(instrument.step, instrument.min_quantity))
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": amount(LARGEST_PRICE), "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": smallest, "maxQty": amount(LARGEST_QUANTITY), "stepSize": step},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": amount(None),
            "maxQty": amount(LARGEST_QUANTITY),
            "stepSize": amount(None),
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": amount(instrument.min_notional),
            "applyMinToMarket": True,
            "maxNotional": amount(LARGEST_QUANTITY),
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MOST_OPEN_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MOST_OPEN_STOPS},
    ]


# ------------------------------------------------------------------------------------------------- candles, trades


def _klines(desk: Desk, parameters: Parameters) -> object:
    tape = desk.tape(parameters.symbol(desk.instruments))
    interval = parameters.text("interval")
    if interval is None:
        raise missing("interval")
    length = interval_ms(interval, desk.venue.tapes.timeframe)
    since, until = parameters.moment("startTime"), parameters.moment("endTime")
    limit = parameters.limit(500, _MOST_ROWS)
    parameters.skip("timeZone")
    parameters.finish()
    if since is None:
        newest = tape.newest(length)
        end = until if until is not None else (newest.open_time if newest is not None else 0)
        return [kline(row, length) for row in tape.candles(length, since=end - limit * length, until=end)[-limit:]]
    return [kline(row, length) for row in tape.candles(length, since=since, until=until)[:limit]]


def interval_ms(text: str, market: Timeframe) -> int:
    """Return an interval's length; only multiples of the market's own can be made of its candles.

    Raises:
        BinanceError: there is no such interval, or no candles for it.
    """
    try:
        length = Timeframe(text).milliseconds
    except ValueError:
        length = 0
    if not length or length % market.milliseconds:
        raise BinanceError(-1120, "Invalid interval.")
    return length


def kline(row: Candle, length: int) -> list[object]:
    """Return a candle as REST sends it. Trades and the takers' half of the volume are made up."""
    quote = quote_volume(row)
    return [
        row.open_time,
        *(amount(price) for price in (row.open, row.high, row.low, row.close)),
        rounded(row.volume),
        row.open_time + length - 1,
        rounded(quote),
        TRADES_PER_CANDLE,
        rounded(row.volume / 2),
        rounded(quote / 2),
        "0",
    ]


def _trades(desk: Desk, parameters: Parameters) -> object:
    tape = desk.tape(parameters.symbol(desk.instruments))
    limit = parameters.limit(500, _MOST_ROWS)
    parameters.finish()
    return [
        {
            "id": trade.number,
            "price": amount(trade.price),
            "qty": amount(trade.quantity),
            "quoteQty": rounded(trade.price * trade.quantity),
            "time": trade.time,
            "isBuyerMaker": trade.buyer_is_maker,
            "isBestMatch": True,
        }
        for trade in list(tape.trades)[-limit:]
    ]


def _aggregate_trades(desk: Desk, parameters: Parameters) -> object:
    tape = desk.tape(parameters.symbol(desk.instruments))
    first = parameters.integer("fromId") or 0
    since, until = parameters.moment("startTime") or 0, parameters.moment("endTime")
    limit = parameters.limit(500, _MOST_ROWS)
    parameters.finish()
    chosen = [
        trade
        for trade in tape.trades
        if trade.number >= first and trade.time >= since and (until is None or trade.time <= until)
    ]
    return [aggregate_trade(trade) for trade in (chosen[:limit] if first or since else chosen[-limit:])]


def aggregate_trade(trade: PublicTrade) -> Shape:
    """Return a trade as an aggregate of itself."""
    return {
        "a": trade.number,
        "p": amount(trade.price),
        "q": amount(trade.quantity),
        "f": trade.number,
        "l": trade.number,
        "T": trade.time,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def _depth(desk: Desk, parameters: Parameters) -> object:
    symbol = parameters.symbol(desk.instruments)
    limit = parameters.limit(100, _MOST_LEVELS)
    parameters.finish()
    return desk.depths.snapshot(symbol, limit)


# -------------------------------------------------------------------------------------------------------- tickers


def day_ticker(desk: Desk, symbol: TradingSymbol) -> Shape:
    """Return the newest 24 hours' figures. Trades are counted as far as they are kept."""
    book, tape = desk.depths.ticker(symbol), desk.tape(symbol)
    day = tape.day()
    row, quote = (day.candle, day.quote_volume) if day is not None else (Candle(0, 0.0, 0.0, 0.0, 0.0, 0.0), 0.0)
    trades = tape.trades
    return {
        "symbol": symbol.to_binance_api(),
        "priceChange": rounded(row.close - row.open),
        "priceChangePercent": f"{(row.close / row.open - 1) * 100 if row.open else 0:.3f}",
        "weightedAvgPrice": rounded(quote / row.volume if row.volume else 0.0),
        "prevClosePrice": amount(row.open),
        "lastPrice": amount(row.close),
        "lastQty": amount(trades[-1].quantity if trades else 0.0),
        "bidPrice": book["b"],
        "bidQty": book["B"],
        "askPrice": book["a"],
        "askQty": book["A"],
        "openPrice": amount(row.open),
        "highPrice": amount(row.high),
        "lowPrice": amount(row.low),
        "volume": rounded(row.volume),
        "quoteVolume": rounded(quote),
        "openTime": row.open_time,
        "closeTime": trades[-1].time if trades else row.open_time,
        "firstId": trades[0].number if trades else -1,
        "lastId": trades[-1].number if trades else -1,
        "count": len(trades),
    }


def _average_price(desk: Desk, parameters: Parameters) -> object:
    tape, length = desk.tape(parameters.symbol(desk.instruments)), desk.venue.tapes.timeframe.milliseconds
    parameters.finish()
    last = tape.newest(length)
    rows = [] if last is None else tape.candles(length, since=last.open_time - _AVERAGE_MS + length)
    volume = sum(row.volume for row in rows)
    price = sum(map(quote_volume, rows)) / volume if volume else rows[-1].close if rows else 0.0
    return {
        "mins": _AVERAGE_MS // 60_000,
        "price": rounded(price),
        "closeTime": rows[-1].open_time + length - 1 if rows else 0,
    }


def _price(desk: Desk, symbol: TradingSymbol) -> Shape:
    return {"symbol": symbol.to_binance_api(), "price": amount(desk.exchange.price(symbol))}


def _book(desk: Desk, symbol: TradingSymbol) -> Shape:
    book = desk.depths.ticker(symbol)
    return {
        "symbol": book["s"],
        "bidPrice": book["b"],
        "bidQty": book["B"],
        "askPrice": book["a"],
        "askQty": book["A"],
    }


def _of_each(ticker: Callable[[Desk, TradingSymbol], Shape]) -> Callable[[Desk, Parameters], object]:
    def answer(desk: Desk, parameters: Parameters) -> object:
        is_one = parameters.has("symbol")
        symbols = _symbols(desk, parameters)
        parameters.skip("type")
        parameters.finish()
        found = [ticker(desk, symbol) for symbol in symbols]
        return found[0] if is_one else found

    return answer


def _symbols(desk: Desk, parameters: Parameters) -> Sequence[TradingSymbol]:
    """Return the symbol that was sent, those of the list `symbols`, or all."""
    one, several = parameters.optional_symbol(desk.instruments), parameters.text("symbols")
    if one is not None:
        return [one]
    if several is None:
        return [*desk.instruments]
    try:
        names = msgspec.json.decode(several, type=list[str])
    except msgspec.DecodeError:
        raise BinanceError(-1135, "JSON sent for parameter 'symbols' is not valid") from None
    return [traded_symbol(name, desk.instruments) for name in names]


def rounded(value: float) -> str:
    """Write a figure that is computed, not counted, with eight decimals."""
    return f"{value:.8f}"


PUBLIC = {
    ("GET", "ping"): Endpoint(_ping),
    ("GET", "time"): Endpoint(_time),
    ("GET", "exchangeInfo"): Endpoint(_exchange_info, 20),
    ("GET", "klines"): Endpoint(_klines, 2),
    ("GET", "trades"): Endpoint(_trades, 25),
    ("GET", "aggTrades"): Endpoint(_aggregate_trades, 4),
    ("GET", "depth"): Endpoint(_depth, 5),
    ("GET", "avgPrice"): Endpoint(_average_price, 2),
    ("GET", "ticker/24hr"): Endpoint(_of_each(day_ticker), 2),
    ("GET", "ticker/price"): Endpoint(_of_each(_price), 2),
    ("GET", "ticker/bookTicker"): Endpoint(_of_each(_book), 2),
}
