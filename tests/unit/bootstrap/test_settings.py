from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, ETH

from vela.bootstrap.settings import (
    BacktestSettings,
    Settings,
    load_backtest_settings,
    load_data_settings,
    load_settings,
)
from vela.domain.errors import ConfigurationError
from vela.domain.timeframe import Timeframe
from vela.engine.limits import Limits
from vela.engine.rules import Stake, StakeKind
from vela.engine.universe import UniverseRules

NOWHERE = Path("no-such-folder") / "vela.toml"


def load(environment: dict[str, str] | None = None, file: Path = NOWHERE, **options: Any) -> Settings:
    return load_settings(options, environment or {}, file)


def refusal(*sources, **options) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(*sources, **options)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


@pytest.fixture
def toml(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "vela.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# --------------------------------------------------------------------------------------------------------- where from


def test_without_any_source_everything_has_its_default() -> None:
    settings = load()
    assert (settings.market, settings.speed, settings.port, settings.page) == ("synthetic", 60.0, 5000, True)
    assert (settings.symbols, settings.timeframe, settings.candles, settings.strategy) == (None, None, None, None)
    rules = settings.rules
    assert (rules.initial_capital, rules.stake) == (Decimal(1000), Stake(StakeKind.FIXED, Decimal(50)))
    assert (rules.max_positions, rules.cooldown_ms, rules.stop_loss_ppm) == (2, 600_000, 20_000)
    assert (rules.take_profit_ppm, rules.trailing_ppm, rules.break_even_after_ppm) == (0, 0, 0)
    assert (rules.fee_rate, rules.slippage_ppm) == (Decimal("0.001"), 500)


def test_options_win_over_the_environment_and_that_over_the_file(toml) -> None:
    file = toml("port = 1001\nseed = 1\nstake = 11\n")
    settings = load({"VELA_PORT": "1002", "VELA_SEED": "2"}, file, port=1003, seed=None)
    assert (settings.port, settings.seed, str(settings.stake)) == (1003, 2, "11")


def test_an_option_that_was_not_given_hides_nothing() -> None:
    assert load({"VELA_PAGE": "false"}, page=None).page is False
    assert load({"VELA_PAGE": "true"}, page=False).page is False


def test_only_keys_with_the_prefix_are_read_from_the_environment() -> None:
    assert load({"PORT": "1", "XVELA_PORT": "2", "VELA_SKIP_WEB": "1", "VELA_REQUIRE_BROWSER": "1"}).port == 5000


@pytest.mark.parametrize(
    ("environment", "content", "options", "source"),
    [
        ({"VELA_PORT": "x"}, "", {}, "environment"),
        ({}, "port = 'x'", {}, "vela.toml"),
        ({"VELA_PORT": "1"}, "port = 'x'", {"port": "x"}, "option"),
    ],
)
def test_a_refusal_names_the_source(environment, content, options, source, toml) -> None:
    text = refusal(environment, toml(content), **options)
    assert text.startswith("setting port (")
    assert f"{source}) was 'x'; accepted: a whole number" in text


# -------------------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("key", "given_value", "value"),
    [
        ("speed", "max", None),
        ("speed", " MAX ", None),
        ("speed", "60x", 60.0),
        ("speed", 0.5, 0.5),
        ("symbols", "BTC,ethusdt", (BTC, ETH)),
        ("symbols", ["BTC", "ETH"], (BTC, ETH)),
        ("symbols", "BTC,BTC/USDT", (BTC,)),
        ("timeframe", "1H", Timeframe.H1),
        ("cooldown", "90s", 90_000),
        ("cooldown", "1h", 3_600_000),
        ("cooldown", "250ms", 250),
        ("cooldown", 30, 30_000),
        ("cooldown", "0", 0),
        ("stake", "all", Stake(StakeKind.ALL)),
        ("stake", "5%", Stake(StakeKind.PERCENT, Decimal(5))),
        ("stake", 12.5, Stake(StakeKind.FIXED, Decimal("12.5"))),
        ("capital", 0.1, Decimal("0.1")),
        ("capital", "1e6", Decimal(1_000_000)),
        ("stop_loss", "0.0001", Decimal("0.0001")),
        ("port", " 5001 ", 5001),
        ("page", "no", False),
        ("strategies", {"BTC": "SmaCrossover"}, {"BTC": "SmaCrossover"}),
        ("data_dir", "x/y", Path("x/y")),
    ],
)
def test_sensible_values_are_read(key: str, given_value: Any, value: object) -> None:
    assert getattr(load(**{key: given_value}), key) == value


