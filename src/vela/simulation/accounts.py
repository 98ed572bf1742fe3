"""Balances of the pretend market's account, and the reservations that stand behind open orders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from vela.domain.errors import LedgerError
from vela.domain.money import ZERO, add, plain, subtract
from vela.ports.execution import Balance


class Account:
    """What is held per asset, and how much of it open orders have locked.

    Reservations are made under a key. Orders that exclude each other share a key and with it one lock: the largest that
    any of them needs.
    """

    def __init__(self, initial: Mapping[str, Decimal]) -> None:
        """Start with the `initial` amount of each asset, all of it free.

        Raises:
            LedgerError: an amount is below zero or no finite number.
        """
        for asset, amount in initial.items():
            if not amount.is_finite() or amount < 0:
                raise LedgerError(f"initial balance of {asset} was {amount}; accepted: 0 or more")
        self._total = dict(initial)
        self._locked: dict[str, Decimal] = {}
        self._needs: dict[str, tuple[str, dict[str, Decimal]]] = {}  # key -> asset, need of each order

    def copy(self) -> Account:
        """Return an independent account in the same state."""
        twin = Account({})
        twin._total = dict(self._total)
        twin._locked = dict(self._locked)
        twin._needs = {key: (asset, dict(needs)) for key, (asset, needs) in self._needs.items()}
        return twin

    def free(self, asset: str) -> Decimal:
        """Return what can be spent of `asset`."""
        return subtract(self._total.get(asset, ZERO), self._locked.get(asset, ZERO))

    def locked(self, key: str) -> Decimal:
        """Return what is reserved under `key`."""
        return max(self._needs[key][1].values()) if key in self._needs else ZERO

    def balances(self) -> dict[str, Balance]:
        """Return free and locked of every asset that was ever held."""
        return {asset: Balance(self.free(asset), self._locked.get(asset, ZERO)) for asset in self._total}

    def reserve(self, key: str, order: str, asset: str, amount: Decimal) -> None:
        """Lock what `order` may need, beside what others of the same key need.

        Raises:
            LedgerError: more than is free would have to be locked; nothing was changed.
        """
        needs = dict(self._needs[key][1]) if key in self._needs else {}
        needs[order] = amount
        more = subtract(max(needs.values()), self.locked(key))
        if more > self.free(asset):
            raise LedgerError(f"{plain(more)} {asset} cannot be locked; accepted: up to {plain(self.free(asset))}")
        self._lock(asset, more)
        self._needs[key] = (asset, needs)

    def release(self, key: str, order: str) -> None:
        """Give up what `order` reserved; an order without a reservation changes nothing."""
        asset, needs = self._needs.get(key, ("", {}))
        if order not in needs:
            return
        before = max(needs.values())
        del needs[order]
        self._lock(asset, subtract(max(needs.values(), default=ZERO), before))
        if not needs:
            del self._needs[key]

    def post(self, changes: Mapping[str, Decimal]) -> None:
        """Add to (+) or take from (−) the free balances, all or nothing.

        Raises:
            LedgerError: a balance would fall below what is locked.
        """
        for asset, amount in changes.items():
            if add(self.free(asset), amount) < 0:
                raise LedgerError(
                    f"{plain(-amount)} {asset} cannot be spent; accepted: up to {plain(self.free(asset))}"
                )
        for asset, amount in changes.items():
            self._total[asset] = add(self._total.get(asset, ZERO), amount)

    def _lock(self, asset: str, amount: Decimal) -> None:
        locked = add(self._locked.get(asset, ZERO), amount)
        if locked:
            self._locked[asset] = locked
        else:
            self._locked.pop(asset, None)
