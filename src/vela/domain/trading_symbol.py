"""What is traded: an asset and the currency it is priced in, as one value.

Text becomes a `TradingSymbol` once, at the edge; inside, only symbols travel. Nothing is guessed: a base must be a
known asset – one of `TradingPair`, USDT, or one that `register_assets` took from an exchange's market list – and a
quote must be a `QuoteCurrency`.

One compact text can have several readings: WBTC is an asset and could be W/BTC; BTCBUSD is BTC/BUSD or BTCB/USD.
Exchanges really list both, so what they send is best read from their base and quote fields, or with a separator.
Three rules decide, in this order:

1. The asset that has been known longest wins. Registering assets therefore adds meanings and never changes one:
   whatever was a symbol stays the same symbol, and no cached result ever has to be forgotten.
2. A known asset is preferred to a split into asset and quote.
3. A longer quote is preferred to a shorter one.

Text with a separator (BTC/USDT) has one reading only. `str(symbol)` uses it for every quote but USDT, and for an asset
registered later whose bare name could be taken for a split (XYZBTC/USDT). It depends on nothing but base and quote:
every process writes the same text, hence the same key.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import FrozenInstanceError
from functools import total_ordering
from typing import Final, Literal, NoReturn, final

from vela.domain.assets import MAX_ASSET_LENGTH, QuoteCurrency, TradingPair, is_valid_asset_name
from vela.domain.errors import SymbolError

_BUILT_IN: Final = frozenset(pair.value for pair in TradingPair) | {"USDT"}
_ALIASES: Final = {"XBT": "BTC"}
_KRAKEN_NAMES: Final = {"BTC": "XBT"}
_QUOTES: Final = {q.value: q for q in QuoteCurrency} | {alias: QuoteCurrency(name) for alias, name in _ALIASES.items()}
# Where a text may be cut into asset and quote, longest quote first.
_CUTS: Final = [(slice(None, -n), slice(-n, None)) for n in sorted({len(code) for code in _QUOTES}, reverse=True)]
_SEPARATORS: Final = "/-_"
_ASCII_UPPER: Final = {ord(lower): lower.upper() for lower in "abcdefghijklmnopqrstuvwxyz"}
_MAX_TEXT_LENGTH: Final = 64
_MAX_CACHED_TEXTS: Final = 4096
_UNKNOWN_RANK: Final = 1 << 62
_PAIRS: Final = "BTCUSDT, BTC/USDT, BTC-USDT, BTC_USDT"
_ACCEPTED: Final = f"accepted: a known asset (BTC) or a pair ({_PAIRS}) quoted in {', '.join(QuoteCurrency)}"


def _shown(text: str) -> str:
    # repr() escapes control, bidi and other invisible characters; the cut keeps a log line a line.
    shown = repr(text[:40])
    return shown if len(text) <= 40 and len(shown) <= 42 else shown[:40] + "…"


def _could_be_split(asset: str) -> bool:
    return any(asset.endswith(code) and asset != code for code in _QUOTES)


@final
@total_ordering
class TradingSymbol:
    """An asset and the currency it is priced in: immutable, hashable, ordered by base, then quote.

    Attributes:
        base: The asset in canonical upper case, such as ``"BTC"``.
        quote: The currency of its price.
    """

    __slots__ = ("_coinbase", "_hash", "_key", "_kraken", "_long", "_lower", "_pair", "_text", "base", "quote")
    __match_args__ = ("base", "quote")

    base: str
    quote: QuoteCurrency
    _coinbase: str
    _hash: int
    _key: tuple[str, str]
    _kraken: str
    _long: str
    _lower: str
    _pair: str
    _text: str

    def __new__(cls, base: str, quote: QuoteCurrency = QuoteCurrency.USDT) -> TradingSymbol:
        """Return the symbol of a known asset; unlike `from_str`, this reads canonical names only.

        Args:
            base: A known asset, upper case, no spaces, no alias.
            quote: The currency of its price.

        Raises:
            TypeError: `base` is no str or `quote` no QuoteCurrency.
            SymbolError: The asset is unknown, not canonical, or its own quote.
        """
        if not isinstance(base, str):
            raise TypeError(f"base must be a str such as 'BTC', not {type(base).__name__}")
        if not isinstance(quote, QuoteCurrency):
            raise TypeError(f"quote must be a QuoteCurrency such as QuoteCurrency.USDT, not {type(quote).__name__}")
        if base in _ALIASES or base not in _registry.ranks:
            raise SymbolError(f"base {_shown(base)} is no known asset; accepted: its canonical name, such as 'BTC'")
        return _registry.symbol(str(base), quote)

    @staticmethod
    def from_str(text: str, default_quote: QuoteCurrency = QuoteCurrency.USDT) -> TradingSymbol:
        """Read ``BTC``, ``BTCUSDT``, ``BTC/USDT``, ``BTC-USDT`` or ``BTC_USDT``, in any case, spaces around allowed.

        XBT is read as BTC. See the module's text for what wins where two readings are possible.

        Args:
            text: At most 64 characters.
            default_quote: Quote of a text that names an asset only.

        Raises:
            TypeError: `text` is no str or `default_quote` no QuoteCurrency.
            SymbolError: The text is no symbol; the message shows it safely and says what is accepted.
        """
        try:
            return _registry.parsed[default_quote][text]
        except (KeyError, TypeError):
            _require_types(text, default_quote)
            raise

    @staticmethod
    def from_config(pair: TradingPair, quote: QuoteCurrency = QuoteCurrency.USDT) -> TradingSymbol:
        """Return the symbol of an asset known from the start.

        Raises:
            TypeError: `pair` is no TradingPair or `quote` no QuoteCurrency.
            SymbolError: The asset is its own quote.
        """
        if not isinstance(pair, TradingPair):
            raise TypeError(f"pair must be a TradingPair such as TradingPair.BTC, not {type(pair).__name__}")
        return TradingSymbol(pair.value, quote)

    @staticmethod
    def from_dict(data: Mapping[str, str]) -> TradingSymbol:
        """Return the symbol that `to_dict` described.

        Raises:
            TypeError: `data` is no mapping.
            SymbolError: Keys or values are not exactly what `to_dict` gives.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"a symbol is read from a mapping such as to_dict() gives, not {type(data).__name__}")
        with suppress(KeyError, TypeError, ValueError):
            symbol = TradingSymbol(data["base"], QuoteCurrency(data["quote"]))
            if dict(data) == symbol.to_dict():
                return symbol
        raise SymbolError(
            f"{_shown(str(dict(data)))} describes no trading symbol; "
            'accepted: {"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}, the three in agreement, no other keys'
        )

    def to_short(self) -> str:
        """Return the asset alone, ``BTC``; the quote is lost."""
        return self.base

    def to_long(self) -> str:
        """Return asset and quote without a separator, ``BTCUSDT``."""
        return self._long

    def to_lower(self) -> str:
        """Return the long form in lower case, ``btcusdt``."""
        return self._lower

    def to_binance_api(self) -> str:
        """Return Binance's form, ``BTCUSDT``."""
        return self._long

    def to_ccxt(self) -> str:
        """Return ccxt's unified form, ``BTC/USDT``."""
        return self._pair

    def to_coinbase(self) -> str:
        """Return Coinbase's form, ``BTC-USDT``."""
        return self._coinbase

    def to_kraken(self) -> str:
        """Return Kraken's form, in which BTC is called XBT: ``XBT/USDT``."""
        return self._kraken

    def to_redis_key(self, prefix: str) -> str:
        """Return the key ``prefix:BTC``, or ``prefix:ETH/BTC`` for a quote other than USDT; no two symbols share one.

        Raises:
            TypeError: `prefix` is no str.
            ValueError: `prefix` is empty or holds spaces or unprintable characters.
        """
        if not isinstance(prefix, str):
            raise TypeError(f"prefix must be a str such as 'price', not {type(prefix).__name__}")
        if not prefix or not prefix.isprintable() or " " in prefix:
            raise ValueError(f"prefix {_shown(prefix)} cannot begin a key; accepted: printable text without spaces")
        return f"{prefix}:{self._text}"

    def to_dict(self) -> dict[str, str]:
        """Return ``{"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}``."""
        return {"base": self.base, "quote": self.quote.value, "full": self._long}

    def _repr_html_(self) -> str:
        return f'<span class="trading-symbol"><b>{html.escape(self.base)}</b>/{html.escape(self.quote.value)}</span>'

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"TradingSymbol({self.base!r}, QuoteCurrency.{self.quote.name})"

    def __format__(self, spec: str) -> str:
        return format(self._text, spec)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, TradingSymbol) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._key < other._key if isinstance(other, TradingSymbol) else NotImplemented

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"a TradingSymbol cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"a TradingSymbol cannot be changed: {name}")

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return restored_symbol, (self.base, self.quote.value)


