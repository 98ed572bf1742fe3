from __future__ import annotations

import copy
import gzip
import json
import pickle
import string
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import FrozenInstanceError
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vela.domain import trading_symbol as module
from vela.domain.assets import QuoteCurrency as Quote
from vela.domain.assets import TradingPair, is_valid_asset_name
from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import TradingSymbol, is_valid_trading_symbol, register_assets, restored_symbol

BTC_USDT = TradingSymbol("BTC")
ETH_BTC = TradingSymbol("ETH", Quote.BTC)
ALL_SYMBOLS = [TradingSymbol(b, q) for b, q in product(sorted(module.registered_assets()), Quote) if b != q.value]
SOME_SYMBOLS = st.sampled_from(ALL_SYMBOLS)


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    before = module._registry
    forget_assets()
    yield
    module._registry = before


def forget_assets() -> None:
    module._registry = module._Registry()


def read(text: str, default_quote: Quote = Quote.USDT) -> str:
    return TradingSymbol.from_str(text, default_quote).to_ccxt()


@pytest.mark.parametrize(
    "text",
    ["BTC", "btc", " BTC ", "BTCUSDT", "btcusdt", "BTC/USDT", "BTC-USDT", "BTC_USDT", "bTc/uSdT", "XBT", "xbtusdt"],
)
def test_every_spelling_of_btc_usdt(text: str) -> None:
    assert TradingSymbol.from_str(text) == BTC_USDT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("ETHBTC", "ETH/BTC"), ("ETH/BTC", "ETH/BTC"), ("ETH/XBT", "ETH/BTC"), ("ETHXBT", "ETH/BTC")),
        *(("BTC-USD", "BTC/USD"), ("XBT/USD", "BTC/USD"), ("USDT/TRY", "USDT/TRY"), ("USDTTRY", "USDT/TRY")),
        *(("USDCUSDT", "USDC/USDT"), ("USDC", "USDC/USDT"), ("BTCUSDC", "BTC/USDC"), ("WBTC", "WBTC/USDT")),
        *(("W/BTC", "W/BTC"), ("WBTCBTC", "WBTC/BTC"), ("WBTC/BTC", "WBTC/BTC"), ("TUSDBTC", "TUSD/BTC")),
        *(("BTCBUSD", "BTC/BUSD"), ("BTCTUSD", "BTC/TUSD"), ("ETHFDUSD", "ETH/FDUSD"), ("TUSDUSDT", "TUSD/USDT")),
        *(("FOOBUSD", "FOO/BUSD"), ("FOOB/USD", "FOOB/USD"), ("FOOBUSDT", "FOOB/USDT"), ("FOOBTC", "FOO/BTC")),
        *(("BNBUSD", "BNB/USD"), ("DOTUSD", "DOT/USD"), ("BATUSD", "BAT/USD"), ("ARBUSD", "ARB/USD")),
    ],
)
def test_pairs_prefer_the_longer_quote_that_leaves_an_asset(text: str, expected: str) -> None:
    register_assets(["FOO", "FOOB", "W"])
    assert read(text) == expected


@pytest.mark.parametrize("asset", ["WBTC", "TBTC", "BUSD", "TUSD", "FDUSD", "PYUSD", "WBETH", "STETH", "AEUR", "AIXBT"])
def test_a_known_asset_is_preferred_to_a_split(asset: str) -> None:
    register_assets([asset.removesuffix(code) for code in ("BTC", "USD", "ETH", "EUR", "XBT") if asset.endswith(code)])
    assert read(asset) == f"{asset}/USDT"


