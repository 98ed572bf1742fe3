"""From a strategy's name to its class: shipped ones, those in the user's own files, and `module:Class`.

A user's file is looked through before it is run, and only the file that defines what was asked for is run.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from vela.domain.errors import StrategyError, VelaError
from vela.strategies.base import Number, Strategy
from vela.strategies.registry import SHIPPED

DIRECTORY = Path("strategies")

_ACCEPTED = "a class that derives from Strategy and has warmup and analyze (vela new-strategy writes one)"


class _Definition(NamedTuple):
    """A class statement in a user's file."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def find_strategy(name: str, directory: Path = DIRECTORY) -> type[Strategy]:
    """Return the strategy's class.

    Args:
        name: of a shipped strategy, of a class in a file of `directory`, or `module:Class`.
        directory: where the user's own strategies lie; need not exist.

    Raises:
        StrategyError: there is none of that name or more than one, or its code is at fault; then the message begins
            with the user's file and line.
    """
    if ":" in name:
        return _from_module(name, directory)
    defined, broken = _look_through(directory)
    places = defined.get(name, [])
    if name in SHIPPED:
        if places:
            raise _shadows(str(places[0]), name)
        return SHIPPED[name]
    if len(places) > 1:
        raise _repeated(name, places)
    if places:
        return _usable(_run(places[0].path), name, str(places[0]))
    raise _unknown(name, defined, broken)


def require_name(name: str, directory: Path = DIRECTORY) -> None:
    """Refuse what is neither a shipped strategy's name nor that of a class in the user's files; none of them is run.

    Raises:
        StrategyError: there is none of that name.
    """
    defined, broken = _look_through(directory)
    if name not in SHIPPED and name not in defined:
        raise _unknown(name, defined, broken)


def find_all_strategies(directory: Path = DIRECTORY) -> dict[str, type[Strategy]]:
    """Return all strategies by name: the shipped ones, then the user's own in the order of their files.

    Raises:
        StrategyError: a file of the user cannot be used; the message begins with file and line.
    """
    defined, broken = _look_through(directory)
    if broken:
        raise broken[0]
    found: dict[str, type[Strategy]] = {}
    for path in _files(directory):
        module = _run(path)
        own = [cls for cls in vars(module).values() if _is_strategy(cls) and cls.__module__ == module.__name__]
        # A base that only others of the same file build on need not be whole.
        names = [cls.__name__ for cls in own if not any(cls in other.__mro__[1:] for other in own)]
        if not names:
            raise StrategyError(f"{path}:1: no class in it derives from Strategy; accepted: {_ACCEPTED}")
        for name in names:
            places = defined.get(name) or [_Definition(path, 1)]
            if name in SHIPPED:
                raise _shadows(str(places[0]), name)
            if name in found:
                raise _repeated(name, places)
            found[name] = _usable(module, name, str(places[0]))
    return {**SHIPPED, **found}


def load_strategy(name: str, values: Mapping[str, Number] | None = None, directory: Path = DIRECTORY) -> Strategy:
    """Return the strategy of that name (see `find_strategy`) with those parameters.

    Raises:
        StrategyError: it cannot be found or used, or a parameter makes no sense.
    """
    return make(find_strategy(name, directory), values or {})


def make(strategy: type[Strategy], values: Mapping[str, Number]) -> Strategy:
    """Return an instance with those parameters.

    Raises:
        StrategyError: a parameter makes no sense, or the user's own code fails; then with its file and line.
    """
    try:
        return strategy(**values)
    except VelaError:
        raise
    except Exception as e:  # noqa: BLE001  a user's constructor or validate may raise anything
        raise _blamed(e, inspect.getfile(strategy)) from None


def describe(strategy: type[Strategy]) -> dict[str, object]:
    """Return, ready for JSON, what is worth knowing before it is chosen: name, purpose, parameters and ranges."""
    return {
        "name": strategy.__name__,
        "what": (strategy.__doc__ or "").strip().partition("\n")[0].replace("`", ""),
        "shipped": is_shipped(strategy),
        "suits": sorted(strategy.suits),
        "parameters": {
            key: {"default": p.default, "low": p.low, "high": p.high} for key, p in strategy.parameters.items()
        },
    }


def is_shipped(strategy: type[Strategy]) -> bool:
    """Say whether the class came with Vela."""
    return SHIPPED.get(strategy.__name__) is strategy


def reference(strategy: type[Strategy]) -> str:
    """Return how `find_strategy` finds the class again."""
    return strategy.__name__ if is_shipped(strategy) else f"{strategy.__module__}:{strategy.__qualname__}"


def read_values(strategy: type[Strategy], assignments: Sequence[str]) -> dict[str, Number]:
    """Read parameters as they are written on a command line: `fast=10`.

    Raises:
        StrategyError: no assignment, an unknown parameter, no number, or the same one twice.
    """
    values: dict[str, Number] = {}
    for text in assignments:
        name, equals, number = (part.strip() for part in text.partition("="))
        parameter = strategy.parameters.get(name)
        if not equals or parameter is None or name in values:
            accepted = ", ".join(f"{key}={known.default}" for key, known in strategy.parameters.items())
            raise StrategyError(f"parameter was {text[:60]!r}; accepted, each once: {accepted or 'none'}")
        try:
            values[name] = type(parameter.default)(number)
        except ValueError:
            parameter.check(strategy.__name__, name, number)
    return values


