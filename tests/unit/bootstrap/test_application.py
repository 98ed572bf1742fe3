from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes import until, write_recording
from tests.faults.checker import breaches

from vela.adapters.storage.parquet import ParquetCandleStore
from vela.adapters.storage.sql.record import open_record
from vela.bootstrap.application import Application, Ready
from vela.bootstrap.marketplace import Progress
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.errors import ConfigurationError, StorageError, StorageLocked
from vela.engine.order_manager import OrderManager
from vela.ports.record import Summary
from vela.services.supervisor import ServicesFailed


def settings(directory: Path, **options) -> Settings:
    values = {"data_dir": directory / "data", "page": False, "speed": "max", "symbols": "BTC,ETH", "seed": 7, **options}
    return load_settings(values, {}, directory / "vela.toml")


async def run(chosen: Settings, *, until_end: bool = True) -> Summary:
    application = Application(chosen, until_end=until_end)
    return await asyncio.wait_for(application.run(asyncio.Event(), lambda _: None), 60)


# -------------------------------------------------------------------------------------------- what is refused at once


def test_waiting_for_the_end_of_a_market_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--until-end waits"):
        Application(settings(tmp_path), until_end=True)


def test_symbols_in_another_currency_than_the_accounts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ETH/BTC is quoted in BTC; accepted: symbols in USDT"):
        Application(settings(tmp_path, symbols="BTC,ETHBTC"), until_end=False)


async def test_limits_of_the_settings_hold_entries_back(tmp_path: Path) -> None:
    summary = await run(settings(tmp_path, candles=300, reduce_only=True))
    assert summary.orders == 0
    assert summary.refused["reduce_only"] > 0


async def test_an_account_stays_on_its_market(tmp_path: Path) -> None:
    await run(settings(tmp_path, candles=3))
    recording = write_recording(tmp_path / "BTCUSDT_1m.parquet", 5)
    for other in ({"seed": 99}, {"symbols": "BTC"}, {"timeframe": "5m"}, {"market": str(recording), "symbols": "BTC"}):
        with pytest.raises(ConfigurationError, match="holds an account on another market"):
            await run(settings(tmp_path, candles=3, **other))
    await run(settings(tmp_path, candles=4, capital=500))


async def test_a_directory_in_use_or_unusable_is_refused(tmp_path: Path) -> None:
    with open_record(tmp_path / "data"), pytest.raises(StorageLocked, match="in use by another running Vela"):
        await run(settings(tmp_path, candles=3))
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="accepted: a writable"):
        await run(settings(tmp_path, candles=3, data_dir=str(tmp_path / "file" / "data")))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "vela.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"vela\.sqlite"):
        await run(settings(tmp_path, candles=3, data_dir=str(tmp_path / "damaged")))


# ------------------------------------------------------------------------------------------------------------- running


async def test_it_greets_when_everything_runs_and_knows_how_far_it_is(tmp_path: Path) -> None:
    application = Application(settings(tmp_path, candles=50), until_end=True)
    assert application.progress is None
    seen: list[tuple[Ready, Progress | None]] = []
    await application.run(asyncio.Event(), lambda ready: seen.append((ready, application.progress)))
    [(ready, progress)] = seen
    assert (ready.market, ready.symbols, ready.url, ready.login_link) == (
        "synthetic market, seed 7",
        "BTC, ETH",
        None,
        None,
    )
    assert progress == Progress(0, 50)
    assert application.progress == Progress(50, 50)


async def test_it_leaves_at_once_when_told_and_nothing_half_done_is_written(tmp_path: Path) -> None:
    expected = await run(settings(tmp_path / "whole", candles=400))
    chosen = settings(tmp_path / "parts", candles=400)
    pieces = []
    for done in (60, 150, 300):
        application, stop = Application(chosen, until_end=True), asyncio.Event()
        running = asyncio.create_task(application.run(stop, lambda _: None))
        await until(lambda: _steps(application) >= done)  # noqa: B023  called within this turn of the loop
        stop.set()
        pieces.append(await asyncio.wait_for(running, 3))
        assert breaches(chosen.data_dir) == []
    assert [piece.candles > 0 for piece in pieces] == [True] * 3
    assert all(piece.decisions == piece.candles < expected.candles for piece in pieces)
    assert await run(chosen) == expected
    assert breaches(chosen.data_dir) == []


def _steps(application: Application) -> int:
    # Whoever goes on after a stop has only the rest before it.
    progress = application.progress
    return 0 if progress is None or progress.total is None else 400 - progress.total + progress.done


async def test_a_finished_market_stays_finished(tmp_path: Path) -> None:
    chosen = settings(tmp_path, candles=100)
    assert await run(chosen) == await run(chosen)


async def test_a_service_that_fails_once_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = await run(settings(tmp_path / "whole", candles=300))
    on_signal, signals = OrderManager.on_signal, 0

    def failing(*arguments):
        nonlocal signals
        signals += 1
        if signals == 8:
            raise RuntimeError("broke once")
        return on_signal(*arguments)

    monkeypatch.setattr(OrderManager, "on_signal", failing)
    chosen = settings(tmp_path / "failing", candles=300)
    assert await run(chosen) == expected
    assert signals > 8
    assert breaches(chosen.data_dir) == []


async def test_a_candle_store_that_fails_once_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vela.services.historical._WRITE_AFTER", 50)
    expected = await run(settings(tmp_path / "whole", candles=300))
    write, writes = ParquetCandleStore.write, 0

    def failing(*arguments):
        nonlocal writes
        writes += 1
        if writes == 5:
            raise StorageError("the disk is full")
        return write(*arguments)

    monkeypatch.setattr(ParquetCandleStore, "write", failing)
    assert await run(settings(tmp_path / "failing", candles=300)) == expected
    assert writes > 5


async def test_trading_that_fails_for_good_ends_with_the_error_and_a_sound_record(tmp_path: Path, monkeypatch) -> None:
    on_signal, signals = OrderManager.on_signal, 0

    def failing(manager, signal, time):
        nonlocal signals
        signals += 1
        if signals >= 8:
            raise RuntimeError("broken for good")
        return on_signal(manager, signal, time)

    expected = await run(settings(tmp_path / "whole", candles=300))
    chosen = settings(tmp_path / "failing", candles=300)
    with monkeypatch.context() as patch:
        patch.setattr(OrderManager, "on_signal", failing)
        with pytest.raises(ServicesFailed, match="5 failures within 60 s"):
            await run(chosen)
    assert breaches(chosen.data_dir) == []
    assert await run(chosen) == expected