def test_a_quote_is_added_to_bare_assets_only() -> None:
    assert read("ETH", Quote.BTC) == "ETH/BTC"
    assert read("ETHUSDT", Quote.BTC) == "ETH/USDT"
    assert read("USDT", Quote.EUR) == "USDT/EUR"
    assert read("ETH") == "ETH/USDT"
    assert TradingSymbol.from_config(TradingPair.BTC) == BTC_USDT
    assert TradingSymbol.from_config(TradingPair.ETH, Quote.BTC) == ETH_BTC
    with pytest.raises(TypeError, match="TradingPair"):
        TradingSymbol.from_config("BTC")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "   ", "banana", "USDT", "USD", "BTC:USDT", "BTC/USDT:USDT", "../BTC", "BTC/../ETH", "BTC USDT"),
        *("BTC\n", "\nBTC", "BTC\x00", "\x00", "BTC\tUSDT", "BTC\r", "\x1b[31mBTC", "BTC\x7f", "BTC\x85", "BTC\xa0"),
        *("A" * 200, "BTC" * 67, " " * 200 + "BTC", "BTC" + " " * 200, "\u202eBTC", "BTC\u200b", "BTC\u2066"),
        *("\uff22\uff34\uff23", "BTC\uff11", "\u0412\u0422\u0421", "\U0001d401TC", "\ud800", "\u0131CP", "\u017fOL"),
        *("BTC/", "/USDT", "/", "-", "_", "BTC//USDT", "BTC/-USDT", "BTC / USDT", "-BTC", "BTC-", "BTC/USDT/", "BTC?"),
        *(
            "BTCBTC",
            "BTC/BTC",
            "XBT/BTC",
            "BTC/XYZ",
            "XYZ/BTC",
            "USDT/USDT",
            "BTC,ETH",
            "1000SATS",
            "BTC;",
            "*",
            "None",
        ),
    ],
)
def test_what_is_no_symbol_is_refused(text: str) -> None:
    with pytest.raises(SymbolError, match=r"accepted: .*BTC/USDT.* quoted in USDT, USDC") as caught:
        TradingSymbol.from_str(text)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    assert not is_valid_trading_symbol(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("banana", r"^'banana' is no trading symbol: .*known asset.*; accepted: "),
        ("foo/usdt", r"'FOO' is no known asset"),
        ("BTC-FOO", r"'BTC' is not priced in 'FOO'"),
        ("USDT", r"^USDT/USDT .* nothing is priced in itself"),
        ("A" * 200, r"^'A{39}… is no trading symbol: it has more than 64"),
    ],
)
def test_messages_show_the_input_and_the_reason(text: str, message: str) -> None:
    with pytest.raises(SymbolError, match=message):
        TradingSymbol.from_str(text)


@pytest.mark.parametrize("value", [None, 123, [], {}, b"BTC", 1.5, BTC_USDT, ("BTC",), object()])
def test_what_is_no_text_is_a_type_error(value: Any) -> None:
    message = rf"^a trading symbol is read from a str such as 'BTC', not {type(value).__name__}$"
    for default_quote in Quote.USDT, Quote.BTC:
        with pytest.raises(TypeError, match=message):
            TradingSymbol.from_str(value, default_quote)
    with pytest.raises(TypeError, match=message):
        module.normalize_symbol(value)
    assert not is_valid_trading_symbol(value)
    with pytest.raises(TypeError, match="default_quote must be a QuoteCurrency, not"):
        TradingSymbol.from_str("BTC", value)


@pytest.mark.parametrize("base", ["btc", " BTC", "BTC ", "XBT", "BTCUSDT", "BANANA", "", "BTC/USDT", "B\nC", "A" * 200])
def test_the_constructor_reads_known_canonical_names_only(base: str) -> None:
    with pytest.raises(SymbolError, match="accepted: ") as caught:
        TradingSymbol(base)
    assert str(caught.value).isprintable()


def test_the_constructor_is_strict_about_types() -> None:
    with pytest.raises(TypeError, match="base must be a str"):
        TradingSymbol(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="quote must be a QuoteCurrency"):
        TradingSymbol("ETH", "BTC")  # type: ignore[arg-type]
    with pytest.raises(SymbolError, match="nothing is priced in itself"):
        TradingSymbol("USDT")
    assert type(TradingSymbol(TradingPair.BTC).base) is str


def test_a_symbol_cannot_be_changed_and_needs_no_identity() -> None:
    twin = module._build_symbol("BTC", Quote.USDT)
    assert twin is not BTC_USDT
    assert {BTC_USDT: 1}[twin] == 1
    for name in "base", "_long", "new":
        with pytest.raises(FrozenInstanceError):
            setattr(BTC_USDT, name, "ETH")
    with pytest.raises(FrozenInstanceError):
        del BTC_USDT.base
    assert not hasattr(BTC_USDT, "__dict__")


