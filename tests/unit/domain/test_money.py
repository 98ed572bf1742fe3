from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vela.domain import money
from vela.domain.errors import MoneyError

amounts = st.decimals(min_value="-1e12", max_value="1e12", allow_nan=False, allow_infinity=False, places=10)
factors = st.decimals(min_value="-1e6", max_value="1e6", allow_nan=False, allow_infinity=False, places=8)
positive = st.decimals(min_value="1e-8", max_value="1e9", allow_nan=False, allow_infinity=False, places=8)


@given(st.lists(amounts))
def test_a_sum_is_exact(terms: list[Decimal]):
    assert Fraction(money.add(*terms)) == sum(map(Fraction, terms))


@given(amounts, amounts)
def test_a_difference_is_exact(minuend: Decimal, subtrahend: Decimal):
    assert Fraction(money.subtract(minuend, subtrahend)) == Fraction(minuend) - Fraction(subtrahend)


@given(st.lists(factors, max_size=4))
def test_a_product_is_exact(terms: list[Decimal]):
    expected = Fraction(1)
    for term in terms:
        expected *= Fraction(term)
    assert Fraction(money.multiply(*terms)) == expected


def test_more_digits_than_the_default_context_has_are_kept():
    large, small = Decimal("123456789012345678901234567890.5"), Decimal("1e-18")
    assert money.add(large, small) == Decimal("123456789012345678901234567890.500000000000000001")
    assert money.subtract(large, small) == Decimal("123456789012345678901234567890.499999999999999999")
    assert money.multiply(Decimal("1.000000000000000001"), Decimal("1.000000000000000001")) == Decimal(
        "1.000000000000000002000000000000000001"
    )


def test_the_callers_decimal_context_does_not_matter():
    with decimal.localcontext() as context:
        context.prec = 3
        assert money.add(Decimal("1000.01"), Decimal("0.001")) == Decimal("1000.011")
        assert money.subtract(Decimal("1000.01"), Decimal("0.001")) == Decimal("1000.009")
        assert money.multiply(Decimal("1000.01"), Decimal("1.001")) == Decimal("1001.01001")
        assert money.pro_rata(Decimal("1000.01"), Decimal(1), Decimal(2)) == Decimal("500.005")


@pytest.mark.parametrize(
    "operation",
    [
        lambda: money.add(Decimal("1e60"), Decimal("1e-3")),
        lambda: money.subtract(Decimal("1e60"), Decimal("1e-3")),
        lambda: money.multiply(Decimal("1." + "3" * 40), Decimal("1." + "3" * 40)),
        lambda: money.multiply(Decimal("1e-999999"), Decimal("1e-999999")),
    ],
)
def test_a_result_that_would_have_to_be_rounded_is_an_error(operation):
    with pytest.raises(decimal.Inexact):
        operation()


def test_zeros_at_the_end_are_no_digits_that_could_be_lost():
    assert money.add(Decimal("1e70"), Decimal(0)) == Decimal("1e70")
    assert money.multiply(Decimal("1." + "0" * 50), Decimal("2." + "0" * 50)) == 2


@given(positive, positive, st.fractions(min_value=0, max_value=1))
def test_a_share_is_rounded_down_by_less_than_its_last_decimal(amount: Decimal, whole: Decimal, share: Fraction):
    part = whole * Decimal(share.numerator) / Decimal(share.denominator)
    result = money.pro_rata(amount, part, whole)
    true = Fraction(amount) * Fraction(part) / Fraction(whole)
    assert 0 <= true - Fraction(result) < Fraction(1, 10**18)
    assert result <= amount or part > whole


def test_a_share_of_a_very_large_amount_can_be_computed():
    assert money.pro_rata(Decimal("123456789012345.5"), Decimal(1), Decimal(3)) == Decimal(
        "41152263004115.166666666666666666"
    )


@pytest.mark.parametrize("value", [1.5, True, False, None, b"1", [], float("nan")])
def test_what_is_no_exact_type_is_refused(value: object):
    with pytest.raises(MoneyError, match="accepted: a decimal number"):
        money.exact(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["NaN", "sNaN", "Infinity", "-inf", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")],
)
def test_what_is_not_finite_is_refused(value: str | Decimal):
    with pytest.raises(MoneyError, match="finite"):
        money.exact(value)


@pytest.mark.parametrize("value", ["", " ", "one", "1,5", "1.2.3", "0x10", "5%", "--1"])
def test_text_that_is_no_number_is_refused(value: str):
    with pytest.raises(MoneyError, match="is no number"):
        money.exact(value)


def test_an_endless_text_is_not_repeated_in_full():
    with pytest.raises(MoneyError) as refusal:
        money.exact("x" * 10_000)
    assert len(str(refusal.value)) < 150


@given(amounts)
def test_a_value_is_taken_digit_for_digit(value: Decimal):
    for same in (value, str(value)):
        assert money.exact(same).as_tuple() == value.as_tuple()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("0E+5", "0"),
        ("0E-30", "0"),
        ("1000", "1000"),
        ("1E+3", "1000"),
        ("0.050", "0.05"),
        ("1E-8", "0.00000001"),
        ("100.00", "100"),
        ("-1.10", "-1.1"),
        ("1.5E-18", "0.0000000000000000015"),
    ],
)
def test_plain_text(value: str, text: str):
    assert money.plain(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e30", max_value="1e30"))
def test_plain_text_has_no_exponent_and_reads_back_equal(value: Decimal):
    text = money.plain(value)
    assert Decimal(text) == value
    assert set(text) <= set("-.0123456789")
    assert "." not in text or text[-1] not in "0."


def test_a_ratio_is_for_display_and_has_28_digits():
    assert money.ratio(Decimal(1), Decimal(3)) == Decimal("0." + "3" * 28)
    assert money.ratio(Decimal("50.05"), Decimal("0.5")) == Decimal("100.1")
