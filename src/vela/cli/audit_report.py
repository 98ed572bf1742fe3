"""Makes an audit for the command and prints what it found."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import typer

from vela.adapters.audit.findings import Finding
from vela.adapters.audit.keys import counts
from vela.bootstrap.audit import Audit, AuditOptions, audit
from vela.bootstrap.setting_values import read_duration
from vela.bootstrap.settings import load_data_settings
from vela.cli.output import print_json
from vela.domain.errors import ConfigurationError
from vela.domain.trading_symbol import parse_symbol_list


def audit_and_report(
    bus: str | None, symbols: str | None, *, stale_after: str, dead_after: str, fix: bool, as_json: bool
) -> bool:
    """Audit, print, and return whether nothing is left to be done.

    Raises:
        VelaError: an option makes no sense.
        BusError: Redis does not answer, or refuses.
    """
    address = load_data_settings({"bus": bus}, os.environ).bus
    if address is None:
        raise ConfigurationError("setting bus is missing; accepted: --bus redis://HOST:6379/0")
    options = AuditOptions(
        tuple(parse_symbol_list(symbols)) if symbols is not None else (),
        read_duration("--stale-after", stale_after),
        read_duration("--dead-after", dead_after),
    )

    def announce(findings: Sequence[Finding]) -> None:
        # On stderr beside JSON: whatever becomes of us, it was said before it was done.
        typer.echo("\n".join(_lines(findings)), err=as_json, nl=bool(findings))

    done = asyncio.run(audit(address.get_secret_value(), options, announce=announce if fix else None))
    if as_json:
        print_json(as_document(done))
    else:
        _print(done, announced=fix)
    return not done.left


def as_document(done: Audit) -> dict[str, object]:
    """Return it as plain values."""
    snapshot = done.snapshot
    return {
        "ok": not done.left,
        "bus": done.bus,
        "time": snapshot.time,
        "symbols": [str(symbol) for symbol in done.symbols],
        "keys": len(snapshot.keys),
        "streams": len(snapshot.streams),
        "foreign_keys": snapshot.foreign,
        "problems": counts(done.findings),
        "findings": [
            {
                "problem": finding.problem.value,
                "key": finding.key,
                "sentence": finding.sentence,
                "fix": None if finding.fix is None else str(finding.fix),
                "fixed": finding.fix is not None and finding.fix in done.fixed,
            }
            for finding in done.findings
        ],
    }


def _print(done: Audit, *, announced: bool) -> None:
    lines = [] if announced else _lines(done.findings)
    for finding in done.findings:
        if announced and finding.fix is not None:
            became = "done" if finding.fix in done.fixed else "left, it has changed meanwhile"
            lines.append(f"{_shown(str(finding.fix))}: {became}")
    snapshot = done.snapshot
    lines.append(
        f"{len(snapshot.keys):,} keys, {len(snapshot.streams):,} streams, {len(done.symbols):,} symbols in use at "
        f"{done.bus}; {snapshot.foreign:,} keys of other programs left alone; "
        f"{len(done.left):,} findings" + (f", {len(done.fixed):,} fixed" if announced else "")
    )
    typer.echo("\n".join(lines))


def _lines(findings: Sequence[Finding]) -> list[str]:
    return [
        _shown(f"{finding.problem}: {finding.key}: {finding.sentence}")
        + ("" if finding.fix is None else _shown(f"; --fix: {finding.fix}"))
        for finding in findings
    ]


def _shown(text: str) -> str:
    """Return it as one line: a key's name may hold anything."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
