from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from vela.adapters.exchanges.simulated.paper import PaperExecution
from vela.domain.assets import QuoteCurrency
from vela.domain.errors import OrderRefused, StorageError
from vela.domain.events import PricesMoved, Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import TradingSymbol, register_assets
from vela.simulation.exchange_events import OrderAccepted, OrderFilled

BTC = TradingSymbol("BTC")
INSTRUMENT = Instrument(BTC, Decimal("0.01"), Decimal("0.0001"))


class Log:
    """A log in memory that can be full, and cut or spoilt by the test."""

    def __init__(self, texts: list[str] | None = None) -> None:
        self.texts = texts if texts is not None else []
        self.is_full = False

    def entries(self) -> list[tuple[int, str]]:
        return list(enumerate(self.texts, start=1))

    def append(self, text: str) -> None:
        if self.is_full:
            raise StorageError("the record cannot be used: database or disk is full")
        self.texts.append(text)


def opened(log: Log, usdt: str = "1000", instruments=(INSTRUMENT,)) -> PaperExecution:
    balances = {"USDT": Decimal(usdt)}
    return PaperExecution(log, instruments, balances, fee_rate=Decimal("0.001"), slippage_ppm=500)


@pytest.fixture
def log() -> Log:
    return Log()


def buy(name: str, quantity: str = "1") -> OrderRequest:
    return OrderRequest(name, BTC, Side.BUY, OrderType.MARKET, Decimal(quantity))


def stop(name: str, price: str) -> OrderRequest:
    return OrderRequest(name, BTC, Side.SELL, OrderType.STOP, Decimal(1), stop_price=Decimal(price))


def prices(time: int, price: float, low: float | None = None, *, jump: bool = False) -> PricesMoved:
    return PricesMoved(time=time, ticks=(Tick(BTC, price, low or price, price, jump),))


async def state(paper: PaperExecution):
    names = ("in", "stop", "ghost")
    orders = [await paper.order(name) for name in names if name in {r.client_order_id for r in await known(paper)}]
    return await paper.balances(), await paper.open_orders(), orders


async def known(paper: PaperExecution):
    return [await paper.order(e.request.client_order_id) for e in paper.truth() if isinstance(e, OrderAccepted)]


async def trade(paper: PaperExecution):
    """Yield the state after each thing that is written."""
    yield await state(paper)
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    await paper.submit(buy("in"))
    yield await state(paper)
    await paper.submit(stop("stop", "90"))
    yield await state(paper)
    await paper.on_prices(prices(119_999, 95.0, 85.0))
    yield await state(paper)


async def test_reopening_gives_the_same_account(log):
    paper = opened(log)
    states = [seen async for seen in trade(paper)]
    again = opened(log)
    assert await state(again) == states[-1]
    assert (await again.order("stop")).status is OrderStatus.FILLED
    assert (await again.order("stop")).fills[0].price == Decimal("89.95")


async def test_a_crash_after_any_entry_leaves_the_account_as_it_was_then(log):
    states = [seen async for seen in trade(opened(log))]
    for length in range(len(log.texts) + 1):
        again = opened(Log(log.texts[:length]))
        assert await state(again) == states[max(0, length - 1)]


async def test_the_same_prices_after_a_crash_change_nothing(log):
    paper = opened(log)
    states = [seen async for seen in trade(paper)]
    again = opened(log)
    assert await again.on_prices(prices(60_000, 100.0, jump=True)) == ()
    assert await again.on_prices(prices(119_999, 95.0, 85.0)) == ()
    assert await state(again) == states[-1]
    with pytest.raises(OrderRefused, match="duplicate_client_id"):
        await again.submit(buy("in"))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, '{"version":3,"balances":{}}'),
        (1, "{}"),
        (2, "no json"),
        (2, '[{"event":"unheard","sequence":1,"time":0}]'),
        (2, '[{"event":"accepted","sequence":1,"time":0,"request":{"symbol":5}}]'),
        (2, '[{"event":"cancelled","sequence":1,"time":0,"client_order_id":"ghost","reason":"client"}]'),
        (3, '[{"event":"cancelled","sequence":9,"time":0,"client_order_id":"in","reason":"client"}]'),
        (3, ""),
    ],
)
async def test_damage_is_named_by_its_entry(log, number, text):
    [_ async for _ in trade(opened(log))]
    log.texts[number - 1] = text
    with pytest.raises(StorageError, match="version 3; accepted: 1, 2" if "3," in text else f"entry {number}"):
        opened(log)


