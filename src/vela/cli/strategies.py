"""`vela strategies`: what can trade."""

from __future__ import annotations

from typing import Annotated

import typer


def strategies(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the strategies with their parameters and ranges: the shipped ones, then those in strategies/.

    Example: vela strategies
    """
    from vela.bootstrap.strategies import find_all_strategies, is_shipped
    from vela.cli.output import print_json, print_table

    found = find_all_strategies()
    described = [
        {
            "name": name,
            "what": _first_line(strategy.__doc__),
            "shipped": is_shipped(strategy),
            "suits": sorted(strategy.suits),
            "parameters": {
                key: {"default": p.default, "low": p.low, "high": p.high} for key, p in strategy.parameters.items()
            },
        }
        for name, strategy in found.items()
    ]
    if json:
        print_json(described)
        return
    print_table(
        [
            {
                "strategy": name,
                "what": _first_line(strategy.__doc__),
                "made for": ", ".join(sorted(regime.replace("_", " ") for regime in strategy.suits)),
                "parameters": ", ".join(f"{k} {p.default} ({p.low}–{p.high})" for k, p in strategy.parameters.items()),
            }
            for name, strategy in found.items()
        ]
    )


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
