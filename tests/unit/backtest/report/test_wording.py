from __future__ import annotations

from decimal import Decimal

import pytest
from tests.builders import BTC, MINUTE, candle, random_walk
from tests.unit.backtest.report.samples import run

from vela.backtest.report import facts, wording
from vela.domain.candles import Candles
from vela.domain.checked_candles import check_candles
from vela.engine.rules import Stake


def assumed(**rules) -> str:
    allow_short = rules.pop("allow_short", False)
    return "\n".join(wording.assumptions(run(allow_short=allow_short, **rules)[0]))


def doubts(**rules) -> str:
    return "\n".join(wording.warnings(*run(**rules)))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (1234.567, "1,234.57"), (-0.5, "−0.50"), (0.0, "0.00"), (1e15, "1,000,000,000,000,000.00")],
)
def test_numbers(value: float | None, text: str) -> None:
    assert wording.number(value) == text


def test_signs_percentages_and_money() -> None:
    assert (wording.signed(1.005, 1), wording.signed(-2.0), wording.signed(None)) == ("+1.0", "−2.00", "–")
    assert (wording.percent(12.345), wording.percent(-1.0, sign=True), wording.percent(None)) == (
        "12.35 %",
        "−1.00 %",
        "–",
    )
    assert wording.money(Decimal("-1234.5")) == "−1,234.50"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (250, "250 ms"), (90_000, "90 s"), (600_000, "10 min"), (3_600_000, "1 h"), (172_800_000, "2 d")],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert wording.length(milliseconds) == text


def test_the_rules_in_words() -> None:
    said = assumed(fee_rate=Decimal("0.00075"), slippage_ppm=125, stop_loss_ppm=12_500, cooldown_ms=0, max_positions=1)
    assert "Every fill pays 0.075 % of its value as fee." in said
    assert "a further 0.0125 % to slippage" in said
    assert "Stop loss 1.25 %: tested" in said
    assert "spends 50 USDT; at most 1 position at once, and no wait between entries." in said
    assert "Long only" in said


def test_other_rules_in_words() -> None:
    said = assumed(
        stake=Stake.from_str("all"),
        stop_loss_ppm=0,
        trailing_ppm=5_000,
        trailing_after_ppm=10_000,
        break_even_after_ppm=7_000,
        regime_filter=True,
        allow_short=True,
    )
    assert "Trailing stop 0.5 %, break-even after 0.7 %, trailing from a gain of 1 %: tested" in said
    assert "spends all that is free, fee included" in said
    assert "Entries pass only in regimes that suit them" in said
    assert "opens a short one" in said
    assert "No stop and no target" in assumed(stop_loss_ppm=0)


def test_few_trades_and_short_times_are_doubted() -> None:
    candles = {BTC: random_walk(300, 7, 0.004)}
    said = "\n".join(wording.warnings(*run(candles)))
    assert "This result rests on" in said
    assert "too few to tell skill from luck" in said
    assert "This covers 0.2 days" in said


def test_no_trade_at_all() -> None:
    candles = {BTC: Candles.from_rows([candle(index * MINUTE) for index in range(50)])}
    assert wording.warnings(*run(candles))[0] == "There was no trade: nothing is known about this strategy here."


def test_an_account_without_money_is_told() -> None:
    assert "entries found too little money" in doubts(initial_capital=Decimal(10))


def test_candles_that_were_refused_or_missing_are_told() -> None:
    result, _ = run()
    rows = [candle(0), candle(0), candle(5 * MINUTE)]
    data = {BTC: check_candles(Candles.from_rows(rows), MINUTE)}
    said = wording.warnings(result, data)
    assert "BTC: 1 of 3 candles were refused (duplicate 1)." in said
    assert "BTC: 4 candles are missing between the first and the last." in said


def test_the_year_compounds_its_months() -> None:
    start = 1_704_067_200_000  # 2024-01-01
    series = random_walk(200, 5, 0.01)
    days = Candles.from_columns(
        series.open_time * 1_440 + start, series.open, series.high, series.low, series.close, series.volume
    )
    result, _ = run({BTC: days}, stake=Stake.from_str("all"))
    table = facts.months(result)
    assert list(table) == [2024]
    assert len(table[2024]) == 13
    assert table[2024][12] == pytest.approx(result.sheet.total_return_pct)
    assert table[2024][11] is None


def test_trades_in_regimes_that_a_strategy_is_not_made_for_are_a_reason_for_doubt() -> None:
    result, data = run()
    at_home = sum(trade.regime in result.suits for trade in result.trades)
    trades = len(result.trades)
    assert trades > 2 * at_home
    expected = (
        f"{trades - at_home} of {trades} trades began outside of what SmaCrossover is made for: bear trend and bull"
    )
    assert expected in doubts()
    result.suits = frozenset()
    assert "is made for" not in "\n".join(wording.warnings(result, data))


def test_parts_and_impact_in_words() -> None:
    said = assumed(take_profit_ppm=20_000, take_profit_part_ppm=500_000, impact_ppm=10_000)
    assert "the take-profit closes 50 % of the position, the rest runs on under its stop" in said
    assert "and 1 % more if they are as large as the volume of the candle before" in said
    assert "an estimate from the candles' volume" in said
