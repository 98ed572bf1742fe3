"""`vela kill-switch`: no entries from now on, whatever runs."""

from __future__ import annotations

from typing import Annotated

import typer

from vela.cli import rule_options as rule


def kill_switch(
    action: Annotated[str, typer.Argument(help="on, off or status.")],
    flatten: Annotated[bool, typer.Option("--flatten", help="With on: close every position at market, too.")] = False,
    reset_limits: Annotated[
        bool, typer.Option("--reset-limits", help="With off: count losses anew, which lifts the stop of a drawdown.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, in a line of your own; with on and off.")] = "",
    data_dir: rule.DataDir = None,
    database: rule.Database = None,
    json: Annotated[bool, typer.Option("--json", help="Print the state as JSON.")] = False,
) -> None:
    """Stop all entries of an account, whether it runs or not; its positions keep their stops.

    A running vela up looks before every entry and twice a second: what is under way to enter is taken back.

    Example: vela kill-switch on --flatten --reason "away for a week"

    Example: vela kill-switch off
    """
    from vela.cli.failures import failures
    from vela.cli.switch_report import carry_out, print_standing

    with failures():
        place = {"data_dir": data_dir, "database": database}
        standing = carry_out(action, place, flatten=flatten, reset_limits=reset_limits, reason=reason)
    print_standing(standing, as_json=json)
