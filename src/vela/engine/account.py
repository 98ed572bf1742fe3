"""One account in one quote currency: what is there, what of it is free, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from vela.domain.instrument import Instrument
from vela.domain.money import ZERO, add, multiply, subtract
from vela.domain.order import Order
from vela.domain.position import Position, Wallet
from vela.domain.trading_symbol import TradingSymbol
from vela.engine.ledger import Account, Ledger, opening
from vela.engine.rules import TradingRules
from vela.ports.record import LedgerTransaction


class TradingAccount:
    """The ledger, read as a trader reads it; positions are valued at the newest closes."""

    def __init__(
        self,
        rules: TradingRules,
        instruments: Mapping[TradingSymbol, Instrument],
        balances: Mapping[tuple[str, str], Decimal],
    ) -> None:
        """Go on from `balances`, by account and asset."""
        self._rules = rules
        self._instruments = instruments
        self._ledger = Ledger(balances)
        self._closes: dict[TradingSymbol, float] = {}

    @property
    def is_funded(self) -> bool:
        """Whether the capital was paid in."""
        return bool(self._balance(Account.CAPITAL))

    def fund(self, time: int) -> LedgerTransaction:
        """Pay the initial capital in; returns the transaction."""
        transaction = opening(self._rules.quote, self._rules.initial_capital, time)
        self._ledger.book(transaction)
        return transaction

    def book(self, transaction: LedgerTransaction) -> None:
        """Book a transaction.

        Raises:
            LedgerError: see `Ledger.book`.
        """
        self._ledger.book(transaction)

    @property
    def overdraft(self) -> Decimal:
        """What purchases have cost beyond the cash that was there, in quote."""
        return max(ZERO, -self._balance(Account.CASH))

    def mark(self, symbol: TradingSymbol, close: float) -> None:
        """Value the symbol at its newest close."""
        self._closes[symbol] = close

    def close(self, symbol: TradingSymbol) -> float | None:
        """Return the symbol's newest close; None where it has not closed yet."""
        return self._closes.get(symbol)

    def reserved(self, entering: Iterable[Order]) -> Decimal:
        """Return what the entries under way may still cost, in quote."""
        paid_share = add(Decimal(1), self._rules.fee_rate)
        open_parts = (subtract(order.reserved, multiply(order.filled_value, paid_share)) for order in entering)
        return add(*(max(part, ZERO) for part in open_parts))

    def free(self, entering: Iterable[Order]) -> Decimal:
        """Return what can be spent, in quote: 0 or more."""
        return max(ZERO, subtract(self._balance(Account.CASH), self.reserved(entering)))

    def market_value(self, position: Position) -> Decimal:
        """Return what a position is worth, in quote; at cost where its symbol has not closed yet."""
        close = self._closes.get(position.symbol)
        if close is None:
            return position.cost
        instrument = self._instruments[position.symbol]
        return multiply(position.quantity, instrument.price(instrument.price_ticks(close)))

    def wallet(self, time: int, positions: Iterable[Position], entering: Iterable[Order]) -> Wallet:
        """Return the account as of `time` (ms UTC)."""
        return Wallet(
            quote=self._rules.quote,
            time=time,
            initial_capital=-self._balance(Account.CAPITAL),
            cash=self._balance(Account.CASH),
            reserved=self.reserved(entering),
            cost=self._balance(Account.COST),
            market_value=add(*map(self.market_value, positions)),
            realised_pnl=-self._balance(Account.REALISED),
            fees=self._balance(Account.FEES),
        )

    def known_wallet(self, time: int, positions: Iterable[Position], entering: Iterable[Order]) -> Wallet | None:
        """Return the account as of `time` (ms UTC); None where a position's symbol has not closed yet."""
        held = tuple(positions)
        return self.wallet(time, held, entering) if all(p.symbol in self._closes for p in held) else None

    def _balance(self, account: Account) -> Decimal:
        return self._ledger.balance(account, self._rules.quote)