def _build_symbol(base: str, quote: QuoteCurrency) -> TradingSymbol:
    code = quote.value
    bare = quote is QuoteCurrency.USDT and (base in _BUILT_IN or not _could_be_split(base))
    slots = {
        "base": base,
        "quote": quote,
        "_key": (base, code),
        "_hash": hash((base, code)),
        "_long": base + code,
        "_lower": (base + code).lower(),
        "_pair": f"{base}/{code}",
        "_coinbase": f"{base}-{code}",
        "_kraken": f"{_KRAKEN_NAMES.get(base, base)}/{_KRAKEN_NAMES.get(code, code)}",
        "_text": base if bare else f"{base}/{code}",
    }
    symbol = object.__new__(TradingSymbol)
    for name, value in slots.items():
        object.__setattr__(symbol, name, value)
    return symbol


def restored_symbol(base: str, quote: str) -> TradingSymbol:
    """Return the symbol that was stored, or sent by another process, as `base` and `quote`.

    It was a symbol when it was written; the process that reads it may not have seen the market list that named the
    asset, so the asset is registered here.

    Raises:
        SymbolError: these were never the parts of a symbol.
    """
    if quote not in QuoteCurrency.__members__:
        raise SymbolError(f"stored quote {_shown(quote)} is unknown; accepted: {', '.join(QuoteCurrency)}")
    register_assets([base])
    return TradingSymbol(base, QuoteCurrency(quote))


