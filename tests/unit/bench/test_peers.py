from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from bench.peers import drawing
from bench.peers.results import Figure, Machine, Results, read, write

MACHINE = Machine("Test", 2, 8.0, "Linux x86_64")


def figure(peer: str, task: str = "crossover", **changes) -> Figure:
    ordinary = Figure(peer, task, "1.0", "3.13.0", 4.0, 5.0, 7, 10, 1e7, 100.0, agrees=True)
    return msgspec.structs.replace(ordinary, **changes)


def results(*figures: Figure) -> Results:
    return Results("2026-01-01", MACHINE, {"crossover": 525_600, "reversion": 525_600}, figures)


ORDINARY = results(figure("c"), figure("vela", ns=30.0), figure("backtrader", ns=71_000.0), figure("c", "reversion"))


def kept(folder: Path, some: Results) -> Path:
    file = folder / "results.json"
    write(some, file)
    return file


def test_what_is_written_is_read(tmp_path):
    assert read(kept(tmp_path, ORDINARY)) == ORDINARY


@pytest.mark.parametrize(
    ("nonsense", "told"),
    [
        (results(figure("c", ns=0.0)), "> 0"),
        (results(figure("c", entries=0)), ">= 1"),
        (results(figure("c"), figure("c")), "twice"),
        (results(figure("c", "juggling")), "unknown task 'juggling'"),
        (results(figure("vela")), "nothing to compare with at crossover"),
        (results(figure("c", agrees=False)), "nothing to compare with at crossover"),
    ],
)
def test_nonsense_is_refused(tmp_path, nonsense, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        read(kept(tmp_path, nonsense))


def test_a_file_that_is_no_result_is_refused(tmp_path):
    file = tmp_path / "results.json"
    file.write_text('{"date": "2026-01-01", "figures": "many"}')
    with pytest.raises(ValueError, match=r"results\.json"):
        read(file)


def test_the_same_results_give_the_same_picture(tmp_path):
    picture = drawing.draw(ORDINARY)
    assert picture == drawing.draw(read(kept(tmp_path, ORDINARY)))
    assert picture.startswith("<svg")
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_bars_stand_by_speed_with_their_ratio_to_the_loop():
    words = re.findall(r"<text[^>]*>([^<]+)</text>", drawing.draw(ORDINARY))
    assert [word for word in words if word in drawing.NAMES.values()][:3] == ["plain C loop", "Vela", "backtrader"]
    assert "30 ns · 7.5 ×" in words
    assert "71 µs · 18,000 ×" in words


def test_who_did_other_work_is_not_drawn():
    picture = drawing.draw(results(figure("c"), figure("vectorbt", agrees=False)))
    assert "vectorbt" not in picture


@pytest.mark.parametrize(
    ("value", "shown"), [(1.04, "1.0"), (9.96, "10.0"), (12.4, "12"), (187.0, "190"), (1449, "1,400")]
)
def test_two_digits_count(value, shown):
    assert drawing.rounded(value) == shown


def test_the_picture_in_the_documents_is_the_one_of_the_results():
    assert drawing.PICTURE.read_text(encoding="utf-8") == drawing.draw(read(drawing.RESULTS))
