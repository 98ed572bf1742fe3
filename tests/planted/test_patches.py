from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path

import pytest
from tests.planted import bugs
from tests.planted.bugs import ROOT, Bug, PatchError, planted_bugs
from tests.planted.run import chosen_bugs, copy_source, run_tests, tried

BUGS = planted_bugs()
CHANGED = "src/vela/services/inquiries.py"
HEAD = "# A comment says something else.\n# caught by: tests/unit/services/test_inquiries.py\n"


def patched(tmp_path: Path, before: str) -> Bug:
    """Return a bug that nobody could notice: it puts a comment above the first line of a file that begins so."""
    difference = unified_diff(
        before.splitlines(True), ["# Nothing.\n", *before.splitlines(True)], f"a/{CHANGED}", f"b/{CHANGED}"
    )
    patch = tmp_path / "01_harmless.patch"
    patch.write_text(HEAD + "".join(difference))
    return Bug.read(patch)


def test_there_are_enough_and_each_has_a_name_of_its_own():
    assert len(BUGS) == len(list(Path(bugs.__file__).parent.glob("*.patch"))) >= 20


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_every_bug_can_be_planted_and_names_tests_that_are_there(bug: Bug) -> None:
    bug.apply(ROOT, check_only=True)
    changed = re.findall(r"^\+\+\+ b/(.+)$", bug.patch.read_text(), re.MULTILINE)
    assert changed, "it changes nothing"
    assert all(path.startswith("src/vela/") for path in changed)
    assert bug.tests
    assert [test for test in bug.tests if not (ROOT / test).is_file()] == []


def test_a_bug_that_a_test_notices_is_caught_and_the_test_named():
    outcome = tried(BUGS["absence_final_too_soon"])
    assert outcome.word == "caught"
    assert outcome.caught_by.startswith("tests/unit/services/test_inquiries.py::test_")


def test_what_no_test_notices_survives(tmp_path: Path) -> None:
    outcome = tried(patched(tmp_path, (ROOT / CHANGED).read_text()))
    assert (outcome.word, outcome.trouble) == ("survived", "")


def test_a_patch_whose_place_has_changed_is_told_of(tmp_path: Path) -> None:
    outcome = tried(patched(tmp_path, "something\nthat\nis\nnot there\n"))
    assert outcome.word == "unclear"
    assert outcome.trouble.startswith("01_harmless.patch does not apply: error: patch failed")


def test_nothing_is_concluded_from_tests_that_did_not_run(tmp_path: Path) -> None:
    copy_source(tmp_path)
    (tmp_path / CHANGED).write_text("nonsense(")
    assert run_tests(["tests/unit/services/test_inquiries.py"], tmp_path).word == "unclear"


def test_nothing_is_tested_but_the_copy(tmp_path: Path) -> None:
    outcome = run_tests(["tests/unit/services/test_inquiries.py"], tmp_path)
    assert outcome.word == "unclear"
    assert "vela was imported from" in outcome.trouble


def test_a_patch_without_a_head_is_named_with_what_is_accepted(tmp_path: Path) -> None:
    patch = tmp_path / "01_bare.patch"
    patch.write_text("--- a/src/vela/version.py\n")
    with pytest.raises(PatchError, match=r"^01_bare.patch begins otherwise; accepted: '# What is wrong"):
        Bug.read(patch)


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match="no bug none; accepted: sent_before_committed, "):
        chosen_bugs(["none"])
    assert [bug.name for bug in chosen_bugs(["order_moves_back", "age_guard_inverted"])] == [
        "order_moves_back",
        "age_guard_inverted",
    ]