def test_a_settings_file_may_begin_with_a_byte_order_mark(toml) -> None:
    assert load(file=toml(b"\xef\xbb\xbfport = 5005\n")).port == 5005


def test_the_rules_count_percentages_in_millionths() -> None:
    rules = load(stop_loss="2.5", trailing="0.0001", take_profit=1000, slippage="0.000001").rules
    assert (rules.stop_loss_ppm, rules.trailing_ppm, rules.take_profit_ppm) == (25_000, 1, 10_000_000)
    assert rules.slippage_ppm == 1


@pytest.mark.parametrize(
    ("without", "beside"),
    [({"take_profit_part": 50}, {"take_profit": 2}), ({"trailing_after": 1}, {"trailing": 2})],
)
def test_what_would_do_nothing_alone_is_accepted_beside_what_it_needs(without, beside) -> None:
    (needed,) = beside
    assert f"or {needed.replace('_', '-')} set beside it" in refusal(**without)
    assert getattr(load(**without, **beside), *without) == next(iter(without.values()))


# ----------------------------------------------------------------------------------------------------- what is refused

NONSENSE: dict[str, list[object]] = {
    "exchange": ["", "nyse", 5, "Binance"],
    "market": ["", 5, "a\0b", "a\udcffb"],
    "live": ["perhaps", 5, [], True],  # all of these need an exchange
    "exchange_url": ["", "127.0.0.1", "ftp://x", 5, "http://127.0.0.1:8080"],
    "key_file": [5, [], "keys.toml"],
    "seed": ["", "-1", 2**32, "x", 1.5, "1.0", True, []],
    "speed": ["", "0", "-1", "abc", "nan", "inf", -math.inf, "1e7", True, [60]],
    "symbols": ["", ",", "FOO", "BTC,,ETH", "BTC,", "BTC\nETH", 5, ["BTC", 5], [], {"BTC": 1}, True],
    "timeframe": ["", "7m", "1w", "m", "60", 5, "1 m"],
    "candles": ["", "0", "-1", "x", 1.5, True],
    "strategy": ["", 5],
    "universe": ["", "-1", "x", 1.5, True, 201, 20],  # the last one needs an exchange
    "universe_min_volume": ["", "-1", "nan", "x", True, "1e13", 60_000_000],  # and this one a universe
    "universe_min_move": ["", "-1", "nan", "1001", True, 2],
    "strategies": ["", "BTC", {"FOO": "SmaCrossover"}, {"BTC": 5}, ["BTC"]],
    "capital": ["", "0", "-5", "abc", "NaN", "sNaN", "inf", "1e13", "1e400", "1e-13", True, [], "1,000"],
    "stake": ["", "0", "-5", "0%", "200%", "abc", "%", "nan", "inf", "1e300", "1e-300", {"x": 1}],
    "max_positions": ["", "0", "-1", "1001", "two", 2.5],
    "cooldown": ["", "-5", "abc", "1.5h", "10 weeks", "99999999999999999999d", "4000d", -1, math.nan, "٣m"],
    "stop_loss": ["", "-1", "100", "150", "nan", "2.00005", "1e-9", "2 %", True],
    "take_profit": ["", "-1", "1001", "inf", "0.00001"],
    "take_profit_part": ["", "0", "-1", "100.1", "x", "50"],
    "trailing": ["", "-1", "100", "x"],
    "trailing_after": ["", "-1", "1001", "1"],
    "break_even_after": ["", "-0.5", "1001"],
    "fee": ["", "-0.001", "0.1", "1", "nan", "1e-13"],
    "slippage": ["", "-0.001", "0.1", "0.0000001", "nan"],
    "impact": ["", "-0.001", "0.51", "0.0000001", "nan"],
    "regime_filter": ["", "maybe", 2],
    "max_order": ["", "-1", "nan", "inf", "1e13", "1e-13", "5%", True],
    "max_exposure": ["", "-1", "nan", "x"],
    "max_orders_per_minute": ["", "-1", "1.5", "x", 100_001, True],
    "price_band": ["", "-1", "100.1", "nan", "0.00001", "2 %"],
    "max_daily_loss": ["", "-1", "100", "nan", "0.00001"],
    "max_drawdown": ["", "-1", "100", "inf"],
    "allowed_symbols": ["", ",", "FOO", 5, [], ["BTC", 5]],
    "reduce_only": ["", "maybe", 2],
    "page": ["", "maybe", 5],
    "host": ["", 5, "a\0b"],
    "port": ["", "0", "-1", "70000", "abc", 80.5, True, "5\n5"],
    "data_dir": ["", 5, "a\0b", "a\udcffb", Path("a\udcffb")],
    "bus": ["", 5, "memory", "http://h/0", "redis://h:0", "redis://h/x", "redis://h/0#1", "redis://\0h/0"],
    "candle_store": ["", 5, "ftp://x/y", "s3://", "s3://bucket", "gs://bucket/", "a\0b"],
    "database": ["", 5, "vela", "mysql://u:p@h/d", "postgres:u:p@h/d", "postgresql://u:\0@h/d"],
}