def test_formats() -> None:
    assert BTC_USDT.to_short() == "BTC"
    assert BTC_USDT.to_long() == BTC_USDT.to_binance_api() == "BTCUSDT"
    assert (BTC_USDT.to_lower(), BTC_USDT.to_ccxt(), BTC_USDT.to_coinbase()) == ("btcusdt", "BTC/USDT", "BTC-USDT")
    assert (BTC_USDT.to_kraken(), ETH_BTC.to_kraken()) == ("XBT/USDT", "ETH/XBT")
    assert TradingSymbol("WBTC").to_kraken() == "WBTC/USDT"
    assert (str(BTC_USDT), str(ETH_BTC), f"{BTC_USDT:>5}") == ("BTC", "ETH/BTC", "  BTC")
    assert repr(ETH_BTC) == "TradingSymbol('ETH', QuoteCurrency.BTC)"


def test_redis_keys_which_no_two_symbols_share() -> None:
    assert BTC_USDT.to_redis_key("price") == "price:BTC"
    assert module.get_redis_keys_for_symbols([ETH_BTC, BTC_USDT], "regime") == ["regime:ETH/BTC", "regime:BTC"]
    for prefix in "", "a b", "a\n", "\x00":
        with pytest.raises(ValueError, match="accepted"):
            BTC_USDT.to_redis_key(prefix)
    with pytest.raises(TypeError, match="prefix must be a str"):
        BTC_USDT.to_redis_key(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be TradingSymbols, not str"):
        module.get_redis_keys_for_symbols(["BTC"], "price")  # type: ignore[list-item]
    assert len({symbol.to_redis_key("price") for symbol in ALL_SYMBOLS}) == len(ALL_SYMBOLS)


def test_to_dict_and_back() -> None:
    assert BTC_USDT.to_dict() == {"base": "BTC", "quote": "USDT", "full": "BTCUSDT"}
    assert all(type(value) is str for value in BTC_USDT.to_dict().values())
    assert [TradingSymbol.from_dict(symbol.to_dict()) for symbol in ALL_SYMBOLS] == ALL_SYMBOLS
    with pytest.raises(TypeError, match="mapping"):
        TradingSymbol.from_dict("BTC")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        *({"full": "ETHUSDT"}, {"base": "ETH"}, {"quote": "USDC"}, {"quote": "XBT"}, {"base": "btc"}, {"extra": "1"}),
        *({"base": 1}, {"base": []}, {"quote": []}, {"quote": None}, {"full": None}, {"base": "\u202e\x00" * 99}),
    ],
)
def test_an_inconsistent_dict_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SymbolError, match="accepted: ") as caught:
        TradingSymbol.from_dict(BTC_USDT.to_dict() | changes)
    assert str(caught.value).isprintable()
    with pytest.raises(SymbolError):
        TradingSymbol.from_dict(dict.fromkeys(changes, "BTC"))


def test_html_is_escaped() -> None:
    assert "<b>BTC</b>/USDT" in BTC_USDT._repr_html_()
    hostile = module._build_symbol("<script>&\"'", Quote.USDT)
    assert "<b>&lt;script&gt;&amp;&quot;&#x27;</b>" in hostile._repr_html_()


def test_normalize_symbol() -> None:
    for text in "BTC", "btcusdt", " BTC/USDT ":
        assert module.normalize_symbol(text) == module.normalize_symbol(text, format="short") == "BTC"
        assert module.normalize_symbol(text, format="long") == "BTCUSDT"
        assert module.normalize_symbol(text, format="lower") == "btcusdt"
    with pytest.raises(ValueError, match="accepted: short, long, lower"):
        module.normalize_symbol("BTC", format="upper")  # type: ignore[arg-type]


def test_symbol_lists() -> None:
    expected = [BTC_USDT, ETH_BTC, TradingSymbol("ETH")]
    assert module.parse_symbol_list("BTC, ETHBTC ,btcusdt,ETH") == expected
    assert module.parse_symbol_list(["XBT", ETH_BTC, "BTC", "ETH"]) == expected
    assert module.parse_symbol_list(iter(expected)) == expected
    assert module.parse_symbol_list([]) == []
    assert module.parse_symbol_list("ETH", Quote.BTC) == [ETH_BTC]


