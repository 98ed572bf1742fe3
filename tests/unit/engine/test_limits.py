from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import BTC, ETH, wallet

from vela.domain.errors import ConfigurationError
from vela.engine.limits import DAY_MS, Entry, Limits, entry_refusal, measured
from vela.engine.risk import Refusal
from vela.ports.record import LimitMarks

NAN, SIGNALLING = Decimal("NaN"), Decimal("sNaN")
# Worth 50; with 60 in positions and 10 reserved, 120 altogether; about 1 % over the newest close.
GOOD = Entry(BTC, Decimal(100), Decimal("0.5"), 99.0, wallet(market_value=Decimal(60), reserved=Decimal(10)))
CALM = LimitMarks(0, Decimal(1000), False, Decimal(1000), False, 0)
EVERYTHING = Limits(
    max_order=Decimal(50),
    max_exposure=Decimal(120),
    max_orders_per_minute=5,
    price_band_ppm=20_000,
    max_daily_loss_ppm=30_000,
    max_drawdown_ppm=100_000,
    allowed_symbols=frozenset({BTC}),
)


def refusal(limits: Limits, sent: int = 0, marks: LimitMarks | None = CALM, **changes: Any) -> Refusal | None:
    return entry_refusal(msgspec.structs.replace(GOOD, **changes), limits, sent, marks)


def test_without_limits_everything_passes():
    assert refusal(Limits(), 10**6, None, close=None, wallet=None, price=NAN) is None


def test_what_is_within_all_limits_passes():
    assert refusal(EVERYTHING, 4) is None


# ------------------------------------------------------------------------------------------ both sides of each boundary


@pytest.mark.parametrize(
    ("limits", "sent", "changes", "reason"),
    [
        ({"max_order": "50"}, 0, {}, None),
        ({"max_order": "49.99999999"}, 0, {}, Refusal.LIMIT_ORDER),
        ({"max_exposure": "120"}, 0, {}, None),
        ({"max_exposure": "119.99999999"}, 0, {}, Refusal.LIMIT_TOTAL),
        ({"max_exposure": "120"}, 0, {"quantity": Decimal("0.50001")}, Refusal.LIMIT_TOTAL),
        ({"max_orders_per_minute": 3}, 2, {}, None),
        ({"max_orders_per_minute": 3}, 3, {}, Refusal.LIMIT_RATE),
        ({"price_band_ppm": 10_000}, 0, {"price": Decimal(101), "close": 100.0}, None),
        ({"price_band_ppm": 10_000}, 0, {"price": Decimal("101.01"), "close": 100.0}, Refusal.PRICE_BAND),
        ({"price_band_ppm": 10_000}, 0, {"price": Decimal(99), "close": 100.0}, None),
        ({"price_band_ppm": 10_000}, 0, {"price": Decimal("98.99"), "close": 100.0}, Refusal.PRICE_BAND),
        ({"allowed_symbols": frozenset({BTC, ETH})}, 0, {}, None),
        ({"allowed_symbols": frozenset({ETH})}, 0, {}, Refusal.SYMBOL_NOT_ALLOWED),
        ({"allowed_symbols": frozenset()}, 0, {}, Refusal.SYMBOL_NOT_ALLOWED),
        ({"reduce_only": True}, 0, {}, Refusal.REDUCE_ONLY),
    ],
)
def test_each_limit_alone(limits: dict[str, Any], sent: int, changes: dict[str, Any], reason: Refusal | None):
    exact: dict[str, Any] = {name: Decimal(v) if isinstance(v, str) else v for name, v in limits.items()}
    assert refusal(Limits(**exact), sent, **changes) is reason


