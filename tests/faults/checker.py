"""Checks an account from the outside: reads the venue's books and the record, and nothing of Vela's code.

`python -m tests.faults.checker DATA_DIR [--truth FILE]` prints every breach and exits with 1 if there is one. Without
a truth file the account is a paper account, whose exchange keeps its log in the record.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal, localcontext
from pathlib import Path

from tests.faults.evidence import Evidence, Row, gathered

FINAL = {"FILLED", "REJECTED", "CANCELLED", "EXPIRED"}
NEVER_THERE = {"REJECTED", "EXPIRED"}
ORDER_OF_STATES = ["PLANNED", "SENT", "UNKNOWN", "ACCEPTED", "PARTIALLY_FILLED", "FINAL"]
QUOTE = "USDT"
Totals = defaultdict[tuple[str, str], Decimal]


def breaches(data_dir: Path, truth: Path | None = None, *, is_settled: bool = True) -> list[str]:
    """Return every invariant that does not hold, in words.

    Args:
        data_dir: of the account.
        truth: what the venue wrote; None: it is a paper account.
        is_settled: the session has ended in peace; else it was cut off, and only what holds at any moment is checked.
    """
    return contradictions(gathered(data_dir, truth), is_settled=is_settled)


def contradictions(evidence: Evidence, *, is_settled: bool = True) -> list[str]:
    """Return every invariant that does not hold in the evidence; see `breaches`."""
    checks = [_ledger, _own_fills, _own_orders, _states, _signals]
    if is_settled:
        checks += [_fills, _orders, _movements, _positions, _protection]
    with localcontext(prec=80):
        return [breach for check in checks for breach in check(evidence)]


def trades(data_dir: Path) -> list[Row]:
    """Return the closed round trips of a paper account, without their row numbers."""
    return [{key: value for key, value in row.items() if key != "id"} for row in gathered(data_dir).trades]


# ------------------------------------------------------------------------------------------------- at any moment


def _ledger(evidence: Evidence) -> Iterator[str]:
    sums: Totals = defaultdict(Decimal)
    for entry in evidence.ledger:
        sums[entry["transaction_id"], entry["asset"]] += Decimal(entry["amount"])
    yield from (f"ledger transaction {key} sums to {total}" for key, total in sums.items() if total)
    account = _accounts(evidence)
    left = account["cash", QUOTE] + account["cost", QUOTE]
    right = -account["capital", QUOTE] - account["realised", QUOTE] - account["fees", QUOTE]
    if left != right:
        yield f"cash + cost is {left}, capital + realised - fees is {right}"
    for row in evidence.balances:
        if account[row["account"], row["asset"]] != Decimal(row["amount"]):
            yield f"{row['account']} of {row['asset']} is {row['amount']}, its postings make another sum"
    yield from _costs(evidence, account)


def _costs(evidence: Evidence, account: Totals) -> Iterator[str]:
    cost = sum((Decimal(row["cost"]) for row in evidence.positions), Decimal(0))
    if cost != account["cost", QUOTE]:
        yield f"the positions cost {cost}, the ledger says {account['cost', QUOTE]}"


def _accounts(evidence: Evidence) -> Totals:
    totals: Totals = defaultdict(Decimal)
    for entry in evidence.ledger:
        totals[entry["account"], entry["asset"]] += Decimal(entry["amount"])
    return totals


def _own_fills(evidence: Evidence) -> Iterator[str]:
    theirs = evidence.books.fills
    for row in evidence.fills:
        fill_id = row["fill_id"]
        if fill_id not in theirs:
            yield f"fill {fill_id} is on record only"
            continue
        for name in ("price", "quantity", "fee"):
            if Decimal(row[name]) != Decimal(theirs[fill_id][name]):
                yield f"fill {fill_id}: {name} is {row[name]} here, {theirs[fill_id][name]} there"
        facts = {"client_order_id": "order", "symbol": "symbol", "side": "side", "fee_asset": "fee_asset"}
        for here, there in facts.items():
            if row[here] != theirs[fill_id][there]:
                yield f"fill {fill_id}: {here} is {row[here]} here, {theirs[fill_id][there]} there"


def _own_orders(evidence: Evidence) -> Iterator[str]:
    ours, accepted = {row["client_order_id"] for row in evidence.orders}, evidence.books.accepted
    yield from (f"order {order} was accepted twice" for order in sorted(set(accepted)) if accepted.count(order) > 1)
    yield from (f"order {order} is at the venue without an intent" for order in accepted if order not in ours)
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.fills:
        filled[fill["client_order_id"]] += Decimal(fill["quantity"])
    for row in evidence.orders:
        if Decimal(row["filled_quantity"]) != filled[row["client_order_id"]]:
            yield f"order {row['client_order_id']} says {row['filled_quantity']} filled, its fills make another sum"


def _states(evidence: Evidence) -> Iterator[str]:
    newest: dict[str, int] = {}
    for event in evidence.order_events:
        state = "FINAL" if event["status"] in FINAL else event["status"]
        rank = ORDER_OF_STATES.index(state)
        before = newest.get(event["client_order_id"], 0)
        if rank < before or before == ORDER_OF_STATES.index("FINAL"):
            yield f"order {event['client_order_id']} went back to {event['status']}"
        newest[event["client_order_id"]] = rank


def _signals(evidence: Evidence) -> Iterator[str]:
    used = [row["client_order_id"] for row in evidence.signals if row["client_order_id"] is not None]
    yield from (f"order {order} answers two signals" for order in set(used) if used.count(order) > 1)
    entries = {row["client_order_id"] for row in evidence.orders if row["purpose"] == "entry"}
    yield from (f"entry {order} answers no signal" for order in sorted(entries - set(used)))


# --------------------------------------------------------------------------------------------- when all is settled


def _fills(evidence: Evidence) -> Iterator[str]:
    booked = {row["fill_id"] for row in evidence.fills}
    yield from (f"fill {fill_id} is at the venue only" for fill_id in evidence.books.fills if fill_id not in booked)


def _orders(evidence: Evidence) -> Iterator[str]:
    for row in evidence.orders:
        order, here = row["client_order_id"], row["status"]
        there = evidence.books.status.get(order)
        if there is None and here not in NEVER_THERE:
            yield f"order {order} is {here} here and unknown at the venue"
        if there is not None and here != there:
            yield f"order {order} is {here} here and {there} at the venue"


def _movements(evidence: Evidence) -> Iterator[str]:
    moved: defaultdict[str, Decimal] = defaultdict(Decimal)
    besides: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in evidence.books.fills.values():
        base, quote = fill["symbol"].split("/")
        sign = 1 if fill["side"] == "BUY" else -1
        moved[base] += sign * Decimal(fill["quantity"])
        moved[quote] -= sign * Decimal(fill["price"]) * Decimal(fill["quantity"])
        if fill["fee_asset"] == quote or (fill["fee_asset"] == base and fill["side"] == "BUY"):
            moved[fill["fee_asset"]] -= Decimal(fill["fee"])
        else:
            besides[fill["fee_asset"]] += Decimal(fill["fee"])
    account, paid_in = _accounts(evidence), _paid_in(evidence)
    for asset, amount in besides.items():
        if account["fees", asset] != amount:
            yield f"{asset}: fees of {account['fees', asset]} are on record, the venue took {amount} from the owner"
    for asset, amount in moved.items():
        ours = account["cash", asset] + account["holdings", asset] - paid_in[asset]
        if ours != amount:
            yield f"{asset}: the ledger moved by {ours}, the venue's account by {amount}"
        if paid_in[asset] + amount < 0:
            yield f"{asset}: {amount} was taken from the venue's account, {paid_in[asset]} was paid in"


def _paid_in(evidence: Evidence) -> defaultdict[str, Decimal]:
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in evidence.ledger:
        if entry["transaction_id"] == "opening" and entry["account"] == "cash":
            paid[entry["asset"]] += Decimal(entry["amount"])
    return paid


def _positions(evidence: Evidence) -> Iterator[str]:
    """What the fills of each round trip leave is held, or was written off because it was too little to be sold."""
    held, written_off = _left_by_round_trip(evidence), _written_off(evidence)
    open_ones = {f"{_long(row)}-{row['entry_time']}": Decimal(row["quantity"]) for row in evidence.positions}
    for stem in held.keys() | open_ones.keys():
        left = held.get(stem, Decimal(0))
        if stem in open_ones and left != open_ones[stem]:
            yield f"{stem}: fills leave {left}, the position is {open_ones[stem]}"
        if stem not in open_ones and left and stem not in written_off:
            yield f"{stem}: fills leave {left}, and it is not a position nor written off"
        if stem in written_off and _is_sellable(evidence, stem, left):
            yield f"{stem}: {left} was written off and could be sold"


def _left_by_round_trip(evidence: Evidence) -> dict[str, Decimal]:
    """What each round trip bought and did not sell, by what the ids of the orders that end it begin with.

    It is named after the first fill of its entry, or, where that was sold before the entry was filled any further,
    after the first one from then on and how many came before.
    """
    begun = {f"{_long(row)}-{row['entry_time']}" for row in evidence.positions}
    begun |= {fill["client_order_id"].rpartition("-")[0] for fill in evidence.fills if fill["side"] == "SELL"}
    begun |= _written_off(evidence)
    left: defaultdict[str, Decimal] = defaultdict(Decimal)
    bought: defaultdict[str, list[Row]] = defaultdict(list)
    for fill in evidence.fills:
        if fill["side"] == "SELL":
            left[fill["client_order_id"].rpartition("-")[0]] -= Decimal(fill["quantity"])
        else:
            bought[fill["client_order_id"]].append(fill)
    for fills in bought.values():
        trip = ""
        for before, fill in enumerate(fills):  # in the order in which they were heard of
            name = f"{_long(fill)}-{fill['time'] + before}"
            trip = name if not trip or name in begun else trip
            fee = Decimal(fill["fee"]) if fill["fee_asset"] == fill["symbol"].split("/")[0] else Decimal(0)
            left[trip] += Decimal(fill["quantity"]) - fee
    return left


def _written_off(evidence: Evidence) -> set[str]:
    names = {entry["transaction_id"] for entry in evidence.ledger}
    return {name.removeprefix("write-off:") for name in names if name.startswith("write-off:")}


def _is_sellable(evidence: Evidence, stem: str, left: Decimal) -> bool:
    # At a price between those of its fills there must have been one at which it was too little.
    rules = next(row for row in evidence.rules if _long(row) == stem.split("-", maxsplit=1)[0])
    prices = [Decimal(fill["price"]) for fill in evidence.fills if _long(fill) == stem.split("-", maxsplit=1)[0]]
    prices += [price for symbol, price in evidence.lowest.items() if symbol.replace("/", "") == _long(rules)]
    orderable = _floor(left, Decimal(rules["step"]))
    return orderable >= Decimal(rules["min_quantity"]) and orderable * min(prices) >= Decimal(rules["min_notional"])


def _protection(evidence: Evidence) -> Iterator[str]:
    """A stop of its orderable size rests behind every position that wants one, and behind nothing else."""
    rules = {row["symbol"]: Decimal(row["step"]) for row in evidence.rules}
    held = {row["symbol"]: _floor(Decimal(row["quantity"]), rules[row["symbol"]]) for row in evidence.positions}
    wanted = {row["symbol"]: held[row["symbol"]] for row in evidence.positions if row["stop_ticks"] is not None}
    stopped: defaultdict[str, Decimal] = defaultdict(Decimal)
    limited: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order, resting in evidence.books.open.items():
        if resting["type"] == "STOP":
            stopped[resting["symbol"]] += resting["quantity"]
        elif resting["type"] in {"LIMIT", "LIMIT_MAKER"}:
            limited[resting["symbol"]] += resting["quantity"]
        else:
            yield f"order {order} of type {resting['type']} is open"
    for symbol in stopped.keys() | wanted.keys():
        if stopped[symbol] != wanted.get(symbol, 0):
            yield f"{symbol}: {wanted.get(symbol, 0)} held, {stopped[symbol]} behind a stop"
    for symbol, quantity in limited.items():
        if quantity > held.get(symbol, 0):
            yield f"{symbol}: {held.get(symbol, 0)} held, {quantity} offered at a target"


def _floor(quantity: Decimal, step: Decimal) -> Decimal:
    return (quantity / step).to_integral_value(ROUND_DOWN) * step


def _long(row: Row) -> str:
    return str(row["symbol"]).replace("/", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--truth", type=Path, default=None)
    chosen = parser.parse_args()
    found = breaches(chosen.data_dir, chosen.truth)
    print("\n".join(found) or "all invariants hold")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
