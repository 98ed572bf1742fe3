"""How fast text becomes a symbol and a symbol becomes text.

Every figure is the best of several rounds of plain calls, in millions of calls per second: "net" with the time of an
empty loop over the same items subtracted, "with loop" as the clock saw it. New strings are all different and the parser
starts empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice, product
from time import perf_counter

from vela.domain import trading_symbol
from vela.domain.assets import QuoteCurrency, TradingPair
from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import TradingSymbol

ROUNDS = 7
CALLS = 300_000
NEW_STRINGS = 100_000


def empty(items: Sequence[object]) -> float:
    start = perf_counter()
    for _ in items:
        pass
    return perf_counter() - start


def parse(texts: Sequence[str]) -> float:
    start = perf_counter()
    for text in texts:
        TradingSymbol.from_str(text)
    return perf_counter() - start


def parse_new(texts: Sequence[str]) -> float:
    for cache in trading_symbol._registry.parsed.values():  # noqa: SLF001
        cache.clear()
    return parse(texts)


def refuse(texts: Sequence[str]) -> float:
    start = perf_counter()
    for text in texts:
        with suppress(SymbolError):
            TradingSymbol.from_str(text)
    return perf_counter() - start


def to_long(symbols: Sequence[TradingSymbol]) -> float:
    start = perf_counter()
    for symbol in symbols:
        symbol.to_long()
    return perf_counter() - start


def to_short(symbols: Sequence[TradingSymbol]) -> float:
    start = perf_counter()
    for symbol in symbols:
        symbol.to_short()
    return perf_counter() - start


def to_lower(symbols: Sequence[TradingSymbol]) -> float:
    start = perf_counter()
    for symbol in symbols:
        symbol.to_lower()
    return perf_counter() - start


def to_ccxt(symbols: Sequence[TradingSymbol]) -> float:
    start = perf_counter()
    for symbol in symbols:
        symbol.to_ccxt()
    return perf_counter() - start


def to_redis_key(symbols: Sequence[TradingSymbol]) -> float:
    start = perf_counter()
    for symbol in symbols:
        symbol.to_redis_key("price")
    return perf_counter() - start


def as_dict_key(symbols: Sequence[TradingSymbol]) -> float:
    table = dict.fromkeys(symbols)
    start = perf_counter()
    for symbol in symbols:
        table[symbol]
    return perf_counter() - start


def different_texts() -> list[str]:
    """Distinct valid texts: every asset and quote, joined in every way, in every mixture of cases."""

    def spellings(base: str, quote: str, joint: str) -> set[str]:
        return {"".join(pick) for pick in product(*((c, c.lower()) for c in base + joint + quote))}

    pairs = ((base, quote) for base in TradingPair for quote in QuoteCurrency if base.value != quote.value)
    texts = (
        text
        for (base, quote), joint in product(pairs, ("", "/", "-", "_"))
        for text in islice(sorted(spellings(base, quote, joint)), 0, None, 37)
    )
    return list(islice(dict.fromkeys(texts), NEW_STRINGS))


def measure(action: Callable[..., float], items: Sequence[object]) -> str:
    gross = min(action(items) for _ in range(ROUNDS))
    net = gross - min(empty(items) for _ in range(ROUNDS))
    return f"{len(items) / net / 1e6:9.2f} {len(items) / gross / 1e6:10.2f}"


def main() -> None:
    usual = [f"{pair}{joint}USDT" for pair, joint in product(TradingPair, ("", "/", "-"))]
    symbols = [TradingSymbol.from_str(text) for text in usual]
    many_texts, many_symbols = usual * (CALLS // len(usual)), symbols * (CALLS // len(symbols))
    rows: list[tuple[str, Callable[..., float], Sequence[object], str]] = [
        ("parse, one string seen before", parse, ["BTCUSDT"] * CALLS, "> 8"),
        (f"parse, {len(usual)} strings seen before", parse, many_texts, "> 8"),
        ("parse, new strings", parse_new, different_texts(), "> 0.8"),
        ("refuse, strings that are no symbol", refuse, [f"BANANA{n}" for n in range(20_000)], ""),
        ("to_long", to_long, many_symbols, "> 15"),
        ("to_short", to_short, many_symbols, "> 15"),
        ("to_lower", to_lower, many_symbols, "> 15"),
        ("to_ccxt", to_ccxt, many_symbols, "> 15"),
        ("to_redis_key", to_redis_key, many_symbols, ""),
        ("look-up as a dict key", as_dict_key, many_symbols, ""),
    ]
    print(f"{'million calls per second':<36} {'net':>9} {'with loop':>10}   aim (net)")
    for name, action, items, aim in rows:
        print(f"{name:<36} {measure(action, items)}   {aim}".rstrip())


if __name__ == "__main__":
    main()