@pytest.mark.parametrize(
    ("symbols", "error", "message"),
    [
        ("BTC,banana,ETH", SymbolError, r"^item 2 of the symbol list: 'banana' is no"),
        ("BTC,,ETH", SymbolError, r"^item 2 of the symbol list: '' is no trading symbol: it is empty"),
        ("", SymbolError, r"^item 1 "),
        (["BTC", "x\n"], SymbolError, r"^item 2 of the symbol list: 'x\\n'"),
        (["BTC", None], TypeError, r"^item 2 of the symbol list: .*not NoneType"),
        (None, TypeError, r"^symbols must be text"),
    ],
)
def test_a_bad_item_of_a_list_is_named(symbols: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        module.parse_symbol_list(symbols)


@pytest.mark.parametrize("other", ["BTC", "BTC/USDT", None, 1, ("BTC", "USDT"), TradingPair.BTC, object()])
def test_comparison_with_anything_else(other: Any) -> None:
    assert (other == BTC_USDT) is False
    assert (other != BTC_USDT) is True
    for compare in "__eq__", "__lt__", "__le__", "__gt__", "__ge__":
        assert getattr(BTC_USDT, compare)(other) is NotImplemented
    with pytest.raises(TypeError):
        sorted([BTC_USDT, other])


@given(SOME_SYMBOLS, SOME_SYMBOLS)
def test_order_and_hash_agree_with_the_sort_key(left: TradingSymbol, right: TradingSymbol) -> None:
    left_key, right_key = (left.base, left.quote.value), (right.base, right.quote.value)
    assert (left < right) == (left_key < right_key)
    assert (left <= right) == (left_key <= right_key)
    assert (left > right) == (left_key > right_key)
    assert (left >= right) == (left_key >= right_key)
    assert (left == right) == (left_key == right_key) == (hash(left) == hash(right))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_copies_and_pickles_are_equal_and_bring_their_asset_along(protocol: int) -> None:
    register_assets(["1000SATS"])
    for symbol in BTC_USDT, ETH_BTC, TradingSymbol("1000SATS"):
        assert {symbol: [symbol]} == copy.deepcopy({symbol: [copy.copy(symbol)]})
        data = pickle.dumps(symbol, protocol)
        forget_assets()
        again = pickle.loads(data)  # noqa: S301 - our own bytes
        assert {again} == {symbol} == {TradingSymbol.from_str(str(symbol))}
        register_assets(["1000SATS"])


def test_every_symbol_known_from_the_start_comes_back_from_every_format_that_holds_its_quote() -> None:
    for s in ALL_SYMBOLS:
        texts = [str(s), s.to_ccxt(), s.to_coinbase(), s.to_kraken(), s.to_long(), s.to_lower(), s.to_ccxt().lower()]
        assert [TradingSymbol.from_str(text) for text in texts] == [s] * len(texts)


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(alphabet=string.ascii_letters + "/-_: ", max_size=12),
    st.lists(st.sampled_from([*Quote, "W", "B", "XBT", "/", "-", "_", " ", "\n", "\x00", "\u202e"])).map("".join),
    st.builds(lambda symbol, junk: symbol.to_ccxt() + junk, SOME_SYMBOLS, st.text(max_size=2)),
)


@given(HOSTILE, st.sampled_from(Quote))
@example("\ud800", Quote.USDT)
@example("ETHBTC", Quote.ETH)
def test_text_is_a_symbol_that_round_trips_or_a_symbol_error(text: str, default_quote: Quote) -> None:
    symbol = None
    with suppress(SymbolError):
        symbol = TradingSymbol.from_str(text, default_quote)
    if symbol:
        assert TradingSymbol.from_str(text, default_quote) == TradingSymbol.from_str(str(symbol)) == symbol
        assert symbol.base != symbol.quote.value
    else:
        with pytest.raises(SymbolError) as caught:
            TradingSymbol.from_str(text, default_quote)
        assert str(caught.value).isprintable()


LISTED = ["1000SATS", "1INCH", "00", "\u5e01\u5b89\u4eba\u751f", "\ud55c\uad6d", "\u30c9\u30b8", "T", "EUR"]