def test_every_setting_has_its_nonsense() -> None:
    assert set(NONSENSE) == set(Settings.model_fields)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in NONSENSE.items() for value in values])
def test_nonsense_is_refused_in_one_line_with_key_value_and_what_is_accepted(key: str, value: object) -> None:
    text = refusal(**{key: value})
    assert text.startswith(f"setting {key} (option) was "), text
    assert "accepted: " in text
    assert "Input should" not in text
    assert "unable to" not in text


def test_a_universe_needs_an_exchange_and_contradicts_symbols() -> None:
    assert load().universe_rules is None
    chosen = load(exchange="binance", universe="20", universe_min_move="2.5").universe_rules
    assert chosen == UniverseRules(size=20, min_quote_volume=50e6, min_move_pct=2.5)
    assert "universe (option) was '20'; accepted: 0, or with --exchange" in refusal(universe=20)
    both = refusal({"VELA_SYMBOLS": "BTC"}, exchange="binance", universe=20)
    assert "universe (option) was '20'; accepted: a universe, or --symbols; not both" in both
    assert "universe_min_move (option) was '2'; accepted: with --universe N" in refusal(universe_min_move=2)
    assert load(exchange="binance", symbols="BTC", universe="0").universe_rules is None


def test_the_password_of_a_database_is_not_shown() -> None:
    assert "hush" not in refusal(database="mysql://vela:hush@db/vela")
    assert "hush" not in refusal(database=["postgresql://vela:hush@db/vela"])
    kept = load(database="postgresql://vela:hush@db/vela")
    assert "hush" not in f"{kept!r} {kept} {kept.model_dump()}"
    assert kept.database is not None
    assert kept.database.get_secret_value() == "postgresql://vela:hush@db/vela"


def test_the_password_of_a_bus_is_not_shown() -> None:
    assert "hush" not in refusal(bus="redis://:hush@db:0/0")
    kept = load(bus="redis://:hush@db/0")
    assert "hush" not in repr(kept)
    assert kept.bus is not None
    assert kept.bus.get_secret_value() == "redis://:hush@db/0"


