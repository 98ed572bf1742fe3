"""The plain C loop, compiled for this machine."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path


def compiled() -> ctypes.CDLL:
    """Compile c_loop.c and load it; its functions return 64-bit counts.

    Raises:
        FileNotFoundError: there is no compiler.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("no C compiler here; looked for gcc and cc")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "c_loop.so"
        source = Path(__file__).with_suffix(".c")
        subprocess.run([compiler, "-O3", "-march=native", "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
        loops = ctypes.CDLL(str(library))
    for name in ("crossover", "reversion", "shared"):
        getattr(loops, name).restype = ctypes.c_int64
    return loops
