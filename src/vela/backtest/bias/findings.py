"""What the checks of a strategy have to say."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Check(StrEnum):
    """What was looked for."""

    SHAPE = "shape"
    PURITY = "purity"
    UNDEFINED = "undefined"
    LOOK_AHEAD = "look_ahead"
    START = "start"


class Severity(StrEnum):
    """How bad it is: an error means that the backtest's trades are not those that live would make."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, at the first place where it was seen.

    Attributes:
        row: index of the candle, None where it is about none in particular.
        time: open time of that candle, ms UTC.
        expected: the value that should have come.
        came: the value that came.
        sentence: all of it in words.
    """

    check: Check
    severity: Severity
    row: int | None
    time: int | None
    expected: str
    came: str
    sentence: str


class Report(msgspec.Struct, frozen=True):
    """The outcome of all checks.

    Attributes:
        warmup: as the strategy declares it, in candles; None if it cannot be had.
        measured_warmup: the shortest window that gives what a long history gives; None if there is none or if earlier
            findings left it unmeasured.
        signals: rows of the candles with a signal; what has no signal proves little.
        decisions_compared: rows whose answer was compared with what live would have seen.
        checked: the checks made; those that earlier findings made pointless are absent.
    """

    strategy: str
    parameters: dict[str, int | float]
    candles: int
    warmup: int | None
    measured_warmup: int | None
    signals: int
    decisions_compared: int
    checked: tuple[Check, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that must keep the strategy from trading."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)
