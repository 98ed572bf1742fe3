"""Plants known bugs and looks whether the tests catch them.

`python -m tests.planted.run` takes every patch of this folder (`run NAME …`: only those), applies it to a copy of `src`
and runs the tests that it names on that copy, up to the first that fails. A bug that survives is a test that is
missing. The same tests must pass without a bug, or their failing would mean nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tests.planted import imported
from tests.planted.bugs import ROOT, Bug, PatchError, planted_bugs

_OPTIONS = ("-q", "-x", "-rfE", "--tb=no", "--no-header", "--timeout=60", "-p", "no:cacheprovider")
_PASSED, _FAILED = 0, 1
_FIRST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - |$)", re.MULTILINE)


class Outcome(NamedTuple):
    """What became of a bug, or of no bug at all.

    Attributes:
        caught_by: the first test that failed; empty: it survived.
        seconds: that it took.
        trouble: why nothing can be said; empty: all went well.
    """

    caught_by: str
    seconds: float
    trouble: str = ""

    @property
    def word(self) -> str:
        """The outcome in a word."""
        return "unclear" if self.trouble else "caught" if self.caught_by else "survived"


def tried(bug: Bug) -> Outcome:
    """Plant a bug and run the tests that know it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vela-planted-") as folder:
        copy_source(Path(folder))
        try:
            bug.apply(Path(folder))
        except PatchError as problem:
            return Outcome("", time.monotonic() - began, str(problem))
        return run_tests(bug.tests, Path(folder))


def tried_without(bugs: Iterable[Bug], jobs: int) -> Outcome:
    """Run the tests that know any of `bugs` on a copy without one."""
    tests = dict.fromkeys(test for bug in bugs for test in bug.tests)
    with tempfile.TemporaryDirectory(prefix="vela-planted-") as folder:
        copy_source(Path(folder))
        return run_tests((*tests, f"--numprocesses={jobs}"), Path(folder))


def copy_source(folder: Path) -> None:
    """Copy `src` into `folder`; what was compiled stays behind, as it would hide the bug."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))


def run_tests(arguments: Sequence[str], folder: Path) -> Outcome:
    """Run tests on `folder`/src until one fails."""
    places = [str(folder / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), imported.FOLDER: str(folder)}
    command = [sys.executable, "-m", "pytest", "-p", imported.__name__, *_OPTIONS, *arguments]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    failure = _FIRST_FAILURE.search(done.stdout)
    if done.returncode == _PASSED:
        return Outcome("", seconds)
    if done.returncode == _FAILED and failure:
        return Outcome(failure[1], seconds)
    said = (done.stdout + done.stderr).split()[-60:]
    return Outcome("", seconds, f"pytest ended with {done.returncode}: {' '.join(said)}")


def try_all(bugs: Sequence[Bug], jobs: int, console: Console) -> list[Outcome]:
    """Try every bug, say what became of each, and return all outcomes."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    outcomes = []
    with Progress(*columns, console=console, transient=True) as progress, ThreadPoolExecutor(jobs) as pool:
        task = progress.add_task("without a bug", total=len(bugs) + 1)
        without = tried_without(bugs, jobs)
        if without.word != "survived":
            raise RuntimeError(f"the tests fail without a bug: {without.caught_by or without.trouble}")
        progress.update(task, advance=1, description="with a bug each")
        trying = {pool.submit(tried, bug): bug for bug in bugs}
        for future in as_completed(trying):
            bug, outcome = trying[future], future.result()
            outcomes.append(outcome)
            known = outcome.caught_by or outcome.trouble or bug.says
            line = f"{outcome.word:<8}  {outcome.seconds:5.1f} s  {bug.patch.stem}  {known}"
            console.print(line, markup=False, soft_wrap=True)
            progress.update(task, advance=1)
    return outcomes


def chosen_bugs(names: Sequence[str]) -> list[Bug]:
    """Return the bugs of those names, all where none is given.

    Raises:
        ValueError: there is none of one of the names.
    """
    bugs = planted_bugs()
    unknown = [name for name in names if name not in bugs]
    if unknown:
        raise ValueError(f"no bug {', '.join(unknown)}; accepted: {', '.join(bugs)}")
    return [bugs[name] for name in names or bugs]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a patch, without its number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="bugs at a time (default: %(default)s)")
    options, console, began = parser.parse_args(), Console(highlight=False), time.monotonic()
    if options.jobs < 1:
        parser.error(f"--jobs was {options.jobs}; accepted: 1 or more")
    try:
        bugs = chosen_bugs(options.names)
        outcomes = try_all(bugs, options.jobs, console)
    except (PatchError, RuntimeError, ValueError) as problem:
        console.print(f"error: {problem}", markup=False, soft_wrap=True)
        return 2
    caught = sum(outcome.word == "caught" for outcome in outcomes)
    console.print(f"{caught} of {len(bugs)} caught in {time.monotonic() - began:.0f} s")
    return 0 if caught == len(bugs) else 1


if __name__ == "__main__":
    sys.exit(main())
