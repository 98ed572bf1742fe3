"""The past, traded by the engine's own rules, compiled."""

from __future__ import annotations

from vela.backtest.config import BacktestConfig
from vela.backtest.result import BacktestResult
from vela.backtest.run import backtest

__all__ = ["BacktestConfig", "BacktestResult", "backtest"]
