"""The bugs that the tests must catch: a patch each, of which the first lines say what is wrong and who notices."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_HERE = Path(__file__).resolve().parent
_CAUGHT_BY = "caught by: "


class PatchError(Exception):
    """A patch does not apply, or does not say what it is."""


class Bug(NamedTuple):
    """A way to be wrong.

    Attributes:
        name: of the patch, without its number.
        patch: the file.
        says: what is wrong then, in a sentence.
        tests: files of tests, of which one must fail.
    """

    name: str
    patch: Path
    says: str
    tests: tuple[str, ...]

    @classmethod
    def read(cls, patch: Path) -> Bug:
        """Read the head of a patch.

        Raises:
            PatchError: it has none.
        """
        says, caught_by, *_ = [line.removeprefix("# ") for line in patch.read_text().splitlines()] + ["", ""]
        if not says or not caught_by.startswith(_CAUGHT_BY):
            raise PatchError(
                f"{patch.name} begins otherwise; accepted: '# What is wrong.', then '# {_CAUGHT_BY}FILE …'"
            )
        return cls(patch.stem.split("_", 1)[-1], patch, says, tuple(caught_by.removeprefix(_CAUGHT_BY).split()))

    def apply(self, folder: Path, *, check_only: bool = False) -> None:
        """Change `folder`/src, or only see whether that can be done.

        Raises:
            PatchError: what it changes is not there (any more).
        """
        options = ["--check"] if check_only else []
        command = [shutil.which("git") or "git", "apply", *options, str(self.patch)]
        # A mere folder to git, whatever repository it may lie in.
        environment = os.environ | {"GIT_DIR": os.devnull}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PatchError(f"{self.patch.name} does not apply: {' '.join(done.stderr.split())}")


def planted_bugs() -> dict[str, Bug]:
    """Return all bugs by name, in the order of their numbers."""
    return {bug.name: bug for bug in map(Bug.read, sorted(_HERE.glob("*.patch")))}
