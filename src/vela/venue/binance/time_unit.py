"""Times in microseconds, for clients that ask for them."""

from __future__ import annotations

_TIMES = {
    "T",
    "closeTime",
    "openTime",
    "serverTime",
    "time",
    "transactTime",
    "transactionTime",
    "updateTime",
    "workingTime",
}


def in_microseconds(answer: object) -> object:
    """Return an answer of REST with all its times in microseconds instead of milliseconds."""
    if isinstance(answer, dict):
        return {name: _moment(value) if name in _TIMES else in_microseconds(value) for name, value in answer.items()}
    if not isinstance(answer, list):
        return answer
    if answer and isinstance(answer[0], int):  # a candle: when it opens first, when it closes seventh
        return [_moment(value) if place in {0, 6} else value for place, value in enumerate(answer)]
    return [in_microseconds(item) for item in answer]


def _moment(value: object) -> object:
    return value * 1000 if isinstance(value, int) and value > 0 else value