@pytest.mark.parametrize(
    ("limits", "crossed", "reason"),
    [
        (Limits(max_daily_loss_ppm=1), {"day_lost": True}, Refusal.DAILY_LOSS),
        (Limits(max_daily_loss_ppm=1), {"drawn_down": True}, None),
        (Limits(max_drawdown_ppm=1), {"drawn_down": True}, Refusal.DRAWDOWN),
        (Limits(max_drawdown_ppm=1), {"day_lost": True}, None),
        (Limits(), {"day_lost": True, "drawn_down": True}, None),
    ],
)
def test_a_loss_counts_where_it_is_limited(limits: Limits, crossed: dict[str, bool], reason: Refusal | None):
    assert refusal(limits, 0, msgspec.structs.replace(CALM, **crossed)) is reason


def test_the_first_limit_against_it_is_named():
    wrong = {"quantity": Decimal(100), "close": 1.0, "symbol": ETH}
    lost = msgspec.structs.replace(CALM, day_lost=True, drawn_down=True)
    limits, named = EVERYTHING, []
    for name, refused in [
        ("reduce_only", Refusal.REDUCE_ONLY),
        ("allowed_symbols", Refusal.SYMBOL_NOT_ALLOWED),
        ("max_order", Refusal.LIMIT_ORDER),
        ("max_exposure", Refusal.LIMIT_TOTAL),
        ("max_orders_per_minute", Refusal.LIMIT_RATE),
        ("price_band_ppm", Refusal.PRICE_BAND),
        ("max_daily_loss_ppm", Refusal.DAILY_LOSS),
        ("max_drawdown_ppm", Refusal.DRAWDOWN),
    ]:
        reduce = msgspec.structs.replace(limits, reduce_only=name == "reduce_only")
        assert refusal(reduce, 5, lost, **wrong) is refused
        named.append(refused)
        if name != "reduce_only":
            limits = msgspec.structs.replace(limits, **{name: getattr(Limits(), name)})
    assert len(named) == len(Limits.__struct_fields__)
    assert refusal(limits, 5, lost, **wrong) is None


# ---------------------------------------------------------------------------------------------- what cannot be computed


@pytest.mark.parametrize(
    ("limits", "changes", "reason"),
    [
        ({"max_order": Decimal(50)}, {"price": NAN}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"price": SIGNALLING}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"quantity": NAN}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"price": Decimal("Infinity"), "quantity": Decimal(0)}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"price": Decimal("-Infinity")}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"price": Decimal("1." + "1" * 61)}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"quantity": Decimal(-1)}, Refusal.LIMIT_ORDER),
        ({"max_order": Decimal(50)}, {"quantity": Decimal(0)}, Refusal.LIMIT_ORDER),
        ({"max_exposure": Decimal(10**9)}, {"wallet": None}, Refusal.LIMIT_TOTAL),
        ({"max_exposure": Decimal(10**9)}, {"wallet": wallet(market_value=NAN)}, Refusal.LIMIT_TOTAL),
        ({"max_exposure": Decimal(10**9)}, {"wallet": wallet(market_value=SIGNALLING)}, Refusal.LIMIT_TOTAL),
        ({"max_exposure": Decimal(10**9)}, {"wallet": wallet(market_value=Decimal(-51))}, Refusal.LIMIT_TOTAL),
        ({"max_exposure": Decimal(10**9)}, {"wallet": wallet(reserved=NAN)}, Refusal.LIMIT_TOTAL),
        ({"max_exposure": Decimal(10**9)}, {"wallet": wallet(reserved=Decimal("-Infinity"))}, Refusal.LIMIT_TOTAL),
        ({"price_band_ppm": 10**6}, {"close": None}, Refusal.PRICE_BAND),
        ({"price_band_ppm": 10**6}, {"close": float("nan")}, Refusal.PRICE_BAND),
        ({"price_band_ppm": 10**6}, {"close": float("inf")}, Refusal.PRICE_BAND),
        ({"price_band_ppm": 10**6}, {"close": 0.0, "price": Decimal(0)}, Refusal.PRICE_BAND),
        ({"price_band_ppm": 10**6}, {"close": -1.0, "price": Decimal(-1)}, Refusal.PRICE_BAND),
        ({"price_band_ppm": 10**6}, {"price": NAN}, Refusal.PRICE_BAND),
    ],
)
def test_a_number_that_is_none_refuses(limits: dict[str, Any], changes: dict[str, Any], reason: Refusal):
    assert refusal(Limits(**limits), 0, **changes) is reason


