"""What an exception of ccxt means, in one table. Told by names of classes, so that nothing here imports ccxt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from vela.domain.errors import (
    ConfigurationError,
    CredentialsRefused,
    OrderNotFound,
    OrderRefused,
    OrderUnresolved,
    RateLimited,
    VelaError,
    VenueUnavailable,
)

_LONGEST = 200
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Asked(Enum):
    """What was asked of the exchange: the same exception does not mean the same of each."""

    COMMAND = 0
    """To place or cancel an order."""

    QUERY = 1
    """What became of orders, or what is held."""

    MARKET = 2
    """Anything that is public."""


class Meaning(NamedTuple):
    """What an exception means of a command, of a query and of the market."""

    command: type[VelaError]
    query: type[VelaError] = OrderUnresolved
    market: type[VelaError] = VenueUnavailable


_REFUSED = Meaning(OrderRefused)
_CREDENTIALS = Meaning(CredentialsRefused, CredentialsRefused, CredentialsRefused)
_RATE = Meaning(RateLimited, RateLimited)

# By the class's name or that of its nearest ancestor in the table. Whatever is not here may have reached the exchange:
# timeouts, lost connections, 5xx, maintenance, answers that cannot be read, and what nobody thought of.
_MEANINGS: Mapping[str, Meaning] = {
    # The exchange looked at it and said no, or ccxt did before anything was sent.
    "ArgumentsRequired": _REFUSED,
    "BadRequest": _REFUSED,
    "BadSymbol": Meaning(OrderRefused, OrderUnresolved, ConfigurationError),
    "ContractUnavailable": _REFUSED,
    "InsufficientFunds": _REFUSED,
    "DuplicateOrderId": Meaning(OrderUnresolved, OrderNotFound),  # see _TAKEN
    "InvalidOrder": Meaning(OrderRefused, OrderNotFound),  # of a query: so old that it is archived
    "NotSupported": _REFUSED,
    "OperationRejected": _REFUSED,
    "OrderNotFound": Meaning(OrderNotFound, OrderNotFound),
    # Before the exchange looks at an order it looks at who sends it, and how much that one has asked for.
    "AuthenticationError": _CREDENTIALS,
    "InvalidNonce": _CREDENTIALS,  # the clock, although it was set just now
    "DDoSProtection": _RATE,
    "RateLimitExceeded": _RATE,
}
_UNKNOWN = Meaning(OrderUnresolved)

# An order with that id of ours is there already; told in words, under the code of any refusal.
_TAKEN = re.compile(r"duplicate (order|client)", re.IGNORECASE)


def translated(error: Exception, asked: Asked, retry_after: float = 1.0) -> VelaError:
    """Return our error for whatever came out of ccxt. Its text holds no address, hence no key and no signature.

    Args:
        error: as it was raised; an error of ours stays as it is.
        asked: what was asked.
        retry_after: seconds that the exchange wants to be left alone, if it said so.
    """
    if isinstance(error, VelaError):
        return error
    kind, text = _meaning(error)[asked.value], described(error)
    if asked is Asked.COMMAND and _TAKEN.search(text):
        kind = OrderUnresolved  # who comes second meets the first, whose answer got lost: that very order is there
    return RateLimited(text, retry_after) if kind is RateLimited else kind(text)


def is_wrong_clock(error: Exception) -> bool:
    """Say whether a request was refused because of its time."""
    return "InvalidNonce" in _names(error)


def described(error: Exception) -> str:
    """Return what went wrong in one line: the exchange's code and words where it gave any, else the kind of error."""
    text = str(error)
    said = _said(text)
    if said is None and text and "://" not in text:
        said = text
    kind = _WORDS.sub(" ", type(error).__name__).lower()
    line = kind if said is None else f"{kind}: {said}"
    return "".join(character if character.isprintable() else " " for character in line)[:_LONGEST]


def _said(text: str) -> str | None:
    """Return code and message of the body that ccxt puts into its messages."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        body, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    return f"{body.get('code', '')} {body.get('msg', '')}".strip() or None


def _meaning(error: Exception) -> Meaning:
    return next((_MEANINGS[name] for name in _names(error) if name in _MEANINGS), _UNKNOWN)


def _names(error: Exception) -> list[str]:
    return [kind.__name__ for kind in type(error).__mro__]
