"""Sets the kill switch, and shows how it and the limits on losses stand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import typer

from vela.bootstrap.kill_switch import Standing, kill_switch_state, turn_kill_switch
from vela.bootstrap.settings import load_data_settings
from vela.cli.output import print_json
from vela.domain.errors import ConfigurationError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPTIONS = {"on": {"--flatten", "--reason"}, "off": {"--reset-limits", "--reason"}, "status": set[str]()}


def carry_out(
    action: str, place: Mapping[str, str | None], *, flatten: bool, reset_limits: bool, reason: str
) -> Standing:
    """Do what the command says and return how things stand then; `place`: settings of where the account is.

    Raises:
        ConfigurationError: the action is unknown, an option does not belong to it, or there is no account.
        StorageError: the record cannot be used.
    """
    if action not in _OPTIONS:
        raise ConfigurationError(f"action was {action[:40]!r}; accepted: {', '.join(_OPTIONS)}")
    given = {"--flatten": flatten, "--reset-limits": reset_limits, "--reason": bool(reason)}
    for option in (option for option, is_given in given.items() if is_given and option not in _OPTIONS[action]):
        accepted = " and ".join(name for name, options in _OPTIONS.items() if option in options)
        raise ConfigurationError(f"{option} does nothing with {action}; accepted: with {accepted}")
    settings = load_data_settings(place, os.environ)
    if action == "status":
        return kill_switch_state(settings)
    return turn_kill_switch(settings, on=action == "on", reason=reason, flatten=flatten, reset_limits=reset_limits)


def print_standing(standing: Standing, *, as_json: bool) -> None:
    """Print it, for people or for programs."""
    if as_json:
        print_json(as_document(standing))
    else:
        typer.echo("\n".join(as_lines(standing)))


def as_document(standing: Standing) -> dict[str, object]:
    """Return it as plain values: `time` in ms UTC, null if the switch was never set."""
    switch = standing.switch
    return {
        "state": "on" if switch.is_on else "off",
        "flatten": switch.flatten,
        "time": switch.time if switch.number else None,
        "reason": switch.reason,
        "by": switch.by,
        "daily_loss": standing.day_lost,
        "drawdown": standing.drawn_down,
    }


def as_lines(standing: Standing) -> list[str]:
    """Return it in words."""
    switch, marks = standing.switch, standing.marks
    line = f"kill switch: {'on' if switch.is_on else 'off'}"
    if switch.number:
        line += f" since {_EPOCH + timedelta(milliseconds=switch.time):%Y-%m-%d %H:%M:%S} UTC"
    if switch.reason:
        line += f" ({switch.reason})"
    lines = [line + (", positions are closed" if switch.flatten else "")]
    if standing.day_lost and marks is not None:
        lines.append(f"daily loss: more than allowed on {_EPOCH + timedelta(days=marks.day):%Y-%m-%d} (UTC)")
    if standing.drawn_down:
        lines.append("drawdown: more than allowed; vela kill-switch off --reset-limits lifts that")
    return lines