# ---------------------------------------------------------------------------------------------------- the user's files


def _files(directory: Path) -> list[Path]:
    # What begins with an underscore is there for others to import.
    return sorted(path for path in directory.glob("*.py") if not path.name.startswith("_") and path.is_file())


def _look_through(directory: Path) -> tuple[dict[str, list[_Definition]], list[StrategyError]]:
    """Return where classes that derive from something are defined, and what keeps files from being read."""
    defined: dict[str, list[_Definition]] = {}
    broken = []
    for path in _files(directory):
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as e:
            line = (e.lineno or 1) if isinstance(e, SyntaxError) else 1
            broken.append(StrategyError(f"{path}:{line}: {type(e).__name__}: {getattr(e, 'msg', e)}"))
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.bases:
                defined.setdefault(node.name, []).append(_Definition(path, node.lineno))
    return defined, broken


class _FreshSource(SourceFileLoader):
    """Runs what is in the file now; leaves no compiled copy beside it."""

    def path_stats(self, path: str) -> Mapping[str, object]:
        raise OSError(path)


def _run(path: Path) -> ModuleType:
    _make_importable(path.parent)
    name = f"{path.parent.resolve().name}.{path.stem}"
    location = str(path.resolve())
    spec = importlib.util.spec_from_file_location(name, location, loader=_FreshSource(name, location))
    if spec is None or spec.loader is None:
        raise StrategyError(f"{path}:1: cannot be loaded; accepted: a Python file")
    module = importlib.util.module_from_spec(spec)
    # Under its name, so that its classes can be found again: by other processes, and by whoever asks for the source.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as e:  # noqa: BLE001  a user's file may raise anything
        del sys.modules[name]
        raise _blamed(e, location) from None
    return module


def _make_importable(directory: Path) -> None:
    # At the end: nothing of the user's may stand in for a library.
    home = str(directory.resolve().parent)
    if home not in sys.path:
        sys.path.append(home)


def _from_module(name: str, directory: Path) -> type[Strategy]:
    module_name, _, class_name = name.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), class_name)):
        raise StrategyError(
            f"strategy {name[:60]!r} is unknown; accepted: module:Class, such as my_package.trend:Trend"
        )
    _make_importable(directory)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as e:
        if e.name is not None and f"{module_name}.".startswith(f"{e.name}."):
            raise StrategyError(f"module {e.name[:60]!r} of strategy {name[:60]!r} was not found") from None
        raise _blamed(e, _module_file(module_name)) from None
    except (Exception, SystemExit) as e:  # noqa: BLE001  a user's file may raise anything
        raise _blamed(e, _module_file(module_name)) from None
    strategy = _usable(module, class_name, module_name)
    if class_name in SHIPPED and SHIPPED[class_name] is not strategy:
        raise _shadows(module_name, class_name)
    return strategy


def _module_file(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    return None if spec is None else spec.origin


# ------------------------------------------------------------------------------------------------------ what is refused


def _usable(module: ModuleType, name: str, place: str) -> type[Strategy]:
    strategy = getattr(module, name, None)
    if not isinstance(strategy, type) or not _is_strategy(strategy):
        others = ", ".join(_names(module)) or "none"
        raise StrategyError(f"{place}: {name} is no Strategy; accepted: {_ACCEPTED}; strategies found there: {others}")
    if missing := sorted(getattr(strategy, "__abstractmethods__", ())):
        raise StrategyError(f"{place}: {name} has no {' and no '.join(missing)}; accepted: {_ACCEPTED}")
    return strategy


def _blamed(error: BaseException, file: str | None) -> StrategyError:
    from vela.backtest.bias.blame import blame  # noqa: PLC0415  only now: the backtest brings a compiler along

    return StrategyError(blame(error, file))


def _is_strategy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Strategy) and value is not Strategy


def _names(module: ModuleType) -> Iterator[str]:
    return (name for name, value in vars(module).items() if _is_strategy(value))


def _unknown(name: str, defined: Mapping[str, object], broken: Sequence[StrategyError]) -> StrategyError:
    if broken:
        return broken[0]
    known = ", ".join([*SHIPPED, *sorted(set(defined) - set(SHIPPED))])
    return StrategyError(f"strategy {name[:60]!r} is unknown; accepted: {known}, or module:Class")


def _shadows(place: str, name: str) -> StrategyError:
    return StrategyError(f"{place}: {name} is the name of a shipped strategy; accepted: any other name")


def _repeated(name: str, places: Sequence[_Definition]) -> StrategyError:
    others = ", ".join(map(str, places[1:]))
    return StrategyError(f"{places[0]}: {name} is defined again at {others}; accepted: each name once")
