"""Judges the keys: whose they are, how they are written, how old they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec

from vela.adapters.audit.findings import Finding, Fix, Move, Problem, Remove
from vela.adapters.audit.snapshot import KINDS, KeyState, Snapshot, SymbolsInUse
from vela.adapters.bus.redis.names import Names
from vela.adapters.latest_values.redis import ACTIVE
from vela.domain.assets import is_valid_asset_name
from vela.domain.errors import SymbolError
from vela.domain.events import Topic
from vela.domain.trading_symbol import TradingSymbol, get_redis_keys_for_symbols, restored_symbol
from vela.ports.latest_values import PRICES, LatestValue

_FUTURE_MS = 60_000


class _Valued(msgspec.Struct, frozen=True):
    """A latest value as it lies there. `value`: None: it cannot be read."""

    key: KeyState
    prefix: str
    symbol: TradingSymbol
    value: LatestValue | None


def read_symbol(text: str) -> TradingSymbol:
    """Read a symbol from a key or from the list of those in use.

    Another process may know assets from a market list that was never seen here. Written as Vela writes them, they are
    taken at its word.

    Raises:
        SymbolError: it is no symbol.
    """
    try:
        return TradingSymbol.from_str(text)
    except SymbolError:
        base, slash, quote = text.partition("/")
        if not is_valid_asset_name(base) or bool(slash) != bool(quote):
            raise
        return restored_symbol(base, quote or "USDT")


def symbols_in_use(snapshot: Snapshot, given: Iterable[TradingSymbol] = ()) -> SymbolsInUse:
    """Return those of the list in Redis and those given besides."""
    listed = next((key for key in snapshot.keys if key.name == ACTIVE), None)
    texts: list[str] = []
    if listed is not None and listed.value is not None:
        with suppress(msgspec.MsgspecError):
            texts = msgspec.json.decode(listed.value, type=list[str])
    symbols, unreadable, misspelt = set(given), [], []
    for text in texts:
        try:
            symbol = read_symbol(text)
        except SymbolError:
            unreadable.append(text)
            continue
        symbols.add(symbol)
        if str(symbol) != text:
            misspelt.append(text)
    return SymbolsInUse(frozenset(symbols), tuple(unreadable), tuple(misspelt))


def judge_keys(snapshot: Snapshot, in_use: SymbolsInUse, *, stale_ms: int) -> list[Finding]:
    """Return what is wrong with the keys, in the order of their names.

    Args:
        snapshot: what is there.
        in_use: whose values are wanted. Where none is known, no key counts as unused.
        stale_ms: the age from which a price is stale.
    """
    findings = [*_judge_list(snapshot, in_use), *_judge_names(snapshot)]
    valued, rest = _read_values(snapshot)
    findings += rest
    spellings: defaultdict[tuple[str, TradingSymbol], list[_Valued]] = defaultdict(list)
    for one in valued:
        spellings[one.prefix, one.symbol].append(one)
    for (prefix, symbol), found in spellings.items():
        [right] = get_redis_keys_for_symbols([symbol], prefix)
        well = next((one for one in found if one.key.name == right), None)
        findings += _misspelt([one for one in found if one is not well], right, well)
        if well is not None:
            findings += _judge_value(well, snapshot.time, in_use, stale_ms)
    return sorted(findings, key=lambda finding: (finding.key, finding.problem))


def _judge_list(snapshot: Snapshot, in_use: SymbolsInUse) -> list[Finding]:
    findings = [
        Finding(Problem.UNKNOWN_SYMBOL, ACTIVE, f"it names {text[:40]!r}, which is no symbol: that one is not traded")
        for text in in_use.unreadable
    ]
    findings += [
        Finding(Problem.MISSPELT, ACTIVE, f"it names {text[:40]!r} where Vela writes {read_symbol(text)}")
        for text in in_use.misspelt
    ]
    listed = next((key for key in snapshot.keys if key.name == ACTIVE), None)
    if listed is not None and listed.type == "string" and not _is_list(listed.value):
        findings.append(Finding(Problem.UNREADABLE, ACTIVE, "it is no JSON list of symbols"))
    elif not in_use.symbols and any(key.name.partition(":")[0] in KINDS for key in snapshot.keys):
        findings.append(
            Finding(Problem.NO_SYMBOLS, ACTIVE, "nothing says which symbols are in use; --symbols BTC,ETH says it here")
        )
    return findings


def _is_list(value: bytes | None) -> bool:
    try:
        msgspec.json.decode(value or b"", type=list[str])
    except msgspec.MsgspecError:
        return False
    return True


def _judge_names(snapshot: Snapshot) -> list[Finding]:
    names = Names(tagged=snapshot.tagged)
    types = {ACTIVE: "string", names.clock: "string", names.lives: "string"}
    types |= {names.stream(topic): "stream" for topic in Topic} | {names.dead(topic): "stream" for topic in Topic}
    told = tuple(names.told(topic, "") for topic in Topic)
    findings = []
    for key in snapshot.keys:
        if key.name.partition(":")[0] in KINDS:
            wanted = "string"
        elif key.name in types or key.name.startswith(told):
            wanted = types.get(key.name, "string")
        else:
            findings.append(Finding(Problem.UNKNOWN_KEY, key.name, "this program knows no such key"))
            continue
        if key.type != wanted:
            sentence = f"it is a {key.type}; accepted: a {wanted}. Another program may have written it"
            findings.append(Finding(Problem.WRONG_TYPE, key.name, sentence))
    return findings


def _read_values(snapshot: Snapshot) -> tuple[list[_Valued], list[Finding]]:
    valued: list[_Valued] = []
    findings: list[Finding] = []
    for key in snapshot.keys:
        prefix, _, text = key.name.partition(":")
        if prefix not in KINDS or key.value is None:
            continue
        try:
            symbol = read_symbol(text)
        except SymbolError:
            sentence = f"{text[:40]!r} is no symbol: nobody reads it"
            findings.append(Finding(Problem.UNKNOWN_SYMBOL, key.name, sentence))
            continue
        value: LatestValue | None = None
        with suppress(msgspec.MsgspecError):
            value = msgspec.json.decode(key.value, type=KINDS[prefix].type)
        valued.append(_Valued(key, prefix, symbol, value))
    return valued, findings


def _misspelt(wrong: Sequence[_Valued], right: str, well: _Valued | None) -> list[Finding]:
    readable = [one for one in wrong if one.value is not None]
    # The newest of several takes the right name, where that is free; the others are compared with it.
    heir = max(readable, key=_time, default=None) if well is None else None
    return [_misspelt_one(one, right, heir or well) for one in wrong]


def _misspelt_one(one: _Valued, right: str, best: _Valued | None) -> Finding:
    sentence = f"{one.symbol} has the key {right}: nobody reads this one"
    value = one.key.value or b""
    fix: Fix | None = None
    if one.value is None:
        sentence += ", and its value cannot be read"
    elif one is best:
        fix = Move(one.key.name, value, right)
    elif best is not None and best.value is not None and _time(best) >= _time(one):
        sentence += ", and its value is not newer"
        fix = Remove(one.key.name, value)
    else:
        sentence += ", yet it is newer: something still writes it"
    return Finding(Problem.MISSPELT, one.key.name, sentence, fix)


def _time(one: _Valued) -> int:
    return -1 if one.value is None else one.value.time


def _judge_value(one: _Valued, now: int, in_use: SymbolsInUse, stale_ms: int) -> list[Finding]:
    key, value = one.key, one.value
    if value is None:
        return [Finding(Problem.UNREADABLE, key.name, f"its value is no {one.prefix}: {_shown(key.value)}")]
    age = now - value.time
    findings = []
    if age < -_FUTURE_MS:
        sentence = f"its time is {-age / 1000:,.0f} s ahead of the clock of Redis"
        findings.append(Finding(Problem.FROM_THE_FUTURE, key.name, sentence))
    is_old = age > stale_ms
    if in_use.symbols and one.symbol not in in_use.symbols:
        sentence = f"no symbol in use owns it; its value is {max(age, 0) / 1000:,.0f} s old"
        # Whoever writes it still would only write it again.
        fix: Fix | None = Remove(key.name, key.value or b"") if is_old else None
        findings.append(Finding(Problem.UNUSED_SYMBOL, key.name, sentence, fix))
    elif is_old and one.prefix == PRICES.prefix:
        findings.append(Finding(Problem.STALE, key.name, f"the price is {age / 1000:,.0f} s old"))
    return findings


def _shown(value: bytes | None) -> str:
    return repr((value or b"")[:40])


def counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    """Return how many there are of each kind."""
    found: defaultdict[str, int] = defaultdict(int)
    for finding in findings:
        found[finding.problem.value] += 1
    return dict(sorted(found.items()))
