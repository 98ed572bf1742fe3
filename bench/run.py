"""Runs every benchmark of this directory, one process each, and prints what they print.

bench_NAME.py is one benchmark: a script without arguments that needs nothing but Vela, writes its figures to stdout and
leaves with exit code 0. `run.py NAME ...` runs only those.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    scripts = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(scripts) or 'none'}", file=sys.stderr)
        return 2
    failed = []
    for name in names or scripts:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.bench_{name}"], cwd=HERE.parent, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
