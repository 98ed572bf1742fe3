"""A record of many rows, written by the database itself, and its fingerprint: what a migration must not lose."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, inspect, text

# Of every hundred rows, how many each table gets.
SHARES = {
    "orders": 20,
    "order_events": 20,
    "fills": 15,
    "ledger_entries": 15,
    "trades": 10,
    "decisions": 15,
    "wallets": 5,
}
SYMBOLS = ("BTC/USDT", "ETH/BTC", "SOL/USDT", "1000SATS/USDT", "ADA/EUR")

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})"
_SYMBOL = "CASE n % 5 " + " ".join(f"WHEN {n} THEN '{name}'" for n, name in enumerate(SYMBOLS)) + " END"
_ID = "'o' || n"
_VALUES = {
    "orders": f"{_ID}, {_SYMBOL}, 'BUY', 'LIMIT', {{amount}}, {{amount}}, NULL, NULL, 'entry', 'FILLED', n, n + 5, "
    "{amount}, {amount}, 'signal ✓', 'v' || n, {zero}, 'SmaCrossover', 'bull_trend'",
    "order_events": f"{_ID}, 1, 'SENT', n, {{zero}}, ''",
    "fills": f"'f' || n, {_ID}, {_SYMBOL}, 'BUY', {{amount}}, {{amount}}, {{amount}}, 'USDT', n",
    "ledger_entries": "'t' || n, 1, n, 'cash', 'USDT', {amount}",
    "trades": f"n, {_SYMBOL}, 'LONG', n, {{amount}}, n + 7, {{amount}}, {{amount}}, {{amount}}, {{amount}}, 1.25, "
    "'signal', 'stop_loss', 'unknown', 'SmaCrossover'",
    "decisions": f"n, {_SYMBOL}, 'SmaCrossover', 'hold', 'unknown', 0.5, 'no_signal', '{{{{\"fast\": 0.1}}}}'",
    "wallets": "n, 'USDT', {amount}, {amount}, {zero}, {amount}, {amount}, {zero}, {zero}",
}

Fingerprint = dict[str, tuple[int, str]]


def write_many(connection: Connection, rows: int) -> None:
    """Write about `rows` rows, in one transaction. Amounts have nine decimals and a zero at their end."""
    kind = "NUMERIC" if connection.dialect.name == "postgresql" else "TEXT"
    values = {"amount": f"CAST(n || '.00000012' || (n % 10) || '0' AS {kind})", "zero": f"CAST('0' AS {kind})"}
    with connection.begin():
        for name in SYMBOLS:
            base, _, quote = name.partition("/")
            connection.exec_driver_sql(f"INSERT INTO symbols VALUES ('{name}', '{base}', '{quote}')")  # noqa: S608  ours
        for table, share in SHARES.items():
            numbers = _NUMBERS.format(rows=rows * share // 100)
            selected = _VALUES[table].format(**values)
            connection.execute(text(f"INSERT INTO {table} {numbers} SELECT {selected} FROM numbers"))  # noqa: S608  ours


def fingerprint(connection: Connection, columns: dict[str, list[str]]) -> Fingerprint:
    """Return of every table how many rows it has, and a sum over all that they say."""
    found = {}
    with connection.begin():
        for table, names in columns.items():
            shown = ", ".join(f'CAST("{name}" AS TEXT)' for name in names)
            digest, count = hashlib.sha256(), 0
            key = ", ".join(inspect(connection).get_pk_constraint(table)["constrained_columns"])
            query = text(f"SELECT {shown} FROM {table} ORDER BY {key}")  # noqa: S608  ours
            for row in connection.execute(query, execution_options={"yield_per": 10_000}):
                digest.update(repr(tuple(row)).encode())
                count += 1
            found[table] = (count, digest.hexdigest())
    return found


def columns_of(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of the tables that `write_many` fills, in the schema that is there."""
    with connection.begin():
        inspector = inspect(connection)
        return {table: [one["name"] for one in inspector.get_columns(table)] for table in (*SHARES, "symbols")}
