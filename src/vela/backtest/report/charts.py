"""Charts of a report as SVG that any width stretches; labels are text beside it, so that they keep their size."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from vela.analysis.series import Series, Times

POINTS = 800
"""How many points a curve is drawn with at most."""

_SIDE = 1000.0
_MOST_TICKS = 8
_UNITS = (
    *(("h", count) for count in (1, 3, 6, 12)),
    *(("D", count) for count in (1, 2, 7, 14)),
    *(("M", count) for count in (1, 2, 3, 6)),
    *(("Y", count) for count in (1, 2, 5, 10, 25, 50)),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Label = tuple[float, str]
"""Where along an axis, in 0–1, and what."""


def ends_of_parts(count: int, points: int = POINTS) -> NDArray[np.int64]:
    """Return the last index of each of at most `points` equal parts of `count` rows."""
    return np.unique(np.linspace(0, count, min(points, count) + 1)[1:].round().astype(np.int64)) - 1


class Scale:
    """Maps values to heights: 0 at the bottom of the plot, 1 at its top."""

    def __init__(self, low: float, high: float) -> None:
        """Span `low` to `high` with a little air; equal ends get some room."""
        air = (high - low) * 0.04 or abs(high) * 0.01 or 1.0
        self.low, self.high = low - air, high + air

    def __call__(self, values: Series) -> Series:
        """Return heights in 0–1."""
        return (values - self.low) / (self.high - self.low)

    def ticks(self, suffix: str = "") -> list[Label]:
        """Return round values and their heights."""
        span = self.high - self.low
        raw = span / 4
        power = 10.0 ** floor(log10(raw))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
        values = np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step
        decimals = max(0, -floor(log10(step) + 1e-9) + (1 if step / power == 2.5 else 0))
        texts = (f"{value + 0.0:,.{min(decimals, 8)}f}{suffix}".replace("-", "−") for value in values.tolist())
        return list(zip(self(values).tolist(), texts, strict=True))


def time_ticks(first: int, last: int) -> list[Label]:
    """Return calendar moments between two times (ms UTC) and their places; few enough to be read."""
    span = max(last - first, 1)
    start, stop = np.datetime64(first, "ms"), np.datetime64(last, "ms")
    for unit, count in _UNITS:
        begin, end = start.astype(f"datetime64[{unit}]"), stop.astype(f"datetime64[{unit}]")
        numbers = np.arange(-(-int(begin.astype(int)) // count) * count, int(end.astype(int)) + 1, count)
        if len(numbers) <= _MOST_TICKS:
            break
    moments = numbers.astype(f"datetime64[{unit}]").astype("datetime64[ms]")
    places = ((moments.astype(np.int64) - first) / span).tolist()
    return [(at, _named(moment, unit)) for at, moment in zip(places, moments, strict=True) if 0.0 <= at <= 1.0]


def _named(moment: np.datetime64, unit: str) -> str:
    text = str(moment)
    month = _MONTHS[int(text[5:7]) - 1]
    return {"h": text[11:16], "D": f"{int(text[8:10])} {month}", "M": f"{month} {text[:4]}", "Y": text[:4]}[unit]


def line(across: Series, heights: Series, css: str) -> str:
    """Draw a line."""
    return f'<path class="line {css}" d="M{_points(across, heights)}"/>'


def area(across: Series, upper: Series, lower: Series, css: str) -> str:
    """Fill between two curves."""
    back = _points(across[::-1], lower[::-1])
    return f'<path class="area {css}" d="M{_points(across, upper)}L{back}Z"/>'


def _points(across: Series, heights: Series) -> str:
    pairs = zip((across * _SIDE).tolist(), ((1.0 - heights) * _SIDE).tolist(), strict=True)
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in pairs)


def plot(
    name: str, description: str, shapes: Sequence[str], rows: Sequence[Label], columns: Sequence[Label], css: str = ""
) -> str:
    """Put shapes on a grid with labels.

    Args:
        name: by which the page's script finds it.
        description: for those who cannot see it.
        shapes: as `line` and `area` return them.
        rows: labels up the side.
        columns: labels along the bottom.
        css: further classes.
    """
    grid = "".join(f'<path class="grid" d="M0 {(1 - at) * _SIDE:.1f}H1000"/>' for at, _ in rows)
    side = "".join(f'<span class="y" style="bottom:{100 * at:.2f}%">{escape(text)}</span>' for at, text in rows)
    foot = "".join(f'<span class="x" style="left:{100 * at:.2f}%">{escape(text)}</span>' for at, text in columns)
    return (
        f'<div class="plot {css}" data-plot="{escape(name)}" role="img" aria-label="{escape(description)}">'
        f'<div class="field"><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        f"{grid}{''.join(shapes)}</svg>{side}{foot}</div></div>"
    )


def across_time(times: Times) -> Series:
    """Return where each time lies between the first and the last, in 0–1."""
    span = max(int(times[-1]) - int(times[0]), 1)
    shares: Series = (times - times[0]) / span
    return shares
