"""Gets a backtest's result again from what the result itself says, and tells what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from vela.bootstrap.backtest import read_instrument, run_backtest
from vela.bootstrap.settings import BacktestSettings
from vela.bootstrap.strategies import find_strategy, make
from vela.domain.errors import ConfigurationError

_ACCEPTED = "accepted: a file that vela backtest wrote with --out or --json"
_MOST = 20
_SHOWN = 60

# The rules' names in a result, and the settings they come from; fractions in millionths become percent.
_PLAIN = {"initial_capital": "capital", "stake": "stake", "max_positions": "max_positions", "fee_rate": "fee"}
_FLAGS = {"regime_filter": "regime_filter", "allow_short": "allow_short", "start": "from", "end": "to"}
_HASHED = {"candles_sha256": "candles", "detail_sha256": "detail candles"}
_PERCENT = {
    f"{name}_ppm": name
    for name in ("stop_loss", "take_profit", "take_profit_part", "trailing", "trailing_after", "break_even_after")
}


def verify_result(
    path: Path,
    files: Sequence[str],
    *,
    detail_files: Sequence[str] = (),
    strategy: str | None = None,
    data_dir: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Run the backtest again and return what differs, most telling first; nothing where all is identical.

    Args:
        path: the result.
        files: candles, as for a backtest; none: those of the candle store.
        detail_files: detail candles, as for a backtest.
        strategy: where the strategy is found now; None: under the name in the result.
        data_dir: of the candle store; None: the default.
        progress: told what is done next.

    Raises:
        ConfigurationError: the file is no result.
        VelaError: strategy or candles cannot be used.
    """
    then = _read(path)
    try:
        provenance, data = then["provenance"], then["data"]
        settings = _settings(provenance["config"], data, data_dir)
        instruments = dict(read_instrument(key, one["instrument"]) for key, one in data.items() if one["instrument"])
        params, name = dict(provenance["params"]), str(strategy or provenance["strategy"])
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as e:
        raise ConfigurationError(f"{path} is no result of a backtest ({_reason(e)}); {_ACCEPTED}") from None
    cls = find_strategy(name)
    outcome = run_backtest(
        make(cls, params),
        settings,
        files,
        detail_files=detail_files,
        symbols_given=True,
        progress=progress,
        instruments=instruments,
    )
    now = msgspec.json.decode(msgspec.json.encode(outcome.document()))
    if msgspec.json.encode(then) == msgspec.json.encode(now):
        return []
    found = list(_differences(then, now)) or ["the order of the file's entries"]
    more = [f"{len(found) - _MOST:,} more"] if len(found) > _MOST else []
    return found[:_MOST] + more


def _read(path: Path) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, ValueError, UnicodeDecodeError, msgspec.DecodeError, RecursionError) as e:
        raise ConfigurationError(f"{path} cannot be read ({_reason(e)}); {_ACCEPTED}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} is no result of a backtest; {_ACCEPTED}")
    return document


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}"
    return f"no {error}" if isinstance(error, KeyError) else str(error)[:120]


def _settings(config: Mapping[str, Any], data: Mapping[str, Any], data_dir: str | None) -> BacktestSettings:
    million = Decimal(1_000_000)
    values = {setting: config[key] for key, setting in (_PLAIN | _FLAGS).items()}
    values |= {setting: str(Decimal(config[key]) / 10_000) for key, setting in _PERCENT.items()}
    values |= {name: str(Decimal(config[f"{name}_ppm"]) / million) for name in ("slippage", "impact")}
    values |= {"cooldown": f"{config['cooldown_ms']}ms"}
    if not data:
        raise ValueError("no data")
    values |= {"symbols": list(data), "timeframe": next(iter(data.values()))["timeframe"]}
    values |= {"data_dir": data_dir} if data_dir is not None else {}
    return BacktestSettings(**values)


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = then["provenance"], now["provenance"]
    if old.get("vela") != new["vela"]:
        yield f"Vela: version {old.get('vela')} then, {new['vela']} now"
    if old.get("strategy_sha256") != new["strategy_sha256"]:
        yield f"strategy: the source of {new['strategy']} is another one now"
    for key, what in _HASHED.items():
        hashes = old.get(key)
        for symbol in new[key] | (hashes if isinstance(hashes, dict) else {}):
            if not isinstance(hashes, dict) or hashes.get(symbol) != new[key].get(symbol):
                yield f"{what}: those of {symbol} are others now"
    told = {"vela", "strategy_sha256", *_HASHED}
    yield from _paths("provenance", *({k: v for k, v in part.items() if k not in told} for part in (old, new)))
    for section in dict.fromkeys((*now, *then)):
        if section != "provenance":
            yield from _paths(section, then.get(section), now.get(section))


def _paths(path: str, then: object, now: object) -> Iterator[str]:
    if msgspec.json.encode(then) == msgspec.json.encode(now):
        return
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*now, *then)):
            if key in then and key in now:
                yield from _paths(f"{path}.{key}", then[key], now[key])
            else:
                yield f"{path}.{key}: {'only then' if key in then else 'only now'}"
    elif isinstance(then, list) and isinstance(now, list):
        if len(then) != len(now):
            yield f"{path}: {len(then):,} then, {len(now):,} now"
        for index, (old, new) in enumerate(zip_longest(then, now)):
            if old != new:  # what follows the first one differs with it
                yield from _paths(f"{path}[{index}]", old, new)
                return
    else:
        yield f"{path}: {_shown(then)} then, {_shown(now)} now"


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()[:_SHOWN]
