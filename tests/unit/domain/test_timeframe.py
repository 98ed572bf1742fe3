from __future__ import annotations

import pytest

from vela.domain.errors import ConfigurationError
from vela.domain.timeframe import Timeframe

LENGTHS = {
    "1s": 1_000,
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}


def test_every_timeframe_lasts_what_its_name_says():
    assert {member.value: member.milliseconds for member in Timeframe} == LENGTHS


@pytest.mark.parametrize("text", LENGTHS)
def test_text_and_length_both_name_the_timeframe(text: str):
    assert Timeframe.from_str(text).value == text
    assert Timeframe.from_str(f" {text} ") is Timeframe(text)
    assert Timeframe.from_milliseconds(LENGTHS[text]) is Timeframe(text)


@pytest.mark.parametrize("text", ["", "m", "0m", "2s", "7m", "60", "1 m", "-1m", "5mm", "1w", "1M", "5M"])
def test_unknown_text_is_refused_with_what_is_accepted(text: str):
    with pytest.raises(ConfigurationError, match=r"accepted: 1s, 1m, 3m, 5m, .*, 1d$"):
        Timeframe.from_str(text)


def test_a_long_text_is_not_repeated_in_full():
    with pytest.raises(ConfigurationError) as refusal:
        Timeframe.from_str("x" * 10_000)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("length", [0, 1, 2_000, -60_000, 59_999, 60_001, 604_800_000])
def test_a_length_between_the_timeframes_is_refused(length: int):
    with pytest.raises(ConfigurationError, match="fit no timeframe"):
        Timeframe.from_milliseconds(length)