@pytest.mark.parametrize("asset", LISTED)
def test_listed_assets_are_symbols_once_registered(asset: str) -> None:
    assert not is_valid_trading_symbol(asset)
    register_assets(LISTED)
    symbol = TradingSymbol(asset)
    for text in asset, asset.lower(), symbol.to_long(), symbol.to_lower():
        assert TradingSymbol.from_str(text) == symbol
    assert symbol.to_redis_key("price") == f"price:{asset}"
    assert asset in module.registered_assets()


@pytest.mark.parametrize("name", ["", "btc", "A/B", "A" * 33, "A\n", "\u0412\u0422\u0421"])
def test_a_bad_name_registers_nothing(name: str) -> None:
    before = module.registered_assets()
    with pytest.raises(SymbolError, match="is no asset name; accepted: ") as caught:
        register_assets(["GOOD", name])
    assert str(caught.value).isprintable()
    for names in "BTC", [None], None:
        with pytest.raises(TypeError):
            register_assets(names)  # type: ignore[arg-type]
    assert module.registered_assets() == before


def test_known_assets_and_aliases_are_passed_over() -> None:
    before = module.registered_assets()
    register_assets(["BTC", "XBT", "USDT"])
    assert module.registered_assets() == before
    assert "XBT" not in before
    assert read("XBT") == "BTC/USDT"


def test_a_later_asset_does_not_take_over_text_that_was_a_symbol() -> None:
    register_assets(["FOO"])
    meanings = {"FOOBTC": "FOO/BTC", "BNBUSD": "BNB/USD", "BTCUSDT": "BTC/USDT"}
    assert {text: read(text) for text in meanings} == meanings
    register_assets(["FOOBTC", "BN", "BTCUSDT"])
    assert {text: read(text) for text in meanings} == meanings
    for base in "FOOBTC", "BN", "BTCUSDT":
        assert read(str(TradingSymbol(base))) == read(f"{base}/USDT") == f"{base}/USDT"


def test_text_and_key_of_a_symbol_do_not_depend_on_what_was_registered_first() -> None:
    texts = set()
    for batches in [["FOO", "FOOBTC"]], [["FOOBTC", "FOO"]], [["FOO"], ["FOOBTC"]], [["FOOBTC"], ["FOO"]]:
        forget_assets()
        for batch in batches:
            register_assets(batch)
        symbol = TradingSymbol("FOOBTC")
        assert TradingSymbol.from_str(str(symbol)) == symbol
        assert read("FOOBTC") == ("FOO/BTC" if batches[0] == ["FOO"] else "FOOBTC/USDT")
        texts.add((str(symbol), symbol.to_redis_key("price")))
    assert texts == {("FOOBTC/USDT", "price:FOOBTC/USDT")}


PARTS = st.sampled_from(["A", "B", "T", "W", "BTC", "USD", "USDT", "FD", "XBT", "EUR"])
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("".join)


@given(st.lists(st.lists(NAMES, max_size=4), max_size=4), st.lists(NAMES, min_size=1, max_size=30))
def test_registering_adds_meanings_and_changes_none(batches: list[list[str]], texts: list[str]) -> None:
    forget_assets()
    meanings: dict[str, TradingSymbol] = {}
    for batch in batches:
        register_assets(batch)
        for text in filter(is_valid_trading_symbol, [*texts, *module.registered_assets()]):
            symbol = TradingSymbol.from_str(text)
            assert meanings.setdefault(text, symbol) == symbol == module._registry.parse(text, Quote.USDT)
    new = module.registered_assets() - set(TradingPair)
    symbols = [TradingSymbol(base, quote) for base, quote in product(new, Quote) if base != quote]
    assert all(TradingSymbol.from_str(str(symbol)) == symbol for symbol in symbols)
    assert len({symbol.to_redis_key("k") for symbol in [*symbols, *ALL_SYMBOLS]}) == len({*symbols, *ALL_SYMBOLS})


def test_hostile_text_cannot_make_the_cache_grow() -> None:
    cache = module._registry.parsed[Quote.USDT]
    spellings = {"".join(letters) for letters in product(("", " "), *((c, c.lower()) for c in "VIRTUALFDUSD"))}
    assert len(spellings) > module._MAX_CACHED_TEXTS
    for text in spellings:
        TradingSymbol.from_str(text)
        assert len(cache) <= module._MAX_CACHED_TEXTS
    assert not is_valid_trading_symbol("banana")
    assert "banana" not in cache


