"""The contract that strategies are written against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from vela.domain.candles import Candles
from vela.domain.errors import StrategyError
from vela.domain.regime import MarketRegime
from vela.domain.signal import Signals
from vela.domain.trading_symbol import TradingSymbol

Number = int | float


@dataclass(frozen=True, slots=True)
class Parameter:
    """A strategy's parameter: its default and the range (both ends included) in which it makes sense."""

    default: Number
    low: Number
    high: Number

    def check(self, strategy: str, name: str, value: object) -> Number:
        """Return `value` as this parameter's type.

        Raises:
            StrategyError: wrong type or out of range.
        """
        wanted = type(self.default)
        accepted = int if wanted is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, accepted) or not self.low <= value <= self.high:
            kind = "whole number" if wanted is int else "number"
            raise StrategyError(f"{strategy}.{name} was {value!r}; accepted: a {kind} from {self.low} to {self.high}")
        return wanted(value)


def param(default: Number, *, low: Number, high: Number) -> Any:  # noqa: ANN401  stands for the annotated int or float
    """Declare a parameter in a strategy's class body.

    Example:
        `fast: int = param(10, low=5, high=50)`
    """
    return Parameter(default, low, high)


TRENDS = frozenset({MarketRegime.BULL_TREND, MarketRegime.BEAR_TREND})
"""Where strategies are at home that go with the market."""

RANGES = frozenset({MarketRegime.SIDEWAYS_RANGE})
"""Where those are that expect it to come back."""


class Strategy(ABC):
    """Maps candles to signals for every candle at once; row i may use rows up to i only.

    A subclass declares its parameters with `param` and implements `analyze`. Instances are immutable in use: the same
    candles always give the same signals.
    """

    parameters: ClassVar[dict[str, Parameter]] = {}
    suits: ClassVar[frozenset[MarketRegime]] = frozenset()
    """The regimes that it is made for, by its idea; empty: it says nothing of that. A report tells what came of it."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        cls.parameters = {**cls.parameters, **own}

    def __init__(self, **values: Number) -> None:
        """Set parameters; those not given take their defaults.

        Raises:
            StrategyError: unknown parameter, wrong type, out of range or contradictory.
        """
        unknown = sorted(set(values) - set(self.parameters))
        if unknown:
            accepted = ", ".join(self.parameters)
            raise StrategyError(f"{self.name} has no parameter {unknown[0]!r}; accepted: {accepted}")
        for name, parameter in self.parameters.items():
            setattr(self, name, parameter.check(self.name, name, values.get(name, parameter.default)))
        self.validate()

    @property
    def name(self) -> str:
        """The class's name."""
        return type(self).__name__

    @property
    def settings(self) -> dict[str, Number]:
        """The parameters in force."""
        return {name: getattr(self, name) for name in self.parameters}

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Candles needed before the last row can be trusted: its value no longer depends on where the window starts."""

    @abstractmethod
    def analyze(self, symbol: TradingSymbol, candles: Candles) -> Signals:
        """Return the signals for all candles."""

    def is_applicable(self, symbol: TradingSymbol) -> bool:  # noqa: ARG002  for subclasses
        """Say whether the strategy suits the symbol; one that does not is never asked to analyse it."""
        return True

    def validate(self) -> None:  # noqa: B027  optional to override
        """Check parameters against each other; a subclass raises StrategyError where they contradict.

        The base accepts every combination.
        """
