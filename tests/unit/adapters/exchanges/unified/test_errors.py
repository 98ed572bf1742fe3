from __future__ import annotations

import ccxt
import pytest
from ccxt.base import errors

from vela.adapters.exchanges.unified.errors import Asked, described, is_wrong_clock, translated
from vela.adapters.exchanges.unified.reading import MessageError
from vela.domain.errors import (
    ConfigurationError,
    CredentialsRefused,
    OrderNotFound,
    OrderRefused,
    OrderUnresolved,
    RateLimited,
    VenueUnavailable,
)

URL = "binance POST https://api.binance.com/api/v3/order?timestamp=1&signature=canary"


@pytest.mark.parametrize(
    ("name", "command", "query", "market"),
    [
        ("InvalidOrder", OrderRefused, OrderNotFound, VenueUnavailable),
        ("InsufficientFunds", OrderRefused, OrderUnresolved, VenueUnavailable),
        ("BadRequest", OrderRefused, OrderUnresolved, VenueUnavailable),
        ("BadSymbol", OrderRefused, OrderUnresolved, ConfigurationError),
        ("OrderImmediatelyFillable", OrderRefused, OrderNotFound, VenueUnavailable),
        ("DuplicateOrderId", OrderUnresolved, OrderNotFound, VenueUnavailable),
        ("MarketClosed", OrderRefused, OrderUnresolved, VenueUnavailable),
        ("ArgumentsRequired", OrderRefused, OrderUnresolved, VenueUnavailable),
        ("OrderNotFound", OrderNotFound, OrderNotFound, VenueUnavailable),
        ("AuthenticationError", CredentialsRefused, CredentialsRefused, CredentialsRefused),
        ("PermissionDenied", CredentialsRefused, CredentialsRefused, CredentialsRefused),
        ("AccountSuspended", CredentialsRefused, CredentialsRefused, CredentialsRefused),
        ("InvalidNonce", CredentialsRefused, CredentialsRefused, CredentialsRefused),
        ("RateLimitExceeded", RateLimited, RateLimited, VenueUnavailable),
        ("DDoSProtection", RateLimited, RateLimited, VenueUnavailable),
        ("NetworkError", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("RequestTimeout", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("ExchangeNotAvailable", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("OnMaintenance", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("BadResponse", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("NullResponse", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("OperationFailed", OrderUnresolved, OrderUnresolved, VenueUnavailable),
        ("ExchangeError", OrderUnresolved, OrderUnresolved, VenueUnavailable),
    ],
)
def test_one_table_says_what_an_exception_means(name, command, query, market):
    error = getattr(ccxt, name)(URL)
    assert [type(translated(error, asked)) for asked in Asked] == [command, query, market]


@pytest.mark.parametrize("error", [KeyError("id"), TypeError("str"), ValueError("NaN"), OSError(), MessageError("x")])
def test_what_nobody_thought_of_is_unresolved(error):
    assert type(translated(error, Asked.COMMAND)) is OrderUnresolved
    assert type(translated(error, Asked.QUERY)) is OrderUnresolved
    assert type(translated(error, Asked.MARKET)) is VenueUnavailable


def test_every_exception_of_ccxt_has_a_meaning_and_only_certain_ones_are_refusals():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    meanings = {kind.__name__: type(translated(kind("x"), Asked.COMMAND)) for kind in kinds}
    assert len(meanings) > 40
    refusals = {name for name, meaning in meanings.items() if meaning is OrderRefused}
    assert refusals == {
        "ArgumentsRequired",
        "BadRequest",
        "BadSymbol",
        "ContractUnavailable",
        "InsufficientFunds",
        "InvalidOrder",
        "ManualInteractionNeeded",
        "MarginModeAlreadySet",
        "MarketClosed",
        "NoChange",
        "NotSupported",
        "OperationRejected",
        "OrderImmediatelyFillable",
        "OrderNotCached",
        "OrderNotFillable",
        "RestrictedLocation",
    }


@pytest.mark.parametrize(
    "error",
    [
        ccxt.InvalidOrder('binance {"code":-2010,"msg":"Duplicate order sent."}'),
        ccxt.InsufficientFunds('binance {"code":-2010,"msg":"Duplicate order sent."}'),
        ccxt.InvalidOrder('binance {"code":-4116,"msg":"ClientOrderId is duplicated: duplicate clientOrderId"}'),
        ccxt.DuplicateOrderId("kraken order with that id exists"),
    ],
)
def test_an_id_that_is_taken_means_that_the_order_is_there_and_not_that_it_was_refused(error):
    assert type(translated(error, Asked.COMMAND)) is OrderUnresolved


def test_an_error_of_ours_stays_as_it_is():
    ours = RateLimited("no budget", 7.0)
    assert translated(ours, Asked.COMMAND) is ours


def test_a_limit_bears_how_long_to_wait():
    error = translated(ccxt.RateLimitExceeded("x"), Asked.COMMAND, 12.5)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 12.5


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ccxt.InvalidOrder('binance {"code":-1013,"msg":"Filter failure: LOT_SIZE"}'),
            "invalid order: -1013 Filter failure: LOT_SIZE",
        ),
        (
            ccxt.ExchangeNotAvailable(f'{URL} 503 {{"code":-1007,"msg":"Timeout"}}'),
            "exchange not available: -1007 Timeout",
        ),
        (ccxt.RequestTimeout(URL), "request timeout"),
        (ccxt.NetworkError("Connection closed by remote server"), "network error: Connection closed by remote server"),
        (ccxt.BadResponse(f"{URL} {{broken"), "bad response"),
        (ccxt.ExchangeError(f"{URL} {{}}"), "exchange error"),
        (ValueError("two\nlines"), "value error: two lines"),
        (ValueError(), "value error"),
    ],
)
def test_it_says_what_was_wrong_in_one_line_without_an_address(error, text):
    assert described(error) == text
    assert "canary" not in str(translated(error, Asked.COMMAND))


def test_a_long_message_is_cut():
    assert len(described(ValueError("x" * 10_000))) == 200


def test_a_wrong_clock_is_told_apart():
    assert is_wrong_clock(ccxt.InvalidNonce("x"))
    assert not is_wrong_clock(ccxt.AuthenticationError("x"))
