from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from tests.builders import BTC, ETH, MINUTE, candle, random_walk
from tests.unit.backtest.report.samples import run

from vela.backtest.report import page, tables
from vela.domain.candles import Candles
from vela.domain.timeframe import Timeframe
from vela.strategies.sma_crossover import SmaCrossover

VOID = {"meta", "br", "path", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Follows the page's tags; refuses those that are never closed or closed in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.text: dict[str, str] = {}

    def handle_starttag(self, tag, attrs) -> None:
        self.tags[tag] += 1
        self.ids.update(value for name, value in attrs if name == "id")
        assert not {name for name, _ in attrs} & {"src", "href", "srcset", "onclick", "onerror"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert max(reader.ids.values()) == 1
    return reader


def island(text: str):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def rendered(*arguments, **options) -> str:
    return page.render(*run(*arguments, **options), Timeframe.M1)


def test_it_is_well_formed_and_holds_every_part() -> None:
    reader = read(rendered(allow_short=True))
    for title in (
        "Candles and trades",
        "Month by month",
        "Luck of the order",
        "Deepest drawdowns",
        "Where it comes from",
    ):
        assert title in reader.text["h2"]
    assert reader.tags["svg"] == 3
    assert reader.tags["canvas"] == 1


def test_it_fetches_nothing() -> None:
    text = rendered()
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|<link|<iframe|fetch\(|XMLHttpRequest|import\(", text)


def test_the_same_result_gives_the_same_bytes() -> None:
    assert rendered() == rendered()


def test_every_text_is_escaped() -> None:
    hostile = type("</script><script>alert('1')</script>&\"", (SmaCrossover,), {})
    text = rendered(strategy=hostile())
    assert "<script>alert" not in text
    assert "&lt;/script&gt;&lt;script&gt;alert(&#x27;1&#x27;)" in text
    assert read(text).tags["script"] == 2


def test_the_script_gets_its_data() -> None:
    result, data = run()
    values = island(page.render(result, data, Timeframe.M1))
    (series,) = values["symbols"]
    assert len(values["curve"]["t"]) == len(values["curve"]["d"]) == 800
    assert values["curve"]["e"][-1] == pytest.approx(float(result.final_equity))
    assert series["t"] == result.candles[BTC].open_time.tolist()
    assert len(series["trades"]) == len(result)
    assert max(values["curve"]["d"]) <= 0.0
    assert min(values["curve"]["d"]) == pytest.approx(-result.sheet.max_drawdown_pct, rel=1e-6)


def test_candles_are_condensed_without_losing_their_reach() -> None:
    candles = random_walk(20_000, 3)
    (series,) = island(rendered({BTC: candles}))["symbols"]
    assert len(series["t"]) == 4_000
    assert max(series["h"]) == pytest.approx(candles.high.max())
    assert min(series["l"]) == pytest.approx(candles.low.min())
    assert (series["o"][0], series["c"][-1]) == pytest.approx((candles.open[0], candles.close[-1]))


def test_several_symbols_can_be_chosen() -> None:
    text = rendered({BTC: random_walk(900, 1), ETH: random_walk(500, 2)})
    assert [one["name"] for one in island(text)["symbols"]] == ["BTC", "ETH"]
    assert 'data-symbol="1" aria-pressed="false">ETH</button>' in text


@pytest.mark.parametrize("count", [1, 2, 50])
def test_without_trades(count: int) -> None:
    text = rendered({BTC: Candles.from_rows([candle(index * MINUTE) for index in range(count)])})
    assert "There was no trade" in text
    assert "Too few trades to shuffle" in text
    read(text)


def test_the_middle_of_many_trades_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run()
    monkeypatch.setattr(tables, "SHOWN_AT_EACH_END", 5)
    text = tables.trade_table(result)
    assert f"{len(result) - 10:,} more between" in text
    assert text.count("<tr>") == 12
    monkeypatch.setattr(tables, "SHOWN_AT_EACH_END", len(result))
    assert tables.trade_table(result).count("<tr>") == len(result) + 1
