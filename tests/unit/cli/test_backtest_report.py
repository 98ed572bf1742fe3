from __future__ import annotations

import numpy as np
import pytest
from tests.builders import BTC, ETH, random_walk
from tests.unit.backtest.report.samples import run

from vela.cli.backtest_report import print_report, sparkline
from vela.domain.timeframe import Timeframe
from vela.strategies.sma_crossover import SmaCrossover


def test_a_sparkline_spans_its_values() -> None:
    assert sparkline(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.array([5.0, 5.0])) == "▁▁"
    assert sparkline(np.array([5.0])) == "▁"
    assert len(sparkline(np.arange(100_000.0))) == 60


@pytest.mark.parametrize("width", ["60", "80", "160"])
def test_it_fits_the_terminal(width: str, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", width)
    print_report(*run({BTC: random_walk(900, 1), ETH: random_walk(900, 2)}, allow_short=True), Timeframe.M1)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert any(line.startswith(" Symbol") for line in lines)


def test_names_are_no_markup(capsys) -> None:
    hostile = type("[bold red]x[/]", (SmaCrossover,), {})
    print_report(*run(strategy=hostile()), Timeframe.M1)
    assert "[bold red]x[/]" in capsys.readouterr().out
