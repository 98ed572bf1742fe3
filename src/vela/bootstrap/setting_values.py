"""How a setting's text becomes a value, and what is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from vela.adapters.exchanges import EXCHANGES
from vela.adapters.redis.address import parse_address
from vela.domain.errors import ConfigurationError
from vela.domain.money import exact
from vela.domain.trading_symbol import TradingSymbol, parse_symbol_list

T = TypeVar("T")

_DURATION = re.compile(r"([0-9]{1,15})\s*(ms|s|m|h|d)?")
_LOOKS_LIKE_DATE = re.compile(r"(19|20|21)\d\d((0\d|1[0-2])[0-3]\d)?")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, None: 1_000}
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+/?")
_STORE = re.compile(r"(s3|gs)://[^/]+/[^/].*")
_DATABASE = re.compile(r"postgresql(\+psycopg)?://")
_BROKEN = re.compile("[\0\ud800-\udfff]")  # bytes that are no UTF-8 arrive as lone surrogates
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = 7_258_118_400_000
"""2200-01-01: what claims to be later is no time in milliseconds."""
_LONGEST_MS = 3_650 * _UNITS_MS["d"]

MOST_DECIMALS = 12  # with more of them, sums would outgrow what is computed exactly


def _as_decimal(value: object) -> Decimal:
    # A TOML or environment number keeps the digits that were written.
    return exact(repr(value) if isinstance(value, float) else str(value).strip())


def _as_milliseconds(value: object) -> int:
    match = _DURATION.fullmatch(str(value).strip().lower())
    milliseconds = _LONGEST_MS + 1 if match is None else int(match[1]) * _UNITS_MS[match[2]]
    if milliseconds > _LONGEST_MS:
        raise ValueError("accepted: a duration such as 10m, 30s or 1h, up to 3650d")
    return milliseconds


def read_duration(name: str, text: str) -> int:
    """Return a duration such as 10m in milliseconds.

    Raises:
        ConfigurationError: it is none; `name` is what the message calls it.
    """
    try:
        return _as_milliseconds(text)
    except ValueError as e:
        raise ConfigurationError(f"{name} was {text[:40]!r}; {e}") from None


def _as_moment(value: object) -> int:
    text = str(value).strip()
    try:
        if _LOOKS_LIKE_DATE.fullmatch(text):
            raise ValueError  # noqa: TRY301  2024 and 20240131 are dates to people, not seconds after 1970
        if text.isascii() and text.isdigit():
            moment = int(text)
        else:
            time = datetime.fromisoformat(text)
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time
            moment = (time - _EPOCH) // timedelta(milliseconds=1)
    except ValueError:
        moment = -1
    if not 0 <= moment < LATEST_MS:
        raise ValueError("accepted: a date or time such as 2024-01-31 or 2024-01-31T12:00, or milliseconds, all UTC")
    return moment


def _as_whole(value: object) -> int:
    if isinstance(value, int | str) and not isinstance(value, bool):
        with suppress(ValueError):
            return int(value)
    raise ValueError("accepted: a whole number")


def as_symbols(value: object) -> tuple[TradingSymbol, ...] | None:
    """Return the symbols that a text or a list of texts names.

    Raises:
        ValueError: what is accepted.
    """
    if value is None:
        return None
    names = value if isinstance(value, list | tuple) else [value]
    if not names or not all(isinstance(name, str | TradingSymbol) for name in names):
        raise ValueError("accepted: at least one symbol, such as BTC,ETH")
    return tuple(parse_symbol_list(value))  # type: ignore[arg-type]  # text, or a list of texts


def check_decimals(value: Decimal, most: int) -> Decimal:
    """Return `value` if it has no more than so many decimals.

    Raises:
        ValueError: what is accepted.
    """
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > most:
        raise ValueError(f"accepted: at most {most} decimals")
    return value


def of_setting(read: Callable[[str], T], value: object) -> T:
    """Return what `read` makes of a value.

    Its errors name their own subject; here the setting and its source stand before what is accepted.

    Raises:
        ValueError: what is accepted.
    """
    try:
        return read(str(value))
    except ConfigurationError as e:
        raise ValueError(f"accepted: {str(e).rpartition('accepted: ')[2]}") from None


def check_text(value: str) -> str:
    """Return text that can be shown and stored.

    Raises:
        ValueError: what is accepted.
    """
    if _BROKEN.search(value):
        raise ValueError("accepted: text without NUL and without broken characters")
    return value


def _check_exchange(value: str) -> str:
    if value not in EXCHANGES:
        raise ValueError(f"accepted: {', '.join(EXCHANGES)}")
    return value


def _check_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("accepted: an address such as http://127.0.0.1:8080")
    return value


def _check_store(value: str) -> str:
    if "://" in value and not _STORE.fullmatch(value):
        raise ValueError("accepted: a folder, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER")
    return value


def _check_bus(value: SecretStr) -> SecretStr:
    of_setting(parse_address, check_text(value.get_secret_value()))
    return value


def _check_database(value: SecretStr) -> SecretStr:
    if not _DATABASE.match(check_text(value.get_secret_value())):
        raise ValueError("accepted: postgresql://USER:PASSWORD@HOST:5432/NAME")
    return value


Number = Annotated[Decimal, BeforeValidator(_as_decimal)]
Percent = Annotated[Number, AfterValidator(lambda value: check_decimals(value, 4))]
Fraction = Annotated[Number, AfterValidator(lambda value: check_decimals(value, MOST_DECIMALS))]
Duration = Annotated[int, BeforeValidator(_as_milliseconds)]
Moment = Annotated[int, BeforeValidator(_as_moment)]
Whole = Annotated[int, BeforeValidator(_as_whole)]
Text = Annotated[str, Field(min_length=1), AfterValidator(check_text)]
ExchangeName = Annotated[Text, AfterValidator(_check_exchange)]
Address = Annotated[Text, AfterValidator(_check_address)]
StoreAddress = Annotated[Text, AfterValidator(_check_store)]
BusAddress = Annotated[SecretStr, AfterValidator(_check_bus)]
DatabaseAddress = Annotated[SecretStr, AfterValidator(_check_database)]