async def test_prices_that_change_nothing_write_nothing(log):
    paper = opened(log)
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    await paper.submit(buy("in"))
    await paper.submit(stop("stop", "90"))
    before = list(log.texts)
    assert await paper.on_prices(prices(119_999, 95.0, 91.0)) == ()
    assert log.texts == before


async def test_the_account_keeps_its_own_initial_balance(log):
    opened(log, "1000")
    assert (await opened(log, "5").balances())["USDT"].free == 1000


async def test_the_truth_tells_every_event(log):
    paper = opened(log)
    [_ async for _ in trade(paper)]
    events = list(paper.truth())
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [type(event) for event in events] == [OrderAccepted, OrderFilled, OrderAccepted, OrderFilled]
    assert [event.fill.client_order_id for event in events if isinstance(event, OrderFilled)] == ["in", "stop"]


async def test_nothing_is_answered_that_is_not_written(log):
    paper = opened(log)
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    before = await paper.balances()
    log.is_full = True
    with pytest.raises(StorageError, match="full"):
        await paper.submit(buy("in"))
    assert await paper.balances() == before
    log.is_full = False
    await paper.submit(buy("in"))
    assert await state(opened(log)) == await state(paper)


async def test_an_asset_listed_at_run_time_is_read_back(log):
    register_assets(["1000SATS"])
    symbol = TradingSymbol("1000SATS", QuoteCurrency.USDC)
    paper = opened(log, instruments=[Instrument.raw(symbol)])
    await paper.submit(OrderRequest("a", symbol, Side.BUY, OrderType.MARKET, Decimal(1)))
    assert [e.request.symbol for e in opened(log).truth() if isinstance(e, OrderAccepted)] == [symbol]


def old_accepted(sequence: int, name: str, side: str, kind: str, asset: str, amount: str, **more: str) -> object:
    order: dict[str, object] = {"client_order_id": name, "symbol": "BTC/USDT", "side": side, "type": kind}
    order |= {"quantity": "1", "price": None, "stop_price": None, "group": None, **more}
    moment = {"event": "accepted", "sequence": sequence, "time": 60_000}
    return {**moment, "request": order, "asset": asset, "amount": amount}


def old_filled(sequence: int, name: str, price: str, fee: str) -> object:
    moment = {"event": "filled", "sequence": sequence, "time": 60_000}
    fill = {"fill_id": str(sequence), "client_order_id": name, "symbol": "BTC/USDT", "side": "BUY", "quantity": "1"}
    return {**moment, "fill": {**fill, "price": price, "fee": fee, "fee_asset": "USDT", "time": 60_000}}


OLD = [
    {"version": 1, "balances": {"USDT": "1000"}},
    [old_accepted(1, "in", "BUY", "MARKET", "USDT", "0"), old_filled(2, "in", "100.05", "0.10005")],
    [
        old_accepted(3, "stop", "SELL", "STOP", "BTC", "1", stop_price="90", group="g"),
        old_accepted(4, "target", "SELL", "LIMIT", "BTC", "1", price="110", group="g"),
    ],
]


async def test_an_account_of_version_1_is_read_and_goes_on():
    log = Log([msgspec.json.encode(entry).decode() for entry in OLD])
    paper = opened(log)
    assert (await paper.balances())["USDT"].free == Decimal("899.84995")
    assert (await paper.balances())["BTC"].locked == 1
    assert [report.client_order_id for report in await paper.open_orders()] == ["stop", "target"]
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    reports = await paper.on_prices(prices(119_999, 95.0, 85.0))
    assert [(report.client_order_id, report.status) for report in reports] == [
        ("stop", OrderStatus.FILLED),
        ("target", OrderStatus.CANCELLED),
    ]
    assert await state(opened(log)) == await state(paper)
