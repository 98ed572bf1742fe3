"""Checks that a strategy does not know the future, its own past, or where its candles begin."""

from __future__ import annotations

from vela.backtest.bias.check import check_strategy
from vela.backtest.bias.examination import QUICK, THOROUGH, Effort
from vela.backtest.bias.findings import Check, Finding, Report, Severity

__all__ = ["QUICK", "THOROUGH", "Check", "Effort", "Finding", "Report", "Severity", "check_strategy"]
