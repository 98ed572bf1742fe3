from __future__ import annotations

import pytest

from vela.domain.errors import CredentialsRefused, ExecutionError, OrderRefused, RateLimited


@pytest.mark.parametrize("kind", [RateLimited, CredentialsRefused])
def test_what_was_not_let_in_was_refused_for_certain(kind):
    assert issubclass(kind, OrderRefused)
    assert issubclass(kind, ExecutionError)


def test_who_asked_too_much_is_told_how_long_to_wait():
    assert RateLimited("too much", 30.0).retry_after == 30.0
    assert str(RateLimited("too much")) == "too much"
