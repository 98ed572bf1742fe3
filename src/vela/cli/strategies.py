"""`vela strategies`: what can trade."""

from __future__ import annotations

from typing import Annotated

import typer


def strategies(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the strategies with their parameters and ranges: the shipped ones, then those in strategies/.

    Example: vela strategies
    """
    from vela.bootstrap.strategies import describe, find_all_strategies
    from vela.cli.output import print_json, print_table

    found = find_all_strategies().values()
    described = [describe(strategy) for strategy in found]
    if json:
        print_json(described)
        return
    print_table(
        [
            {
                "strategy": description["name"],
                "what": description["what"],
                "made for": ", ".join(sorted(regime.replace("_", " ") for regime in strategy.suits)),
                "parameters": ", ".join(f"{k} {p.default} ({p.low}–{p.high})" for k, p in strategy.parameters.items()),
            }
            for strategy, description in zip(found, described, strict=True)
        ]
    )
