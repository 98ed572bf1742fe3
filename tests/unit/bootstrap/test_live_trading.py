from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.builders import BTC, ETH

from vela.adapters.exchanges.unified.connection import Credentials, KeyRights
from vela.adapters.storage.lock import AccountLock
from vela.bootstrap.live_trading import confirm, read_credentials, require_capital, require_fees_apart, require_safe
from vela.bootstrap.settings import Settings, load_settings
from vela.domain.errors import (
    ConfigurationError,
    CredentialsRefused,
    OrderUnresolved,
    StorageLocked,
    VenueUnavailable,
)
from vela.ports.execution import Balance

WORDS = "trade real money on binance"


def settings(**options) -> Settings:
    return load_settings({"exchange": "binance", "live": True, **options}, {}, Path("none.toml"))


# --------------------------------------------------------------------------------------------------------- confirmation


def test_the_words_are_typed_or_given() -> None:
    confirm(settings(), WORDS, None)
    confirm(settings(), None, lambda _: f" {WORDS} ")


@pytest.mark.parametrize("given", ["yes", "", "trade real money", "TRADE REAL MONEY ON BINANCE"])
def test_other_words_confirm_nothing(given: str) -> None:
    for arguments in ((given, None), (None, lambda _: given)):
        with pytest.raises(ConfigurationError, match=f"accepted: --confirm '{WORDS}'"):
            confirm(settings(), *arguments)


def test_where_nobody_can_be_asked_nothing_is_confirmed() -> None:
    with pytest.raises(ConfigurationError, match="confirmed with nothing"):
        confirm(settings(), None, None)


# ------------------------------------------------------------------------------------------------------------- the key


def test_the_key_comes_from_the_environment() -> None:
    environment = {"VELA_API_KEY": " k ", "VELA_API_SECRET": "s"}
    assert read_credentials(settings(), environment) == Credentials("k", "s")


@pytest.mark.parametrize("environment", [{}, {"VELA_API_KEY": "k"}, {"VELA_API_SECRET": "s", "VELA_API_KEY": " "}])
def test_without_a_key_there_is_no_live_trading(environment) -> None:
    with pytest.raises(ConfigurationError, match="accepted: VELA_API_KEY and VELA_API_SECRET"):
        read_credentials(settings(), environment)


def test_a_key_file_is_read_if_it_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text("key = 'k'\nsecret = 's3cret'\n")
    file.chmod(0o600)
    assert read_credentials(settings(key_file=str(file)), {}) == Credentials("k", "s3cret")
    file.chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others; accepted: chmod 600"):
        read_credentials(settings(key_file=str(file)), {})


@pytest.mark.parametrize("content", ["key = 's3cret", "key = 's3cret'", "key = ''\nsecret = 's3cret'", "secret = 5"])
def test_a_key_file_that_cannot_be_used_is_refused_without_showing_what_is_in_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="accepted: ") as refusal:
        read_credentials(settings(key_file=str(file)), {})
    assert "s3cret" not in str(refusal.value)


def test_a_key_is_not_shown() -> None:
    assert "s3cret" not in repr(Credentials("k3y", "s3cret"))
    assert "k3y" not in repr(Credentials("k3y", "s3cret"))


# --------------------------------------------------------------------------------------------- the exchange's own words


class Exchange:
    name = "binance"

    def __init__(
        self, offset: int = 0, rights: KeyRights | Exception | None = None, fee_asset: str | None = None
    ) -> None:
        self.offset, self.rights = offset, rights or KeyRights(can_trade=True, can_withdraw=False)
        self.asset = fee_asset

    async def fee_asset(self) -> str | None:
        return self.asset

    def clock_offset(self) -> int:
        return self.offset

    async def key_rights(self) -> KeyRights:
        if isinstance(self.rights, Exception):
            raise self.rights
        return self.rights


@pytest.mark.parametrize("offset", [-1000, 0, 1000])
async def test_a_clock_that_is_right_and_a_key_that_may_trade_pass(offset: int) -> None:
    exchange: Any = Exchange(offset)
    await require_safe(exchange)


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (Exchange(1001), "clock is off by 1001 ms"),
        (Exchange(-1001), "clock is off by -1001 ms"),
        (Exchange(rights=KeyRights(True, True)), "the key may withdraw money"),
        (Exchange(rights=KeyRights(False, False)), "the key may not trade"),
        (Exchange(rights=CredentialsRefused("wrong")), "does not accept the key: wrong"),
    ],
)
async def test_what_is_not_safe_is_refused(exchange: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        await require_safe(exchange)


async def test_what_is_not_proven_is_refused() -> None:
    exchange: Any = Exchange(rights=VenueUnavailable("does not say"))
    with pytest.raises(VenueUnavailable):
        await require_safe(exchange)


async def test_fees_are_not_taken_in_an_asset_that_is_traded() -> None:
    for asset in (None, "BNB"):
        apart: Any = Exchange(fee_asset=asset)
        await require_fees_apart(apart, [BTC, ETH])
    together: Any = Exchange(fee_asset="ETH")
    with pytest.raises(ConfigurationError, match="fees in ETH, which is among the symbols; accepted: symbols without"):
        await require_fees_apart(together, [BTC, ETH])


class Account:
    def __init__(self, free: str | None) -> None:
        self.free = free

    async def balances(self) -> dict[str, Balance]:
        if self.free is None:
            raise OrderUnresolved("no answer")
        return {"USDT": Balance(Decimal(self.free), Decimal(5))} if self.free else {}


async def test_the_capital_must_be_there() -> None:
    enough: Any = Account("100")
    await require_capital(enough, "USDT", Decimal(100))
    for free, shown in (("99.99", "99.99"), ("", "0")):
        short: Any = Account(free)
        with pytest.raises(ConfigurationError, match=f"capital is 100 USDT and the account has {shown} free"):
            await require_capital(short, "USDT", Decimal(100))
    silent: Any = Account(None)
    with pytest.raises(VenueUnavailable, match="not told"):
        await require_capital(silent, "USDT", Decimal(100))


def test_an_account_is_traded_on_once_at_a_time(tmp_path: Path) -> None:
    first = AccountLock(tmp_path / "accounts", "abc")
    with pytest.raises(StorageLocked, match="trades on this account; accepted: one instance per account"):
        AccountLock(tmp_path / "accounts", "abc")
    AccountLock(tmp_path / "accounts", "def").release()
    first.release()
    AccountLock(tmp_path / "accounts", "abc").release()
