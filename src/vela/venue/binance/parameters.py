"""A request's parameters: read one by one, checked at the edge; whatever was not read is an error, too."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl

from vela.domain.errors import SymbolError
from vela.domain.trading_symbol import TradingSymbol
from vela.venue.binance.errors import BinanceError, missing

_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_MOST_DECIMALS = 8
_INTEGER = r"^[0-9]{1,20}$"
_CLIENT_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_SIGNATURE = re.compile(r"(?:^|&)signature=[^&]*")
_LONGEST_WINDOW_MS = 60_000
_DEFAULT_WINDOW_MS = 5000
_AHEAD_MS = 1000
_FIRST_MICROSECONDS = 10**14  # as milliseconds far in the future, as microseconds in 1973

_Choice = TypeVar("_Choice", bound=StrEnum)


class Parameters:
    """Names and values of one request."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Take the values as they came, decoded."""
        self._values = dict(values)
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Say whether the parameter was sent and is not empty."""
        return bool(self._values.get(name))

    def skip(self, *names: str) -> None:
        """Accept parameters that change nothing here."""
        self._read.update(names)

    def text(self, name: str, pattern: str | None = None) -> str | None:
        """Return a text, or None if it was not sent.

        Raises:
            BinanceError: it is empty or does not match.
        """
        self._read.add(name)
        value = self._values.get(name)
        if value == "":
            raise BinanceError(-1105, f"Parameter '{name}' was empty.")
        if value is not None and pattern is not None and not re.fullmatch(pattern, value):
            raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")
        return value

    def client_id(self, name: str) -> str | None:
        """Return a client's id of an order."""
        return self.text(name, _CLIENT_ID)

    def decimal(self, name: str) -> Decimal | None:
        """Return an amount or a price, above zero."""
        value = self.text(name, _DECIMAL)
        if value is None:
            return None
        if not Decimal(value):
            raise missing(name)
        if len(value.partition(".")[2].rstrip("0")) > _MOST_DECIMALS:
            raise BinanceError(-1111, f"Parameter '{name}' has too much precision.")
        return Decimal(value)

    def integer(self, name: str) -> int | None:
        """Return a whole number, 0 or more."""
        value = self.text(name, _INTEGER)
        return None if value is None else int(value)

    def moment(self, name: str) -> int | None:
        """Return a time in ms UTC; clients may send microseconds."""
        value = self.integer(name)
        return value // 1000 if value is not None and value >= _FIRST_MICROSECONDS else value

    def limit(self, default: int, most: int) -> int:
        """Return how many rows are wanted."""
        wanted = self.integer("limit")
        if wanted == 0:
            raise BinanceError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(default if wanted is None else wanted, most)

    def choice(self, name: str, kind: type[_Choice], problem: tuple[int, str]) -> _Choice | None:
        """Return one of the members of `kind`; `problem`: code and text of the error for anything else."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError:
            raise BinanceError(*problem) from None

    def symbol(self, traded: Mapping[TradingSymbol, object]) -> TradingSymbol:
        """Return the symbol.

        Raises:
            BinanceError: none was sent, or it is not traded.
        """
        symbol = self.optional_symbol(traded)
        if symbol is None:
            raise missing("symbol")
        return symbol

    def optional_symbol(self, traded: Mapping[TradingSymbol, object]) -> TradingSymbol | None:
        """Return the symbol, or None if none was sent."""
        value = self.text("symbol")
        return None if value is None else traded_symbol(value, traded)

    def finish(self) -> None:
        """Say no to parameters that nobody reads.

        Raises:
            BinanceError: there is one.
        """
        unread = self._values.keys() - self._read
        if unread:
            read, sent = len(self._values) - len(unread), len(self._values)
            raise BinanceError(
                -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
            )

    def check_time(self, now: int) -> None:
        """Check when the request was made against `now` (ms UTC).

        Raises:
            BinanceError: it is too old, or from the future.
        """
        timestamp, window = self.moment("timestamp"), self.integer("recvWindow")
        if timestamp is None:
            raise missing("timestamp")
        if window is not None and window > _LONGEST_WINDOW_MS:
            raise BinanceError(-1130, "Data sent for parameter 'recvWindow' is not valid.")
        if timestamp > now + _AHEAD_MS:
            raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now - timestamp > (_DEFAULT_WINDOW_MS if window is None else window):
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def check_signature(self, secret: str, payload: str) -> None:
        """Check that `payload` was signed with `secret`.

        Raises:
            BinanceError: it was not.
        """
        signature = self.text("signature")
        if signature is None:
            raise missing("signature")
        if not hmac.compare_digest(signed(secret, payload).encode(), signature.lower().encode()):
            raise BinanceError(-1022, "Signature for this request is not valid.")


def traded_symbol(text: str, traded: Mapping[TradingSymbol, object]) -> TradingSymbol:
    """Return the symbol that Binance writes like `text`.

    Raises:
        BinanceError: it is not traded.
    """
    try:
        symbol = TradingSymbol.from_str(text)
    except SymbolError:
        raise BinanceError(-1121, "Invalid symbol.") from None
    if symbol not in traded or symbol.to_binance_api() != text:
        raise BinanceError(-1121, "Invalid symbol.")
    return symbol


def signed(secret: str, payload: str) -> str:
    """Return the signature of `payload`: HMAC-SHA256, in hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def read_parameters(query: str, body: str) -> tuple[Parameters, str]:
    """Return what was sent, and the text that must have been signed: query and body as sent, without the signature.

    Raises:
        BinanceError: a parameter was sent twice.
    """
    pairs = [*parse_qsl(query, keep_blank_values=True), *parse_qsl(body, keep_blank_values=True)]
    if len(dict(pairs)) != len(pairs):
        raise BinanceError(-1101, "Duplicate values for a parameter detected.")
    return Parameters(dict(pairs)), _SIGNATURE.sub("", query) + _SIGNATURE.sub("", body)
