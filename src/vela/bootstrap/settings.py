"""What a user may set: defaults < `vela.toml` < `VELA_*` environment < options."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from vela.bootstrap.setting_values import (
    MOST_DECIMALS,
    Address,
    BusAddress,
    DatabaseAddress,
    Duration,
    ExchangeName,
    Fraction,
    Moment,
    Number,
    Percent,
    StoreAddress,
    Text,
    Whole,
    as_symbols,
    check_decimals,
    check_text,
    of_setting,
)
from vela.domain.errors import ConfigurationError
from vela.domain.execution_rules import PPM
from vela.domain.timeframe import Timeframe
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.limits import Limits
from vela.engine.rules import Stake, TradingRules, percent_to_ppm
from vela.engine.universe import UniverseRules

T = TypeVar("T")
M = TypeVar("M", bound="DataSettings")

ENVIRONMENT_PREFIX = "VELA_"
SYNTHETIC = "synthetic"
DEFAULT_SYMBOLS = "BTC,ETH,BNB,SOL,XRP,ADA,DOGE,LINK"

# Secrets, and switches of the build and of the tests, that share the prefix.
_NOT_SETTINGS = frozenset(
    {"skip_web", "require_browser", "require_servers", "api_key", "api_secret", "crash_at", "follow_up", "has_parent"}
)

_MOST_MONEY = Decimal(10) ** 12

# Settings that need another one, and the value with which they ask for nothing.
_NEEDED = {"take_profit_part": ("take_profit", Decimal(100)), "trailing_after": ("trailing", Decimal(0))}

# What pydantic says in its own words, said so that it helps.
_ACCEPTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table in vela.toml, such as [strategies] and below it BTC = 'SmaCrossover'",
    "path_type": "a path",
    "string_too_short": "some text, not nothing",
    "string_type": "text",
    "string_unicode": "text without broken characters",
}


class DataSettings(BaseModel):
    """Where everything is kept and passed on: all that matters to a command which must work whatever else is set."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=True, arbitrary_types_allowed=True)

    data_dir: Path = Path("vela-data")
    candle_store: StoreAddress | None = Field(
        default=None, description="where candles lie instead: a folder, s3:// or gs://"
    )
    database: DatabaseAddress | None = Field(default=None, description="where the record lies; holds a password")
    bus: BusAddress | None = Field(default=None, description="Redis between services in processes of their own")

    @property
    def candle_place(self) -> Path | str:
        """Where candles lie: a folder, or the address of an object store."""
        return self.candle_store or self.data_dir / "candles"

    @field_validator("data_dir", mode="before")
    @classmethod
    def _check_directory(cls, value: object) -> object:
        if value == "":
            raise ValueError("accepted: a directory, such as vela-data")
        return check_text(str(value)) if isinstance(value, str | Path) else value


class SeriesSettings(DataSettings):
    """Which candles are meant, and where everything is kept."""

    model_config = ConfigDict(extra="forbid")

    symbols: tuple[TradingSymbol, ...] | None = None
    timeframe: Timeframe | None = None

    @field_validator("symbols", mode="before")
    @classmethod
    def _read_symbols(cls, value: object) -> tuple[TradingSymbol, ...] | None:
        return as_symbols(value)

    @field_validator("timeframe", mode="before")
    @classmethod
    def _read_timeframe(cls, value: object) -> Timeframe | None:
        return None if value is None else of_setting(Timeframe.from_str, value)