def _require_types(text: object, default_quote: object) -> None:
    if not isinstance(text, str):
        raise _wrong_text(text) from None
    if not isinstance(default_quote, QuoteCurrency):
        raise TypeError(f"default_quote must be a QuoteCurrency, not {type(default_quote).__name__}") from None


class _ParsedTexts(dict[str, TradingSymbol]):
    # Holds valid texts only, and is emptied when full: hostile input cannot make it grow.
    __slots__ = ("_default_quote", "_registry")

    def __init__(self, registry: _Registry, default_quote: QuoteCurrency) -> None:
        self._registry = registry
        self._default_quote = default_quote

    def __missing__(self, text: str) -> TradingSymbol:
        symbol = self._registry.parse(text, self._default_quote)
        if len(self) >= _MAX_CACHED_TEXTS:
            self.clear()
        self[text] = symbol
        return symbol


class _Registry:
    """Known assets, their symbols, and the texts read so far."""

    __slots__ = ("_lock", "_symbols", "parsed", "ranks")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._symbols: dict[QuoteCurrency, dict[str, TradingSymbol]] = {quote: {} for quote in QuoteCurrency}
        # Name -> number of the batch it came with; replaced as a whole, so that a reader sees all of a batch or none.
        self.ranks: Mapping[str, int] = dict.fromkeys(_BUILT_IN | _ALIASES.keys(), 0)
        self.parsed = {quote: _ParsedTexts(self, quote) for quote in QuoteCurrency}

    def register(self, names: Iterable[str]) -> None:
        with self._lock:
            new = {name for name in names if name not in self.ranks}
            if new:
                self.ranks = {**self.ranks, **dict.fromkeys(new, max(self.ranks.values()) + 1)}

    def symbol(self, name: str, quote: QuoteCurrency) -> TradingSymbol:
        base = _ALIASES.get(name, name)
        if base == quote:
            raise SymbolError(f"{base}/{quote} is no trading symbol: nothing is priced in itself; {_ACCEPTED}")
        known = self._symbols[quote]
        symbol = known.get(base) or known.setdefault(base, _build_symbol(base, quote))
        return known.setdefault(name, symbol)

    def parse(self, text: object, default_quote: QuoteCurrency) -> TradingSymbol:
        if not isinstance(text, str):
            raise _wrong_text(text)
        if len(text) > _MAX_TEXT_LENGTH:
            raise _refusal(text, f"it has more than {_MAX_TEXT_LENGTH} characters")
        # Only ASCII letters have cases here: str.upper() would turn a dotless i into I.
        name = text.strip(" ").upper() if text.isascii() else text.strip(" ").translate(_ASCII_UPPER)
        ranks = self.ranks
        base, quote, rank = name, default_quote, ranks.get(name, _UNKNOWN_RANK)
        for start, end in _CUTS:
            if not rank:
                break  # nothing outranks an asset known from the start
            ending = name[end]
            if ending in _QUOTES:
                asset = name[start]
                if asset and asset[-1] in _SEPARATORS:
                    asset = asset[:-1]
                if ranks.get(asset, _UNKNOWN_RANK) < rank:
                    base, quote, rank = asset, _QUOTES[ending], ranks[asset]
        if rank == _UNKNOWN_RANK:
            raise _refusal(text, _reason(name, ranks))
        return self._symbols[quote].get(base) or self.symbol(base, quote)


def _wrong_text(text: object) -> TypeError:
    return TypeError(f"a trading symbol is read from a str such as 'BTC', not {type(text).__name__}")


