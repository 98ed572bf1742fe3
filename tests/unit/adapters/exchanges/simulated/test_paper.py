from __future__ import annotations

import errno
import os
from decimal import Decimal
from pathlib import Path

import pytest

from vela.adapters.exchanges.simulated.paper import FILE_NAME, PaperExecution
from vela.domain.errors import OrderRefused, StorageError
from vela.domain.events import PricesMoved, Tick
from vela.domain.instrument import Instrument
from vela.domain.order import OrderRequest, OrderStatus, OrderType, Side
from vela.domain.trading_symbol import QuoteCurrency, TradingSymbol, register_assets
from vela.simulation.exchange_events import OrderAccepted, OrderFilled

BTC = TradingSymbol("BTC")
INSTRUMENT = Instrument(BTC, Decimal("0.01"), Decimal("0.0001"))


def opened(directory: Path, usdt: str = "1000", instruments=(INSTRUMENT,)) -> PaperExecution:
    balances = {"USDT": Decimal(usdt)}
    return PaperExecution(directory, instruments, balances, fee_rate=Decimal("0.001"), slippage_ppm=500)


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


async def test_reopening_gives_the_same_account(tmp_path):
    paper = opened(tmp_path)
    states = [seen async for seen in trade(paper)]
    again = opened(tmp_path)
    assert await state(again) == states[-1]
    assert (await again.order("stop")).status is OrderStatus.FILLED
    assert (await again.order("stop")).fills[0].price == Decimal("89.95")


async def test_a_crash_at_any_byte_leaves_a_whole_number_of_lines(tmp_path):
    paper = opened(tmp_path)
    states = [seen async for seen in trade(paper)]
    paper.close()
    content = (tmp_path / FILE_NAME).read_bytes()
    for length in range(len(content) + 1):
        (tmp_path / FILE_NAME).write_bytes(content[:length])
        again = opened(tmp_path)
        lines = content[:length].count(b"\n")
        assert await state(again) == states[max(0, lines - 1)]
        again.close()
        assert (tmp_path / FILE_NAME).read_bytes().startswith(content[:length].rpartition(b"\n")[0])


async def test_after_a_torn_line_the_account_goes_on(tmp_path):
    paper = opened(tmp_path)
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    await paper.submit(buy("in"))
    paper.close()
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b'[{"event":"acc')
    again = opened(tmp_path)
    await again.submit(stop("stop", "90"))
    assert [report.client_order_id for report in await opened(tmp_path).open_orders()] == ["stop"]


async def test_the_same_prices_after_a_crash_change_nothing(tmp_path):
    paper = opened(tmp_path)
    states = [seen async for seen in trade(paper)]
    again = opened(tmp_path)
    assert await again.on_prices(prices(60_000, 100.0, jump=True)) == ()
    assert await again.on_prices(prices(119_999, 95.0, 85.0)) == ()
    assert await state(again) == states[-1]
    with pytest.raises(OrderRefused, match="duplicate_client_id"):
        await again.submit(buy("in"))


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (1, b'{"version":2,"balances":{}}'),
        (1, b"{}"),
        (2, b"no json"),
        (2, b'[{"event":"unheard","sequence":1,"time":0}]'),
        (2, b'[{"event":"cancelled","sequence":1,"time":0,"client_order_id":"ghost","reason":"client"}]'),
        (3, b'[{"event":"cancelled","sequence":9,"time":0,"client_order_id":"in","reason":"client"}]'),
        (3, b""),
    ],
)
async def test_damage_is_named_by_its_line(tmp_path, number, line):
    paper = opened(tmp_path)
    [_ async for _ in trade(paper)]
    paper.close()
    lines = (tmp_path / FILE_NAME).read_bytes().split(b"\n")
    lines[number - 1] = line
    (tmp_path / FILE_NAME).write_bytes(b"\n".join(lines))
    with pytest.raises(StorageError, match="version 2" if b"2," in line else f"line {number}"):
        opened(tmp_path)


async def test_prices_that_change_nothing_write_nothing(tmp_path):
    paper = opened(tmp_path)
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    await paper.submit(buy("in"))
    await paper.submit(stop("stop", "90"))
    size = (tmp_path / FILE_NAME).stat().st_size
    assert await paper.on_prices(prices(119_999, 95.0, 91.0)) == ()
    assert (tmp_path / FILE_NAME).stat().st_size == size


async def test_the_account_keeps_its_own_initial_balance(tmp_path):
    opened(tmp_path, "1000")
    assert (await opened(tmp_path, "5").balances())["USDT"].free == 1000


async def test_the_truth_tells_every_event(tmp_path):
    paper = opened(tmp_path)
    [_ async for _ in trade(paper)]
    events = list(paper.truth())
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [type(event) for event in events] == [OrderAccepted, OrderFilled, OrderAccepted, OrderFilled]
    assert [event.fill.client_order_id for event in events if isinstance(event, OrderFilled)] == ["in", "stop"]


async def test_nothing_is_answered_that_is_not_on_disk(tmp_path, monkeypatch):
    paper = opened(tmp_path)
    await paper.on_prices(prices(60_000, 100.0, jump=True))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = await paper.balances()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", full)
        with pytest.raises(StorageError, match="No space left"):
            await paper.submit(buy("in"))
    assert await paper.balances() == before
    with pytest.raises(StorageError):  # what is on disk is unknown: only opening again helps
        await paper.submit(buy("other"))


async def test_an_answer_comes_after_the_line_is_safe(tmp_path, monkeypatch):
    paper = opened(tmp_path)
    await paper.on_prices(prices(60_000, 100.0, jump=True))
    synced = []
    monkeypatch.setattr(os, "fdatasync", lambda _: synced.append((tmp_path / FILE_NAME).read_bytes().count(b"\n")))
    await paper.submit(buy("in"))
    assert synced == [2]


async def test_an_asset_listed_at_run_time_is_read_back(tmp_path):
    register_assets(["1000SATS"])
    symbol = TradingSymbol("1000SATS", QuoteCurrency.USDC)
    rules = Instrument.raw(symbol)
    paper = opened(tmp_path, instruments=[rules])
    order = OrderRequest("a", symbol, Side.BUY, OrderType.MARKET, Decimal(1))
    await paper.submit(order)
    assert [e.request.symbol for e in opened(tmp_path).truth() if isinstance(e, OrderAccepted)] == [symbol]


def test_a_directory_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be"):
        opened(tmp_path / "file" / "below")


def test_a_new_directory_is_made(tmp_path):
    opened(tmp_path / "new" / "one")
    assert (tmp_path / "new" / "one" / FILE_NAME).is_file()