def test_losses_that_could_not_be_measured_refuse():
    assert refusal(Limits(max_daily_loss_ppm=999_999), 0, None) is Refusal.DAILY_LOSS
    assert refusal(Limits(max_drawdown_ppm=999_999), 0, None) is Refusal.DRAWDOWN


@pytest.mark.parametrize("value", ["-1", "NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("name", ["max_order", "max_exposure"])
def test_a_limit_that_is_no_amount_is_none(name: str, value: str):
    with pytest.raises(ConfigurationError, match=f"{name} was {value}; accepted: 0 or more"):
        Limits(**{name: Decimal(value)})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_orders_per_minute", "price_band_ppm", "max_daily_loss_ppm", "max_drawdown_ppm"])
def test_a_limit_below_zero_is_none(name: str):
    with pytest.raises(ConfigurationError, match=f"{name} was -1"):
        Limits(**{name: -1})  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------------- real money


def test_careful_limits_go_by_the_capital():
    careful = Limits.careful(Decimal(1000))
    assert (careful.max_order, careful.max_exposure) == (Decimal(100), Decimal(500))
    counts = (careful.max_orders_per_minute, careful.price_band_ppm)
    assert counts == (20, 20_000)
    assert (careful.max_daily_loss_ppm, careful.max_drawdown_ppm) == (30_000, 100_000)
    assert (careful.allowed_symbols, careful.reduce_only) == (None, False)


@pytest.mark.parametrize("capital", ["0", "-1", "NaN", "Infinity"])
def test_there_are_none_for_a_capital_that_is_none(capital: str):
    with pytest.raises(ConfigurationError, match="accepted: above 0"):
        Limits.careful(Decimal(capital))


# ------------------------------------------------------------------------------------------------------------ measuring

NOON = DAY_MS // 2
LOSSES = Limits(max_daily_loss_ppm=30_000, max_drawdown_ppm=100_000)


def after(*equities: tuple[int, str], limits: Limits = LOSSES, resets: int = 0) -> LimitMarks:
    marks = None
    for time, equity in equities:
        marks = measured(marks, limits, time, Decimal(equity), resets)
    assert marks is not None
    return marks


def test_the_first_measurement_is_where_both_begin():
    assert after((NOON, "1000")) == LimitMarks(0, Decimal(1000), False, Decimal(1000), False, 0)


@pytest.mark.parametrize(("equity", "lost"), [("970", False), ("969.99999999", True), ("1", True), ("1030", False)])
def test_a_day_is_lost_beyond_its_limit(equity: str, lost: bool):
    assert after((0, "1000"), (NOON, equity)).day_lost is lost


@pytest.mark.parametrize(("equity", "down"), [("990", False), ("989.99999999", True)])
def test_equity_is_drawn_down_beyond_its_limit_from_the_highest(equity: str, down: bool):
    marks = after((0, "1000"), (DAY_MS, "1100"), (2 * DAY_MS, "1050"), (3 * DAY_MS, equity))
    assert (marks.highest, marks.drawn_down) == (Decimal(1100), down)


def test_a_lost_day_stays_lost_until_the_next_begins():
    lost = ((0, "1000"), (1, "960"), (2, "1000"), (DAY_MS - 1, "1010"))
    assert after(*lost).day_lost
    again = after(*lost, (DAY_MS, "1010"))
    assert (again.day_lost, again.day, again.day_equity) == (False, 1, Decimal(1010))


def test_the_day_begins_with_its_first_measurement():
    marks = after((0, "1000"), (DAY_MS, "900"), (DAY_MS + NOON, "880"))
    assert (marks.day_equity, marks.day_lost) == (Decimal(900), False)


def test_a_time_that_goes_back_a_day_begins_none():
    marks = after((DAY_MS, "1000"), (0, "960"))
    assert (marks.day, marks.day_equity, marks.day_lost) == (1, Decimal(1000), True)


def test_a_drawdown_stays_until_it_is_lifted():
    down = ((0, "1000"), (1, "890"), (5 * DAY_MS, "2000"))
    assert after(*down).drawn_down
    lifted = measured(after(*down), LOSSES, 5 * DAY_MS, Decimal(2000), 1)
    assert lifted == LimitMarks(5, Decimal(2000), False, Decimal(2000), False, 1)
    assert measured(lifted, LOSSES, 5 * DAY_MS, Decimal(2000), 1) == lifted


def test_a_lost_day_is_lifted_too():
    assert not measured(after((0, "1000"), (1, "1")), LOSSES, 2, Decimal(1), 1).day_lost


def test_without_a_limit_nothing_is_crossed():
    marks = after((0, "1000"), (1, "1"), limits=Limits(max_daily_loss_ppm=30_000))
    assert (marks.day_lost, marks.drawn_down) == (True, False)
    marks = after((0, "1000"), (1, "1"), limits=Limits(max_drawdown_ppm=30_000))
    assert (marks.day_lost, marks.drawn_down) == (False, True)


@pytest.mark.parametrize("start", ["0", "-5"])
def test_a_share_of_nothing_is_never_kept(start: str):
    marks = after((0, start), (1, start))
    assert (marks.day_lost, marks.drawn_down) == (True, True)


# ------------------------------------------------------------------------------------------------------------ generated

amounts = st.decimals("1e-8", "1e7", places=8)
bounds = st.decimals("0", "1e9", places=4)
ppm = st.integers(0, 1_000_000)
wallets = st.builds(lambda held, reserved: wallet(market_value=held, reserved=reserved), amounts, amounts)
entries = st.builds(Entry, st.just(BTC), amounts, amounts, st.floats(1e-8, 1e7), wallets)
all_limits = st.builds(
    Limits, max_order=bounds, max_exposure=bounds, max_orders_per_minute=st.just(20), price_band_ppm=ppm
)


@given(entries, all_limits, st.integers(0, 50))
def test_what_passes_is_within_every_limit(entry: Entry, limits: Limits, sent: int):
    assert entry.wallet is not None
    price, reference = Fraction(entry.price), Fraction(Decimal(repr(entry.close)))
    value = price * Fraction(entry.quantity)
    exposure = Fraction(entry.wallet.market_value) + Fraction(entry.wallet.reserved) + value
    band = limits.price_band_ppm
    within = {
        Refusal.LIMIT_ORDER: not limits.max_order or value <= Fraction(limits.max_order),
        Refusal.LIMIT_TOTAL: not limits.max_exposure or exposure <= Fraction(limits.max_exposure),
        Refusal.LIMIT_RATE: sent < 20,
        Refusal.PRICE_BAND: not band or abs(price - reference) * 1_000_000 <= reference * band,
    }
    broken = [reason for reason, holds in within.items() if not holds]
    assert entry_refusal(entry, limits, sent, None) is next(iter(broken), None)


@given(st.lists(st.tuples(st.integers(0, 10 * DAY_MS), amounts), min_size=1, max_size=30), ppm, ppm)
def test_marks_are_those_of_the_whole_history(history, daily: int, down: int):
    limits = Limits(max_daily_loss_ppm=daily, max_drawdown_ppm=down)
    marks, highest, drawn = None, Decimal(0), False
    days: dict[int, Decimal] = {}
    lost: dict[int, bool] = {}
    for time, equity in sorted(history, key=lambda entry: entry[0]):
        marks, day = measured(marks, limits, time, equity, 0), time // DAY_MS
        start, highest = days.setdefault(day, equity), max(highest, equity)
        lost[day] = lost.get(day, False) or bool(daily and Fraction(equity) * 10**6 < Fraction(start) * (10**6 - daily))
        drawn = drawn or bool(down and Fraction(equity) * 10**6 < Fraction(highest) * (10**6 - down))
        assert marks == LimitMarks(day, start, lost[day], highest, drawn, 0)
