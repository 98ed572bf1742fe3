"""Draws results as bars on a logarithmic scale: one SVG that loads nothing, light or dark as its reader.

python -m bench.peers.drawing    # draws docs/images/peers.svg from bench/peers/results.json anew
"""

from __future__ import annotations

from html import escape
from itertools import accumulate
from math import ceil, log10
from pathlib import Path

from bench.peers.results import TASKS, YARDSTICK, Figure, Results, read

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PICTURE = HERE.parents[1] / "docs" / "images" / "peers.svg"

NAMES = {
    "c": "plain C loop",
    "numba": "plain Numba loop",
    "vela": "Vela",
    "vela_full": "Vela, all statistics",
    "vectorbt": "vectorbt",
    "backtesting": "backtesting.py",
    "backtrader": "backtrader",
    "nautilus": "NautilusTrader",
    "freqtrade": "freqtrade",
    "basana": "basana",
    "jesse": "Jesse",
}
TITLES = {
    "crossover": "Crossover of two averages, all in",
    "reversion": "RSI with stop-loss and take-profit",
    "shared": "Crossover in 50 symbols on one account",
}
WIDTH, LEFT, RIGHT = 800, 150, 170
ROW, BAR, HEAD, GAP = 26, 16, 38, 18
STYLE = """
text{font:14px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.quiet{fill:#59636e;font-size:12px}
.end{text-anchor:end}.middle{text-anchor:middle}.ours{font-weight:600}
.grid{stroke:#d1d9e0}.bar{fill:#8c959f}.bar.ours{fill:#0969da}.bar.plain{fill:#c8cfd6}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.grid{stroke:#30363d}
.bar{fill:#768390}.bar.ours{fill:#4493f8}.bar.plain{fill:#444c56}}
"""


def draw(results: Results) -> str:
    """Return the picture; the same results give the same bytes."""
    measured = {one.task for one in results.figures}
    tables = {task: results.ratios(task) for task in TASKS if task in measured}
    decades = max(ceil(log10(one.ns)) for rows in tables.values() for one, _ in rows)
    heights = [HEAD + ROW * len(rows) + GAP for rows in tables.values()]
    tops = [0, *accumulate(heights)]
    panels = [panel(task, rows, top, decades) for (task, rows), top in zip(tables.items(), tops, strict=False)]
    foot = axis(decades, tops[-1])
    height = tops[-1] + 44
    label = "Nanoseconds a candle of backtesting tools at the same work, as bars on a logarithmic scale"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">\n'
        f"<style>{STYLE}</style>\n{foot}{''.join(panels)}</svg>\n"
    )


def place(ns: float, decades: int) -> float:
    """Return where on the scale of 1 ns to 10^decades ns; what is faster than a nanosecond stands at its beginning."""
    return LEFT + (WIDTH - LEFT - RIGHT) * max(log10(ns), 0.0) / decades


def text(x: float, y: float, words: str, css: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}">{escape(words)}</text>\n'


def axis(decades: int, bottom: int) -> str:
    units = ("1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms")
    marks = []
    for decade in range(decades + 1):
        x = place(10.0**decade, decades)
        marks.append(f'<path class="grid" d="M{x:.1f} {HEAD - 8}V{bottom}"/>\n')
        marks.append(text(x, bottom + 16, units[decade], "quiet middle"))
    return "".join(marks) + text(
        place(1, decades), bottom + 36, "time a candle, each line ten times the one before", "quiet"
    )


def panel(task: str, rows: list[tuple[Figure, float]], top: int, decades: int) -> str:
    bars = [bar(one, ratio, top + HEAD + ROW * number, decades) for number, (one, ratio) in enumerate(rows)]
    return text(LEFT, top + 22, TITLES[task], "title") + "".join(bars)


def bar(one: Figure, ratio: float, top: int, decades: int) -> str:
    ours = "ours" if one.peer in {"vela", "vela_full"} else "plain" if one.peer in {"c", "numba"} else ""
    end = max(place(one.ns, decades), LEFT + 2)
    base = top + 13
    shape = f'<rect class="bar {ours}" x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{BAR}" rx="2"/>\n'
    figure = duration(one.ns) + ("" if one.peer == YARDSTICK else f" · {multiple(ratio)}")
    return (
        text(LEFT - 8, base, NAMES.get(one.peer, one.peer), f"end {ours}") + shape + text(end + 6, base, figure, ours)
    )


def duration(ns: float) -> str:
    value, unit = (ns / 1000, "µs") if ns >= 999.5 else (ns, "ns")
    return f"{rounded(value)} {unit}"


def multiple(ratio: float) -> str:
    return f"{rounded(ratio)} ×"


def rounded(value: float) -> str:
    """Return two digits that count, and whole numbers from ten on."""
    if value < 10:
        return f"{value:.1f}"
    digits = max(int(log10(value)) - 1, 0)
    return f"{round(value, -digits):,.0f}"


def main() -> None:
    PICTURE.write_text(draw(read(RESULTS)), encoding="utf-8")


if __name__ == "__main__":
    main()
