"""What must be so before real money is traded. Each check refuses with one line that says how to mend it."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from vela.adapters.exchanges.unified.connection import Connection, Credentials
from vela.bootstrap.settings import Settings
from vela.domain.errors import ConfigurationError, ExecutionError, VenueUnavailable
from vela.domain.money import ZERO, plain
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.execution import Execution

KEY, SECRET = "VELA_API_KEY", "VELA_API_SECRET"
MOST_CLOCK_OFFSET_MS = 1_000


def confirmation(settings: Settings) -> str:
    """Return the words that a person must type before real orders are sent."""
    return f"trade real money on {settings.exchange}"


def confirm(settings: Settings, given: str | None, ask: Callable[[str], str] | None) -> None:
    """Have real trading confirmed.

    Args:
        settings: what will be traded.
        given: the words, where they were given beforehand; None: they are asked for.
        ask: shows a question and returns the answer; None: there is nobody to ask.

    Raises:
        ConfigurationError: the words were not typed.
    """
    wanted = confirmation(settings)
    if given is None and ask is not None:
        given = ask(f"Orders will be real. Type '{wanted}' to go on: ")
    if given is None or given.strip() != wanted:
        shown = "nothing" if given is None else repr(given[:60])
        raise ConfigurationError(f"live trading was confirmed with {shown}; accepted: --confirm {wanted!r}")


def read_credentials(settings: Settings, environment: Mapping[str, str]) -> Credentials:
    """Return the account's key, from the environment or from a file that only its owner can read.

    Raises:
        ConfigurationError: there is none, or others could read it.
    """
    if settings.key_file is not None:
        return _from_file(settings.key_file)
    key, secret = (environment.get(name, "").strip() for name in (KEY, SECRET))
    if not key or not secret:
        raise ConfigurationError(
            f"live trading needs the account's key; accepted: {KEY} and {SECRET} in the environment, or --key-file FILE"
        )
    return Credentials(key, secret)


def _from_file(path: Path) -> Credentials:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigurationError(f"key file {str(path)!r} can be read by others; accepted: chmod 600 {path}")
            values = tomllib.load(file)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        # What is in it is nobody's business: not even in an error.
        raise ConfigurationError(
            f"key file {str(path)!r} cannot be read; accepted: a file with the lines key = '…' and secret = '…'"
        ) from None
    key, secret = values.get("key"), values.get("secret")
    if not (isinstance(key, str) and isinstance(secret, str) and key and secret):
        raise ConfigurationError(f"key file {str(path)!r} lacks key or secret; accepted: key = '…' and secret = '…'")
    return Credentials(key, secret)


async def require_safe(connection: Connection) -> None:
    """Check the machine's clock and what the key may do.

    Raises:
        ConfigurationError: the clock is off by more than a second, the key cannot trade, or it can withdraw.
        VenueUnavailable: the exchange does not say what the key may do.
    """
    offset = connection.clock_offset()
    if abs(offset) > MOST_CLOCK_OFFSET_MS:
        raise ConfigurationError(
            f"this machine's clock is off by {offset} ms against {connection.name}'s; "
            f"accepted: up to {MOST_CLOCK_OFFSET_MS} ms (let NTP set the clock)"
        )
    try:
        rights = await connection.key_rights()
    except ExecutionError as error:
        raise ConfigurationError(f"{connection.name} does not accept the key: {error}; accepted: a valid key") from None
    if rights.can_withdraw:
        raise ConfigurationError(
            "the key may withdraw money; accepted: a key without that right, bound to this machine's address"
        )
    if not rights.can_trade:
        raise ConfigurationError("the key may not trade; accepted: a key that may trade on the spot market")


async def require_fees_apart(connection: Connection, symbols: Iterable[TradingSymbol]) -> None:
    """Check that fees are not taken in an asset that is traded: they would be taken out of its position.

    Raises:
        ConfigurationError: they are.
    """
    asset = await connection.fee_asset()
    if asset in {symbol.base for symbol in symbols}:
        raise ConfigurationError(
            f"{connection.name} takes the account's fees in {asset}, which is among the symbols; "
            f"accepted: symbols without {asset}, or an account that does not pay its fees in it"
        )


async def require_capital(execution: Execution, quote: str, capital: Decimal) -> None:
    """Check that the account holds what a new record is to begin with.

    Raises:
        ConfigurationError: it holds less.
        VenueUnavailable: the exchange does not tell.
    """
    try:
        balance = (await execution.balances()).get(quote)
    except ExecutionError as error:
        raise VenueUnavailable(f"the account's balance is not told: {error}") from error
    free = ZERO if balance is None else balance.free
    if free < capital:
        raise ConfigurationError(
            f"capital is {plain(capital)} {quote} and the account has {plain(free)} free; accepted: up to what is free"
        )


def account_locks() -> Path:
    """Return the directory in which this machine notes which accounts are traded on."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "vela" / "accounts"
