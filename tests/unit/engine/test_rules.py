# mypy: disable-error-code="comparison-overlap"
# A Decimal equals the int of the same value.
from __future__ import annotations

from decimal import Decimal

import pytest

from vela.domain.errors import ConfigurationError
from vela.engine.rules import Stake, StakeKind, TradingRules, percent_to_ppm, ppm_to_percent


@pytest.mark.parametrize(
    ("percent", "ppm"), [("0", 0), ("2", 20_000), ("0.05", 500), ("0.0001", 1), ("100", 1_000_000), ("1.50000", 15_000)]
)
def test_percent_become_whole_millionths(percent: str, ppm: int):
    result = percent_to_ppm(Decimal(percent))
    assert (result, type(result)) == (ppm, int)


@pytest.mark.parametrize(("ppm", "percent"), [(0, "0"), (20_000, "2"), (1, "0.0001"), (1_000_000, "100")])
def test_millionths_are_written_as_percent(ppm: int, percent: str):
    assert ppm_to_percent(ppm) == percent


@pytest.mark.parametrize("percent", ["0.00001", "1.23456", "33.333333"])
def test_a_percentage_too_fine_is_refused(percent: str):
    with pytest.raises(ConfigurationError, match="accepted: at most four decimals"):
        percent_to_ppm(Decimal(percent))


@pytest.mark.parametrize(
    ("text", "kind", "amount", "shown"),
    [
        ("50", StakeKind.FIXED, "50", "50"),
        (" 12.5 ", StakeKind.FIXED, "12.5", "12.5"),
        ("1e3", StakeKind.FIXED, "1000", "1000"),
        ("5%", StakeKind.PERCENT, "5", "5%"),
        (" 0.5 % ", StakeKind.PERCENT, "0.5", "0.5%"),
        ("100%", StakeKind.PERCENT, "100", "100%"),
        ("all", StakeKind.ALL, "0", "all"),
        (" ALL ", StakeKind.ALL, "0", "all"),
    ],
)
def test_a_stake_is_read_and_written(text: str, kind: StakeKind, amount: str, shown: str):
    stake = Stake.from_str(text)
    assert stake == Stake(kind, Decimal(amount))
    assert str(stake) == shown
    assert Stake.from_str(shown) == stake


@pytest.mark.parametrize("text", ["", "0", "-1", "0%", "100.01%", "5%%", "%", "half", "nan", "inf", "all%", "5 USDT"])
def test_a_stake_that_makes_no_sense_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="stake was"):
        Stake.from_str(text)


def test_the_defaults_of_the_contract():
    rules = TradingRules()
    assert (rules.initial_capital, str(rules.stake), rules.max_positions) == (1000, "50", 2)
    assert (rules.cooldown_ms, rules.stop_loss_ppm, rules.take_profit_ppm) == (600_000, 20_000, 0)
    assert (rules.trailing_ppm, rules.trailing_after_ppm, rules.break_even_after_ppm) == (0, 0, 0)
    assert (rules.fee_rate, rules.slippage_ppm, rules.regime_filter) == (Decimal("0.001"), 500, False)
