"""How results are printed: JSON alone on stdout, or a table for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table


def print_json(value: object) -> None:
    """Print `value` as JSON and nothing else."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows that share their keys as a table."""
    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


def moment(time: int) -> str:
    """Write a time (ms UTC) for people, to the minute."""
    return f"{np.datetime64(time, 'ms').astype('datetime64[m]')}".replace("T", " ")
