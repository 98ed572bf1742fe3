"""Double-entry bookkeeping: every movement has two sides, every transaction sums to zero per asset.

Accounts, in the quote currency unless said otherwise:

    cash       what can be spent or stands reserved; below zero by what purchases have cost beyond it, until a sale
               brings that back
    cost       what the open positions cost, fees not included
    fees       what the venue took (also in other assets)
    realised   profit (negative: loss carries the other sign) of closed parts, before fees, as a credit
    capital    what was paid in, as a credit; also what the owner's other assets paid in fees
    holdings   base assets held
    market     the other side of `holdings`: the assets' way into and out of the account

From these, exactly: cash + cost = capital + realised - fees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from vela.domain.errors import LedgerError
from vela.domain.fill import Fill
from vela.domain.money import ZERO, add
from vela.domain.order import Side
from vela.domain.trading_symbol import TradingSymbol
from vela.ports.record import LedgerTransaction, Posting


class Account(StrEnum):
    """The ledger's accounts."""

    CASH = "cash"
    COST = "cost"
    FEES = "fees"
    REALISED = "realised"
    CAPITAL = "capital"
    HOLDINGS = "holdings"
    MARKET = "market"


NEVER_BELOW_ZERO = frozenset({Account.HOLDINGS, Account.COST})
"""What is owned cannot be less than nothing."""


def opening(quote: str, capital: Decimal, time: int) -> LedgerTransaction:
    """Return the transaction that pays the capital in."""
    postings = (Posting(Account.CASH, quote, capital), Posting(Account.CAPITAL, quote, -capital))
    return LedgerTransaction("opening", time, postings)


def fill_transaction(fill: Fill, relieved_cost: Decimal | None, fee_worth: Decimal = ZERO) -> LedgerTransaction:
    """Return the transaction of one fill.

    Args:
        fill: the execution, settled (see `settlement.settled`).
        relieved_cost: cost of the quantity sold, in quote, when the fill reduces a position; None when it adds to one.
        fee_worth: in quote, of a fee that the owner's other assets paid.
    """
    quote, base, value = fill.symbol.quote.value, fill.symbol.base, fill.value
    bought = fill.quantity if fill.side is Side.BUY else -fill.quantity
    paid = value if fill.side is Side.BUY else -value
    postings = [
        Posting(Account.HOLDINGS, base, bought),
        Posting(Account.MARKET, base, -bought),
        Posting(Account.CASH, quote, -paid),
    ]
    if relieved_cost is None:
        postings.append(Posting(Account.COST, quote, paid))
    else:
        postings.append(Posting(Account.COST, quote, -relieved_cost))
        postings.append(Posting(Account.REALISED, quote, add(relieved_cost, paid)))
    source = Account.CASH if fill.fee_asset == quote else Account.MARKET
    postings.append(Posting(source, fill.fee_asset, -fill.fee))
    postings.append(Posting(Account.FEES, fill.fee_asset, fill.fee))
    postings.append(Posting(Account.CAPITAL, quote, -fee_worth))
    postings.append(Posting(Account.FEES, quote, fee_worth))
    return LedgerTransaction(f"fill:{fill.fill_id}", fill.time, tuple(p for p in postings if p.amount))


def write_off(name: str, quote: str, cost: Decimal, time: int) -> LedgerTransaction:
    """Return the transaction that counts a cost as lost. `name`: unique, of what is written off."""
    postings = (Posting(Account.COST, quote, -cost), Posting(Account.REALISED, quote, cost))
    return LedgerTransaction(f"write-off:{name}", time, postings)


def loss(name: str, symbol: TradingSymbol, quantity: Decimal, cost: Decimal, time: int) -> LedgerTransaction:
    """Return the transaction of what is held no more and was not sold: its cost is lost. `name`: unique, of it."""
    quote, base = symbol.quote.value, symbol.base
    postings = (
        Posting(Account.HOLDINGS, base, -quantity),
        Posting(Account.MARKET, base, quantity),
        Posting(Account.COST, quote, -cost),
        Posting(Account.REALISED, quote, cost),
    )
    return LedgerTransaction(f"loss:{name}", time, postings)


class Ledger:
    """Balances per account and asset; books whole transactions or nothing."""

    def __init__(self, balances: Mapping[tuple[str, str], Decimal] | None = None) -> None:
        """Start from stored balances, or empty."""
        self._balances: dict[tuple[str, str], Decimal] = dict(balances or {})

    def balance(self, account: Account, asset: str) -> Decimal:
        """Return an account's balance in one asset."""
        return self._balances.get((account, asset), ZERO)

    def book(self, transaction: LedgerTransaction) -> None:
        """Book a transaction.

        Raises:
            LedgerError: it does not sum to zero per asset, or would leave cost or holdings below zero; nothing
                was booked.
        """
        check_balanced(transaction)
        changed = dict(self._balances)
        for posting in transaction.postings:
            key = (posting.account, posting.asset)
            changed[key] = add(changed.get(key, ZERO), posting.amount)
        for account, asset in {(p.account, p.asset): None for p in transaction.postings}:
            left = changed[account, asset]
            if left < 0 and account in NEVER_BELOW_ZERO:
                raise LedgerError(f"{transaction.id} would leave {left:f} {asset} in {account}; accepted: 0 or more")
        self._balances = changed


def check_balanced(transaction: LedgerTransaction) -> None:
    """Check that a transaction sums to zero in every asset.

    Raises:
        LedgerError: it does not.
    """
    for asset, total in _totals(transaction.postings).items():
        if total:
            raise LedgerError(f"{transaction.id} leaves {total:f} {asset} unaccounted for; accepted: a sum of zero")


def _totals(postings: Iterable[Posting]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for posting in postings:
        totals[posting.asset] = add(totals.get(posting.asset, ZERO), posting.amount)
    return totals
