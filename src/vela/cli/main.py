"""The command `vela`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vela.cli import (
    audit,
    backtest,
    backup,
    candles,
    check,
    download,
    import_,
    import_record,
    kill_switch,
    login_link,
    migrate,
    new_strategy,
    replay,
    restore,
    run,
    strategies,
    symbols,
    up,
    venue,
    verify,
)
from vela.domain.errors import VelaError
from vela.version import __version__

EXIT_FAILURE = 1
EXIT_USAGE = 2

app = typer.Typer(
    name="vela",
    help="A crypto trading system whose rules are the same in backtest, paper and live. Start with: vela up",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
app.command("download")(download.download)
app.command("import")(import_.import_candles)
app.command("candles")(candles.candles)
app.command("run")(run.run)
app.command("backtest")(backtest.backtest)
app.command("replay")(replay.replay)
app.command("verify")(verify.verify)
app.command("venue")(venue.venue)
app.command("symbols")(symbols.symbols)
app.command("strategies")(strategies.strategies)
app.command("check")(check.check)
app.command("audit")(audit.audit)
app.command("import-record")(import_record.import_record)
app.command("migrate")(migrate.migrate)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("new-strategy")(new_strategy.new_strategy)
app.command("kill-switch")(kill_switch.kill_switch)
app.command("login-link")(login_link.login_link)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vela {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Hold the options that belong to no command."""


def main() -> None:
    """Run a command; a user's mistake becomes one line on stderr and exit code 2."""
    try:
        app()
    except VelaError as e:
        sys.stderr.write(f"vela: {' '.join(str(e).splitlines())}\n")
        from vela.services.supervisor import ServicesFailed  # only now: most commands need no services

        sys.exit(EXIT_FAILURE if isinstance(e, ServicesFailed) else EXIT_USAGE)
