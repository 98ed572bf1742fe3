"""Environments for programs that share no dependency with Vela, kept in the user's cache."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vela"


def environment(requirements: Path, folder: Path, python: str = sys.executable) -> Path:
    """Return the Python of the environment in `folder`, made where it is missing or its requirements changed."""
    mark = sha256(requirements.read_bytes() + python.encode()).hexdigest()
    ready, executable = folder / ".ready", folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:  # two that need it do not make it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists() or ready.read_text() != mark:
            print(f"{folder.name}: making its environment in {folder}", file=sys.stderr)
            subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
            quiet = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            subprocess.run([executable, *quiet, "-r", requirements], check=True)
            ready.write_text(mark)
    return executable