@pytest.mark.parametrize("key", ["bogus", "Port", "stop-loss", "", "datadir"])
def test_an_unknown_key_is_refused_with_all_that_are_known(key: str, toml) -> None:
    for text in (refusal(**{key: "1"}), refusal(None, toml(f"'{key}' = 1"))):
        assert text.startswith(f"setting {key!r} (")
        assert "is unknown; accepted: allowed_symbols, break_even_after, bus, candle_store, candles, capital" in text
    assert "(environment) is unknown" in refusal({"VELA_BOGUS": "1"})


@pytest.mark.parametrize(
    "content",
    [
        b"port = ",
        b"port 5000",
        b"port = 1\nport = 2",
        b"[port",
        b"\xff\xfe\x00",
        b"market = 'x\x00'",
        b"x = " + b"[" * 20_000,
        "port = 5000".encode("utf-16"),
    ],
)
def test_a_broken_settings_file_is_refused(content: bytes, toml) -> None:
    text = refusal(None, toml(content))
    assert "vela.toml cannot be read: " in text
    assert "accepted: a TOML file such as `stake = 50`" in text


def test_a_folder_called_like_the_settings_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "vela.toml"
    folder.mkdir()
    assert "cannot be read: " in refusal(None, folder)


@pytest.mark.parametrize("content", ["capital = nan", "speed = inf", "capital = 1979-05-27", "[stake]\nx = 1"])
def test_toml_knows_values_that_are_none_here(content: str, toml) -> None:
    assert "accepted: " in refusal(None, toml(content))


def test_a_long_value_is_cut_short() -> None:
    assert len(refusal(capital="9" * 10_000)) < 200


@given(key=st.sampled_from(sorted(Settings.model_fields)), value=st.text() | st.floats() | st.integers())
def test_whatever_is_given_there_are_settings_or_one_line(key: str, value: Any) -> None:
    said = ""
    try:
        rules, limits = load(**{key: value}).rules, load(**{key: value}).careful_limits
    except ConfigurationError as e:
        said = str(e)
    else:
        assert 0 < rules.initial_capital <= 10**12
        assert 0 <= rules.stop_loss_ppm < 1_000_000
        assert 0 <= limits.max_drawdown_ppm < 1_000_000
    assert len(said.splitlines()) <= 1


# ---------------------------------------------------------------------------------------------------------- the limits


def test_without_a_setting_nothing_is_limited() -> None:
    assert load().limits == Limits()


def test_limits_count_percentages_in_millionths() -> None:
    limits = load(
        max_order="50.5",
        max_exposure=500,
        max_orders_per_minute=10,
        price_band="1.5",
        max_daily_loss=3,
        max_drawdown="0.0001",
        allowed_symbols="BTC,ETHUSDT",
        reduce_only=True,
    ).limits
    assert limits == Limits(
        max_order=Decimal("50.5"),
        max_exposure=Decimal(500),
        max_orders_per_minute=10,
        price_band_ppm=15_000,
        max_daily_loss_ppm=30_000,
        max_drawdown_ppm=1,
        allowed_symbols=frozenset({BTC, ETH}),
        reduce_only=True,
    )


def test_for_real_money_what_was_not_set_is_careful(toml) -> None:
    assert load(capital=2000).careful_limits == Limits.careful(Decimal(2000))
    file = toml("max_order = 0\nprice_band = 5\nallowed_symbols = ['BTC']\n")
    limits = load({"VELA_MAX_DRAWDOWN": "0"}, file, max_daily_loss=1).careful_limits
    careful = Limits.careful(Decimal(1000))
    assert (limits.max_order, limits.price_band_ppm, limits.max_drawdown_ppm) == (Decimal(0), 50_000, 0)
    assert (limits.max_daily_loss_ppm, limits.allowed_symbols) == (10_000, frozenset({BTC}))
    assert (limits.max_exposure, limits.max_orders_per_minute) == (careful.max_exposure, 20)


