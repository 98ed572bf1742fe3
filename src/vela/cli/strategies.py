"""`vela strategies`: what can trade."""

from __future__ import annotations

from typing import Annotated

import typer


def strategies(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the strategies with their parameters and ranges.

    Example: vela strategies
    """
    from vela.cli.output import print_json, print_table
    from vela.strategies.registry import SHIPPED

    described = [
        {
            "name": name,
            "what": (strategy.__doc__ or "").splitlines()[0],
            "parameters": {
                key: {"default": p.default, "low": p.low, "high": p.high} for key, p in strategy.parameters.items()
            },
        }
        for name, strategy in SHIPPED.items()
    ]
    if json:
        print_json(described)
        return
    print_table(
        [
            {
                "strategy": name,
                "what": (strategy.__doc__ or "").splitlines()[0],
                "parameters": ", ".join(f"{k} {p.default} ({p.low}–{p.high})" for k, p in strategy.parameters.items()),
            }
            for name, strategy in SHIPPED.items()
        ]
    )
