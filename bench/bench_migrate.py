"""How long a record of a million rows takes to a newer schema and back, and whether all of it is still there.

From before the schema that rewrote most columns on PostgreSQL, up to the newest, and down again. Leaves with exit code
1 if a row differs. `python -m bench.bench_migrate 100000` takes fewer rows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.bench_storage import places
from tests.many_rows import columns_of, fingerprint, write_many

from vela.adapters.storage.sql.database import Purpose
from vela.adapters.storage.sql.migration import HEAD, move_to

OLDER = "0006"


def main(rows: int) -> int:
    same = True
    with places() as found:
        for name, place in found:
            place.data_dir.mkdir(parents=True, exist_ok=True)
            with place.database().connect(Purpose.TRADING) as connection:
                move_to(connection, OLDER)
                write_many(connection, rows)
                columns = columns_of(connection)
                before = fingerprint(connection, columns)
                print(f"{name:<12} {'rows':<30} {sum(count for count, _ in before.values()):>12,}")
                for way, revision in (("up", HEAD), ("down", OLDER)):
                    start = perf_counter()
                    move_to(connection, revision)
                    print(f"{name:<12} {f'{way} to {revision}, s':<30} {perf_counter() - start:>12.2f}", flush=True)
                    same = same and fingerprint(connection, columns) == before
    print(f"{'all rows':<43} {'the same' if same else 'DIFFERENT':>12}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