def test_a_backtest_passes_limits_over(toml) -> None:
    assert load_backtest(file=toml("max_order = 1\nreduce_only = true\n")).rules == load().rules


# ------------------------------------------------------------------------------------------------ where things are kept


def test_where_things_are_kept_is_read_whatever_else_is_wrong(toml) -> None:
    file = toml("port = 'x'\nbogus = 1\ndata_dir = 'there'\n")
    assert load_data_settings({}, {"VELA_STOP_LOSS": "x", "VELA_BOGUS": "y"}, file).data_dir == Path("there")
    assert load_data_settings({"data_dir": "here"}, {}, file).data_dir == Path("here")
    assert load_data_settings({}, {"VELA_DATA_DIR": "env"}, file).data_dir == Path("env")
    assert load_data_settings({}, {}, NOWHERE).data_dir == Settings().data_dir
    with pytest.raises(ConfigurationError, match=r"setting data_dir \(option\) was ''"):
        load_data_settings({"data_dir": ""}, {}, NOWHERE)


# --------------------------------------------------------------------------------------------------------- a backtest's


def load_backtest(environment: dict[str, str] | None = None, file: Path = NOWHERE, **options: Any) -> BacktestSettings:
    return load_backtest_settings(options, environment or {}, file)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-31", 1_706_659_200_000),
        (" 2024-01-31T12:00 ", 1_706_702_400_000),
        ("2024-01-31 12:00:30", 1_706_702_430_000),
        ("2024-01-31T12:00Z", 1_706_702_400_000),
        ("2024-01-31T13:00+01:00", 1_706_702_400_000),
        ("2024-01-31T12:00:00.250", 1_706_702_400_250),
        ("1706702400000", 1_706_702_400_000),
        (1_706_702_400_000, 1_706_702_400_000),
        ("0", 0),
        ("600000", 600_000),
    ],
)
def test_moments_are_read_as_utc(text: Any, moment: int) -> None:
    assert load_backtest(**{"from": text}).start == moment
    assert load_backtest(to=text).end == moment


def test_a_date_of_the_settings_file(toml) -> None:
    assert load_backtest(file=toml("from = 2024-01-31\n")).start == 1_706_659_200_000


@pytest.mark.parametrize(
    "text", ["", "x", "2024", "20240131", "2024-13-01", "1969-12-31", "2200-01-01", "-1", "9" * 30, True, 1.5, "now"]
)
def test_what_is_no_moment_is_refused(text: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^setting from \(option\) was .*accepted: a date or time such as"):
        load_backtest(**{"from": text})


def test_one_file_serves_running_and_backtests(toml) -> None:
    file = toml("port = 5005\ncandles = 5\nallow_short = true\nstake = 70\n")
    assert load(file=file).port == 5005
    backtest = load_backtest({"VELA_PORT": "x", "VELA_STAKE": "80"}, file)
    assert (backtest.allow_short, str(backtest.stake)) == (True, "80")
    assert backtest.rules == load(stake=80).rules


def test_a_key_that_neither_knows_is_refused_by_both(toml) -> None:
    file = toml("bogus = 1")
    for read in (load, load_backtest):
        with pytest.raises(ConfigurationError, match=r"'bogus' .* is unknown; accepted: "):
            read(file=file)


@given(key=st.sampled_from(["from", "to", "allow_short", "instruments"]), value=st.text() | st.floats() | st.integers())
def test_whatever_a_backtest_is_given_there_are_settings_or_one_line(key: str, value: Any) -> None:
    said = "accepted: "
    try:
        load_backtest(**{key: value})
    except ConfigurationError as e:
        said = str(e)
    assert len(said.splitlines()) == 1
    assert "accepted: " in said
