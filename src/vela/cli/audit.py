"""`vela audit`: is what lies in Redis what should lie there?"""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def audit(
    bus: rule.Bus = None,
    symbols: Annotated[
        str | None, typer.Option(help="Symbols in use, beside those that the key active_symbols names: BTC,ETH")
    ] = None,
    stale_after: Annotated[str, typer.Option(help="The age from which a price is stale.")] = "10m",
    dead_after: Annotated[
        str, typer.Option(help="How long a message may wait, and a consumer be silent while one waits.")
    ] = "30s",
    fix: Annotated[
        bool, typer.Option("--fix", help="Do what the findings name as safe: rename and remove latest values.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Compare keys and streams in Redis with the symbols in use. Exit 1 on a finding, or if Redis does not answer.

    Nothing is changed without --fix, and keys of other programs never are.

    Example: vela audit --bus redis://127.0.0.1:6379/0 --symbols BTC,ETH

    Example: vela audit --bus redis://127.0.0.1:6379/0 --fix --json
    """
    from vela.cli.audit_report import audit_and_report
    from vela.cli.failures import failures

    with failures():
        is_clean = audit_and_report(bus, symbols, stale_after=stale_after, dead_after=dead_after, fix=fix, as_json=json)
    if not is_clean:
        raise typer.Exit(1)