class TradingSettings(SeriesSettings):
    """What paper trading and backtests share: what is traded, by which rules, and where everything is kept.

    Percentages are percent, money is in the quote currency, durations are milliseconds.
    """

    capital: Fraction = Field(default=Decimal(1000), gt=0, le=_MOST_MONEY)
    stake: Stake = Stake.from_str("50")
    max_positions: Whole = Field(default=2, ge=1, le=1000)
    cooldown: Duration = Field(default="10m", ge=0)  # type: ignore[assignment]  # read by the validator
    stop_loss: Percent = Field(default=Decimal(2), ge=0, lt=100)
    take_profit: Percent = Field(default=Decimal(0), ge=0, le=1000)
    take_profit_part: Percent = Field(default=Decimal(100), gt=0, le=100)
    trailing: Percent = Field(default=Decimal(0), ge=0, lt=100)
    trailing_after: Percent = Field(default=Decimal(0), ge=0, le=1000)
    break_even_after: Percent = Field(default=Decimal(0), ge=0, le=1000)
    fee: Fraction = Field(default=Decimal("0.001"), ge=0, lt=Decimal("0.1"))
    slippage: Number = Field(default=Decimal("0.0005"), ge=0, lt=Decimal("0.1"))
    impact: Number = Field(default=Decimal(0), ge=0, le=Decimal("0.5"))
    regime_filter: bool = False

    @field_validator("stake", mode="before")
    @classmethod
    def _read_stake(cls, value: object) -> Stake:
        stake = value if isinstance(value, Stake) else of_setting(Stake.from_str, value)
        if stake.amount > _MOST_MONEY:
            raise ValueError(f"accepted: up to {_MOST_MONEY}")
        check_decimals(stake.amount, MOST_DECIMALS)
        return stake

    @field_validator("slippage", "impact")
    @classmethod
    def _check_millionths(cls, value: Decimal) -> Decimal:
        return check_decimals(value, 6)

    @field_validator("take_profit_part", "trailing_after")
    @classmethod
    def _check_has_effect(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        # What is set and can do nothing is a mistake, and would be taken for protection.
        needed, without_effect = _NEEDED[str(info.field_name)]
        if value != without_effect and not info.data.get(needed, True):
            raise ValueError(f"accepted: {without_effect}, or {needed.replace('_', '-')} set beside it")
        return value

    @property
    def rules(self) -> TradingRules:
        """The trading rules that these settings ask for.

        Raises:
            ConfigurationError: a percentage is finer than the engine counts.
        """
        return TradingRules(
            initial_capital=self.capital,
            stake=self.stake,
            max_positions=self.max_positions,
            cooldown_ms=self.cooldown,
            stop_loss_ppm=percent_to_ppm(self.stop_loss),
            take_profit_ppm=percent_to_ppm(self.take_profit),
            take_profit_part_ppm=percent_to_ppm(self.take_profit_part),
            trailing_ppm=percent_to_ppm(self.trailing),
            trailing_after_ppm=percent_to_ppm(self.trailing_after),
            break_even_after_ppm=percent_to_ppm(self.break_even_after),
            fee_rate=self.fee,
            slippage_ppm=int(self.slippage * PPM),
            impact_ppm=int(self.impact * PPM),
            regime_filter=self.regime_filter,
        )


class Settings(TradingSettings):
    """All settings of a running system, checked."""

    exchange: ExchangeName | None = None
    market: Text = SYNTHETIC
    live: bool = False
    exchange_url: Address | None = None
    key_file: Path | None = None
    seed: Whole = Field(default=12, ge=0, le=2**32 - 1)
    speed: float | None = Field(default=60.0, description="times life speed; None: as fast as it goes")
    candles: Whole | None = Field(default=None, ge=1, description="stop the market after so many candles")
    strategy: Text | None = None
    strategies: dict[str, str] = Field(default_factory=dict)
    universe: Whole = Field(default=0, ge=0, le=200, description="how many symbols are chosen; 0: none is")
    universe_min_volume: Number = Field(default=Decimal(50_000_000), ge=0, le=_MOST_MONEY)
    universe_min_move: Percent = Field(default=Decimal("1.5"), ge=0, le=1000)

    max_order: Fraction = Field(default=Decimal(0), ge=0, le=_MOST_MONEY)
    max_exposure: Fraction = Field(default=Decimal(0), ge=0, le=_MOST_MONEY)
    max_orders_per_minute: Whole = Field(default=0, ge=0, le=100_000)
    price_band: Percent = Field(default=Decimal(0), ge=0, le=100)
    max_daily_loss: Percent = Field(default=Decimal(0), ge=0, lt=100)
    max_drawdown: Percent = Field(default=Decimal(0), ge=0, lt=100)
    allowed_symbols: tuple[TradingSymbol, ...] | None = None
    reduce_only: bool = False

    page: bool = True
    host: Text = "127.0.0.1"
    port: Whole = Field(default=5000, ge=1, le=65535)

    @field_validator("speed", mode="before")
    @classmethod
    def _read_speed(cls, value: object) -> float | None:
        if value is None or str(value).strip().lower() == "max":
            return None
        try:
            speed = float(str(value).rstrip("x×"))
        except ValueError:
            raise ValueError("accepted: a number such as 60, or max") from None
        if not 0.01 <= speed <= 1e6:
            raise ValueError("accepted: 0.01 to 1000000, or max")
        return speed

    @field_validator("market", "live", "exchange_url", "key_file")
    @classmethod
    def _check_place(cls, value: object, info: ValidationInfo) -> object:
        exchange, name = info.data.get("exchange"), str(info.field_name)
        if name == "market" and exchange is not None and value != SYNTHETIC:
            raise ValueError("accepted: a market, or --exchange; not both")
        if name != "market" and value and exchange is None:
            raise ValueError("accepted: with --exchange")
        return value

    @field_validator("allowed_symbols", mode="before")
    @classmethod
    def _read_allowed(cls, value: object) -> tuple[TradingSymbol, ...] | None:
        return as_symbols(value)

    @field_validator("strategies")
    @classmethod
    def _check_symbols(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            TradingSymbol.from_str(name)
        return value

    @field_validator("universe")
    @classmethod
    def _check_universe(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("exchange") is None:
            raise ValueError("accepted: 0, or with --exchange, where there is a market to choose from")
        if value and info.data.get("symbols") is not None:
            raise ValueError("accepted: a universe, or --symbols; not both")
        return value

    @field_validator("universe_min_volume", "universe_min_move")
    @classmethod
    def _check_universe_is_on(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        if value != cls.model_fields[str(info.field_name)].default and not info.data.get("universe", True):
            raise ValueError("accepted: with --universe N")
        return value

    @property
    def universe_rules(self) -> UniverseRules | None:
        """What a symbol must show to be traded; None: the symbols are set."""
        if not self.universe:
            return None
        volume, move = float(self.universe_min_volume), float(self.universe_min_move)
        return UniverseRules(size=self.universe, min_quote_volume=volume, min_move_pct=move)

    @property
    def limits(self) -> Limits:
        """The limits that these settings ask for; what is not set is off."""
        return Limits(
            max_order=self.max_order,
            max_exposure=self.max_exposure,
            max_orders_per_minute=self.max_orders_per_minute,
            price_band_ppm=percent_to_ppm(self.price_band),
            max_daily_loss_ppm=percent_to_ppm(self.max_daily_loss),
            max_drawdown_ppm=percent_to_ppm(self.max_drawdown),
            allowed_symbols=None if self.allowed_symbols is None else frozenset(self.allowed_symbols),
            reduce_only=self.reduce_only,
        )

    @property
    def careful_limits(self) -> Limits:
        """The limits for real money: what is not set is as `Limits.careful` has it; what is set to 0 is off."""
        careful = Limits.careful(self.capital)
        unset = [name for name in careful.__struct_fields__ if name.removesuffix("_ppm") not in self.model_fields_set]
        return msgspec.structs.replace(self.limits, **{name: getattr(careful, name) for name in unset})


class BacktestSettings(TradingSettings):
    """All settings of a backtest, checked. `start` and `end` are called `from` and `to` outside; ms UTC."""

    allow_short: bool = False
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")
    instruments: Path | None = None

    @field_validator("instruments", mode="before")
    @classmethod
    def _check_file(cls, value: object) -> object:
        if value == "":
            raise ValueError("accepted: a JSON file")
        return check_text(str(value)) if isinstance(value, str | Path) else value


def load_settings(
    options: Mapping[str, Any], environment: Mapping[str, str], file: Path = Path("vela.toml")
) -> Settings:
    """Read all sources of a running system's settings and check the result.

    Args:
        options: given on the command line; None means not given.
        environment: the process's environment; keys outside `VELA_` are ignored.
        file: the settings file; need not exist.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    return load_as(Settings, options, environment, file)


def load_backtest_settings(
    options: Mapping[str, Any], environment: Mapping[str, str], file: Path = Path("vela.toml")
) -> BacktestSettings:
    """Read the same sources for a backtest; see `load_settings`.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    return load_as(BacktestSettings, options, environment, file)


def load_data_settings(
    options: Mapping[str, Any], environment: Mapping[str, str], file: Path = Path("vela.toml")
) -> DataSettings:
    """Read from the same sources where everything is kept, and nothing else; see `load_settings`.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    return load_as(DataSettings, options, environment, file)


def load_as(
    model: type[M], options: Mapping[str, Any], environment: Mapping[str, str], file: Path = Path("vela.toml")
) -> M:
    """Read the same sources for the settings of one command; see `load_settings`.

    Raises:
        ConfigurationError: one line that names the setting, its source, what it was and what is accepted.
    """
    own = _names(model)
    others = (_names(Settings) | _names(BacktestSettings)) - own
    sources: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, source in (
        (f"{file}", _from_file(file)),
        ("environment", _from_environment(environment)),
        ("option", {key: value for key, value in options.items() if value is not None}),
    ):
        # One file serves all commands: what belongs to another one is passed over.
        mine = {key: value for key, value in source.items() if key not in others}
        values |= mine
        sources |= dict.fromkeys(mine, name)
    try:
        return model(**values)
    except ValidationError as e:
        raise ConfigurationError(_explain(e.errors()[0], sources, own)) from None


def _names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _from_file(file: Path) -> dict[str, Any]:
    try:
        # With or without the mark that some editors put at the beginning.
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as e:
        raise ConfigurationError(f"{file} cannot be read: {e}; accepted: a TOML file such as `stake = 50`") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    prefixed = {key: value for key, value in environment.items() if key.startswith(ENVIRONMENT_PREFIX)}
    named = {key.removeprefix(ENVIRONMENT_PREFIX).lower(): value for key, value in prefixed.items()}
    return {key: value for key, value in named.items() if key not in _NOT_SETTINGS}


def _explain(error: ErrorDetails, sources: Mapping[str, str], names: frozenset[str]) -> str:
    key = str(error["loc"][0]) if error["loc"] else "settings"
    if error["type"] == "extra_forbidden":
        return f"setting {key!r} ({sources.get(key, '?')}) is unknown; accepted: {', '.join(sorted(names))}"
    message = _ACCEPTED.get(error["type"], str(error.get("ctx", {}).get("error", error["msg"])))
    if "accepted" not in message:
        message = f"accepted: {message.removeprefix('Input should be ').removeprefix('Value error, ')}"
    # Addresses may hold a password.
    shown = "no address" if key in {"database", "bus"} else repr(str(error["input"])[:60])
    return f"setting {key} ({sources.get(key, 'default')}) was {shown}; {message}"