def _refusal(text: str, reason: str) -> SymbolError:
    return SymbolError(f"{_shown(text)} is no trading symbol: {reason}; {_ACCEPTED}")


def _reason(name: str, assets: Mapping[str, int]) -> str:
    if not name:
        return "it is empty"
    if not all(character.isalnum() or character in _SEPARATORS for character in name):
        return "it holds characters other than letters, digits and one separator"
    for separator in _SEPARATORS:
        base, found, quote = name.partition(separator)
        if found and base not in assets:
            return f"{_shown(base)} is no known asset"
        if found:
            return f"{_shown(base)} is not priced in {_shown(quote)}"
    return "it is neither a known asset nor a known asset followed by a quote"


_registry = _Registry()


def register_assets(names: Iterable[str]) -> None:
    """Make assets known that an exchange lists at run time, all of them at once or none.

    Assets are only ever added, and text that was a symbol before keeps its meaning. Safe to call from any thread.

    Args:
        names: Names for which `is_valid_asset_name` holds, best one call per market list: within a call the order
            does not matter. Known assets and aliases (XBT) are passed over.

    Raises:
        TypeError: `names` is a single str, or a name is no str.
        SymbolError: A name is not valid; nothing was registered.
    """
    if isinstance(names, str):
        raise TypeError("names must be an iterable of asset names, not a single str")
    assets = list(names)
    for name in assets:
        if not isinstance(name, str):
            raise TypeError(f"an asset's name must be a str, not {type(name).__name__}")
        if not is_valid_asset_name(name):
            raise SymbolError(
                f"{_shown(name)} is no asset name; "
                f"accepted: 1 to {MAX_ASSET_LENGTH} characters A-Z, 0-9, or Chinese, Japanese or Korean letters"
            )
    _registry.register(assets)


def registered_assets() -> frozenset[str]:
    """Return every known asset: those known from the start and those registered since."""
    return frozenset(_registry.ranks) - _ALIASES.keys()


def parse_symbol_list(
    symbols: str | Iterable[str | TradingSymbol], default_quote: QuoteCurrency = QuoteCurrency.USDT
) -> list[TradingSymbol]:
    """Read several symbols, as in ``"BTC,ETH"`` or ``["BTC", "ETH/BTC"]``; repetitions are dropped, the order is kept.

    Raises:
        TypeError: `symbols` is neither text nor iterable, or an item is neither text nor symbol.
        SymbolError: An item is no symbol; the message says which.
    """
    if not isinstance(symbols, Iterable):
        raise TypeError(f"symbols must be text such as 'BTC,ETH' or an iterable, not {type(symbols).__name__}")
    found: dict[TradingSymbol, None] = {}
    for position, item in enumerate(symbols.split(",") if isinstance(symbols, str) else symbols, start=1):
        try:
            found[item if isinstance(item, TradingSymbol) else TradingSymbol.from_str(item, default_quote)] = None
        except (SymbolError, TypeError) as error:
            raise type(error)(f"item {position} of the symbol list: {error}") from None
    return list(found)


def get_redis_keys_for_symbols(symbols: Iterable[TradingSymbol], prefix: str) -> list[str]:
    """Return `TradingSymbol.to_redis_key` of each symbol, in order.

    Raises:
        TypeError: An item is no TradingSymbol or `prefix` no str.
        ValueError: `prefix` cannot begin a key.
    """
    keys = []
    for symbol in symbols:
        if not isinstance(symbol, TradingSymbol):
            raise TypeError(f"symbols must be TradingSymbols, not {type(symbol).__name__}; from_str() reads text")
        keys.append(symbol.to_redis_key(prefix))
    return keys


def normalize_symbol(text: str, format: Literal["short", "long", "lower"] = "short") -> str:  # noqa: A002
    """Return the text's symbol in another form; kept for callers that predate `TradingSymbol`.

    Args:
        text: Anything that `TradingSymbol.from_str` reads.
        format: ``"short"`` (BTC), ``"long"`` (BTCUSDT) or ``"lower"`` (btcusdt).

    Raises:
        TypeError: `text` is no str.
        SymbolError: The text is no symbol.
        ValueError: The format is unknown.
    """
    symbol = TradingSymbol.from_str(text)
    forms = {"short": symbol.base, "long": symbol.to_long(), "lower": symbol.to_lower()}
    if format not in forms:
        raise ValueError(f"unknown format {format!r}; accepted: {', '.join(forms)}")
    return forms[format]


def is_valid_trading_symbol(text: object) -> bool:
    """Tell whether `TradingSymbol.from_str` reads this; never raises."""
    try:
        TradingSymbol.from_str(text)  # type: ignore[arg-type]
    except (SymbolError, TypeError):
        return False
    return True
