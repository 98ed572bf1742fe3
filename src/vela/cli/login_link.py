"""`vela login-link`: a fresh way into the page."""

from __future__ import annotations

from typing import Annotated

import typer


def login_link(
    data_dir: Annotated[str | None, typer.Option(help="The data directory of the running system.")] = None,
    port: Annotated[int | None, typer.Option(help="The page's port.")] = None,
) -> None:
    """Print a link that logs a browser in, once.

    Example: vela login-link --data-dir vela-data
    """
    import os

    from vela.bootstrap.page import new_login_link
    from vela.bootstrap.settings import load_settings

    settings = load_settings({"data_dir": data_dir, "port": port}, os.environ)
    typer.echo(new_login_link(settings))
