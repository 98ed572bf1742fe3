"""Every error that Vela raises on purpose.

    VelaError
    ├── ConfigurationError      a setting or option makes no sense (exit 2)
    ├── SymbolError             a text or value that is no trading symbol (also a ValueError)
    ├── CandleError             candles that cannot be used: missing column, empty, unreadable (also a ValueError)
    ├── StrategyError           a strategy is unknown, has a parameter out of range or failed while analysing
    ├── MoneyError              a number that cannot be money: NaN, infinite, inexact (also a ValueError)
    ├── LedgerError             postings that do not balance or a balance below zero
    ├── OrderError              an order in a state that does not allow what was asked
    ├── VenueUnavailable        an exchange cannot be reached, or does not do what is needed
    ├── ExecutionError          the venue's answer to an order
    │   ├── OrderRefused        refused for certain; nothing rests at the venue
    │   │   ├── RateLimited     because too much was asked; later it may pass
    │   │   └── CredentialsRefused  key, signature or clock do not pass
    │   ├── OrderUnresolved     no certain answer; ask before doing anything else
    │   └── OrderNotFound       the venue does not know the order (yet)
    ├── StorageError            the record or the candle store cannot be read or written
    │   ├── StorageLocked       another instance holds it
    │   └── StorageUnavailable  not now: the disk is full or fails, the file is busy; later it may work
    ├── BusError                a message that cannot be encoded, decoded or delivered
    └── JobFailed               a job cannot be done; the message is for whoever asked for it

Each message says what was wrong and what is accepted. A user's mistake is shown as that one line; only a bug shows
a traceback.
"""

from __future__ import annotations


class VelaError(Exception):
    """Root of all errors raised on purpose."""


class ConfigurationError(VelaError):
    """A setting or option makes no sense; the message names the key, the value and what is accepted."""


class SymbolError(VelaError, ValueError):
    """A text or value is no trading symbol."""


class CandleError(VelaError, ValueError):
    """Candles cannot be used: unreadable, empty, a column missing or of the wrong kind."""


class StrategyError(VelaError):
    """A strategy is unknown, has a parameter out of range or failed while analysing."""


class MoneyError(VelaError, ValueError):
    """A number cannot be money: NaN, infinite or not exact."""


class LedgerError(VelaError):
    """Postings do not balance, or a balance would fall below zero."""


class OrderError(VelaError):
    """An order is in a state that does not allow what was asked."""


class VenueUnavailable(VelaError):
    """An exchange cannot be reached, or does not do what is needed."""


class ExecutionError(VelaError):
    """The venue's answer to an order command."""


class OrderRefused(ExecutionError):
    """The venue refused for certain: nothing was executed and nothing rests there.

    Attributes:
        taken_back: ids of orders of the same submission that were placed before another was refused, and cancelled.
    """

    taken_back: tuple[str, ...] = ()


class RateLimited(OrderRefused):
    """Refused for certain because too much was asked; later it may pass."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        """`retry_after`: seconds for which nothing more should be asked."""
        super().__init__(message)
        self.retry_after = retry_after


class CredentialsRefused(OrderRefused):
    """Refused for certain because of key, signature or clock."""


class OrderUnresolved(ExecutionError):
    """No certain answer came: the order may or may not exist at the venue."""


class OrderNotFound(ExecutionError):
    """The venue does not know the order, at least not yet."""


class StorageError(VelaError):
    """The record or the candle store cannot be read or written."""


class StorageLocked(StorageError):
    """Another running instance holds the data directory."""


class StorageUnavailable(StorageError):
    """Nothing can be read or written now: the disk is full or fails, or the file is busy. Later it may work."""


class BusError(VelaError):
    """A message cannot be encoded, decoded or delivered."""


class JobFailed(VelaError):
    """A job cannot be done; the message is one sentence for whoever asked for it."""
