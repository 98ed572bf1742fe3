"""Which line of a user's own file an exception comes from."""

from __future__ import annotations

import traceback
from pathlib import Path


def blame(error: BaseException, file: str | None) -> str:
    """Return one line: the file and line at fault, the kind of error and its message.

    Args:
        error: as it was caught, with its traceback.
        file: the user's own file; where the error did not pass through it, the innermost line is named.
    """
    kind, said = type(error).__name__, " ".join(str(error).split())[:200]
    described = f"{kind}: {said}" if said else kind
    place = _syntax_place(error) if isinstance(error, SyntaxError) else _place(error, file)
    return f"{place}: {described}" if place else described


def shown(file: str) -> str:
    """Return the file's path as a user knows it: relative to the working directory, if it lies there."""
    path = Path(file)
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _syntax_place(error: SyntaxError) -> str:
    return f"{shown(error.filename)}:{error.lineno or 1}" if error.filename else ""


def _place(error: BaseException, file: str | None) -> str:
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    if not frames:
        return ""
    own = [(name, line) for name, line in frames if name == file]
    name, line = (own or frames)[-1]
    return f"{shown(name)}:{line}"
