"""What is nobody's mistake: exit code 1 and one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from vela.domain.errors import BusError, StorageError


@contextmanager
def failures() -> Iterator[None]:
    """Turn a record or a bus that cannot be used into one line on stderr and exit code 1."""
    try:
        yield
    except (BusError, StorageError) as e:
        typer.echo(f"vela: {' '.join(str(e).splitlines())}", err=True)
        raise typer.Exit(1) from None