def test_a_reader_sees_all_of_a_batch_or_none() -> None:
    before = dict(seen := module._registry.ranks)
    register_assets(["FOO", "FOOBTC"])
    assert seen == before
    assert module._registry.ranks.keys() - before.keys() == {"FOO", "FOOBTC"}


def test_threads_that_read_while_others_register() -> None:
    count = 60
    expected = {"BTCUSDT": "BTC/USDT"}
    for number in range(count):
        expected |= {f"N{number}EUR": f"N{number}EUR/USDT", f"N{number}BTC": f"N{number}/BTC"}
    registered = threading.Event()

    def read_all() -> list[object]:
        wrong: list[object] = []
        while not wrong and not registered.is_set():
            for text, meaning in expected.items():
                with suppress(SymbolError):
                    if (got := read(text)) != meaning:
                        wrong.append((text, got))
        return wrong

    def register(first: int) -> None:
        for number in range(first, count, 2):
            register_assets([f"N{number}", f"N{number}EUR"])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(6) as pool:
            readers = [pool.submit(read_all) for _ in range(4)]
            for writer in [pool.submit(register, first) for first in (0, 1)]:
                writer.result()
            registered.set()
            assert [reader.result() for reader in readers] == [[]] * 4
    finally:
        registered.set()
        sys.setswitchinterval(interval)
    assert {text: read(text) for text in expected} == expected


def misread(file: Path, markets: str, base: str, quote: str, text: str) -> set[str]:
    content = json.loads(gzip.decompress(file.read_bytes()))[markets]
    listed = [m for m in content if is_valid_asset_name(m[base])]
    register_assets(m[base] for m in listed)
    known = [(m[text], f"{m[base]}/{m[quote]}") for m in listed if m[quote] in set(Quote)]
    assert len(known) > 500
    assert all(read(str(TradingSymbol.from_str(pair))) == pair for _, pair in known)
    return {name for name, pair in known if read(name) != pair}


@pytest.mark.parametrize(("day", "ambiguous"), [("2021-10-12", {"RENBTC", "ARBUSD"}), ("2024-09-08", {"WBTC"})])
def test_every_market_of_binance(shared_data: Path, day: str, ambiguous: set[str]) -> None:
    file = shared_data / f"metadata/binance_exchangeInfo_{day}.json.gz"
    assert misread(file, "symbols", "baseAsset", "quoteAsset", "symbol") == ambiguous


def test_every_market_of_coinbase(shared_data: Path) -> None:
    file = shared_data / "metadata/coinbase_advanced_products_2026-08-09.json.gz"
    assert misread(file, "products", "base_currency_id", "quote_currency_id", "product_id") == set()


def test_every_market_of_kraken(shared_data: Path) -> None:
    file = shared_data / "metadata/kraken_AssetPairs_2021-04-17.json.gz"
    pairs = json.loads(gzip.decompress(file.read_bytes()))["result"].values()
    names = [pair["wsname"] for pair in pairs if "wsname" in pair]
    register_assets(base for base in (name.split("/")[0] for name in names) if is_valid_asset_name(base))
    readable = [name for name in names if is_valid_trading_symbol(name)]
    assert len(readable) > 280
    assert [TradingSymbol.from_str(name).to_kraken() for name in readable] == readable


def test_stored_parts_become_the_symbol_of_an_asset_not_met_before() -> None:
    assert restored_symbol("ETH", "BTC") == ETH_BTC
    assert "1000SATS" not in module.registered_assets()
    assert restored_symbol("1000SATS", "USDT") == TradingSymbol.from_str("1000SATS/USDT")


@pytest.mark.parametrize(
    ("base", "quote"), [("BTC", "btc"), ("BTC", ""), ("", "USDT"), ("B TC", "USDT"), ("BTC", "BTC")]
)
def test_stored_parts_of_no_symbol_are_refused(base: str, quote: str) -> None:
    with pytest.raises(SymbolError):
        restored_symbol(base, quote)
