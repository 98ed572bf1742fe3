"""`vela symbols`: what a text means as a symbol."""

from __future__ import annotations

from typing import Annotated

import typer


def symbols(
    names: Annotated[str, typer.Argument(help="Symbols, separated by commas: BTC,ETHBTC,BTC-USD")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Parse symbols and show every format.

    Example: vela symbols BTC,ethbtc,BTC-USD
    """
    from vela.cli.output import print_json, print_table
    from vela.domain.trading_symbol import parse_symbol_list

    rows = [
        {
            "symbol": str(symbol),
            "base": symbol.base,
            "quote": symbol.quote.value,
            "long": symbol.to_long(),
            "lower": symbol.to_lower(),
            "ccxt": symbol.to_ccxt(),
            "coinbase": symbol.to_coinbase(),
            "kraken": symbol.to_kraken(),
            "redis_key": symbol.to_redis_key("price"),
        }
        for symbol in parse_symbol_list(names)
    ]
    if json:
        print_json(rows)
    else:
        print_table(rows)
