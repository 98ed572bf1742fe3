"""`vela strategies`: what can trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vela.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from vela.domain.regime import MarketRegime


def strategies(
    regime: Annotated[str | None, typer.Option(help="Only those that are made for it: bull_trend.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the strategies with their parameters and ranges: the shipped ones, then those in strategies/.

    Example: vela strategies

    Example: vela strategies --regime sideways_range
    """
    from vela.bootstrap.strategies import describe, find_all_strategies
    from vela.cli.output import print_json, print_table

    found = [one for one in find_all_strategies().values() if regime is None or _regime(regime) in one.suits]
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


def _regime(text: str) -> MarketRegime:
    from vela.domain.regime import MarketRegime

    try:
        return MarketRegime(text.strip().lower())
    except ValueError:
        raise ConfigurationError(f"regime was {text[:40]!r}; accepted: {', '.join(MarketRegime)}") from None
