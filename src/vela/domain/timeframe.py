"""How long one candle lasts."""

from __future__ import annotations

from enum import StrEnum

from vela.domain.errors import ConfigurationError


class Timeframe(StrEnum):
    """A candle's length, written as exchanges write it: `1m`, `4h`, `1d`."""

    S1 = "1s"
    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"

    @property
    def milliseconds(self) -> int:
        """Length in milliseconds."""
        return _MILLISECONDS[self]

    @classmethod
    def from_str(cls, text: str) -> Timeframe:
        """Read a timeframe such as `5m`; `H` and `D` may be capitals, `M` may not: exchanges write months with it.

        Raises:
            ConfigurationError: the text names no timeframe.
        """
        written = text.strip()
        try:
            return cls(written if written.endswith("M") else written.lower())
        except ValueError:
            accepted = ", ".join(member.value for member in cls)
            raise ConfigurationError(f"timeframe {text[:40]!r} is unknown; accepted: {accepted}") from None

    @classmethod
    def from_milliseconds(cls, length_ms: int) -> Timeframe:
        """Return the timeframe of that length.

        Raises:
            ConfigurationError: no timeframe lasts that long.
        """
        for member, milliseconds in _MILLISECONDS.items():
            if milliseconds == length_ms:
                return member
        accepted = ", ".join(member.value for member in cls)
        raise ConfigurationError(f"candles of {length_ms / 1000:g} s fit no timeframe; accepted: {accepted}")


_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_MILLISECONDS = {member: int(member.value[:-1]) * _UNIT_MS[member.value[-1]] for member in Timeframe}
